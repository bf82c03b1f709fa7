// SPDX-License-Identifier: Apache-2.0
/* labeldist.c: multi-label Euclidean distance, one axis after the other. */
#include "kernels/labeldist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/labelruns.h"

/* Rows to either side that are looked at one by one, which is cheaper than an envelope; what is
 * farther from another label needs one. Lines that lie side by side in a strip. */
enum { NEAR = 64, PACE = 4, STRIP = 64 };

struct volume {
	const void *labels;
	bool wide, border;
	size_t shape[3];
	float *out; /* squared distances while the axes are worked on */
};

/* Up to STRIP lines of a plane of the volume, side by side along x, which go from row to row along
 * the axis at hand. */
struct strip {
	const struct volume *v;
	size_t rows, lines;
	size_t first, stride; /* voxels of the volume: of the first row, and from row to row */
	float step2;	      /* squared voxel size from row to row */
	bool last;	      /* of all axes */
	float *f;    /* squared distances so far; STRIP a row; NEAR rows of infinity around */
	float *up;   /* rows to the next other label above; INFINITY without one */
	float *away; /* squared distance over so many rows, up to NEAR */
	float ends[STRIP],
		row[STRIP];  /* of one row: what other labels along the line give; result */
	int32_t late[STRIP]; /* -1: the line has voxels for which NEAR was not enough */
};

typedef void same_fn(const struct strip *s, size_t row, float *up);
typedef void row_fn(struct strip *s, size_t row);

#define TARGET
#define LANES	4
#define NAME(x) portable_##x
#include "kernels/labeldist_tmpl.c"
#undef TARGET
#undef LANES
#undef NAME

#if defined(__x86_64__) && !defined(FX_PORTABLE)
#define TARGET	__attribute__((target("avx2")))
#define LANES	8
#define NAME(x) avx2_##x
#include "kernels/labeldist_tmpl.c"
#undef TARGET
#undef LANES
#undef NAME
#endif

struct steps {
	same_fn *up;
	row_fn *row;
};

static struct steps choose_steps(void)
{
#if defined(__x86_64__) && !defined(FX_PORTABLE)
	if (__builtin_cpu_supports("avx2"))
		return (struct steps){ avx2_up, avx2_row };
#endif
	return (struct steps){ portable_up, portable_row };
}

static bool strip_init(struct strip *s, size_t rows)
{
	size_t len, padded;

	if (!fx_mul_size(rows, STRIP, &len) || !fx_mul_size(rows + 2 * NEAR, STRIP, &padded))
		return false;
	s->rows = rows;
	s->f = fx_calloc(padded, sizeof *s->f);
	s->up = fx_calloc(len, sizeof *s->up);
	s->away = fx_calloc(NEAR + 1, sizeof *s->away);
	if (!s->f || !s->up || !s->away)
		return false;
	for (size_t i = 0; i < NEAR * STRIP; i++)
		s->f[i] = s->f[padded - 1 - i] = INFINITY;
	for (size_t k = 0; k <= NEAR; k++)
		s->away[k] = (float)(k * k) * s->step2;
	return true;
}

static void strip_fini(struct strip *s)
{
	free(s->f);
	free(s->up);
	free(s->away);
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
static void line_piece(const struct strip *s, struct line *l, size_t x, size_t lo, size_t hi)
{
	const float *f = s->f + NEAR * STRIP + x;
	size_t n = 0, at = 0;

	if (lo || s->v->border)
		n = envelope_add(l, n, (double)lo - 1, 0);
	for (size_t i = lo; i < hi; i++)
		n = envelope_add(l, n, (double)i, (double)f[i * STRIP]);
	if (hi < s->rows || s->v->border)
		n = envelope_add(l, n, (double)hi, 0);
	for (size_t i = lo; n && i < hi; i++) {
		const double y = (double)i;
		float d;

		while (at + 1 < n && l->from[at + 1] <= y)
			at++;
		d = (float)(l->height[at] + l->step2 * (y - l->centre[at]) * (y - l->centre[at]));
		s->v->out[s->first + i * s->stride + x] = s->last ? sqrtf(d) : d;
	}
}

/* The pieces of the lines that the near search may not have been enough for. */
static void strip_late(const struct strip *s, struct line *l)
{
	for (size_t x = 0; x < s->lines; x++)
		for (size_t lo = 0, hi; s->late[x] && lo < s->rows; lo = hi) {
			for (hi = lo + 1; hi < s->rows && s->up[hi * STRIP + x] > 1; hi++)
				;
			if (hi - lo > NEAR)
				line_piece(s, l, x, lo, hi);
		}
}

/* Copies the rows in, and counts from above how far the label of each voxel goes. Lines that the
 * volume does not have are labels of their own, at distance 0. */
static void strip_load(struct strip *s, same_fn *up)
{
	const struct volume *v = s->v;

	for (size_t x = 0; x < s->lines; x++)
		s->up[x] = v->border ? 1 : INFINITY;
	for (size_t i = 0; i < s->rows; i++) {
		float *f = s->f + (NEAR + i) * STRIP;

		memcpy(f, v->out + s->first + i * s->stride, s->lines * sizeof *f);
		memset(f + s->lines, 0, (STRIP - s->lines) * sizeof *f);
		if (i)
			up(s, i, s->up + i * STRIP);
	}
}

/* The rows from below, where the distance to the next other label below is counted as they go. */
static void strip_work(struct strip *s, struct line *l, const struct steps *steps)
{
	float down[STRIP];
	int32_t late = 0;

	strip_load(s, steps->up);
	memset(s->late, 0, sizeof s->late);
	for (size_t x = 0; x < STRIP; x++)
		down[x] = s->v->border ? 1 : INFINITY;
	for (size_t i = s->rows; i-- > 0;) {
		const float *up = s->up + i * STRIP;

		for (size_t x = 0; x < STRIP; x++) {
			const float next = up[x] < down[x] ? up[x] : down[x];

			s->ends[x] = next * next * s->step2;
			down[x] = up[x] > 1 ? down[x] + 1 : 1;
		}
		steps->row(s, i);
		memcpy(s->v->out + s->first + i * s->stride, s->row, s->lines * sizeof *s->row);
	}
	for (size_t x = 0; x < s->lines; x++)
		late |= s->late[x];
	if (late)
		strip_late(s, l);
}

/* The plane of strips from voxel @p first. */
static void plane_work(struct strip *s, struct line *l, const struct steps *steps, size_t first,
		       size_t stride)
{
	const size_t nx = s->v->shape[2];

	s->stride = stride;
	for (size_t x = 0; x < nx; x += STRIP) {
		s->first = first + x;
		s->lines = nx - x < STRIP ? nx - x : STRIP;
		strip_work(s, l, steps);
	}
}

/* Rows along x: squared distances over so many voxels, rising and the same backwards. */
struct ruler {
	float *rise, *fall; /* rise[k]: k voxels; fall[len - k]: the same */
	uint64_t *breaks;   /* of a row */
	uint32_t *end;	    /* of its runs */
	size_t len;
};

static bool ruler_init(struct ruler *r, size_t len, double step)
{
	r->len = len + 1;
	r->rise = fx_calloc(r->len, sizeof *r->rise);
	r->fall = fx_calloc(r->len, sizeof *r->fall);
	r->breaks = fx_calloc(fx_label_words(len), sizeof *r->breaks);
	r->end = fx_calloc(r->len, sizeof *r->end);
	if (!r->rise || !r->fall || !r->breaks || !r->end)
		return false;
	for (size_t k = 0; k < r->len; k++) {
		const double away = (double)k * step;

		r->rise[k] = r->fall[r->len - 1 - k] = (float)(away * away);
	}
	return true;
}

static void ruler_fini(struct ruler *r)
{
	free(r->rise);
	free(r->fall);
	free(r->breaks);
	free(r->end);
}

/* A run of one label, which another label may follow at its ends. */
static void run_work(const struct ruler *r, float *out, size_t len, bool left, bool right)
{
	const size_t middle = left && right ? (len + 1) / 2 : left ? len : 0;
	const float *fall = r->fall + r->len - 1 - len;

	if (!left && !right) {
		for (size_t x = 0; x < len; x++)
			out[x] = INFINITY;
		return;
	}
	for (size_t x = 0; x < middle; x++)
		out[x] = r->rise[x + 1];
	for (size_t x = middle; x < len; x++)
		out[x] = fall[x];
}

/* Along x only the ends of a run count. */
static void row_work(const struct volume *v, const struct ruler *r, size_t first)
{
	const size_t nx = v->shape[2];
	const char *row = (const char *)v->labels + first * (v->wide ? 8 : 4);
	float *out = v->out + first;
	size_t runs;

	fx_label_breaks(row, v->wide, nx, r->breaks);
	runs = fx_label_runs(r->breaks, nx, r->end);
	for (size_t k = 0, lo = 0; k < runs; lo = r->end[k++]) {
		const size_t hi = r->end[k];

		if (fx_label_at(row, v->wide, lo))
			run_work(r, out + lo, hi - lo, lo || v->border, hi < nx || v->border);
		else
			memset(out + lo, 0, (hi - lo) * sizeof *out);
	}
}

/* The rows of each section along x, and its lines along y. */
static int sections_work(const struct volume *v, const double voxel_nm[3])
{
	const size_t nx = v->shape[2], plane = v->shape[1] * nx;
	const struct steps steps = choose_steps();
	int failed = 0;

#pragma omp parallel reduction(| : failed)
	{
		struct line l = { .step2 = voxel_nm[1] * voxel_nm[1] };
		struct strip s = { .v = v, .step2 = (float)l.step2 };
		struct ruler r = { 0 };

		failed = !line_init(&l, v->shape[1]);
		failed |= !strip_init(&s, v->shape[1]);
		failed |= !ruler_init(&r, nx, voxel_nm[2]);
#pragma omp for schedule(static)
		for (size_t z = 0; z < v->shape[0]; z++) {
			for (size_t y = 0; !failed && y < v->shape[1]; y++)
				row_work(v, &r, z * plane + y * nx);
			if (!failed)
				plane_work(&s, &l, &steps, z * plane, nx);
		}
		ruler_fini(&r);
		strip_fini(&s);
		free(l.height);
	}
	return failed ? FX_ENOMEM : FX_OK;
}

/* All lines along z. */
static int depth_work(const struct volume *v, double step)
{
	const size_t nx = v->shape[2];
	const struct steps steps = choose_steps();
	int failed = 0;

#pragma omp parallel reduction(| : failed)
	{
		struct line l = { .step2 = step * step };
		struct strip s = { .v = v, .step2 = (float)l.step2, .last = true };

		failed = !line_init(&l, v->shape[0]);
		failed |= !strip_init(&s, v->shape[0]);
#pragma omp for schedule(static)
		for (size_t y = 0; y < v->shape[1]; y++)
			if (!failed)
				plane_work(&s, &l, &steps, y * nx, v->shape[1] * nx);
		strip_fini(&s);
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
	    shape[2] >= UINT32_MAX || !(voxel_nm[0] > 0) || !(voxel_nm[1] > 0) ||
	    !(voxel_nm[2] > 0))
		return FX_EINVAL;
	result = sections_work(&v, voxel_nm);
	return result == FX_OK ? depth_work(&v, voxel_nm[0]) : result;
}
