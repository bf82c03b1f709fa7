// SPDX-License-Identifier: Apache-2.0
/* consensus.h: the oversegmentation consensus of several segmentations of one volume. */
#ifndef FX_KERNELS_CONSENSUS_H
#define FX_KERNELS_CONSENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

/** Which voxels belong to nothing. */
enum fx_consensus_zero {
	FX_CONSENSUS_ANY, /**< those that are 0 in any segmentation */
	FX_CONSENSUS_ALL, /**< those that are 0 in all of them; else 0 is a label like any other */
	FX_CONSENSUS_FIRST, /**< those that are 0 in the first one */
};

/** Labels of every voxel: FX_U8, FX_U16, FX_U32 or FX_U64. */
struct fx_consensus_input {
	const void *labels;
	enum fx_dtype dtype;
};

struct fx_consensus_params {
	enum fx_consensus_zero zero;
	/** Pieces of fewer voxels become 0, unless they touch an open face. */
	uint64_t min_voxels;
	/** By axis (z y x), low and high: the volume goes on beyond this face. */
	bool open[3][2];
};

/** Two voxels are one piece when every input has them in one segment and they are connected (26
 * neighbours) by voxels of which the same is true: split where any splits (Januszewski et al.,
 * Nature Methods 15:605, 2018, who keep pieces together that are not connected). Pieces are
 * numbered 1..*count in raster order of their first voxels, so that with FX_CONSENSUS_ANY and ALL
 * the order of the inputs does not matter. @p inputs_len >= 1; @p shape zyx, C order. FX_EINVAL for
 * an empty or too large shape, FX_ETYPE, FX_ENOMEM. */
int fx_consensus(uint32_t *out, uint32_t *count, const struct fx_consensus_input *inputs,
		 size_t inputs_len, const size_t shape[3], const struct fx_consensus_params *p);

#endif
