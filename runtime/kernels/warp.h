// SPDX-License-Identifier: Apache-2.0
/* warp.h: samples a box of a volume turned, scaled and bent. */
#ifndef FX_KERNELS_WARP_H
#define FX_KERNELS_WARP_H

#include <stddef.h>
#include <stdint.h>

enum { FX_WARP_NODES = 5 }; /* of the bend, along each axis */

/** Where the voxels of the result come from: result voxel p, counted from the middle of the box,
 * is at @p at + turn * p + bend(p) of the source. All zyx, in voxels. */
struct fx_warp {
	double at[3];
	double turn[3][3];
	/** Displacement at nodes spread evenly from the first to the last voxel of the box, linear
	 * between them. */
	float bend[FX_WARP_NODES][FX_WARP_NODES][FX_WARP_NODES][3];
};

/** Fills @p to, of @p size, from @p from, of @p shape (zyx, C order, no side 0): linear between
 * voxels, and outside of the source what is at its nearest face. */
void fx_warp_image(float *to, const size_t size[3], const float *from, const size_t shape[3],
		   const struct fx_warp *w);
/** The same with labels: of the nearest voxel, 0 outside of the source. */
void fx_warp_labels(uint32_t *to, const size_t size[3], const uint32_t *from, const size_t shape[3],
		    const struct fx_warp *w);

#endif
