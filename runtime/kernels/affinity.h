// SPDX-License-Identifier: Apache-2.0
/* affinity.h: what a network should say of labels: which neighbours are one body, and how deep. */
#ifndef FX_KERNELS_AFFINITY_H
#define FX_KERNELS_AFFINITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Label of a voxel that is known to be in no body. */
#define FX_LABEL_ERODED UINT32_MAX

/** @p to = @p labels (zyx, C order), FX_LABEL_ERODED where one of the 6 neighbours has another
 * label than the voxel's and is not 0. 0 stays 0. Must not overlap. */
void fx_labels_erode(uint32_t *to, const uint32_t *labels, const size_t shape[3]);

/** A box of a volume. */
struct fx_affinity_box {
	size_t shape[3], lo[3], size[3]; /**< the volume, and the box in it; zyx */
};

/** For every voxel of the box (raster order, target and weight @p step numbers apart): target 1
 * when it and the voxel @p distance lower along @p axis are in one body, else 0; weight 0 when
 * either is 0 (unknown) or outside of the volume, else 1. A pair with FX_LABEL_ERODED is never one.
 */
void fx_affinity_target(const uint32_t *labels, const struct fx_affinity_box *box, int axis,
			size_t distance, float *target, float *weight, size_t step);
/** Changes the weights above 0 of @p n numbers @p step apart, so that both targets weigh half of
 * what all weighed; a target of less than @p rare of them all gets no more than it would at that
 * share. */
void fx_affinity_balance(const float *target, float *weight, size_t n, size_t step, double rare);

#endif
