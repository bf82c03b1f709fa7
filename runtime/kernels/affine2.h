// SPDX-License-Identifier: Apache-2.0
/* affine2.h: affine maps of the plane. */
#ifndef FX_KERNELS_AFFINE2_H
#define FX_KERNELS_AFFINE2_H

#include <math.h>
#include <stdbool.h>

/** Place (y, x) goes to m * (y, x, 1). */
struct fx_affine2 {
	double m[2][3];
};

static inline struct fx_affine2 fx_affine2_shift(double y, double x)
{
	const struct fx_affine2 a = { { { 1, 0, y }, { 0, 1, x } } };

	return a;
}

static inline void fx_affine2_apply(const struct fx_affine2 *a, const double p[2], double to[2])
{
	const double y = p[0], x = p[1];

	to[0] = a->m[0][0] * y + a->m[0][1] * x + a->m[0][2];
	to[1] = a->m[1][0] * y + a->m[1][1] * x + a->m[1][2];
}

/** First @p b, then @p a. */
static inline struct fx_affine2 fx_affine2_after(const struct fx_affine2 *a,
						 const struct fx_affine2 *b)
{
	struct fx_affine2 c;

	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 3; j++)
			c.m[i][j] = a->m[i][0] * b->m[0][j] + a->m[i][1] * b->m[1][j] +
				    (j == 2 ? a->m[i][2] : 0);
	return c;
}

/** The way back; false when there is none. */
static inline bool fx_affine2_invert(const struct fx_affine2 *a, struct fx_affine2 *back)
{
	const double det = a->m[0][0] * a->m[1][1] - a->m[0][1] * a->m[1][0];

	if (!(fabs(det) > 1e-12))
		return false;
	back->m[0][0] = a->m[1][1] / det;
	back->m[0][1] = -a->m[0][1] / det;
	back->m[1][0] = -a->m[1][0] / det;
	back->m[1][1] = a->m[0][0] / det;
	for (int i = 0; i < 2; i++)
		back->m[i][2] = -back->m[i][0] * a->m[0][2] - back->m[i][1] * a->m[1][2];
	return true;
}

#endif
