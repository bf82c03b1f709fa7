// SPDX-License-Identifier: Apache-2.0
/* spline2d.h: interpolation of an image by cubic B-splines (Unser, Aldroubi, Eden, IEEE Trans.
 * Signal Processing 1993): exact at the voxels, smooth between them, mirrored beyond the rim. */
#ifndef FX_KERNELS_SPLINE2D_H
#define FX_KERNELS_SPLINE2D_H

#include <stddef.h>

/** Turns @p h x @p w grey values, rows first, into the coefficients of their spline, in place. The
 * same for any number of threads. */
void fx_spline2d_prepare(float *c, size_t h, size_t w);
/** The spline with coefficients @p c at row @p y, column @p x; |y|, |x| below 2^40. */
float fx_spline2d_at(const float *c, size_t h, size_t w, double y, double x);

#endif
