// SPDX-License-Identifier: Apache-2.0
/* dense.c: the motion between two images made exact by all of their voxels. */
#include "kernels/dense.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/moved.h"
#include "kernels/spd.h"

enum { SIDE = 16, MOST = 48, STEPS = 8, WIDE = SIDE + 2 };
static const double enough = 0.003; /* voxels: a step that is not worth another one */

/* Of a square: products of gradients, of gradient and difference, squares of the difference. */
struct square {
	bool inside;
	double gg[3], ge[2], ee, weight;
};

struct dense {
	const struct fx_plane *reference, *section;
	enum fx_motion motion;
	size_t rows, columns;
	struct square *squares; /* owned */
	double *sorted;		/* owned, as many */
};

/* Where square @p i of @p n on an axis of @p side voxels begins: one voxel from the edge at least.
 */
static size_t dense_start(size_t i, size_t n, size_t side)
{
	const size_t room = side - 2 - SIDE;

	return 1 + (n > 1 ? i * room / (n - 1) : room / 2);
}

static size_t dense_count(size_t side)
{
	const size_t n = side < WIDE ? 0 : (side - 2) / SIDE;

	return n < MOST ? n : MOST;
}

/* Sums over the columns of a square; each column is a lane. */
static double dense_sum(const float lanes[SIDE])
{
	double sum = 0;

	for (int i = 0; i < SIDE; i++)
		sum += (double)lanes[i];
	return sum;
}

/* @p s and @p r: the section and the moved reference, one voxel more on each side. */
static void square_measure(struct square *q, float s[WIDE][WIDE], float r[WIDE][WIDE])
{
	float yy[SIDE] = { 0 }, yx[SIDE] = { 0 }, xx[SIDE] = { 0 }, ye[SIDE] = { 0 },
	      xe[SIDE] = { 0 }, ee[SIDE] = { 0 };

	for (size_t y = 1; y <= SIDE; y++)
		for (size_t x = 0; x < SIDE; x++) {
			const float sy = 0.5F * (s[y + 1][x + 1] - s[y - 1][x + 1]),
				    sx = 0.5F * (s[y][x + 2] - s[y][x]),
				    ry = 0.5F * (r[y + 1][x + 1] - r[y - 1][x + 1]),
				    rx = 0.5F * (r[y][x + 2] - r[y][x]),
				    e = r[y][x + 1] - s[y][x + 1];

			yy[x] += sy * ry;
			xx[x] += sx * rx;
			yx[x] += 0.5F * (sy * rx + sx * ry);
			ye[x] += 0.5F * (sy + ry) * e;
			xe[x] += 0.5F * (sx + rx) * e;
			ee[x] += e * e;
		}
	q->gg[0] = dense_sum(yy);
	q->gg[1] = dense_sum(yx);
	q->gg[2] = dense_sum(xx);
	q->ge[0] = dense_sum(ye);
	q->ge[1] = dense_sum(xe);
	q->ee = dense_sum(ee);
}

static void dense_square(struct dense *d, const struct fx_affine2 *map, size_t at)
{
	const size_t y = dense_start(at / d->columns, d->rows, d->section->height),
		     x = dense_start(at % d->columns, d->columns, d->section->width);
	const double lo[2] = { (double)y - 1, (double)x - 1 },
		     hi[2] = { lo[0] + WIDE - 1, lo[1] + WIDE - 1 };
	float s[WIDE][WIDE], r[WIDE][WIDE];
	struct square *q = &d->squares[at];

	q->inside = fx_moved_inside(d->reference, map, lo, hi);
	if (!q->inside)
		return;
	for (size_t j = 0; j < WIDE; j++) {
		const uint8_t *from = (const uint8_t *)d->section->voxels +
				      (y - 1 + j) * d->section->stride + x - 1;

		for (size_t i = 0; i < WIDE; i++)
			s[j][i] = from[i];
		fx_moved_row(d->reference, map, lo[0] + (double)j, lo[1], WIDE, r[j]);
	}
	square_measure(q, s, r);
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Weights by the difference against the median one; false when too few squares are inside. */
static bool dense_weigh(struct dense *d)
{
	const size_t all = d->rows * d->columns;
	size_t n = 0;

	for (size_t i = 0; i < all; i++)
		if (d->squares[i].inside)
			d->sorted[n++] = d->squares[i].ee;
	if (n < 6 || n < all / 8)
		return false;
	qsort(d->sorted, n, sizeof *d->sorted, ascending);
	for (size_t i = 0; i < all; i++) {
		struct square *q = &d->squares[i];
		const double e = q->ee / (d->sorted[n / 2] + 1e-9) / 2;

		q->weight = q->inside ? 1 / (1 + e * e * e * e) : 0;
	}
	return true;
}

/* The step: section place p -> p + step(p), by what the squares ask for. False when they do not
 * hold it. */
static bool dense_step(const struct dense *d, struct fx_affine2 *step)
{
	const size_t basis = d->motion == FX_MOTION_SHIFT ? 1 : 3, n = 2 * basis;
	const double middle[2] = { ((double)d->section->height - 1) / 2,
				   ((double)d->section->width - 1) / 2 },
		     half[2] = { fmax(1, middle[0]), fmax(1, middle[1]) };
	double normal[36] = { 0 }, right[6] = { 0 };

	for (size_t i = 0; i < d->rows * d->columns; i++) {
		const struct square *q = &d->squares[i];
		const double y = (double)dense_start(i / d->columns, d->rows, d->section->height),
			     x = (double)dense_start(i % d->columns, d->columns, d->section->width),
			     b[3] = { 1, (y + (SIDE - 1) / 2.0 - middle[0]) / half[0],
				      (x + (SIDE - 1) / 2.0 - middle[1]) / half[1] };

		for (size_t j = 0; j < n && q->weight > 0; j++) {
			const size_t a = j / basis;

			right[j] -= q->weight * q->ge[a] * b[j % basis];
			for (size_t k = 0; k < n; k++)
				normal[j * n + k] += q->weight * q->gg[a + k / basis] *
						     b[j % basis] * b[k % basis];
		}
	}
	if (!fx_spd_solve(normal, right, n, 1))
		return false;
	*step = fx_affine2_shift(right[0], right[basis]);
	for (size_t a = 0; a < 2 && basis == 3; a++)
		for (size_t k = 0; k < 2; k++) {
			const double c = right[a * 3 + 1 + k] / half[k];

			step->m[a][k] += c;
			step->m[a][2] -= c * middle[k];
		}
	return true;
}

/* How far two maps are apart at a corner of the section, at most. */
static double dense_apart(const struct dense *d, const struct fx_affine2 *a,
			  const struct fx_affine2 *b)
{
	double worst = 0;

	for (int k = 0; k < 4; k++) {
		const double p[2] = { k & 1 ? (double)d->section->height - 1 : 0,
				      k & 2 ? (double)d->section->width - 1 : 0 };
		double x[2], y[2];

		fx_affine2_apply(a, p, x);
		fx_affine2_apply(b, p, y);
		worst = fmax(worst, hypot(x[0] - y[0], x[1] - y[1]));
	}
	return worst;
}

static bool dense_iterate(struct dense *d, double most, struct fx_affine2 *map)
{
	const size_t all = d->rows * d->columns;
	struct fx_affine2 now = *map;

	for (int k = 0; k < STEPS; k++) {
		struct fx_affine2 step, next;
		double moved;

#pragma omp parallel for schedule(static) if (all > 1000)
		for (size_t i = 0; i < all; i++)
			dense_square(d, &now, i);
		if (!dense_weigh(d) || !dense_step(d, &step))
			return false;
		next = fx_affine2_after(&now, &step);
		if (!(dense_apart(d, &next, map) <= most))
			return false;
		moved = dense_apart(d, &next, &now);
		now = next;
		if (moved < enough)
			break;
	}
	*map = now;
	return true;
}

bool fx_dense_fit(const struct fx_plane *reference, const struct fx_plane *section,
		  enum fx_motion motion, double most, struct fx_affine2 *map)
{
	struct dense d = { reference,
			   section,
			   motion,
			   dense_count(section->height),
			   dense_count(section->width),
			   NULL,
			   NULL };
	const size_t all = d.rows * d.columns;
	bool found = false;

	if (section->dtype != FX_U8 || all < 6)
		return false;
	d.squares = fx_calloc(all, sizeof *d.squares);
	d.sorted = fx_calloc(all, sizeof *d.sorted);
	if (d.squares && d.sorted)
		found = dense_iterate(&d, most, map);
	free(d.squares);
	free(d.sorted);
	return found;
}
