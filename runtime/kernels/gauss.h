// SPDX-License-Identifier: Apache-2.0
/* gauss.h: Gaussian smoothing and Gaussian derivatives of f32 volumes, and the ridge measure. */
#ifndef FX_KERNELS_GAUSS_H
#define FX_KERNELS_GAUSS_H

#include <stddef.h>

/** The widest filter reaches this many voxels to either side; sigma is at most a third of it. */
enum { FX_TAPS_RADIUS_MAX = 63 };

/** One side of an even (order 0, 2) or odd (order 1) filter: w[k] weighs the voxel at +k, and
 * w[k] or -w[k] the one at -k. */
struct fx_taps {
	int radius, order;
	float w[FX_TAPS_RADIUS_MAX + 1];
};

/** Sampled Gaussian (or its derivative of @p order 0, 1, 2) of @p sigma voxels, cut at 3 sigma
 * (3.5 for derivatives), scaled so that it is exact on polynomials of its order: the sum is 1, the
 * slope of x is 1, the second derivative of x^2 is 2. sigma 0 gives the identity for order 0 and
 * central differences else. A sigma out of 0..18 is clamped. */
void fx_taps_gauss(struct fx_taps *t, double sigma, int order);

/** Filters @p in (zyx, C order) along each axis with a Gaussian of sigma[axis] voxels, derivative
 * of order[axis]; beyond the faces the volume is mirrored (edge voxel repeated), as often as it
 * takes, so that any shape works. @p out has the same shape and must not overlap @p in. An axis of
 * one voxel has zero derivatives. Returns FX_OK, FX_EINVAL for an empty or overflowing shape,
 * FX_ENOMEM. Same bits for any thread count. */
int fx_gauss(float *out, const float *in, const size_t shape[3], const double sigma[3],
	     const int order[3]);

/** Largest eigenvalue of the Hessian of @p in smoothed by sigma[axis] voxels: high on the crest of
 * dark sheets. Derivatives are taken in units of sigma (scale-normalised, Lindeberg, IJCV 1998):
 * the second derivative along two axes is times sigma of both. Shapes, borders, errors as
 * fx_gauss(). */
int fx_ridge(float *out, const float *in, const size_t shape[3], const double sigma[3]);

/** Largest eigenvalue of the symmetric matrix of rows (a d e) (d b f) (e f c), within 1e-4 of the
 * largest absolute eigenvalue. Closed form of the characteristic cubic (Smith, CACM 1961), with
 * the cosine replaced by a start value and Newton steps. */
float fx_eigen_largest(float a, float b, float c, float d, float e, float f);

#endif
