// SPDX-License-Identifier: Apache-2.0
/* labeldist.c: multi-label Euclidean distance, one axis after the other. */
#include "kernels/labeldist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct volume {
	const void *labels;
	bool wide, border;
	size_t shape[3];
	float *out; /* squared distances while the axes are worked on */
};

/* One line of voxels and the envelope over it; room for the line and a voxel at either end. */
struct line {
	size_t len, stride;
	double step2;	/* squared voxel size along the line */
	double *f;	/* squared distances so far */
	double *height; /* of the parabolas of the envelope */
	double *from;	/* where each parabola starts to be the lowest */
	double *centre;
	uint64_t *label;
};

static bool line_init(struct line *l, size_t len)
{
	double *room;
	size_t count;

	if (!fx_mul_size(len + 2, 5, &count))
		return false;
	room = fx_calloc(count, sizeof *room);
	l->f = room;
	l->label = fx_calloc(len + 2, sizeof *l->label);
	if (!room || !l->label) {
		free(room);
		free(l->label);
		return false;
	}
	l->height = room + (len + 2);
	l->from = room + 2 * (len + 2);
	l->centre = room + 3 * (len + 2);
	return true;
}

static void line_fini(struct line *l)
{
	free(l->f);
	free(l->label);
}

/* Adds the parabola height + step2 (x - centre)^2; returns the number in the envelope. */
static size_t envelope_add(struct line *l, size_t n, double centre, double height)
{
	double from = -HUGE_VAL;

	if (isinf(height))
		return n;
	while (n) {
		const double c = l->centre[n - 1];

		from = ((height - l->height[n - 1]) / l->step2 + centre * centre - c * c) /
		       (2 * (centre - c));
		if (from > l->from[n - 1])
			break;
		n--;
	}
	l->centre[n] = centre;
	l->height[n] = height;
	l->from[n] = n ? from : -HUGE_VAL;
	return n + 1;
}

/* Voxels lo..hi-1 have one label; @p open_lo: nothing known before lo. */
static void line_piece(const struct volume *v, struct line *l, float *out, size_t lo, size_t hi)
{
	size_t n = 0, at = 0;

	if (lo || v->border)
		n = envelope_add(l, n, (double)lo - 1, 0);
	for (size_t i = lo; i < hi; i++)
		n = envelope_add(l, n, (double)i, l->f[i]);
	if (hi < l->len || v->border)
		n = envelope_add(l, n, (double)hi, 0);
	for (size_t i = lo; n && i < hi; i++) {
		const double x = (double)i;

		while (at + 1 < n && l->from[at + 1] <= x)
			at++;
		out[i * l->stride] = (float)(l->height[at] +
					     l->step2 * (x - l->centre[at]) * (x - l->centre[at]));
	}
}

static void line_work(const struct volume *v, struct line *l, size_t first)
{
	float *out = v->out + first;

	for (size_t i = 0; i < l->len; i++) {
		const size_t at = first + i * l->stride;

		l->label[i] = v->wide ? ((const uint64_t *)v->labels)[at] :
					((const uint32_t *)v->labels)[at];
		l->f[i] = (double)out[i * l->stride];
	}
	for (size_t lo = 0, hi; lo < l->len; lo = hi) {
		for (hi = lo + 1; hi < l->len && l->label[hi] == l->label[lo]; hi++)
			;
		if (l->label[lo])
			line_piece(v, l, out, lo, hi);
	}
}

/* Along x the envelope has two parabolas at most: the ends of the run. */
static void row_work(const struct volume *v, size_t row, double step)
{
	const size_t nx = v->shape[2], first = row * nx;
	float *out = v->out + first;

	for (size_t lo = 0, hi; lo < nx; lo = hi) {
		const uint64_t label = v->wide ? ((const uint64_t *)v->labels)[first + lo] :
						 ((const uint32_t *)v->labels)[first + lo];

		for (hi = lo + 1;
		     hi < nx && (v->wide ? ((const uint64_t *)v->labels)[first + hi] :
					   ((const uint32_t *)v->labels)[first + hi]) == label;
		     hi++)
			;
		for (size_t x = lo; x < hi; x++) {
			const double a = lo || v->border ? (double)(x - lo + 1) * step : HUGE_VAL,
				     b = hi < nx || v->border ? (double)(hi - x) * step : HUGE_VAL,
				     near = a < b ? a : b;

			out[x] = label ? (float)(near * near) : 0;
		}
	}
}

/* All lines along axis 1 or 0. @p groups x @p in_group lines. */
static int axis_work(const struct volume *v, int axis, double step)
{
	const size_t nx = v->shape[2], plane = v->shape[1] * nx;
	const size_t groups = axis == 1 ? v->shape[0] : v->shape[1];
	const size_t group_step = axis == 1 ? plane : nx, stride = axis == 1 ? nx : plane;
	int failed = 0;

#pragma omp parallel reduction(| : failed)
	{
		struct line l = { .len = v->shape[axis], .stride = stride, .step2 = step * step };

		failed = !line_init(&l, l.len);
#pragma omp for schedule(static)
		for (size_t g = 0; g < groups; g++)
			for (size_t x = 0; !failed && x < nx; x++)
				line_work(v, &l, g * group_step + x);
		if (!failed)
			line_fini(&l);
	}
	return failed ? FX_ENOMEM : FX_OK;
}

int fx_label_distance(const void *labels, enum fx_dtype dtype, const size_t shape[3],
		      const double voxel_nm[3], bool border, float *out)
{
	const struct volume v = {
		labels, dtype == FX_U64, border, { shape[0], shape[1], shape[2] }, out
	};
	size_t rows, len;
	int result;

	if (dtype != FX_U32 && dtype != FX_U64)
		return FX_ETYPE;
	if (!fx_mul_size(shape[0], shape[1], &rows) || !fx_mul_size(rows, shape[2], &len) ||
	    !(voxel_nm[0] > 0) || !(voxel_nm[1] > 0) || !(voxel_nm[2] > 0))
		return FX_EINVAL;
#pragma omp parallel for schedule(static)
	for (size_t row = 0; row < rows; row++)
		row_work(&v, row, voxel_nm[2]);
	result = axis_work(&v, 1, voxel_nm[1]);
	if (result == FX_OK)
		result = axis_work(&v, 0, voxel_nm[0]);
	if (result != FX_OK)
		return result;
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i++)
		out[i] = sqrtf(out[i]);
	return FX_OK;
}
