// SPDX-License-Identifier: Apache-2.0
/* voxel.h: single voxels of any type. */
#ifndef FX_BLOCK_VOXEL_H
#define FX_BLOCK_VOXEL_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

/** The label of voxel @p i; 0 for types that are not of labels. */
static inline uint64_t fx_voxel_label(const void *voxels, enum fx_dtype dtype, size_t i)
{
	switch (dtype) {
	case FX_U8:
		return ((const uint8_t *)voxels)[i];
	case FX_U16:
		return ((const uint16_t *)voxels)[i];
	case FX_U32:
		return ((const uint32_t *)voxels)[i];
	case FX_U64:
		return ((const uint64_t *)voxels)[i];
	case FX_F16:
	case FX_F32:
		break;
	}
	return 0;
}

/** The brightness of voxel @p i: u8 and u16 from 0 to 1, f32 cut to -1 to 2, not a number being 0;
 * 0 for other types. */
static inline float fx_voxel_brightness(const void *voxels, enum fx_dtype dtype, size_t i)
{
	float v;

	switch (dtype) {
	case FX_U8:
		return (float)((const uint8_t *)voxels)[i] / 255;
	case FX_U16:
		return (float)((const uint16_t *)voxels)[i] / 65535;
	case FX_F32:
		v = ((const float *)voxels)[i];
		return v < -1 ? -1 : v > 2 ? 2 : v >= -1 ? v : 0;
	case FX_U32:
	case FX_U64:
	case FX_F16:
		break;
	}
	return 0;
}

#endif
