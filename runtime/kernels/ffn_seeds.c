// SPDX-License-Identifier: Apache-2.0
/* ffn_seeds.c: edges, their distance map, and its peaks. */
#include "kernels/ffn_seeds.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/edt.h"

enum { RADIUS_MAX = 4 * FX_FFN_SIGMA_MAX };

/* A filter along one axis; w[k] weighs the voxels at -k and +k (with the sign changed at -k when
 * odd). The sum is taken from the centre, then from the outermost to the innermost pair. */
struct line_filter {
	int radius;
	bool odd;
	double w[RADIUS_MAX + 1];
};

/* Index of place @p i of a line of n voxels that is mirrored again and again at its ends. */
static size_t mirror(ptrdiff_t i, size_t n)
{
	const ptrdiff_t period = 2 * (ptrdiff_t)n;
	const ptrdiff_t at = (i % period + period) % period;

	return (size_t)(at < (ptrdiff_t)n ? at : period - 1 - at);
}

/* One row across the axis: rows at -k and +k lie at other places of the axis. */
static void across_row(double *sum, float *out, const float *in, size_t at, size_t n, size_t stride,
		       size_t len, const struct line_filter *f)
{
	const float *centre = in + at * stride;

	for (size_t x = 0; x < len; x++)
		sum[x] = (double)centre[x] * f->w[0];
	for (int k = f->radius; k > 0; k--) {
		const float *a = in + mirror((ptrdiff_t)at - k, n) * stride;
		const float *b = in + mirror((ptrdiff_t)at + k, n) * stride;
		const double w = f->w[k];

		if (f->odd)
			for (size_t x = 0; x < len; x++)
				sum[x] += ((double)b[x] - (double)a[x]) * w;
		else
			for (size_t x = 0; x < len; x++)
				sum[x] += ((double)a[x] + (double)b[x]) * w;
	}
	for (size_t x = 0; x < len; x++)
		out[x] = (float)sum[x];
}

/* One row along the axis; @p line has room for it and the radius at both ends. */
static void along_row(double *sum, double *line, float *out, const float *in, size_t n,
		      const struct line_filter *f)
{
	const double *c = line + f->radius;

	for (size_t i = 0; i < n + 2 * (size_t)f->radius; i++)
		line[i] = (double)in[mirror((ptrdiff_t)i - f->radius, n)];
	for (size_t x = 0; x < n; x++)
		sum[x] = c[x] * f->w[0];
	for (int k = f->radius; k > 0; k--) {
		const double *a = c - k, *b = c + k, w = f->w[k];

		if (f->odd)
			for (size_t x = 0; x < n; x++)
				sum[x] += (b[x] - a[x]) * w;
		else
			for (size_t x = 0; x < n; x++)
				sum[x] += (a[x] + b[x]) * w;
	}
	for (size_t x = 0; x < n; x++)
		out[x] = (float)sum[x];
}

/* Filters along @p axis; out is not in. */
static int filter(float *out, const float *in, const size_t shape[3], int axis,
		  const struct line_filter *f)
{
	const size_t rows = shape[0] * shape[1], n = shape[2];
	const size_t own = 2 * (n + 2 * (size_t)f->radius);
	double *scratch = fx_calloc(own * (size_t)omp_get_max_threads(), sizeof *scratch);

	if (!scratch)
		return FX_ENOMEM;
#pragma omp parallel for schedule(static)
	for (size_t r = 0; r < rows; r++) {
		double *sum = scratch + own * (size_t)omp_get_thread_num();
		const size_t z = r / shape[1], y = r % shape[1];

		if (axis == 2)
			along_row(sum, sum + n, out + r * n, in + r * n, n, f);
		else if (axis == 1)
			across_row(sum, out + r * n, in + z * shape[1] * n, y, shape[1], n, n, f);
		else
			across_row(sum, out + r * n, in + y * n, z, shape[0], shape[1] * n, n, f);
	}
	free(scratch);
	return FX_OK;
}

/* Adds the square of the Sobel filter along @p axis to @p edges; a and b are scratch. */
static int add_sobel(float *edges, float *a, float *b, const float *image, const size_t shape[3],
		     int axis)
{
	const struct line_filter derivative = { .radius = 1, .odd = true, .w = { 0, 1 } };
	const struct line_filter smooth = { .radius = 1, .w = { 2, 1 } };
	const size_t len = shape[0] * shape[1] * shape[2];
	const int u = axis == 0 ? 1 : 0, v = axis == 2 ? 1 : 2;
	int err = filter(a, image, shape, axis, &derivative);

	if (!err)
		err = filter(b, a, shape, u, &smooth);
	if (!err)
		err = filter(a, b, shape, v, &smooth);
	for (size_t i = 0; i < len && !err; i++)
		edges[i] += a[i] * a[i];
	return err;
}

int fx_ffn_edges(float *edges, const float *image, const size_t shape[3])
{
	const size_t len = shape[0] * shape[1] * shape[2];
	float *a = fx_alloc_aligned(len * sizeof *a), *b = fx_alloc_aligned(len * sizeof *b);
	int err = a && b ? FX_OK : FX_ENOMEM;

	memset(edges, 0, len * sizeof *edges);
	for (int axis = 0; axis < 3 && !err; axis++)
		err = add_sobel(edges, a, b, image, shape, axis);
	for (size_t i = 0; i < len && !err; i++)
		edges[i] = sqrtf(edges[i]);
	free(a);
	free(b);
	return err;
}

/* Weights of a Gaussian, cut at 4 sigma. */
static void gaussian(struct line_filter *f, double sigma)
{
	double sum = 0;

	*f = (struct line_filter){ .radius = (int)(4 * sigma + 0.5) };
	for (int k = 0; k <= f->radius; k++)
		f->w[k] = exp(-0.5 / (sigma * sigma) * (double)(k * k));
	for (int k = -f->radius; k <= f->radius; k++)
		sum += f->w[abs(k)];
	for (int k = 0; k <= f->radius; k++)
		f->w[k] /= sum;
}

/* mask[i] = not an edge; *any tells whether there is an edge. dist is scratch. */
static int find_interior(uint8_t *mask, bool *any, float *dist, const float *image,
			 const size_t shape[3], double sigma)
{
	const size_t len = shape[0] * shape[1] * shape[2];
	float *edges = fx_alloc_aligned(len * sizeof *edges);
	float *other = fx_alloc_aligned(len * sizeof *other);
	struct line_filter f;
	int err = edges && other ? fx_ffn_edges(edges, image, shape) : FX_ENOMEM;

	gaussian(&f, sigma);
	if (!err)
		err = filter(dist, edges, shape, 0, &f);
	if (!err)
		err = filter(other, dist, shape, 1, &f);
	if (!err)
		err = filter(dist, other, shape, 2, &f);
	*any = false;
	for (size_t i = 0; i < len && !err; i++) {
		mask[i] = (uint8_t) !(edges[i] > dist[i]);
		*any |= !mask[i];
	}
	free(edges);
	free(other);
	return err;
}

/* Nothing within @p r along each axis is higher than voxel z, y, x, and that is above 0. */
static bool is_peak(const double *q, const size_t shape[3], size_t z, size_t y, size_t x, size_t r)
{
	const double *c = q + (z * shape[1] + y) * shape[2] + x, here = *c;
	const size_t width = 2 * r + 1, plane = shape[1] * shape[2];
	const double *corner = c - r * plane - r * shape[2] - r;

	if (!(here > 0) || c[1] > here || c[-1] > here)
		return false;
	for (size_t dz = 0; dz < width; dz++)
		for (size_t dy = 0; dy < width; dy++)
			for (size_t dx = 0; dx < width; dx++)
				if (corner[dz * plane + dy * shape[2] + dx] > here)
					return false;
	return true;
}

static int find_peaks(struct fx_ffn_pos **seeds, size_t *len, const double *q,
		      const size_t shape[3], const size_t margin[3], size_t spacing)
{
	size_t cap = 0, n = 0, m[3];

	for (int i = 0; i < 3; i++) {
		m[i] = margin[i] > spacing ? margin[i] : spacing;
		if (shape[i] <= 2 * m[i])
			return FX_OK;
	}
	for (size_t z = m[0]; z < shape[0] - m[0]; z++)
		for (size_t y = m[1]; y < shape[1] - m[1]; y++)
			for (size_t x = m[2]; x < shape[2] - m[2]; x++) {
				if (!is_peak(q, shape, z, y, x, spacing))
					continue;
				if (!fx_grow(seeds, &cap, n + 1, sizeof **seeds))
					return FX_ENOMEM;
				(*seeds)[n++] = (struct fx_ffn_pos){ { (int32_t)z, (int32_t)y,
								       (int32_t)x } };
			}
	*len = n;
	return FX_OK;
}

static bool is_valid(const size_t shape[3], const double voxel[3], const size_t margin[3],
		     const struct fx_ffn_seeding *s)
{
	size_t len = 1;

	for (int i = 0; i < 3; i++)
		if (!shape[i] || !fx_mul_size(len, shape[i], &len) || len > INT32_MAX ||
		    !(voxel[i] > 0) || !isfinite(voxel[i]) || margin[i] > INT32_MAX)
			return false;
	return s->sigma > 0 && s->sigma <= FX_FFN_SIGMA_MAX && s->spacing >= 1 &&
	       s->spacing <= FX_FFN_SPACING_MAX && s->noise >= 0;
}

int fx_ffn_seeds(struct fx_ffn_pos **seeds, size_t *len, const float *image, const size_t shape[3],
		 const double voxel[3], const size_t margin[3], const struct fx_ffn_seeding *s)
{
	const double finest = fmin(voxel[0], fmin(voxel[1], voxel[2]));
	const double edge[3] = { voxel[0] / finest, voxel[1] / finest, voxel[2] / finest };
	struct fx_ffn_pos *found = NULL;
	struct fx_mt19937 random;
	uint8_t *mask = NULL;
	float *dist = NULL;
	double *q = NULL;
	size_t n, found_len = 0;
	bool any = false;
	int err = FX_ENOMEM;

	if (!is_valid(shape, voxel, margin, s))
		return FX_EINVAL;
	n = shape[0] * shape[1] * shape[2];
	mask = fx_alloc_aligned(n);
	dist = fx_alloc_aligned(n * sizeof *dist);
	if (mask && dist)
		err = find_interior(mask, &any, dist, image, shape, s->sigma);
	for (size_t i = 0; s->excluded && !err && i < n; i++) {
		mask[i] = mask[i] && !s->excluded[i];
		any |= !mask[i];
	}
	if (!err && any)
		err = fx_edt(dist, mask, shape, edge);
	q = err || !any ? NULL : fx_alloc_aligned(n * sizeof *q);
	if (!err && any && !q)
		err = FX_ENOMEM;
	fx_mt19937_init(&random, s->random);
	for (size_t i = 0; i < n && q; i++)
		q[i] = (double)dist[i] + fx_mt19937_real(&random) * s->noise;
	if (q)
		err = find_peaks(&found, &found_len, q, shape, margin, s->spacing);
	free(mask);
	free(dist);
	free(q);
	if (err) {
		free(found);
		return err;
	}
	*seeds = found;
	*len = found_len;
	return FX_OK;
}
