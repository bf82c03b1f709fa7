// SPDX-License-Identifier: Apache-2.0
/* skeletonize.h: skeletons of all objects of a label block, to be joined with those next to it. */
#ifndef FX_KERNELS_SKELETONIZE_H
#define FX_KERNELS_SKELETONIZE_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/crossing.h"
#include "kernels/piece.h"
#include "kernels/teasar.h"

/** A block of labels, as the kernel wants it. */
struct fx_skeletonize_block {
	const uint64_t *labels; /**< zyx, 0 is none; same label = same object */
	size_t shape[3];
	int64_t origin[3]; /**< voxels */
	double voxel_nm[3];
	const struct fx_link_target *targets;
	size_t targets_len;
	/** For each voxel of the first plane along axis 0, 1, 2 (C order of the other axes): the
	 * ball by which the block before clears it, centre in global voxels, radius below 0 for
	 * none; NULL when there is no block before. */
	const struct fx_ball *enters[3];
	uint64_t dust; /**< pieces without target and with fewer voxels are left out */
};

/** What fx_skeletonize() makes; zero-initialise, fx_skeletons_fini(). */
struct fx_skeletons {
	struct fx_piece *pieces; /**< in raster order of their first voxels */
	size_t len;
	struct fx_ball *leaves[3]; /**< for the last planes, as enters are for the first ones */
};
void fx_skeletons_fini(struct fx_skeletons *s);

/** Traces all pieces of @p b by fx_teasar_trace(). The distance to the boundary does not count the
 * faces of the block, except in a block that holds one label only. Targets that must be reached
 * come first in order of voxels; targets outside of any label are ignored. Pieces are shared out to
 * threads; any number of them gives the same bytes. FX_EINVAL, FX_ENOMEM. */
int fx_skeletonize(const struct fx_skeletonize_block *b, const struct fx_teasar_options *options,
		   struct fx_skeletons *made);

#endif
