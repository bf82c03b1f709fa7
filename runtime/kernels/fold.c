// SPDX-License-Identifier: Apache-2.0
/* fold.c: finds folds of a section. */
#include "kernels/fold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/components.h"

enum { CELL = 4 };

static const double area_max = 0.25; /* of the square of its length */

/* Cells of a picture. */
struct cells {
	size_t height, width, len;
	float *mean;	 /* owned */
	uint32_t *label; /* owned: dark or not, then its piece */
};

static double voxel_at(const struct fx_picture *p, size_t y, size_t x)
{
	const size_t i = (p->y + y) * p->stride + p->x + x;

	return p->dtype == FX_U16 ? ((const uint16_t *)p->voxels)[i] :
				    ((const uint8_t *)p->voxels)[i];
}

static int cells_init(struct cells *c, const struct fx_picture *p)
{
	*c = (struct cells){ .height = p->height / CELL, .width = p->width / CELL };
	c->len = c->height * c->width;
	if (!c->len)
		return FX_OK;
	c->mean = fx_calloc(c->len, sizeof *c->mean);
	c->label = fx_calloc(c->len, sizeof *c->label);
	if (!c->mean || !c->label)
		return FX_ENOMEM;
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < c->len; i++) {
		const size_t y = i / c->width * CELL, x = i % c->width * CELL;
		double sum = 0;

		for (size_t k = 0; k < CELL * CELL; k++)
			sum += voxel_at(p, y + k / CELL, x + k % CELL);
		c->mean[i] = (float)(sum / (CELL * CELL));
	}
	return FX_OK;
}

static void cells_fini(struct cells *c)
{
	free(c->mean);
	free(c->label);
}

static float dark_below(const struct cells *c, double deviations)
{
	double sum = 0, square = 0, mean;

	for (size_t i = 0; i < c->len; i++)
		sum += (double)c->mean[i];
	mean = sum / (double)c->len;
	for (size_t i = 0; i < c->len; i++)
		square += ((double)c->mean[i] - mean) * ((double)c->mean[i] - mean);
	return (float)(mean - deviations * sqrt(square / (double)c->len));
}

/* Marks dark cells, and those right of or below one with a dark cell behind them: gaps. */
static void mark_dark(struct cells *c, float below)
{
	for (size_t i = 0; i < c->len; i++)
		c->label[i] = c->mean[i] < below;
	for (size_t y = 0; y < c->height; y++)
		for (size_t x = 0; x < c->width; x++) {
			const size_t i = y * c->width + x;
			const bool across = x > 0 && x + 1 < c->width && c->mean[i - 1] < below &&
					    c->mean[i + 1] < below;
			const bool along = y > 0 && y + 1 < c->height &&
					   c->mean[i - c->width] < below &&
					   c->mean[i + c->width] < below;

			c->label[i] |= across || along;
		}
}

/* A piece of dark cells. */
struct piece {
	size_t lo[2], hi[2], area;
};

static void measure_pieces(const struct cells *c, struct piece *pieces)
{
	for (size_t i = 0; i < c->len; i++) {
		const size_t at[2] = { i / c->width, i % c->width };
		struct piece *p = &pieces[c->label[i]];

		for (int a = 0; a < 2; a++) {
			p->lo[a] = p->area && p->lo[a] < at[a] ? p->lo[a] : at[a];
			p->hi[a] = p->area && p->hi[a] > at[a] ? p->hi[a] : at[a] + 1;
		}
		p->area++;
	}
}

static void longest(struct fx_fold *fold, const struct cells *c, const struct piece *pieces,
		    uint32_t count)
{
	const double side = (double)(c->height < c->width ? c->height : c->width);

	for (uint32_t i = 1; i <= count; i++) {
		const struct piece *p = &pieces[i];
		const double length =
			hypot((double)(p->hi[0] - p->lo[0]), (double)(p->hi[1] - p->lo[1]));

		if ((double)p->area >= area_max * length * length || length / side <= fold->length)
			continue;
		fold->length = length / side;
		for (int a = 0; a < 2; a++) {
			fold->lo[a] = p->lo[a] * CELL;
			fold->hi[a] = p->hi[a] * CELL;
		}
	}
}

int fx_fold_find(struct fx_fold *fold, const struct fx_picture *p, double deviations)
{
	struct cells c;
	struct piece *pieces = NULL;
	uint32_t count = 0;
	int err = cells_init(&c, p);

	*fold = (struct fx_fold){ 0 };
	if (!err && c.len) {
		const size_t shape[3] = { 1, c.height, c.width };

		mark_dark(&c, dark_below(&c, deviations));
		err = fx_components(c.label, FX_U32, shape, 18, c.label, &count);
	}
	if (!err && count) {
		pieces = fx_calloc((size_t)count + 1, sizeof *pieces);
		err = pieces ? FX_OK : FX_ENOMEM;
	}
	if (pieces) {
		measure_pieces(&c, pieces);
		longest(fold, &c, pieces, count);
	}
	free(pieces);
	cells_fini(&c);
	return err;
}
