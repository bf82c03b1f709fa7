// SPDX-License-Identifier: Apache-2.0
/* treeset.h: trees that came in any order. */
#ifndef FX_BLOCK_TREESET_H
#define FX_BLOCK_TREESET_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "base/pack.h"

/** Zero-initialise; fx_treeset_fini(). */
struct fx_treeset {
	struct fx_tree **trees; /**< owned, as they came; after fx_treeset_sort() by segment, and
				   those of one segment in an order that does not depend on when
				   they came */
	size_t len, cap;
};

void fx_treeset_fini(struct fx_treeset *s);
/** Takes a tree, also when it fails; NULL fails. FX_ENOMEM, FX_ETYPE when a parent is not before
 * its child. */
int fx_treeset_add(struct fx_treeset *s, struct fx_tree *t, struct fx_error *err);
void fx_treeset_sort(struct fx_treeset *s);
/** One forest of the trees @p first to @p first + @p len - 1, with the segment of the first one;
 * NULL without memory or with more than 2^31 - 1 nodes. */
struct fx_tree *fx_treeset_join(const struct fx_treeset *s, size_t first, size_t len);
/** How many trees from number @p first on have its segment (sorted). */
size_t fx_treeset_run(const struct fx_treeset *s, size_t first);
/** Puts all trees, and takes them back to a zeroed set. FX_ETYPE, FX_ENOMEM. */
void fx_treeset_pack(const struct fx_treeset *s, struct fx_pack *to);
int fx_treeset_unpack(struct fx_treeset *s, struct fx_unpack *from);

#endif
