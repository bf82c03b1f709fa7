// SPDX-License-Identifier: Apache-2.0
/* pair.h: blocks of two streams on one grid find their partners. */
#ifndef FX_BLOCK_PAIR_H
#define FX_BLOCK_PAIR_H

#include <stddef.h>

#include <fornix/block.h>
#include <fornix/error.h>

/** Blocks that wait, of either stream. Zero-initialise and set the first part; fx_pairs_fini() when
 * done. */
struct fx_pairs {
	size_t most; /**< bytes of voxels that may wait; 0: any */

	struct fx_pair_wait {
		struct fx_block *block; /**< owned */
		unsigned stream;
	} * waiting; /**< owned */
	size_t len, cap, size;
};

/** Takes @p b (consumed, also on failure) of stream 0 or 1. When the block of the other stream
 * whose core begins at the same voxel waits, both go to pair[0], pair[1], the caller's; else both
 * are NULL, and @p b waits. FX_ENOMEM, also when more than @p most would wait; FX_EINVAL when one
 * of the same stream and place waits. */
int fx_pairs_put(struct fx_pairs *p, unsigned stream, struct fx_block *b, struct fx_block *pair[2],
		 struct fx_error *err);
void fx_pairs_fini(struct fx_pairs *p);

#endif
