// SPDX-License-Identifier: Apache-2.0
/* contingency.h: how often each pair of labels meets: the table behind all scores. */
#ifndef FX_KERNELS_CONTINGENCY_H
#define FX_KERNELS_CONTINGENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

#include "base/map64.h"

/** One pair of labels and its number of voxels. */
struct fx_pair {
	uint64_t seg, truth;
	uint64_t count;
};

/** A voxel of a pair: that with the lowest hash of its row (z, y), then of its x. So it lies
 * anywhere in the pair, and is the same however the volume is cut into blocks. */
struct fx_place {
	uint64_t row, column; /**< the hashes */
	int64_t at[3];	      /**< zyx */
};

/** Hash table of pairs: open addressing, linear probing. Zero-initialise; fx_contingency_fini().
 * Counts are exact up to 2^64 - 1 voxels. */
struct fx_contingency {
	size_t len, cap;	 /**< pairs, slots (a power of two or 0) */
	struct fx_pair *slots;	 /**< owned; count 0 is a free slot */
	bool placed;		 /**< set while it is empty: keep a place for each pair of blocks */
	struct fx_place *places; /**< owned, when placed: one a slot */
};

void fx_contingency_fini(struct fx_contingency *c);
/** Adds @p count > 0 voxels to a pair. FX_ENOMEM leaves the table as it was. */
int fx_contingency_count(struct fx_contingency *c, uint64_t seg, uint64_t truth, uint64_t count);
/** Adds @p n voxels: two arrays of u8, u16, u32 or u64, read run by run. @p truth may be NULL and
 * counts as all 0. FX_ETYPE for another type, FX_ENOMEM. */
int fx_contingency_add(struct fx_contingency *c, const void *seg, enum fx_dtype seg_dtype,
		       const void *truth, enum fx_dtype truth_dtype, size_t n);
/** Adds the voxels where the cores of two blocks meet (global coordinates); *voxels grows by
 * their number. @p truth may be NULL: the whole core of @p seg against truth 0. As above. */
int fx_contingency_add_blocks(struct fx_contingency *c, const struct fx_block *seg,
			      const struct fx_block *truth, uint64_t *voxels);
/** The place of a pair, or NULL when it has none: not placed, or not counted from blocks. */
const struct fx_place *fx_contingency_place(const struct fx_contingency *c, uint64_t seg,
					    uint64_t truth);
/** *out = the table with every segment but 0 replaced by its value in @p ids, and their places.
 * FX_ENOENT with the first segment (smallest) that has none in *unknown; FX_ENOMEM. @p out is zero
 * before. */
int fx_contingency_relabel(const struct fx_contingency *c, const struct fx_map64 *ids,
			   struct fx_contingency *out, uint64_t *unknown);
/** All pairs sorted by (truth, seg): c->len of them; free(). NULL without memory. */
struct fx_pair *fx_contingency_sorted(const struct fx_contingency *c);
/** Puts the pairs, sorted, and takes them back to a zeroed table. FX_ETYPE, FX_ENOMEM. */
int fx_contingency_pack(const struct fx_contingency *c, struct fx_pack *to);
int fx_contingency_unpack(struct fx_contingency *c, struct fx_unpack *from);

#endif
