// SPDX-License-Identifier: Apache-2.0
/* boundary.h: how much every voxel looks like a membrane, from classical filters. */
#ifndef FX_KERNELS_BOUNDARY_H
#define FX_KERNELS_BOUNDARY_H

#include <stddef.h>
#include <stdint.h>

/** Scales are in voxels of the finest axis, see fx_boundary_ridge(). */
struct fx_boundary_params {
	double sigma_fine, sigma_coarse; /**< of the two ridge filters; coarse 0 is none */
	double sigma_brightness;	 /**< of the smoothed brightness */
	double dark;			 /**< weight of the smoothed brightness, subtracted */
	double gain, offset; /**< evidence = offset + gain * (ridge - dark * brightness) */
};

/** Boundary evidence of @p image (zyx, C order; membranes dark, brightness 0..1) to @p boundary,
 * 0 interior to 255 membrane: the larger of fx_ridge() at two scales, minus a part of the smoothed
 * brightness, mapped by gain and offset and cut at 0 and 1. @p voxel: the voxel's edges in any
 * unit; a sigma of s means s times the shortest of them along every axis. Values of the image that
 * are not finite, or far from 0..1, are taken as the nearest of -1 and 2 (NaN: 0). Returns FX_OK,
 * FX_EINVAL for an empty or overflowing shape or a voxel edge that is not positive, FX_ENOMEM.
 * Same bits for any thread count. */
int fx_boundary_ridge(uint8_t *boundary, const float *image, const size_t shape[3],
		      const double voxel[3], const struct fx_boundary_params *p);

#endif
