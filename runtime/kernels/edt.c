// SPDX-License-Identifier: Apache-2.0
/* edt.c: exact Euclidean distance transform by lower envelopes. */
#include "kernels/edt.h"

#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdlib.h>

#include <fornix/error.h>

#include "base/alloc.h"

/* Scratch of one thread: a line of squared distances and its lower envelope. */
struct envelope {
	double *f;    /* squared distances of the line, then of the parabolas in the envelope */
	double *from; /* where the parabola begins to be lowest */
	double *at;   /* place of its apex */
};

/* Squared distances along a line of n voxels (already in e->f, DBL_MAX is none) of edge @p step,
 * stored to @p out with @p stride between them. */
static void envelope_line(const struct envelope *e, float *out, size_t n, size_t stride,
			  double step)
{
	size_t len = 0, k = 0;

	for (size_t i = 0; i < n; i++) {
		double x = (double)i * step, f = e->f[i], from = -DBL_MAX;

		if (f >= (double)FLT_MAX)
			continue;
		while (len) {
			double a = e->at[len - 1], g = e->f[len - 1];

			from = 0.5 * ((f - g) / (x - a) + x + a);
			if (from > e->from[len - 1])
				break;
			len--;
			from = -DBL_MAX;
		}
		e->f[len] = f;
		e->from[len] = from;
		e->at[len++] = x;
	}
	for (size_t i = 0; i < n && len; i++) {
		double x = (double)i * step, d;

		while (k + 1 < len && e->from[k + 1] < x)
			k++;
		d = x - e->at[k];
		out[i * stride] = (float)(d * d + e->f[k]);
	}
}

/* Squared distances within a row. */
static void first_row(float *dist, const uint8_t *mask, size_t n, double step)
{
	double d = -1;

	for (size_t i = 0; i < n; i++) {
		d = mask[i] ? (d < 0 ? d : d + step) : 0;
		dist[i] = d < 0 ? FLT_MAX : (float)(d * d);
	}
	d = -1;
	for (size_t i = n; i-- > 0;) {
		d = mask[i] ? (d < 0 ? d : d + step) : 0;
		if (d >= 0 && (float)(d * d) < dist[i])
			dist[i] = (float)(d * d);
	}
}

/* Lines along an axis: line i starts at (i / inner) * outer_stride + i % inner. */
static void pass(float *dist, double *scratch, size_t scratch_len, size_t lines, size_t inner,
		 size_t outer_stride, size_t n, double step)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < lines; i++) {
		double *own = scratch + (size_t)omp_get_thread_num() * 3 * scratch_len;
		struct envelope e = { own, own + scratch_len, own + 2 * scratch_len };
		float *line = dist + i / inner * outer_stride + i % inner;

		for (size_t k = 0; k < n; k++)
			e.f[k] = (double)line[k * inner];
		envelope_line(&e, line, n, inner, step);
	}
}

static bool edt_valid(const size_t shape[3], const double voxel[3], size_t *plane, size_t *len)
{
	for (int axis = 0; axis < 3; axis++)
		if (!shape[axis] || !(voxel[axis] > 0) || !isfinite(voxel[axis]))
			return false;
	return fx_mul_size(shape[1], shape[2], plane) && fx_mul_size(*plane, shape[0], len) &&
	       *len <= SIZE_MAX / 64;
}

int fx_edt(float *dist, const uint8_t *mask, const size_t shape[3], const double voxel[3])
{
	size_t plane, len, size, longest = shape[0] > shape[1] ? shape[0] : shape[1];
	double *scratch;

	if (!edt_valid(shape, voxel, &plane, &len) ||
	    !fx_mul_size(3 * longest * sizeof *scratch, (size_t)omp_get_max_threads(), &size))
		return FX_EINVAL;
	scratch = fx_alloc_aligned(size);
	if (!scratch)
		return FX_ENOMEM;
#pragma omp parallel for schedule(static)
	for (size_t row = 0; row < shape[0] * shape[1]; row++)
		first_row(dist + row * shape[2], mask + row * shape[2], shape[2], voxel[2]);
	pass(dist, scratch, longest, shape[0] * shape[2], shape[2], plane, shape[1], voxel[1]);
	pass(dist, scratch, longest, plane, plane, len, shape[0], voxel[0]);
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i++)
		dist[i] = dist[i] < FLT_MAX ? sqrtf(dist[i]) : FLT_MAX;
	free(scratch);
	return FX_OK;
}
