// SPDX-License-Identifier: Apache-2.0
/* finalids.h: from provisional to final segment ids, as "final-ids" records tell them. */
#ifndef FX_KERNELS_FINALIDS_H
#define FX_KERNELS_FINALIDS_H

#include <stdbool.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "base/map64.h"
#include "kernels/contingency.h"

/** Zero-initialise; fx_final_ids_fini(). While no record came, ids are taken as final already. */
struct fx_final_ids {
	bool any; /**< a record came */
	struct fx_map64 ids;
};

void fx_final_ids_fini(struct fx_final_ids *f);
/** Takes the rows of a "final-ids" record; other kinds are ignored. FX_EINVAL when the table has
 * not 2 columns, FX_ENOMEM. */
int fx_final_ids_take(struct fx_final_ids *f, const struct fx_record *r, struct fx_error *err);
/** Final id of @p id: of 0 it is 0, of an id that no record names the id itself. */
uint64_t fx_final_ids_of(const struct fx_final_ids *f, uint64_t id);
/** Replaces the segments of @p c by their final ids. FX_EINVAL when records came and one has none
 * (the error names the smallest), FX_ENOMEM; @p c is then as it was. */
int fx_final_ids_apply(const struct fx_final_ids *f, struct fx_contingency *c,
		       struct fx_error *err);
/** Replaces each of @p len labels by its final id; 0 stays 0. While no record came, none changes.
 * FX_EINVAL when one has none (the error names it); then @p labels is undefined. */
int fx_final_ids_relabel(const struct fx_final_ids *f, uint64_t *labels, size_t len,
			 struct fx_error *err);
/** Puts all, and takes it back to a zeroed one. FX_ETYPE, FX_ENOMEM. */
int fx_final_ids_pack(const struct fx_final_ids *f, struct fx_pack *to);
int fx_final_ids_unpack(struct fx_final_ids *f, struct fx_unpack *from);
/** The labels of @p b (u8, u16, u32, u64; one channel) as a new block of u64, fx_block_free(). NULL
 * without memory. */
struct fx_block *fx_labels_widen(const struct fx_block *b);

#endif
