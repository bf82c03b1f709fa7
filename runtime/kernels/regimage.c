// SPDX-License-Identifier: Apache-2.0
/* regimage.c: a section prepared to be registered. */
#include "kernels/regimage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/gauss.h"

enum { STRIP = 512, MARGIN = 80 }; /* rows done at once, and seen beyond */
static const double fine = 1.2, coarse = 12, least = 0.25;

bool fx_regimage_size(size_t height, size_t width, size_t *size)
{
	size_t all = 0, level;

	if (!height || !width || !fx_mul_size(height, width, &level) || level > SIZE_MAX / 32)
		return false;
	for (int l = 0; l < FX_REGIMAGE_LEVELS; l++) {
		all += height * width;
		if (height <= FX_REGIMAGE_TOP && width <= FX_REGIMAGE_TOP)
			break;
		height = (height + 1) / 2;
		width = (width + 1) / 2;
	}
	*size = all;
	return true;
}

void fx_regimage_place(struct fx_regimage *r, size_t height, size_t width, void *memory)
{
	uint8_t *to = memory;

	*r = (struct fx_regimage){ 0 };
	for (int l = 0; l < FX_REGIMAGE_LEVELS; l++) {
		r->height[l] = height;
		r->width[l] = width;
		r->voxels[l] = to;
		r->levels = l + 1;
		to += height * width;
		if (height <= FX_REGIMAGE_TOP && width <= FX_REGIMAGE_TOP)
			break;
		height = (height + 1) / 2;
		width = (width + 1) / 2;
	}
}

struct fx_plane fx_regimage_plane(const struct fx_regimage *r, int level)
{
	return fx_plane_of(r->voxels[level], FX_U8, r->height[level], r->width[level]);
}

struct fx_affine2 fx_regimage_up(int level)
{
	const double times = ldexp(1, level), more = (times - 1) / 2;

	return (struct fx_affine2){ { { times, 0, more }, { 0, times, more } } };
}

struct fx_affine2 fx_regimage_down(int level)
{
	const double part = ldexp(1, -level), less = (1 - part) / 2;

	return (struct fx_affine2){ { { part, 0, -less }, { 0, part, -less } } };
}

/* Mean of the voxels of the section that a voxel of @p level stands for. */
static float regimage_mean(const struct fx_plane *v, size_t y, size_t x, int level)
{
	const size_t y0 = y << level, x0 = x << level, side = (size_t)1 << level,
		     y1 = y0 + side < v->height ? y0 + side : v->height,
		     x1 = x0 + side < v->width ? x0 + side : v->width;
	double sum = 0;

	for (size_t j = y0; j < y1; j++)
		for (size_t i = x0; i < x1; i++)
			sum += (double)fx_plane_at(v, j, i);
	return (float)(sum / (double)((y1 - y0) * (x1 - x0)));
}

/* Standard deviation of the smoothed level's deviations, of all of it: a sample of its rows. */
static double regimage_spread(const struct fx_plane *v)
{
	const size_t step = v->height > STRIP ? v->height / STRIP : 1;
	double sum = 0, squares = 0, n = 0;

	for (size_t y = 0; y < v->height; y += step)
		for (size_t x = 0; x < v->width; x++) {
			const double here = (double)fx_plane_at(v, y, x);

			sum += here;
			squares += here * here;
			n++;
		}
	return sqrt(fmax(0, squares / n - sum / n * (sum / n)));
}

/* Rows y0 to y1 of a level from @p work, which begins at row @p from: in three parts of n voxels.
 */
static int regimage_strip(float *work, size_t n, const size_t shape[3], double quiet, uint8_t *to,
			  size_t skip, size_t rows)
{
	const double near[3] = { 0, fine, fine }, far[3] = { 0, coarse, coarse };
	const int order[3] = { 0, 0, 0 };
	float *smooth = work + n, *other = work + 2 * n;
	int failed = fx_gauss(smooth, work, shape, near, order);

	if (failed >= 0)
		failed = fx_gauss(other, smooth, shape, far, order);
	for (size_t i = 0; i < n && failed >= 0; i++) {
		smooth[i] -= other[i];
		work[i] = smooth[i] * smooth[i];
	}
	if (failed >= 0)
		failed = fx_gauss(other, work, shape, far, order);
	for (size_t i = 0; i < rows * shape[2] && failed >= 0; i++) {
		const size_t at = skip * shape[2] + i;
		const double spread = sqrt(fmax(0, (double)other[at])) + quiet,
			     v = spread > 0 ? 128.5 + 32 * (double)smooth[at] / spread : 128;

		to[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
	}
	return failed;
}

static int regimage_level(struct fx_regimage *r, const struct fx_plane *v, int l, float *work,
			  size_t n, double quiet)
{
	const size_t h = r->height[l], w = r->width[l];
	int failed = FX_OK;

	for (size_t y = 0; y < h && failed >= 0; y += STRIP) {
		const size_t rows = h - y < STRIP ? h - y : STRIP, lo = y < MARGIN ? 0 : y - MARGIN,
			     hi = h - y - rows < MARGIN ? h : y + rows + MARGIN;
		const size_t shape[3] = { 1, hi - lo, w };

		for (size_t i = 0; i < (hi - lo) * w; i++)
			work[i] = regimage_mean(v, lo + i / w, i % w, l);
		failed = regimage_strip(work, n, shape, quiet, r->voxels[l] + y * w, y - lo, rows);
	}
	return failed;
}

int fx_regimage_fill(struct fx_regimage *r, const struct fx_plane *section)
{
	const size_t most = STRIP + 2 * MARGIN;
	const double quiet = least * regimage_spread(section);
	size_t n = section->height < most ? section->height : most, all;
	float *work;
	int failed = FX_OK;

	if (!fx_mul_size(n, section->width, &n) || !fx_mul_size(n, 3, &all))
		return FX_ENOMEM;
	work = fx_calloc(all, sizeof *work);
	if (!work)
		return FX_ENOMEM;
	for (int l = 0; l < r->levels && failed >= 0; l++)
		failed = regimage_level(r, section, l, work, n, quiet);
	free(work);
	return failed;
}
