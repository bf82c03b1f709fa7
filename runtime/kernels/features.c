// SPDX-License-Identifier: Apache-2.0
/* features.c: brightness, gradient and Hessian eigenvalues at four scales. */
#include "kernels/features.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "block/voxel.h"
#include "kernels/gauss.h"

const double fx_features_sigma[FX_FEATURES_SCALES] = { 1, 1.6, 2.5, 4 };

enum { ROWS = 9 }; /* a row and those around it: number 3 * (dz + 1) + dy + 1 */

static bool features_len(const size_t shape[3], const double voxel[3], size_t *len)
{
	size_t bytes;

	for (int axis = 0; axis < 3; axis++)
		if (!shape[axis] || !(voxel[axis] > 0) || !isfinite(voxel[axis]))
			return false;
	return fx_mul_size(shape[0], shape[1], len) && fx_mul_size(*len, shape[2], len) &&
	       fx_mul_size(*len, sizeof(float), &bytes);
}

static void brightness(float *out, const void *image, enum fx_dtype dtype, size_t len)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i++)
		out[i] = fx_voxel_brightness(image, dtype, i);
}

static int smooth_all(struct fx_features *f, const float *image, size_t len, const double voxel[3])
{
	static const int order[3] = { 0, 0, 0 };
	const double finest = fmin(voxel[0], fmin(voxel[1], voxel[2]));
	double sigma[3];
	int err = FX_OK;

	for (int s = 0; s < FX_FEATURES_SCALES && !err; s++) {
		for (int axis = 0; axis < 3; axis++)
			sigma[axis] = fx_features_sigma[s] * finest / voxel[axis];
		f->smooth[s] = fx_alloc_aligned(len * sizeof(float));
		err = f->smooth[s] ? fx_gauss(f->smooth[s], image, f->shape, sigma, order) :
				     FX_ENOMEM;
	}
	for (int axis = 0; axis < 3; axis++)
		f->per_step[axis] = (float)(finest / voxel[axis]);
	return err;
}

int fx_features_init(struct fx_features *f, const void *image, enum fx_dtype dtype,
		     const size_t shape[3], const double voxel[3])
{
	float *bright;
	size_t len;
	int err;

	if (dtype != FX_U8 && dtype != FX_U16 && dtype != FX_F32)
		return FX_ETYPE;
	if (!features_len(shape, voxel, &len))
		return FX_EINVAL;
	bright = fx_alloc_aligned(len * sizeof *bright);
	if (!bright)
		return FX_ENOMEM;
	memcpy(f->shape, shape, sizeof f->shape);
	brightness(bright, image, dtype, len);
	err = smooth_all(f, bright, len, voxel);
	free(bright);
	return err;
}

void fx_features_fini(struct fx_features *f)
{
	for (int s = 0; s < FX_FEATURES_SCALES; s++)
		free(f->smooth[s]);
	memset(f, 0, sizeof *f);
}

size_t fx_features_scratch(const struct fx_features *f)
{
	return ROWS * (f->shape[2] + 2);
}

static size_t clamp(size_t i, int step, size_t n)
{
	if (step < 0)
		return i ? i - 1 : 0;
	return step > 0 && i + 1 < n ? i + 1 : i;
}

/* The rows around (z, y) with one voxel more at either end. */
static void copy_rows(float *rows, const float *v, const size_t shape[3], size_t z, size_t y)
{
	const size_t n = shape[2];

	for (int k = 0; k < ROWS; k++, rows += n + 2) {
		const size_t at =
			(clamp(z, k / 3 - 1, shape[0]) * shape[1] + clamp(y, k % 3 - 1, shape[1])) *
			n;

		memcpy(rows + 1, v + at, n * sizeof *rows);
		rows[0] = rows[1];
		rows[n + 1] = rows[n];
	}
}

/* The root in 0.5..1 of 4x^3 - 3x = r. */
static inline float cubic_root(float r)
{
	float x = 0.5F + 0.5F * sqrtf((1 + r) * 0.5F);

	x -= (4 * x * x * x - 3 * x - r) / (12 * x * x - 3 + 1e-6F);
	x -= (4 * x * x * x - 3 * x - r) / (12 * x * x - 3 + 1e-6F);
	return x;
}

/* Eigenvalues of the symmetric matrix of rows (a d e) (d b f) (e f c), the largest first: closed
 * form of the characteristic cubic (Smith, CACM 1961). */
static inline void eigenvalues(float h[3], float a, float b, float c, float d, float e, float f)
{
	const float q = (a + b + c) * (1.0F / 3), aq = a - q, bq = b - q, cq = c - q;
	const float dd = d * d, ee = e * e, ff = f * f;
	const float p2 = (aq * aq + bq * bq + cq * cq + 2 * (dd + ee + ff)) * (1.0F / 6);
	const float p = sqrtf(p2);
	const float det = aq * (bq * cq - ff) - d * (d * cq - f * e) + e * (d * f - bq * e);
	float r = det / (2 * p2 * p + 1e-30F);

	r = r > 1 ? 1 : r;
	r = r < -1 ? -1 : r;
	h[0] = q + 2 * p * cubic_root(r);
	h[2] = q - 2 * p * cubic_root(-r);
	h[1] = 3 * q - h[0] - h[2];
}

/* The five numbers of a scale for a row of @p n voxels. */
static void scale_row(float *restrict out, size_t stride, const float *restrict rows, size_t n,
		      const float per_step[3], float sigma)
{
	const size_t w = n + 2;
	const float gz = 0.5F * sigma * per_step[0], gy = 0.5F * sigma * per_step[1],
		    gx = 0.5F * sigma * per_step[2];
	const float *restrict c = rows + 4 * w + 1, *restrict zl = rows + w + 1,
			      *restrict zh = rows + 7 * w + 1, *restrict yl = rows + 3 * w + 1,
			      *restrict yh = rows + 5 * w + 1, *restrict ll = rows + 1,
			      *restrict lh = rows + 2 * w + 1, *restrict hl = rows + 6 * w + 1,
			      *restrict hh = rows + 8 * w + 1;
	float *restrict bright = out, *restrict slope = out + stride,
			*restrict big = slope + stride, *restrict middle = big + stride,
			*restrict small = middle + stride;

	for (size_t x = 0; x < n; x++) {
		const float dz = gz * (zh[x] - zl[x]), dy = gy * (yh[x] - yl[x]),
			    dx = gx * (c[x + 1] - c[x - 1]), two = 2 * c[x];
		float h[3];

		eigenvalues(h, 4 * gz * gz * (zh[x] + zl[x] - two),
			    4 * gy * gy * (yh[x] + yl[x] - two),
			    4 * gx * gx * (c[x + 1] + c[x - 1] - two),
			    gz * gy * (hh[x] - hl[x] - lh[x] + ll[x]),
			    gz * gx * (zh[x + 1] - zh[x - 1] - zl[x + 1] + zl[x - 1]),
			    gy * gx * (yh[x + 1] - yh[x - 1] - yl[x + 1] + yl[x - 1]));
		bright[x] = c[x];
		slope[x] = sqrtf(dz * dz + dy * dy + dx * dx);
		big[x] = h[0];
		middle[x] = h[1];
		small[x] = h[2];
	}
}

void fx_features_row(const struct fx_features *f, size_t z, size_t y, float *out, size_t stride,
		     float *scratch)
{
	for (int s = 0; s < FX_FEATURES_SCALES; s++) {
		copy_rows(scratch, f->smooth[s], f->shape, z, y);
		scale_row(out + (size_t)(s * FX_FEATURES_PER_SCALE) * stride, stride, scratch,
			  f->shape[2], f->per_step, (float)fx_features_sigma[s]);
	}
}
