// SPDX-License-Identifier: Apache-2.0
/* plane.h: a 2-D image of any of the types that images have, borrowed. */
#ifndef FX_KERNELS_PLANE_H
#define FX_KERNELS_PLANE_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

struct fx_plane {
	const void *voxels;   /**< borrowed; row by row */
	enum fx_dtype dtype;  /**< u8, u16 or f32 */
	size_t height, width; /**< voxels */
	size_t stride;	      /**< voxels from one row to the next */
};

/** A whole image of @p height x @p width voxels without gaps. */
static inline struct fx_plane fx_plane_of(const void *voxels, enum fx_dtype dtype, size_t height,
					  size_t width)
{
	const struct fx_plane p = { voxels, dtype, height, width, width };

	return p;
}

/** The part of @p height x @p width voxels from (@p y, @p x) on, which must lie inside. */
static inline struct fx_plane fx_plane_part(const struct fx_plane *p, size_t y, size_t x,
					    size_t height, size_t width)
{
	struct fx_plane part = *p;

	part.voxels = (const uint8_t *)p->voxels + (y * p->stride + x) * fx_dtype_size(p->dtype);
	part.height = height;
	part.width = width;
	return part;
}

/** The voxel at (@p y, @p x), which must lie inside. */
static inline float fx_plane_at(const struct fx_plane *p, size_t y, size_t x)
{
	const size_t i = y * p->stride + x;

	if (p->dtype == FX_U8)
		return ((const uint8_t *)p->voxels)[i];
	if (p->dtype == FX_U16)
		return ((const uint16_t *)p->voxels)[i];
	return ((const float *)p->voxels)[i];
}

#endif
