// SPDX-License-Identifier: Apache-2.0
/* augment.c: changes of training crops. */
#include "nn/augment.h"

#include <math.h>
#include <string.h>

#include "kernels/gauss.h"

enum { SYMMETRIES = 48, FLAT_SYMMETRIES = 16 };

struct fx_symmetry fx_symmetry_get(uint32_t number)
{
	static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					  { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	struct fx_symmetry s;

	memcpy(s.from, orders[number / 8 % 6], sizeof s.from);
	for (int a = 0; a < 3; a++)
		s.flip[a] = number >> a & 1;
	return s;
}

struct fx_symmetry fx_symmetry_draw(bool cubic, struct fx_pcg *rng)
{
	return fx_symmetry_get(fx_pcg_below(rng, cubic ? SYMMETRIES : FLAT_SYMMETRIES));
}

/* Evenly in the logarithm from 1 / (1 + most) to 1 + most. */
static double factor(double most, struct fx_pcg *rng)
{
	const double edge = log(1 + most);

	return exp(fx_pcg_range(rng, -edge, edge));
}

/* Moves a section of 4-byte elements by (dy, dx); what comes from outside is the nearest edge when
 * @p edges, else 0. */
static void shift_section(void *section, void *scratch, const size_t shape[3], int dy, int dx,
			  bool edges)
{
	const ptrdiff_t h = (ptrdiff_t)shape[1], w = (ptrdiff_t)shape[2];
	const char *from = scratch;
	char *to = section;

	memcpy(scratch, section, (size_t)(h * w) * 4);
	for (ptrdiff_t y = 0; y < h; y++)
		for (ptrdiff_t x = 0; x < w; x++, to += 4) {
			ptrdiff_t sy = y - dy, sx = x - dx;
			const bool inside = sy >= 0 && sy < h && sx >= 0 && sx < w;

			sy = sy < 0 ? 0 : sy >= h ? h - 1 : sy;
			sx = sx < 0 ? 0 : sx >= w ? w - 1 : sx;
			if (inside || edges)
				memcpy(to, from + (sy * w + sx) * 4, 4);
			else
				memset(to, 0, 4);
		}
}

/* One section, or it and all behind it, lie aside. */
static void misalign(const struct fx_augment *a, float *image, uint32_t *labels,
		     const size_t shape[3], float *scratch, size_t z, struct fx_pcg *rng)
{
	const uint32_t reach = 2 * (uint32_t)a->shift_most + 1;
	const int dy = (int)fx_pcg_below(rng, reach) - a->shift_most,
		  dx = (int)fx_pcg_below(rng, reach) - a->shift_most;
	const size_t area = shape[1] * shape[2], end = fx_pcg_below(rng, 2) ? z + 1 : shape[0];

	for (; z < end; z++) {
		shift_section(image + z * area, scratch, shape, dy, dx, true);
		if (labels)
			shift_section(labels + z * area, scratch, shape, dy, dx, false);
	}
}

static void lose(float *section, size_t area)
{
	double sum = 0;

	for (size_t i = 0; i < area; i++)
		sum += (double)section[i];
	for (size_t i = 0; i < area; i++)
		section[i] = (float)(sum / (double)area);
}

static void change_sections(const struct fx_augment *a, float *image, uint32_t *labels,
			    const size_t shape[3], float *scratch, struct fx_pcg *rng)
{
	const size_t area = shape[1] * shape[2];

	for (size_t z = 0; z < shape[0]; z++) {
		if (a->shift > 0 && fx_pcg_unit(rng) < a->shift)
			misalign(a, image, labels, shape, scratch, z, rng);
		if (a->drop > 0 && fx_pcg_unit(rng) < a->drop)
			lose(image + z * area, area);
	}
}

static void bend(float *v, size_t n, double exponent)
{
	double lo = (double)INFINITY, hi = -(double)INFINITY;

	for (size_t i = 0; i < n; i++) {
		lo = fmin(lo, (double)v[i]);
		hi = fmax(hi, (double)v[i]);
	}
	for (size_t i = 0; i < n && hi > lo; i++)
		v[i] = (float)(lo + (hi - lo) * pow(((double)v[i] - lo) / (hi - lo), exponent));
}

static int blur(const struct fx_augment *a, float *image, const size_t shape[3], float *scratch,
		struct fx_pcg *rng)
{
	const double sigma = fx_pcg_range(rng, 0, a->blur);
	const int order[3] = { 0, 0, 0 };
	int result;

	if (fx_pcg_below(rng, 2))
		return FX_OK;
	result = fx_gauss(scratch, image, shape, (const double[]){ sigma, sigma, sigma }, order);
	if (result == FX_OK)
		memcpy(image, scratch, shape[0] * shape[1] * shape[2] * sizeof *image);
	return result;
}

int fx_augment(const struct fx_augment *a, float *image, uint32_t *labels, const size_t shape[3],
	       float *scratch, struct fx_pcg *rng)
{
	const size_t n = shape[0] * shape[1] * shape[2];
	int result = FX_OK;
	double times, plus, deviation;

	change_sections(a, image, labels, shape, scratch, rng);
	if (a->blur > 0)
		result = blur(a, image, shape, scratch, rng);
	if (a->gamma > 0)
		bend(image, n, factor(a->gamma, rng));
	times = factor(a->contrast, rng);
	plus = fx_pcg_range(rng, -a->offset, a->offset);
	deviation = fx_pcg_range(rng, 0, a->noise);
	for (size_t i = 0; i < n; i++)
		image[i] = (float)(times * (double)image[i] + plus);
	for (size_t i = 0; i < n && deviation > 0; i++)
		image[i] += (float)(deviation * fx_pcg_normal(rng));
	return result;
}
