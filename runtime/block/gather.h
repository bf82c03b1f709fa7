// SPDX-License-Identifier: Apache-2.0
/* gather.h: the blocks of a stream become one. */
#ifndef FX_BLOCK_GATHER_H
#define FX_BLOCK_GATHER_H

#include <stddef.h>

#include <fornix/block.h>
#include <fornix/error.h>

/** Cores of the blocks that came. Zero-initialise and set the first part; fx_gather_fini(). */
struct fx_gather {
	size_t most; /**< bytes of voxels that may be kept; 0: any */

	struct fx_block **pieces; /**< owned */
	size_t len, cap, size;
	struct fx_region region; /**< the smallest box around them */
};

/** Keeps a copy of the core of @p b. FX_ETYPE for another type of voxels than before, FX_ENOMEM,
 * also for more than @p most. */
int fx_gather_add(struct fx_gather *g, const struct fx_block *b, struct fx_error *err);
/** One block of all that is in @p region, 0 where nothing came; the caller's. NULL without memory,
 * without any block, for an empty region or one of more than g->most. */
struct fx_block *fx_gather_get(const struct fx_gather *g, struct fx_region region);
void fx_gather_fini(struct fx_gather *g);

#endif
