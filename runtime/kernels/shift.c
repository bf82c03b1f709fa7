// SPDX-License-Identifier: Apache-2.0
/* shift.c: how far parts of one section lie from the same parts of another. */
#include "kernels/shift.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"

enum { LEAST = 8, AROUND = 2 }; /* side of a patch; voxels around the best of the halved sections */

int fx_grey_init(struct fx_grey *p, size_t height, size_t width)
{
	size_t n;

	*p = (struct fx_grey){ .height = height, .width = width };
	if (!fx_mul_size(height, width, &n))
		return FX_ENOMEM;
	p->full = fx_calloc(n, sizeof *p->full);
	p->half = fx_calloc(n / 4 + 1, sizeof *p->half);
	return p->full && p->half ? FX_OK : FX_ENOMEM;
}

void fx_grey_fini(struct fx_grey *p)
{
	free(p->full);
	free(p->half);
	*p = (struct fx_grey){ 0 };
}

static void halve_row(struct fx_grey *p, size_t y)
{
	const uint16_t *a = p->full + 2 * y * p->width, *b = a + p->width;
	uint32_t *to = p->half + y * (p->width / 2);

	for (size_t x = 0; x < p->width / 2; x++)
		to[x] = (uint32_t)a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1];
}

void fx_grey_halve(struct fx_grey *p)
{
#pragma omp parallel for schedule(static)
	for (size_t y = 0; y < p->height / 2; y++)
		halve_row(p, y);
}

void fx_grey_fill(struct fx_grey *p, const void *voxels, enum fx_dtype dtype)
{
	const size_t n = p->height * p->width;

	if (dtype == FX_U16)
		memcpy(p->full, voxels, n * sizeof *p->full);
	else
		for (size_t i = 0; i < n; i++)
			p->full[i] = ((const uint8_t *)voxels)[i];
	fx_grey_halve(p);
}

void fx_grey_copy(struct fx_grey *to, const struct fx_grey *from, size_t y, size_t x, size_t height,
		  size_t width)
{
	const size_t w = to->width, half = w / 2;

	for (size_t i = y; i < y + height; i++)
		memcpy(to->full + i * w + x, from->full + i * w + x, width * sizeof *to->full);
	for (size_t i = y / 2; i < (y + height) / 2; i++)
		memcpy(to->half + i * half + x / 2, from->half + i * half + x / 2,
		       ((x + width) / 2 - x / 2) * sizeof *to->half);
}

/* A patch of one section and how it is found in another: both at full or at half size. */
struct search {
	const uint16_t *a16, *b16; /* full, or NULL */
	const uint32_t *a32, *b32;
	size_t stride, y, x, height, width;
};

/* Sums over two patches. */
struct sums {
	uint64_t a, b;
	double aa, bb, ab;
};

static void add_row16(struct sums *s, const uint16_t *a, const uint16_t *b, size_t n)
{
	uint64_t sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;

	for (size_t i = 0; i < n; i++) {
		const uint32_t p = a[i], q = b[i];

		sa += p;
		sb += q;
		aa += p * p;
		bb += q * q;
		ab += p * q;
	}
	s->a += sa;
	s->b += sb;
	s->aa += (double)aa;
	s->bb += (double)bb;
	s->ab += (double)ab;
}

static void add_row32(struct sums *s, const uint32_t *a, const uint32_t *b, size_t n)
{
	uint64_t sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;

	for (size_t i = 0; i < n; i++) {
		const uint64_t p = a[i], q = b[i];

		sa += p;
		sb += q;
		aa += p * p;
		bb += q * q;
		ab += p * q;
	}
	s->a += sa;
	s->b += sb;
	s->aa += (double)aa;
	s->bb += (double)bb;
	s->ab += (double)ab;
}

/* Correlation of the patch with that shifted by dy, dx; *power of the patch itself. */
static double correlate(const struct search *s, ptrdiff_t dy, ptrdiff_t dx, double *power)
{
	const double n = (double)(s->height * s->width);
	struct sums t = { 0 };
	double a, b, ab;

	for (size_t y = s->y; y < s->y + s->height; y++) {
		const size_t at = y * s->stride + s->x;
		const size_t to = (size_t)((ptrdiff_t)at + dy * (ptrdiff_t)s->stride + dx);

		if (s->a16)
			add_row16(&t, s->a16 + at, s->b16 + to, s->width);
		else
			add_row32(&t, s->a32 + at, s->b32 + to, s->width);
	}
	a = t.aa - (double)t.a * (double)t.a / n;
	b = t.bb - (double)t.b * (double)t.b / n;
	ab = t.ab - (double)t.a * (double)t.b / n;
	*power = a / n;
	return a > 0.5 && b > 0.5 ? ab / sqrt(a * b) : 0;
}

/* Best shift within @p reach of *dy, *dx; the nearest to it among equals. */
static double best_of(const struct search *s, ptrdiff_t reach, ptrdiff_t limit, ptrdiff_t *dy,
		      ptrdiff_t *dx)
{
	const ptrdiff_t y0 = *dy, x0 = *dx;
	double power, best = correlate(s, y0, x0, &power);

	for (ptrdiff_t y = y0 - reach; y <= y0 + reach; y++)
		for (ptrdiff_t x = x0 - reach; x <= x0 + reach; x++) {
			double c;

			if (y < -limit || y > limit || x < -limit || x > limit ||
			    (y == y0 && x == x0))
				continue;
			c = correlate(s, y, x, &power);
			if (c > best) {
				best = c;
				*dy = y;
				*dx = x;
			}
		}
	return best;
}

/* The top of a parabola through @p below, @p at and @p above, from -0.5 to 0.5. */
static double top(double below, double at, double above)
{
	const double bend = below - 2 * at + above;

	return bend < 0 ? fmax(-0.5, fmin(0.5, (below - above) / (2 * bend))) : 0;
}

/* The range [*at, *at + *n) cut, or moved, to what stays inside of @p size at any shift. */
static bool cut(size_t *at, size_t *n, size_t size, size_t reach)
{
	size_t lo, hi;

	if (size < 2 * reach + LEAST)
		return false;
	lo = *at > reach ? *at : reach;
	hi = *at + *n < size - reach ? *at + *n : size - reach;
	if (hi < lo + LEAST) {
		lo = lo + LEAST < size - reach ? lo : size - reach - LEAST;
		hi = lo + LEAST;
	}
	*at = lo;
	*n = hi - lo;
	return true;
}

void fx_shift_find(struct fx_shift *s, const struct fx_grey *a, const struct fx_grey *b, size_t y,
		   size_t x, size_t height, size_t width, size_t reach)
{
	struct search full = { .a16 = a->full,
			       .b16 = b->full,
			       .stride = a->width,
			       .y = y,
			       .x = x,
			       .height = height,
			       .width = width };
	struct search half = { .a32 = a->half, .b32 = b->half, .stride = a->width / 2 };
	const ptrdiff_t limit = (ptrdiff_t)reach;
	ptrdiff_t dy = 0, dx = 0;
	double c[3];

	*s = (struct fx_shift){ .similarity = 1 };
	if (!cut(&full.y, &full.height, a->height, reach + 1) ||
	    !cut(&full.x, &full.width, a->width, reach + 1))
		return;
	half.y = (full.y + 1) / 2;
	half.x = (full.x + 1) / 2;
	half.height = (full.y + full.height) / 2 - half.y;
	half.width = (full.x + full.width) / 2 - half.x;
	best_of(&half, limit / 2, limit / 2, &dy, &dx);
	dy *= 2;
	dx *= 2;
	s->similarity = best_of(&full, AROUND, limit, &dy, &dx);
	c[0] = correlate(&full, dy - 1, dx, &s->power);
	c[1] = correlate(&full, dy + 1, dx, &s->power);
	s->y = (double)dy + top(c[0], s->similarity, c[1]);
	c[0] = correlate(&full, dy, dx - 1, &s->power);
	c[1] = correlate(&full, dy, dx + 1, &s->power);
	s->x = (double)dx + top(c[0], s->similarity, c[1]);
}
