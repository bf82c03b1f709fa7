// SPDX-License-Identifier: Apache-2.0
/* gauss.c: separable Gaussian derivatives, one z slice after the other, and the ridge measure. */
#include "kernels/gauss.h"

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"

static const double SIGMA_MAX = FX_TAPS_RADIUS_MAX / 3.5;

static double taps_value(double sigma, int order, int k)
{
	double s2 = sigma * sigma, g = exp(-0.5 * k * k / s2);

	if (order == 0)
		return g;
	return order == 1 ? k * g : (k * k / s2 - 1) * g;
}

/* Scales the taps so that they are exact on the polynomial of their order. */
static void taps_scale(struct fx_taps *t, double *w)
{
	double sum = w[0], moment = 0;

	for (int k = 1; k <= t->radius; k++)
		sum += 2 * w[k];
	if (t->order == 2) {
		/* no response to a constant, in spite of the cut tails */
		for (int k = 0; k <= t->radius; k++)
			w[k] -= sum / (2 * t->radius + 1);
	}
	for (int k = 1; k <= t->radius; k++)
		moment += 2 * w[k] * pow(k, t->order);
	if (t->order == 0)
		moment = sum;
	else if (t->order == 2)
		moment /= 2;
	for (int k = 0; k <= t->radius; k++)
		t->w[k] = (float)(w[k] / moment);
}

void fx_taps_gauss(struct fx_taps *t, double sigma, int order)
{
	double w[FX_TAPS_RADIUS_MAX + 1] = { 0 };

	memset(t, 0, sizeof *t);
	t->order = order;
	sigma = sigma > SIGMA_MAX ? SIGMA_MAX : sigma;
	if (!(sigma > 0.05)) {
		t->radius = order ? 1 : 0;
		t->w[0] = order == 0 ? 1 : (order == 2 ? -2 : 0);
		t->w[1] = order == 0 ? 0 : (order == 2 ? 1 : 0.5F);
		return;
	}
	t->radius = (int)ceil(sigma * (order ? 3.5 : 3.0));
	for (int k = 0; k <= t->radius; k++)
		w[k] = taps_value(sigma, order, k);
	taps_scale(t, w);
}

/* The index that a mirror at both ends (edge repeated) shows at @p i. */
static size_t mirror(int64_t i, size_t n)
{
	int64_t period = 2 * (int64_t)n, k = i % period;

	if (k < 0)
		k += period;
	return (size_t)(k < (int64_t)n ? k : period - 1 - k);
}

static void row_scale(float *restrict out, const float *restrict a, float w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = w * a[i];
}

static void row_add(float *restrict out, const float *restrict a, const float *restrict b, float w,
		    size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] += w * (a[i] + b[i]);
}

static void row_subtract(float *restrict out, const float *restrict a, const float *restrict b,
			 float w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] += w * (a[i] - b[i]);
}

/* Row @p i of @p rows rows that lie @p stride apart, filtered across the rows. */
static void filter_across(float *out, const float *in, size_t i, size_t rows, size_t stride,
			  size_t n, const struct fx_taps *t)
{
	row_scale(out, in + i * stride, t->w[0], n);
	for (int k = 1; k <= t->radius; k++) {
		const float *after = in + mirror((int64_t)i + k, rows) * stride;
		const float *before = in + mirror((int64_t)i - k, rows) * stride;

		if (t->order == 1)
			row_subtract(out, after, before, t->w[k], n);
		else
			row_add(out, after, before, t->w[k], n);
	}
}

/* Copies a row with mirrored ends of FX_TAPS_RADIUS_MAX voxels. */
static void pad_row(float *pad, const float *in, size_t n)
{
	for (int k = 1; k <= FX_TAPS_RADIUS_MAX; k++) {
		pad[FX_TAPS_RADIUS_MAX - k] = in[mirror(-k, n)];
		pad[FX_TAPS_RADIUS_MAX + (int64_t)n - 1 + k] = in[mirror((int64_t)n - 1 + k, n)];
	}
	memcpy(pad + FX_TAPS_RADIUS_MAX, in, n * sizeof *pad);
}

/* Filters a padded row along itself. */
static void filter_along(float *out, const float *pad, size_t n, const struct fx_taps *t)
{
	const float *centre = pad + FX_TAPS_RADIUS_MAX;

	row_scale(out, centre, t->w[0], n);
	for (int k = 1; k <= t->radius; k++) {
		if (t->order == 1)
			row_subtract(out, centre + k, centre - k, t->w[k], n);
		else
			row_add(out, centre + k, centre - k, t->w[k], n);
	}
}

/* What a pass over one slice needs: taps by [axis][order], and scratch of one thread. */
struct slice_job {
	const float *in;
	size_t shape[3];
	struct fx_taps taps[3][3];
	float *scratch; /* threads x scratch_len */
	size_t scratch_len;
};

/* Checks the shape and allocates @p slices slices and @p rows padded rows for every thread. */
static int slice_job_init(struct slice_job *job, const float *in, const size_t shape[3],
			  size_t slices, size_t rows)
{
	size_t plane, volume, size, padded;

	if (!shape[0] || !shape[1] || !shape[2] || !fx_mul_size(shape[1], shape[2], &plane) ||
	    !fx_mul_size(plane, shape[0], &volume) || volume > INT64_MAX / 64)
		return FX_EINVAL;
	padded = shape[2] + 2 * (size_t)FX_TAPS_RADIUS_MAX;
	job->in = in;
	memcpy(job->shape, shape, sizeof job->shape);
	job->scratch_len = slices * plane + rows * padded;
	if (!fx_mul_size(job->scratch_len * sizeof(float), (size_t)omp_get_max_threads(), &size))
		return FX_EINVAL;
	job->scratch = fx_alloc_aligned(size);
	return job->scratch ? FX_OK : FX_ENOMEM;
}

static void gauss_slice(const struct slice_job *job, float *out, size_t z, const int order[3],
			float *scratch)
{
	size_t rows = job->shape[1], n = job->shape[2], plane = rows * n;
	float *row = scratch + plane, *pad = row + n + FX_TAPS_RADIUS_MAX;

	for (size_t y = 0; y < rows; y++)
		filter_across(scratch + y * n, job->in + y * n, z, job->shape[0], plane, n,
			      &job->taps[0][order[0]]);
	for (size_t y = 0; y < rows; y++) {
		filter_across(row, scratch, y, rows, n, n, &job->taps[1][order[1]]);
		pad_row(pad, row, n);
		filter_along(out + z * plane + y * n, pad, n, &job->taps[2][order[2]]);
	}
}

int fx_gauss(float *out, const float *in, const size_t shape[3], const double sigma[3],
	     const int order[3])
{
	struct slice_job job = { 0 };
	int err = slice_job_init(&job, in, shape, 1, 2);

	if (err)
		return err;
	for (int axis = 0; axis < 3; axis++)
		fx_taps_gauss(&job.taps[axis][order[axis]], sigma[axis], order[axis]);
#pragma omp parallel for schedule(static)
	for (size_t z = 0; z < shape[0]; z++)
		gauss_slice(&job, out, z, order,
			    job.scratch + (size_t)omp_get_thread_num() * job.scratch_len);
	free(job.scratch);
	return FX_OK;
}

static inline float eigen_largest(float a, float b, float c, float d, float e, float f)
{
	float q = (a + b + c) * (1.0F / 3), x, r, root;
	float aq = a - q, bq = b - q, cq = c - q, dd = d * d, ee = e * e, ff = f * f;
	float p2 = (aq * aq + bq * bq + cq * cq + 2 * (dd + ee + ff)) * (1.0F / 6);
	float p = sqrtf(p2);
	float det = aq * (bq * cq - ff) - d * (d * cq - f * e) + e * (d * f - bq * e);

	r = det / (2 * p2 * p + 1e-30F);
	r = r > 1 ? 1 : r;
	r = r < -1 ? -1 : r;
	/* the largest root of 4x^3 - 3x = r lies in 0.5..1 */
	root = sqrtf((1 + r) * 0.5F);
	x = 0.5F + 0.5F * root;
	x -= (4 * x * x * x - 3 * x - r) / (12 * x * x - 3 + 1e-6F);
	x -= (4 * x * x * x - 3 * x - r) / (12 * x * x - 3 + 1e-6F);
	return q + 2 * p * x;
}

float fx_eigen_largest(float a, float b, float c, float d, float e, float f)
{
	return eigen_largest(a, b, c, d, e, f);
}

/* Orders along z, y, x of the six second derivatives. */
static const int hessian_order[6][3] = { { 2, 0, 0 }, { 0, 2, 0 }, { 0, 0, 2 },
					 { 1, 1, 0 }, { 1, 0, 1 }, { 0, 1, 1 } };

/* @p h: the six derivatives of a row, each @p n long. */
static void eigen_row(float *restrict out, const float *restrict h, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = eigen_largest(h[i], h[n + i], h[2 * n + i], h[3 * n + i], h[4 * n + i],
				       h[5 * n + i]);
}

static void ridge_slice(const struct slice_job *job, float *out, size_t z, float *scratch)
{
	size_t rows = job->shape[1], n = job->shape[2], plane = rows * n;
	float *row = scratch + 3 * plane, *pad = row + n, *h = pad + n + 2 * FX_TAPS_RADIUS_MAX;

	for (int order = 0; order < 3; order++)
		for (size_t y = 0; y < rows; y++)
			filter_across(scratch + (size_t)order * plane + y * n, job->in + y * n, z,
				      job->shape[0], plane, n, &job->taps[0][order]);
	for (size_t y = 0; y < rows; y++) {
		for (int i = 0; i < 6; i++) {
			const int *order = hessian_order[i];

			filter_across(row, scratch + (size_t)order[0] * plane, y, rows, n, n,
				      &job->taps[1][order[1]]);
			pad_row(pad, row, n);
			filter_along(h + (size_t)i * n, pad, n, &job->taps[2][order[2]]);
		}
		eigen_row(out + z * plane + y * n, h, n);
	}
}

int fx_ridge(float *out, const float *in, const size_t shape[3], const double sigma[3])
{
	struct slice_job job = { 0 };
	int err = slice_job_init(&job, in, shape, 3, 8);

	if (err)
		return err;
	for (int axis = 0; axis < 3; axis++) {
		for (int order = 0; order < 3; order++) {
			struct fx_taps *t = &job.taps[axis][order];
			double scale = pow(sigma[axis] > 0 ? sigma[axis] : 1, order);

			fx_taps_gauss(t, sigma[axis], order);
			for (int k = 0; k <= t->radius; k++)
				t->w[k] *= (float)scale;
		}
	}
#pragma omp parallel for schedule(static)
	for (size_t z = 0; z < shape[0]; z++)
		ridge_slice(&job, out, z,
			    job.scratch + (size_t)omp_get_thread_num() * job.scratch_len);
	free(job.scratch);
	return FX_OK;
}
