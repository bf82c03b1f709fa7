// SPDX-License-Identifier: Apache-2.0
/* cubic.h: an image between its voxels, by cubic convolution with a = -1/2.
 * R. G. Keys, "Cubic convolution interpolation for digital image processing", IEEE Trans.
 * Acoustics, Speech, and Signal Processing 29:1153 (1981). It is exact on quadratics. */
#ifndef FX_KERNELS_CUBIC_H
#define FX_KERNELS_CUBIC_H

#include <stddef.h>

#include "kernels/plane.h"

/** Weights of the voxels at -1, 0, 1, 2 for the place @p t, 0 to 1. */
static inline void fx_cubic_weights(double t, double w[4])
{
	const double u = 1 - t;

	w[0] = -0.5 * t * u * u;
	w[1] = 1 + t * t * (1.5 * t - 2.5);
	w[2] = 1 + u * u * (1.5 * u - 2.5);
	w[3] = -0.5 * u * t * t;
}

/** The whole number below or at @p v, which is within 2^30: no call, as floor() often is. */
static inline ptrdiff_t fx_cubic_floor(double v)
{
	const ptrdiff_t i = (ptrdiff_t)v;

	return i - ((double)i > v);
}

/** The image at (@p y, @p x), finite and within 2^30; beyond the edge is what is at the edge. */
static inline double fx_cubic_at(const struct fx_plane *p, double y, double x)
{
	const ptrdiff_t y0 = fx_cubic_floor(y) - 1, x0 = fx_cubic_floor(x) - 1,
			h = (ptrdiff_t)p->height, w = (ptrdiff_t)p->width;
	double wy[4], wx[4], sum = 0;
	size_t columns[4];

	fx_cubic_weights(y - (double)(y0 + 1), wy);
	fx_cubic_weights(x - (double)(x0 + 1), wx);
	for (ptrdiff_t i = 0; i < 4; i++)
		columns[i] = (size_t)(x0 + i < 0 ? 0 : x0 + i < w ? x0 + i : w - 1);
	for (ptrdiff_t j = 0; j < 4; j++) {
		const size_t row = (size_t)(y0 + j < 0 ? 0 : y0 + j < h ? y0 + j : h - 1);
		double line = 0;

		for (int i = 0; i < 4; i++)
			line += wx[i] * (double)fx_plane_at(p, row, columns[i]);
		sum += wy[j] * line;
	}
	return sum;
}

#endif
