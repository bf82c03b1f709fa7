// SPDX-License-Identifier: Apache-2.0
/* boundary.c: membrane evidence from ridges at two scales and brightness. */
#include "kernels/boundary.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/gauss.h"

static void copy_tame(float *restrict out, const float *restrict in, size_t len)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i++) {
		float v = in[i] > -1 ? in[i] : (in[i] <= -1 ? -1.0F : 0.0F);

		out[i] = v < 2 ? v : 2.0F;
	}
}

static void take_larger(float *restrict acc, const float *restrict v, size_t len)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i++)
		acc[i] = v[i] > acc[i] ? v[i] : acc[i];
}

static void combine(uint8_t *restrict out, const float *restrict ridge,
		    const float *restrict bright, size_t len, const struct fx_boundary_params *p)
{
	float gain = (float)(255 * p->gain), offset = (float)(255 * p->offset + 0.5);
	float dark = (float)p->dark;

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i++) {
		float v = offset + gain * (ridge[i] - dark * bright[i]);

		v = v > 0 ? v : 0.0F;
		out[i] = (uint8_t)(v < 255 ? v : 255.0F);
	}
}

static bool boundary_len(const size_t shape[3], const double voxel[3], size_t *len)
{
	size_t bytes;

	for (int axis = 0; axis < 3; axis++)
		if (!shape[axis] || !(voxel[axis] > 0) || !isfinite(voxel[axis]))
			return false;
	return fx_mul_size(shape[0], shape[1], len) && fx_mul_size(*len, shape[2], len) &&
	       fx_mul_size(*len, sizeof(float), &bytes);
}

static void axis_sigma(double out[3], double sigma, const double voxel[3])
{
	double finest = fmin(voxel[0], fmin(voxel[1], voxel[2]));

	for (int axis = 0; axis < 3; axis++)
		out[axis] = sigma * finest / voxel[axis];
}

int fx_boundary_ridge(uint8_t *boundary, const float *image, const size_t shape[3],
		      const double voxel[3], const struct fx_boundary_params *p)
{
	static const int smooth[3] = { 0, 0, 0 };
	float *tame, *ridge = NULL, *other = NULL;
	double sigma[3];
	size_t len;
	int err;

	if (!boundary_len(shape, voxel, &len))
		return FX_EINVAL;
	tame = fx_alloc_aligned(len * sizeof *tame);
	ridge = fx_alloc_aligned(len * sizeof *ridge);
	other = fx_alloc_aligned(len * sizeof *other);
	err = tame && ridge && other ? FX_OK : FX_ENOMEM;
	if (err)
		goto done;
	copy_tame(tame, image, len);
	axis_sigma(sigma, p->sigma_fine, voxel);
	err = fx_ridge(ridge, tame, shape, sigma);
	if (!err && p->sigma_coarse > 0) {
		axis_sigma(sigma, p->sigma_coarse, voxel);
		err = fx_ridge(other, tame, shape, sigma);
		if (!err)
			take_larger(ridge, other, len);
	}
	axis_sigma(sigma, p->sigma_brightness, voxel);
	if (!err)
		err = fx_gauss(other, tame, shape, sigma, smooth);
	if (!err)
		combine(boundary, ridge, other, len, p);
done:
	free(tame);
	free(ridge);
	free(other);
	return err;
}
