// SPDX-License-Identifier: Apache-2.0
/* labelmap.h: from the provisional ids of a label stream to final ones. */
#ifndef FX_KERNELS_LABELMAP_H
#define FX_KERNELS_LABELMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "base/map64.h"

/** What the records of a label stream have told so far. Zero-initialise. */
struct fx_labelmap {
	struct fx_map64 parent; /**< of ids that are one: union-find, the smallest is the root */
	struct fx_map64 final_id;
	bool has_final;
};
void fx_labelmap_fini(struct fx_labelmap *m);
/** Takes in a record "equivalence" or "final-ids" (2 columns each); others are ignored. FX_EINVAL
 * with a text in @p err when one has other columns or touches label 0, FX_ENOMEM. */
int fx_labelmap_add(struct fx_labelmap *m, const struct fx_record *r, struct fx_error *err);
/** The id of the object of @p label as far as known: its final id; before any final-ids record the
 * smallest id that is known to be one with it. 0 stays 0. FX_ENOENT when final ids came and this
 * label has none. */
int fx_labelmap_find(const struct fx_labelmap *m, uint64_t label, uint64_t *id,
		     struct fx_error *err);
/** fx_labelmap_find() of each of @p len labels, in place. */
int fx_labelmap_apply(const struct fx_labelmap *m, uint64_t *labels, size_t len,
		      struct fx_error *err);
/** Puts all, and takes it back to a zeroed one. FX_ETYPE, FX_ENOMEM. */
int fx_labelmap_pack(const struct fx_labelmap *m, struct fx_pack *to);
int fx_labelmap_unpack(struct fx_labelmap *m, struct fx_unpack *from);

#endif
