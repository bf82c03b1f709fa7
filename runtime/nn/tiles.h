// SPDX-License-Identifier: Apache-2.0
/* tiles.h: an axis cut into pieces of one length that overlap, and how they are blended. */
#ifndef FX_NN_TILES_H
#define FX_NN_TILES_H

#include <stddef.h>

/** Pieces of an axis. */
struct fx_tiles {
	size_t len;	    /**< of the axis, rounded up to unit */
	size_t unit;	    /**< all begin and end at multiples of it */
	size_t count, size; /**< pieces, and voxels of each */
};

/** Cuts an axis of @p len (at least 1): one piece when @p most allows, else
 * ceil((len - overlap) / (most - overlap)) of the smallest size with at least that overlap. @p most
 * is rounded down to a multiple of unit, but is at least 3 units; @p overlap is at most a third of
 * it. */
struct fx_tiles fx_tiles_cut(size_t len, size_t unit, size_t most, size_t overlap);
/** First voxel of piece @p i. */
size_t fx_tiles_start(const struct fx_tiles *t, size_t i);
/** Share of piece @p i in each of its voxels, weight[size]: at every voxel of the axis they add up
 * to 1. Where two pieces overlap they change along a straight line in the middle half. */
void fx_tiles_weights(const struct fx_tiles *t, size_t i, float *weight);

#endif
