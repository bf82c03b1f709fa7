// SPDX-License-Identifier: Apache-2.0
/* resample.h: an image moved, by cubic convolution (cubic.h), once. */
#ifndef FX_KERNELS_RESAMPLE_H
#define FX_KERNELS_RESAMPLE_H

#include <stdint.h>

#include "kernels/affine2.h"
#include "kernels/elastic.h"
#include "kernels/plane.h"

/** Fills a part of the result: @p to, @p height x @p width voxels of the type of @p from, from
 * (@p y, @p x) on. A voxel of the result shows what @p from has at back(place + bend(place)); @p
 * bend may be NULL. Whole types are rounded and clipped to their range. What is outside of the
 * image, by more than half a voxel, is 0, and 1 in @p outside (may be NULL), which is 0 elsewhere.
 */
void fx_resample(const struct fx_plane *from, const struct fx_affine2 *back,
		 const struct fx_mesh *bend, size_t y, size_t x, size_t height, size_t width,
		 void *to, uint8_t *outside);

#endif
