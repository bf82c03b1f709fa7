// SPDX-License-Identifier: Apache-2.0
/* patch.c: block matching: where a patch of one image is in another. */
#include "kernels/patch.h"

#include <stdlib.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/cubic.h"
#include "kernels/quadric.h"

static const int side_max = 256;

int fx_patch_init(struct fx_patch *p, const struct fx_patch_how *how)
{
	const size_t side = 2 * (size_t)how->half + 1, steps = 2 * (size_t)how->reach + 1,
		     window = side + steps - 1;

	*p = (struct fx_patch){ .how = *how };
	if (how->half < 1 || how->half > side_max || how->reach < 1 || how->reach > side_max)
		return FX_EINVAL;
	p->patch = fx_calloc(side * side, sizeof *p->patch);
	p->window = fx_calloc(window * window, sizeof *p->window);
	p->r = fx_calloc(steps * steps, sizeof *p->r);
	p->sum = fx_calloc((window + 1) * (window + 1), sizeof *p->sum);
	p->squares = fx_calloc((window + 1) * (window + 1), sizeof *p->squares);
	return p->patch && p->window && p->r && p->sum && p->squares ? FX_OK : FX_ENOMEM;
}

void fx_patch_fini(struct fx_patch *p)
{
	free(p->patch);
	free(p->window);
	free(p->r);
	free(p->sum);
	free(p->squares);
	*p = (struct fx_patch){ 0 };
}

/* Takes the patch without its mean, scaled to length 1; false when it is flat. */
static bool patch_take(struct fx_patch *p, const struct fx_plane *one, size_t y, size_t x)
{
	const size_t half = (size_t)p->how.half, side = 2 * half + 1, n = side * side;
	double sum = 0, squares = 0, mean, length;

	for (size_t i = 0; i < n; i++) {
		p->patch[i] = fx_plane_at(one, y - half + i / side, x - half + i % side);
		sum += (double)p->patch[i];
		squares += (double)p->patch[i] * (double)p->patch[i];
	}
	mean = sum / (double)n;
	squares -= sum * mean;
	if (!(squares > 0) || squares < p->how.texture * p->how.texture * (double)n)
		return false;
	length = sqrt(squares);
	for (size_t i = 0; i < n; i++)
		p->patch[i] = (float)(((double)p->patch[i] - mean) / length);
	return true;
}

/* Takes the window; false when it is not inside. */
static bool patch_look(struct fx_patch *p, const struct fx_plane *other,
		       const struct fx_affine2 *map, const double at[2])
{
	const int far = p->how.half + p->how.reach, side = 2 * far + 1;
	double middle, here[2];
	const double bottom = (double)other->height - 1, right = (double)other->width - 1;

	for (int k = 0; k < 4; k++) {
		const double corner[2] = { at[0] + (k & 1 ? far : -far),
					   at[1] + (k & 2 ? far : -far) };
		double to[2];

		fx_affine2_apply(map, corner, to);
		if (!(to[0] >= 0 && to[0] <= bottom && to[1] >= 0 && to[1] <= right))
			return false;
	}
	fx_affine2_apply(map, at, here);
	middle = fx_cubic_at(other, here[0], here[1]); /* about the mean: sums keep their digits */
	for (int i = 0; i < side * side; i++) {
		const double place[2] = { at[0] + i / side - far, at[1] + i % side - far };
		double to[2];

		fx_affine2_apply(map, place, to);
		p->window[i] = (float)(fx_cubic_at(other, to[0], to[1]) - middle);
	}
	return true;
}

/* Sums over all above and to the left, so that those of any square are known at once. */
static void patch_sums(struct fx_patch *p)
{
	const size_t side = 2 * (size_t)(p->how.half + p->how.reach) + 1, wide = side + 1;

	for (size_t y = 0; y < side; y++) {
		double s = 0, q = 0;

		for (size_t x = 0; x < side; x++) {
			const double v = (double)p->window[y * side + x];
			const size_t at = (y + 1) * wide + x + 1;

			s += v;
			q += v * v;
			p->sum[at] = p->sum[at - wide] + s;
			p->squares[at] = p->squares[at - wide] + q;
		}
	}
}

static double patch_square(const double *sums, size_t wide, size_t y, size_t x, size_t side)
{
	const double *top = sums + y * wide + x, *bottom = top + side * wide;

	return bottom[side] - bottom[0] - top[side] + top[0];
}

/* Adds @p n products to 8 lanes: the order does not depend on how the processor adds. */
static void patch_row(const float *w, const float *v, size_t n, float lanes[8])
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		for (size_t k = 0; k < 8; k++)
			lanes[k] += w[i + k] * v[i + k];
	for (size_t k = 0; i + k < n; k++)
		lanes[k] += w[i + k] * v[i + k];
}

/* The correlation at one shift: the patch has length 1 and no mean. */
static double patch_correlate(const struct fx_patch *p, size_t y, size_t x)
{
	const size_t side = 2 * (size_t)p->how.half + 1, wide = side + 2 * (size_t)p->how.reach;
	const double n = (double)(side * side), sum = patch_square(p->sum, wide + 1, y, x, side),
		     squares = patch_square(p->squares, wide + 1, y, x, side) - sum * sum / n;
	float lanes[8] = { 0 };
	double product = 0;

	for (size_t j = 0; j < side; j++)
		patch_row(p->window + (y + j) * wide + x, p->patch + j * side, side, lanes);
	for (int k = 0; k < 8; k++)
		product += (double)lanes[k];
	return squares > 1e-6 * n ? product / sqrt(squares) : 0;
}

/* The highest but for what is around @p best. */
static double patch_next(const struct fx_patch *p, int best)
{
	const int steps = 2 * p->how.reach + 1;
	double next = -1;

	for (int i = 0; i < steps * steps; i++)
		if ((abs(i / steps - best / steps) > 2 || abs(i % steps - best % steps) > 2) &&
		    p->r[i] > next)
			next = p->r[i];
	return next;
}

int fx_patch_find(struct fx_patch *p, const struct fx_plane *one, const struct fx_plane *other,
		  const struct fx_affine2 *map, size_t y, size_t x, struct fx_patch_match *out)
{
	const size_t half = (size_t)p->how.half;
	const int steps = 2 * p->how.reach + 1;
	const double from[2] = { (double)y, (double)x };
	double v[3][3], at[2];
	int best = 0;

	if (y < half || x < half || y + half >= one->height || x + half >= one->width ||
	    !patch_take(p, one, y, x) || !patch_look(p, other, map, from))
		return 0;
	patch_sums(p);
	for (int i = 0; i < steps * steps; i++) {
		p->r[i] = patch_correlate(p, (size_t)(i / steps), (size_t)(i % steps));
		best = p->r[i] > p->r[best] ? i : best;
	}
	if (best / steps == 0 || best / steps == steps - 1 || best % steps == 0 ||
	    best % steps == steps - 1)
		return -1;
	for (int k = 0; k < 9; k++)
		v[k / 3][k % 3] = p->r[best + (k / 3 - 1) * steps + k % 3 - 1];
	fx_quadric_top((const double(*)[3])v, at);
	at[0] += from[0] + best / steps - p->how.reach;
	at[1] += from[1] + best % steps - p->how.reach;
	*out = (struct fx_patch_match){ .from = { from[0], from[1] }, .r = p->r[best] };
	out->lead = out->r - patch_next(p, best);
	fx_affine2_apply(map, at, out->to);
	return 1;
}
