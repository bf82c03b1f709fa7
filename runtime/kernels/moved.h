// SPDX-License-Identifier: Apache-2.0
/* moved.h: parts of a row of an image that is moved, by cubic convolution (cubic.h) in f32. */
#ifndef FX_KERNELS_MOVED_H
#define FX_KERNELS_MOVED_H

#include <stdbool.h>

#include "kernels/affine2.h"
#include "kernels/plane.h"

/** True when all places from @p lo to @p hi (y x, inclusive) go to places inside of @p p. */
bool fx_moved_inside(const struct fx_plane *p, const struct fx_affine2 *map, const double lo[2],
		     const double hi[2]);
/** Fills @p to with what @p p shows at map(y, x), map(y, x + 1), ..., @p n of them, which must be
 * within 2^30; beyond the edge is what is at the edge. Fast for u8, and for shifts. A voxel is the
 * same bits wherever the row begins. */
void fx_moved_row(const struct fx_plane *p, const struct fx_affine2 *map, double y, double x,
		  size_t n, float *to);

#endif
