// SPDX-License-Identifier: Apache-2.0
/* clahe.c: contrast-limited adaptive histogram equalisation. */
#include "kernels/clahe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/histogram.h"

static size_t clahe_regions(size_t size, size_t side)
{
	const size_t n = size / side + (size % side >= side - side / 2);

	return n ? n : 1;
}

/* Twice the centre of region @p i of @p n. */
static double clahe_centre(size_t i, size_t size, size_t n)
{
	return (double)(i * size / n + (i + 1) * size / n - 1);
}

static struct fx_clahe_place clahe_place(size_t at, size_t size, size_t n)
{
	struct fx_clahe_place p = { 0 };
	double here, next;

	while (p.first + 1 < n && clahe_centre(p.first + 1, size, n) <= 2 * (double)at)
		p.first++;
	p.second = p.first + 1 < n ? p.first + 1 : p.first;
	here = clahe_centre(p.first, size, n);
	next = clahe_centre(p.second, size, n);
	if (next <= here || 2 * (double)at <= here) /* beyond the outer centres: one map alone */
		p.second = p.first;
	else
		p.weight = (2 * (double)at - here) / (next - here);
	return p;
}

int fx_clahe_init(struct fx_clahe *c, size_t height, size_t width, size_t side, enum fx_dtype dtype)
{
	size_t n;

	*c = (struct fx_clahe){ .height = height, .width = width, .dtype = dtype };
	c->ny = clahe_regions(height, side);
	c->nx = clahe_regions(width, side);
	c->bins = dtype == FX_U8 ? 256 : 4096;
	if (!fx_histogram_bins(dtype))
		return FX_ETYPE;
	if (!fx_mul_size(c->ny, c->nx, &n) || !fx_mul_size(n, c->bins, &n))
		return FX_ENOMEM;
	c->work = fx_calloc(c->bins, sizeof *c->work);
	c->bin = fx_calloc(fx_histogram_bins(dtype), sizeof *c->bin);
	c->maps = fx_calloc(n, 1);
	c->across = fx_calloc(width, sizeof *c->across);
	if (!c->work || !c->bin || !c->maps || !c->across)
		return FX_ENOMEM;
	for (size_t x = 0; x < width; x++)
		c->across[x] = clahe_place(x, width, c->nx);
	return FX_OK;
}

void fx_clahe_fini(struct fx_clahe *c)
{
	free(c->work);
	free(c->bin);
	free(c->maps);
	free(c->across);
	*c = (struct fx_clahe){ 0 };
}

/* Adds one to bins below @p limit at equal strides; how many of @p left are left. */
static uint64_t clahe_spread(uint64_t *counts, size_t bins, uint64_t limit, uint64_t left,
			     size_t stride)
{
	for (size_t b = 0; b < bins && left; b += stride)
		if (counts[b] < limit) {
			counts[b]++;
			left--;
		}
	return left;
}

void fx_clahe_clip(uint64_t *counts, size_t bins, uint64_t limit)
{
	uint64_t excess = 0, share, left;

	for (size_t b = 0; b < bins; b++)
		if (counts[b] > limit) {
			excess += counts[b] - limit;
			counts[b] = limit;
		}
	share = excess / bins;
	left = excess;
	for (size_t b = 0; b < bins; b++) {
		const uint64_t room = limit - counts[b], add = room < share ? room : share;

		counts[b] += add;
		left -= add;
	}
	while (left) {
		const uint64_t before = left;

		left = clahe_spread(counts, bins, limit, left, bins > left ? bins / left : 1);
		if (left == before) /* the bins at this stride are full */
			left = clahe_spread(counts, bins, limit, left, 1);
		if (left == before)
			return;
	}
}

static size_t clahe_grey(const struct fx_clahe *c, const void *voxels, size_t i)
{
	return c->dtype == FX_U8 ? ((const uint8_t *)voxels)[i] : ((const uint16_t *)voxels)[i];
}

static void clahe_region(struct fx_clahe *c, const void *image, size_t ry, size_t rx, double clip,
			 bool skip_zero)
{
	const size_t x0 = rx * c->width / c->nx, x1 = (rx + 1) * c->width / c->nx;
	uint8_t *map = c->maps + (ry * c->nx + rx) * c->bins;
	uint64_t n = 0, sum = 0;
	double limit;

	memset(c->work, 0, c->bins * sizeof *c->work);
	for (size_t y = ry * c->height / c->ny; y < (ry + 1) * c->height / c->ny; y++)
		for (size_t x = x0; x < x1; x++) {
			const size_t grey = clahe_grey(c, image, y * c->width + x);

			if (grey || !skip_zero) {
				c->work[c->bin[grey]]++;
				n++;
			}
		}
	limit = ceil(clip * (double)n / (double)c->bins);
	fx_clahe_clip(c->work, c->bins, limit < 1 ? 1 : (uint64_t)limit);
	for (size_t b = 0; b < c->bins; b++) {
		sum += c->work[b];
		map[b] = (uint8_t)(n ? 255 * sum / n : 0);
	}
}

void fx_clahe_learn(struct fx_clahe *c, const void *image, double low, double high, double clip,
		    bool skip_zero)
{
	const size_t greys = fx_histogram_bins(c->dtype);
	const double scale = high > low ? (double)c->bins / (high - low + 1) : 0;

	for (size_t v = 0; v < greys; v++) {
		const double b = floor(((double)v - low) * scale);

		c->bin[v] = (uint16_t)(b <= 0 ? 0 : b >= (double)c->bins ? (double)c->bins - 1 : b);
		if (c->dtype == FX_U8)
			c->bin[v] = (uint16_t)v;
	}
	for (size_t ry = 0; ry < c->ny; ry++)
		for (size_t rx = 0; rx < c->nx; rx++)
			clahe_region(c, image, ry, rx, clip, skip_zero);
}

void fx_clahe_apply(const struct fx_clahe *c, const void *row, size_t y, size_t x, size_t n,
		    bool skip_zero, uint8_t *dst)
{
	const struct fx_clahe_place p = clahe_place(y, c->height, c->ny);
	const uint8_t *top = c->maps + p.first * c->nx * c->bins,
		      *bottom = c->maps + p.second * c->nx * c->bins;

	for (size_t i = 0; i < n; i++) {
		const struct fx_clahe_place *q = &c->across[x + i];
		const size_t grey = clahe_grey(c, row, i),
			     first = q->first * c->bins + c->bin[grey],
			     second = q->second * c->bins + c->bin[grey];
		const double up = top[first] + q->weight * (top[second] - top[first]),
			     down = bottom[first] + q->weight * (bottom[second] - bottom[first]);

		dst[i] = (uint8_t)(up + p.weight * (down - up) + 0.5);
		if (skip_zero && grey == 0)
			dst[i] = 0;
	}
}
