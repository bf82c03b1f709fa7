// SPDX-License-Identifier: Apache-2.0
/* downsample.h: a coarser copy of an image or of labels, for pyramids. */
#ifndef FX_KERNELS_DOWNSAMPLE_H
#define FX_KERNELS_DOWNSAMPLE_H

#include <stddef.h>

#include <fornix/block.h>

/** Voxels of an axis of @p n voxels when each @p factor (1 or 2) become one. */
size_t fx_downsample_len(size_t n, size_t factor);
/** Each voxel of @p to (shape by fx_downsample_len(), dtype as @p from; C order, zyx) is the mean
 * of the @p factor (1 or 2 on an axis) voxels of @p from that it covers; at the end of an axis
 * there may be fewer. Means of integers are rounded to the nearest, halves up; those of f32 are
 * summed in double in the order z y x. dtype: FX_U8, FX_U16, FX_U32, FX_U64, FX_F32. */
void fx_downsample_mean(const void *from, const size_t shape[3], const size_t factor[3],
			enum fx_dtype dtype, void *to);
/** Likewise, each voxel is the label that most of the covered voxels have; of labels that are
 * equally many it is the smallest other than 0. */
void fx_downsample_mode(const void *from, const size_t shape[3], const size_t factor[3],
			enum fx_dtype dtype, void *to);

#endif
