// SPDX-License-Identifier: Apache-2.0
/* patch.c: block matching: where a patch of one image is in another. */
#include "kernels/patch.h"

#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/moved.h"
#include "kernels/quadric.h"

enum { AT_ONCE = 4 }; /* shifts */
static const int side_max = 256;

int fx_patch_init(struct fx_patch *p, const struct fx_patch_how *how)
{
	const size_t side = 2 * (size_t)how->half + 1, steps = 2 * (size_t)how->reach + 1,
		     window = side + steps - 1;

	*p = (struct fx_patch){ .how = *how };
	if (how->half < 1 || how->half > side_max || how->reach < 1 || how->reach > side_max)
		return FX_EINVAL;
	p->patch = fx_calloc(side * side, sizeof *p->patch);
	/* a few more: shifts are tried AT_ONCE */
	p->window = fx_calloc(window * window + AT_ONCE, sizeof *p->window);
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
	const int far = p->how.half + p->how.reach;
	const size_t side = 2 * (size_t)far + 1;
	const double lo[2] = { at[0] - far, at[1] - far }, hi[2] = { at[0] + far, at[1] + far };
	float middle;

	if (!fx_moved_inside(other, map, lo, hi))
		return false;
	for (size_t j = 0; j < side; j++)
		fx_moved_row(other, map, lo[0] + (double)j, lo[1], side, p->window + j * side);
	middle = p->window[side * side / 2]; /* about the mean: sums keep their digits */
	for (size_t i = 0; i < side * side; i++)
		p->window[i] -= middle;
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

/* Eight numbers at once. */
#define LANES float __attribute__((vector_size(32)))

/* Adds products to 8 lanes, of AT_ONCE shifts along x: the order does not depend on how the
 * processor adds. */
#define PRODUCTS(name)                                                                             \
	static void name(const float *w, const float *v, size_t n, float to[AT_ONCE][8])           \
	{                                                                                          \
		LANES s0, s1, s2, s3, a, b;                                                        \
		size_t i = 0;                                                                      \
                                                                                                   \
		memcpy(&s0, to[0], sizeof s0);                                                     \
		memcpy(&s1, to[1], sizeof s1);                                                     \
		memcpy(&s2, to[2], sizeof s2);                                                     \
		memcpy(&s3, to[3], sizeof s3);                                                     \
		for (; i + 8 <= n; i += 8) {                                                       \
			memcpy(&a, v + i, sizeof a);                                               \
			memcpy(&b, w + i, sizeof b);                                               \
			s0 += b * a;                                                               \
			memcpy(&b, w + i + 1, sizeof b);                                           \
			s1 += b * a;                                                               \
			memcpy(&b, w + i + 2, sizeof b);                                           \
			s2 += b * a;                                                               \
			memcpy(&b, w + i + 3, sizeof b);                                           \
			s3 += b * a;                                                               \
		}                                                                                  \
		memcpy(to[0], &s0, sizeof s0);                                                     \
		memcpy(to[1], &s1, sizeof s1);                                                     \
		memcpy(to[2], &s2, sizeof s2);                                                     \
		memcpy(to[3], &s3, sizeof s3);                                                     \
		for (size_t s = 0; s < AT_ONCE; s++)                                               \
			for (size_t k = 0; i + k < n; k++)                                         \
				to[s][k] += w[s + i + k] * v[i + k];                               \
	}

PRODUCTS(products_plain)
#ifdef __x86_64__
__attribute__((target("avx2"))) PRODUCTS(products_avx2)
#endif

	struct products {
	void (*add)(const float *w, const float *v, size_t n, float to[AT_ONCE][8]);
};

static struct products patch_best_products(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return (struct products){ products_avx2 };
#endif
	return (struct products){ products_plain };
}

/* The correlations at shift @p y and AT_ONCE shifts from @p x on: the patch has length 1 and no
 * mean. */
static void patch_correlate(const struct fx_patch *p, struct products products, size_t y, size_t x,
			    size_t len)
{
	const size_t side = 2 * (size_t)p->how.half + 1, steps = 2 * (size_t)p->how.reach + 1,
		     wide = side + steps - 1;
	const double n = (double)(side * side);
	float lanes[AT_ONCE][8] = { { 0 } };

	for (size_t j = 0; j < side; j++)
		products.add(p->window + (y + j) * wide + x, p->patch + j * side, side, lanes);
	for (size_t s = 0; s < len; s++) {
		const double sum = patch_square(p->sum, wide + 1, y, x + s, side),
			     squares = patch_square(p->squares, wide + 1, y, x + s, side) -
				       sum * sum / n;
		double product = 0;

		for (int k = 0; k < 8; k++)
			product += (double)lanes[s][k];
		p->r[y * steps + x + s] = squares > 1e-6 * n ? product / sqrt(squares) : 0;
	}
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

/* The correlations at all shifts. */
static void patch_all(const struct fx_patch *p)
{
	const struct products products = patch_best_products();
	const size_t steps = 2 * (size_t)p->how.reach + 1;

	for (size_t y = 0; y < steps; y++)
		for (size_t x = 0; x < steps; x += AT_ONCE)
			patch_correlate(p, products, y, x,
					steps - x < AT_ONCE ? steps - x : AT_ONCE);
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
	patch_all(p);
	for (int i = 0; i < steps * steps; i++)
		best = p->r[i] > p->r[best] ? i : best;
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
