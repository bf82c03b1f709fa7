// SPDX-License-Identifier: Apache-2.0
/* mosaic_blend.c: one section from tiles that overlap: tiles faded into each other. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/mosaic.h"

enum { TAPS = 4 };

/* Keys' cubic with a = -1/2: weights of the voxels at -1, 0, 1, 2 for a place `t` behind 0. */
static void cubic(double t, float taps[TAPS])
{
	taps[0] = (float)(((-0.5 * t + 1) * t - 0.5) * t);
	taps[1] = (float)((1.5 * t - 2.5) * t * t + 1);
	taps[2] = (float)(((-1.5 * t + 2) * t + 0.5) * t);
	taps[3] = (float)((0.5 * t - 0.5) * t * t);
}

/* Where a tile is sampled on one axis. */
struct axis {
	ptrdiff_t lo, hi; /* voxels of the section that it covers; hi is not */
	ptrdiff_t whole;  /* sample i of the section is voxel i + whole of the tile, and more: */
	float taps[TAPS]; /* around it */
	ptrdiff_t size;	  /* of the tile */
	double first, feather; /* of the fading: place of the section's voxel 0 in the tile */
};

static struct axis axis_of(double place, size_t size, double feather, bool whole)
{
	const double at = whole ? floor(place + 0.5) : place, from = -at;
	struct axis a = { .size = (ptrdiff_t)size, .first = from, .feather = feather };
	double t = from - floor(from);

	a.whole = (ptrdiff_t)floor(from);
	if (t < 1e-6 || t > 1 - 1e-6) { /* a whole voxel but for rounding */
		a.whole = (ptrdiff_t)floor(from + 0.5);
		t = 0;
	}
	a.lo = (ptrdiff_t)ceil(at - 0.5);
	a.hi = (ptrdiff_t)ceil(at + (double)size - 0.5);
	cubic(t, a.taps);
	return a;
}

/* How much a tile counts at voxel `i` of the section. */
static float fade(const struct axis *a, ptrdiff_t i)
{
	const double at = (double)i + a->first, other = (double)a->size - 1 - at,
		     edge = (at < other ? at : other) + 1;

	return (float)(edge >= a->feather ? 1 : edge > 0.5 ? edge / a->feather : 0.5 / a->feather);
}

static size_t clamped(ptrdiff_t i, ptrdiff_t size)
{
	return (size_t)(i < 0 ? 0 : i >= size ? size - 1 : i);
}

/* A row of a tile between its rows: its voxels, and TAPS more at either end like the last ones. */
static void row_down(const struct fx_plane *p, const struct axis *ay, ptrdiff_t y, float *row)
{
	const size_t w = p->width;

	memset(row, 0, (w + 2 * TAPS) * sizeof *row);
	for (ptrdiff_t k = 0; k < TAPS; k++) {
		const size_t from = clamped(y + ay->whole + k - 1, ay->size);
		const float tap = ay->taps[k];

		for (size_t x = 0; x < w && tap != 0; x++)
			row[TAPS + x] += tap * fx_plane_at(p, from, x);
	}
	for (size_t k = 0; k < TAPS; k++) {
		row[k] = row[TAPS];
		row[TAPS + w + k] = row[TAPS + w - 1];
	}
}

/* Adds a row of a tile to a row of the section. */
static void row_add(const struct axis *ax, float weight_y, const float *row, size_t width,
		    float *sum, float *weight)
{
	const ptrdiff_t lo = ax->lo < 0 ? 0 : ax->lo,
			hi = ax->hi < (ptrdiff_t)width ? ax->hi : (ptrdiff_t)width;

	for (ptrdiff_t x = lo; x < hi; x++) {
		const float *const at = row + TAPS + x + ax->whole;
		const float w = weight_y * fade(ax, x);

		sum[x] += w * (ax->taps[0] * at[-1] + ax->taps[1] * at[0] + ax->taps[2] * at[1] +
			       ax->taps[3] * at[2]);
		weight[x] += w;
	}
}

static void row_store(const float *sum, const float *weight, size_t width, enum fx_dtype dtype,
		      void *to)
{
	const float most = dtype == FX_U8 ? 255 : 65535;

	for (size_t x = 0; x < width; x++) {
		float v = weight[x] > 0 ? sum[x] / weight[x] + 0.5F : 0;

		v = v < 0 ? 0 : v > most ? most : v;
		if (dtype == FX_U8)
			((uint8_t *)to)[x] = (uint8_t)v;
		else
			((uint16_t *)to)[x] = (uint16_t)v;
	}
}

/* What one thread needs: a row of the section and its weights, and a row of a tile. */
struct blend {
	const struct fx_mosaic_tile *tiles;
	const struct axis *axes; /* y and x of each tile */
	size_t len, width;
};

static void blend_row(const struct blend *b, ptrdiff_t y, float *memory, void *to)
{
	float *const sum = memory, *const weight = memory + b->width,
		     *const row = memory + 2 * b->width;

	memset(memory, 0, 2 * b->width * sizeof *memory);
	for (size_t i = 0; i < b->len; i++) {
		const struct axis *const ay = &b->axes[2 * i];

		if (y < ay->lo || y >= ay->hi)
			continue;
		row_down(&b->tiles[i].image, ay, y, row);
		row_add(&b->axes[2 * i + 1], fade(ay, y), row, b->width, sum, weight);
	}
	row_store(sum, weight, b->width, b->tiles[0].image.dtype, to);
}

static int blend_rows(const struct blend *b, size_t y, size_t rows, size_t row_len, void *to)
{
	const size_t size = b->width * fx_dtype_size(b->tiles[0].image.dtype);
	int failed = FX_OK;

#pragma omp parallel reduction(min : failed)
	{
		float *memory = fx_calloc(2 * b->width + row_len, sizeof *memory);

		if (!memory)
			failed = FX_ENOMEM;
#pragma omp for schedule(static)
		for (size_t i = 0; i < rows; i++)
			if (memory)
				blend_row(b, (ptrdiff_t)(y + i), memory, (char *)to + i * size);
		free(memory);
	}
	return failed;
}

int fx_mosaic_rows(const struct fx_mosaic_tile *tiles, size_t len, const struct fx_mosaic *how,
		   size_t y, size_t rows, size_t width, void *to)
{
	struct axis *axes;
	struct blend b = { tiles, NULL, len, width };
	size_t row_len = 0;
	int result;

	if (!len)
		return FX_EINVAL;
	axes = fx_calloc(2 * len, sizeof *axes);
	if (!axes)
		return FX_ENOMEM;
	for (size_t i = 0; i < len; i++) {
		const struct fx_mosaic_tile *const t = &tiles[i];

		axes[2 * i] = axis_of(t->place[0], t->image.height, how->feather, how->whole);
		axes[2 * i + 1] = axis_of(t->place[1], t->image.width, how->feather, how->whole);
		if (t->image.width + 2 * TAPS > row_len)
			row_len = t->image.width + 2 * TAPS;
	}
	b.axes = axes;
	result = blend_rows(&b, y, rows, row_len, to);
	free(axes);
	return result;
}
