// SPDX-License-Identifier: Apache-2.0
/* patch.h: block matching: where a patch of one image is in another. */
#ifndef FX_KERNELS_PATCH_H
#define FX_KERNELS_PATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/affine2.h"
#include "kernels/plane.h"

/** A patch of (2 half + 1)^2 voxels is tried at all whole shifts of at most reach on each axis. */
struct fx_patch_how {
	int half, reach; /**< voxels, 1 to 256 */
	double texture;	 /**< a patch with a standard deviation below this is not looked for */
};

struct fx_patch_match {
	double from[2], to[2]; /**< place in the one image, place in the other: y x */
	double r;	       /**< normalised cross-correlation (Pearson) there, -1 to 1 */
	double lead;	       /**< by how much r is above the next best peak's */
};

/** Work for one thread. Zero-initialise; fx_patch_fini() when done. */
struct fx_patch {
	struct fx_patch_how how;
	float *patch, *window;	   /**< owned */
	double *r, *sum, *squares; /**< owned; of the window, up to each voxel */
};

/** FX_EINVAL, FX_ENOMEM. */
int fx_patch_init(struct fx_patch *p, const struct fx_patch_how *how);
void fx_patch_fini(struct fx_patch *p);
/** Looks for the patch around voxel (@p y, @p x) of @p one near its place by @p map in @p other,
 * which is resampled there by the linear part of @p map (cubic), so that the patch may be turned,
 * scaled and sheared. Between voxels the place is the top of a quadric (fx_quadric_top()) through
 * the nine correlations around the highest. 1 when found; 0 when the patch is not inside of @p one
 * or has no texture, or its window is not inside of @p other; -1 when the highest is at the edge of
 * what is tried. */
int fx_patch_find(struct fx_patch *p, const struct fx_plane *one, const struct fx_plane *other,
		  const struct fx_affine2 *map, size_t y, size_t x, struct fx_patch_match *out);

#endif
