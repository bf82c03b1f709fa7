// SPDX-License-Identifier: Apache-2.0
/* labeldist.c: multi-label Euclidean distance, one axis after the other. */
#include "kernels/labeldist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Rows to either side that are looked at one by one, which is cheaper than an envelope; what is
 * farther from another label needs one. */
enum { NEAR = 24, WIDEST = 16 };

struct volume {
	const void *labels;
	bool wide, border;
	size_t shape[3];
	float *out; /* squared distances while the axes are worked on */
};

/* A plane of the volume, its rows side by side along the axis at hand, its lines from row to row.
 * Rows are padded to a multiple of WIDEST lines, with f 0. */
struct slab {
	size_t rows, width;
	float step2; /* squared voxel size from row to row */
	bool border;
	float *f;      /* squared distances so far */
	int32_t *same; /* -1: the voxel has the label of the one in the row before, else 0 */
	uint8_t *late; /* 1: the near search was not enough */
	float *row;    /* result of one */
};

typedef void row_fn(const struct slab *s, size_t i, float *out, uint8_t *late);

#define TARGET
#define LANES	4
#define NAME(x) portable_##x
#include "kernels/labeldist_tmpl.c"
#undef TARGET
#undef LANES
#undef NAME

#ifdef __x86_64__
#define TARGET	__attribute__((target("avx2")))
#define LANES	8
#define NAME(x) avx2_##x
#include "kernels/labeldist_tmpl.c"
#undef TARGET
#undef LANES
#undef NAME
#endif

static row_fn *choose_row(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return avx2_row;
#endif
	return portable_row;
}

static bool slab_init(struct slab *s, size_t rows, size_t lines)
{
	size_t len;

	s->rows = rows;
	s->width = (lines + WIDEST - 1) / WIDEST * WIDEST;
	if (!fx_mul_size(rows, s->width, &len))
		return false;
	s->f = fx_calloc(len, sizeof *s->f);
	s->same = fx_calloc(len, sizeof *s->same);
	s->late = fx_calloc(len, sizeof *s->late);
	s->row = fx_calloc(s->width, sizeof *s->row);
	return s->f && s->same && s->late && s->row;
}

static void slab_fini(struct slab *s)
{
	free(s->f);
	free(s->same);
	free(s->late);
	free(s->row);
}

/* One line of voxels and the envelope over it; room for the line and a voxel at either end. */
struct line {
	double step2;	/* squared voxel size along the line */
	double *height; /* of the parabolas of the envelope */
	double *from;	/* where each parabola starts to be the lowest */
	double *centre;
};

static bool line_init(struct line *l, size_t len)
{
	size_t count;

	l->height = fx_mul_size(len + 2, 3, &count) ? fx_calloc(count, sizeof *l->height) : NULL;
	if (!l->height)
		return false;
	l->from = l->height + (len + 2);
	l->centre = l->height + 2 * (len + 2);
	return true;
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

/* Rows lo..hi-1 of line @p x, which have one label, by their envelope. */
static void line_piece(const struct slab *s, struct line *l, size_t x, size_t lo, size_t hi,
		       float *out, size_t stride)
{
	size_t n = 0, at = 0;

	if (lo || s->border)
		n = envelope_add(l, n, (double)lo - 1, 0);
	for (size_t i = lo; i < hi; i++)
		n = envelope_add(l, n, (double)i, (double)s->f[i * s->width + x]);
	if (hi < s->rows || s->border)
		n = envelope_add(l, n, (double)hi, 0);
	for (size_t i = lo; n && i < hi; i++) {
		const double y = (double)i;

		while (at + 1 < n && l->from[at + 1] <= y)
			at++;
		out[i * stride + x] = (float)(l->height[at] +
					      l->step2 * (y - l->centre[at]) * (y - l->centre[at]));
	}
}

/* The pieces of line @p x that the near search was not enough for. */
static void line_work(const struct slab *s, struct line *l, size_t x, float *out, size_t stride)
{
	for (size_t lo = 0, hi; lo < s->rows; lo = hi) {
		bool late = s->late[lo * s->width + x];

		for (hi = lo + 1; hi < s->rows && s->same[hi * s->width + x]; hi++)
			late = late || s->late[hi * s->width + x];
		if (late)
			line_piece(s, l, x, lo, hi, out, stride);
	}
}

static bool same_label(const struct volume *v, size_t i, size_t k)
{
	return v->wide ? ((const uint64_t *)v->labels)[i] == ((const uint64_t *)v->labels)[k] :
			 ((const uint32_t *)v->labels)[i] == ((const uint32_t *)v->labels)[k];
}

/* The slab whose first voxel is @p first, rows @p stride apart. */
static void slab_load(const struct volume *v, struct slab *s, size_t first, size_t stride)
{
	const size_t nx = v->shape[2];

	for (size_t i = 0; i < s->rows; i++) {
		const size_t at = first + i * stride;

		memcpy(s->f + i * s->width, v->out + at, nx * sizeof *s->f);
		for (size_t x = 0; i && x < nx; x++)
			s->same[i * s->width + x] = same_label(v, at + x, at + x - stride) ? -1 : 0;
	}
}

static void slab_work(const struct volume *v, struct slab *s, struct line *l, row_fn *row,
		      size_t first, size_t stride)
{
	const size_t nx = v->shape[2];

	slab_load(v, s, first, stride);
	for (size_t i = 0; i < s->rows; i++) {
		row(s, i, s->row, s->late + i * s->width);
		memcpy(v->out + first + i * stride, s->row, nx * sizeof *s->row);
	}
	for (size_t x = 0; x < nx; x++)
		line_work(s, l, x, v->out + first, stride);
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

/* All lines along axis 1 or 0. */
static int axis_work(const struct volume *v, int axis, double step)
{
	const size_t nx = v->shape[2], plane = v->shape[1] * nx;
	const size_t slabs = axis == 1 ? v->shape[0] : v->shape[1];
	const size_t next = axis == 1 ? plane : nx, stride = axis == 1 ? nx : plane;
	row_fn *row = choose_row();
	int failed = 0;

#pragma omp parallel reduction(| : failed)
	{
		struct line l = { .step2 = step * step };
		struct slab s = { .step2 = (float)(step * step), .border = v->border };

		failed = !line_init(&l, v->shape[axis]);
		failed |= !slab_init(&s, v->shape[axis], nx);
#pragma omp for schedule(static)
		for (size_t k = 0; k < slabs; k++)
			if (!failed)
				slab_work(v, &s, &l, row, k * next, stride);
		slab_fini(&s);
		free(l.height);
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
