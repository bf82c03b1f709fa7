// SPDX-License-Identifier: Apache-2.0
/* tissue.c: where a section has no fine structure over a large area. */
#include "kernels/tissue.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/components.h"
#include "kernels/edt.h"

enum { CELL = FX_TISSUE_CELL, AROUND = 1 }; /* cells on either side that are taken together */

int fx_tissue_init(struct fx_tissue *t, const struct fx_tissue_rules *rules, size_t height,
		   size_t width)
{
	size_t n;

	*t = (struct fx_tissue){ .rules = *rules,
				 .rows = (height + CELL - 1) / CELL,
				 .columns = (width + CELL - 1) / CELL };
	if (!fx_mul_size(t->rows, t->columns, &n))
		return FX_ENOMEM;
	t->texture = fx_calloc(n, sizeof *t->texture);
	t->smooth = fx_calloc(n, sizeof *t->smooth);
	t->label = fx_calloc(n, sizeof *t->label);
	t->mask = fx_calloc(n, 1);
	t->kind = fx_calloc(n, 1);
	if (!t->texture || !t->smooth || !t->label || !t->mask || !t->kind)
		return FX_ENOMEM;
	return fx_running_init(&t->usual, 1, rules->window);
}

void fx_tissue_fini(struct fx_tissue *t)
{
	free(t->texture);
	free(t->smooth);
	free(t->label);
	free(t->mask);
	free(t->kind);
	fx_running_fini(&t->usual);
	*t = (struct fx_tissue){ 0 };
}

static double grey_at(const struct fx_picture *p, size_t y, size_t x)
{
	const size_t i = (p->y + y) * p->stride + p->x + x;

	return p->dtype == FX_U16 ? ((const uint16_t *)p->voxels)[i] :
				    ((const uint8_t *)p->voxels)[i];
}

/* Mean squared difference of voxels at distance @p lag in the cell at y, x, along both axes. */
static double difference(const struct fx_picture *p, size_t y, size_t x, size_t lag)
{
	double sum = 0, n = 0;

	for (size_t i = y; i < y + CELL && i < p->height; i++)
		for (size_t j = x; j < x + CELL && j < p->width; j++) {
			const double at = grey_at(p, i, j);
			const double right = j + lag < p->width ? grey_at(p, i, j + lag) : at,
				     below = i + lag < p->height ? grey_at(p, i + lag, j) : at;

			sum += (right - at) * (right - at) + (below - at) * (below - at);
			n += (j + lag < p->width) + (i + lag < p->height);
		}
	return n > 0 ? sum / n : 0;
}

static void measure(struct fx_tissue *t, const struct fx_picture *p)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < t->rows * t->columns; i++) {
		const size_t y = i / t->columns * CELL, x = i % t->columns * CELL;

		t->texture[i] = (float)((difference(p, y, x, 3) - difference(p, y, x, 1)) / 2);
	}
}

/* Means of cells and those around them. */
static void smooth(struct fx_tissue *t)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < t->rows * t->columns; i++) {
		const size_t y = i / t->columns, x = i % t->columns;
		const size_t y0 = y > AROUND ? y - AROUND : 0, x0 = x > AROUND ? x - AROUND : 0;
		double sum = 0, n = 0;

		for (size_t v = y0; v <= y + AROUND && v < t->rows; v++)
			for (size_t u = x0; u <= x + AROUND && u < t->columns; u++) {
				sum += (double)t->texture[v * t->columns + u];
				n++;
			}
		t->smooth[i] = (float)(sum / n);
	}
}

static int compare(const void *a, const void *b)
{
	const float p = *(const float *)a, q = *(const float *)b;

	return p < q ? -1 : p > q;
}

/* The texture below which there is none; takes the section up. */
static double limit_of(struct fx_tissue *t)
{
	const size_t n = t->rows * t->columns;
	double usual, spread;

	memcpy(t->texture, t->smooth, n * sizeof *t->smooth);
	qsort(t->texture, n, sizeof *t->texture, compare);
	*fx_running_push(&t->usual) = t->texture[n - 1 - n / 4];
	fx_running_usual(&t->usual, 0, &usual, &spread);
	return usual * t->rules.texture;
}

/* Distance in cells of each from the next where mask is 0; beyond the section all is as inside. */
static int distances(struct fx_tissue *t)
{
	const size_t shape[3] = { 1, t->rows, t->columns };
	const double edge[3] = { 1, 1, 1 };

	return fx_edt(t->texture, t->mask, shape, edge);
}

/* Opens t->mask by the disc. */
static int open_mask(struct fx_tissue *t)
{
	const float radius = (float)(t->rules.radius / CELL);
	const size_t n = t->rows * t->columns;
	int err = distances(t);

	for (size_t i = 0; i < n; i++)
		t->mask[i] = (uint8_t) !(t->texture[i] > radius);
	if (!err)
		err = distances(t);
	for (size_t i = 0; i < n; i++)
		t->mask[i] = t->texture[i] <= radius + AROUND; /* smoothing took that off */
	return err;
}

static bool at_rim(const struct fx_tissue *t, size_t i)
{
	const size_t y = i / t->columns, x = i % t->columns;

	return !y || !x || y + 1 == t->rows || x + 1 == t->columns;
}

/* Tells pieces of the mask at the rim from others. */
static int sort_pieces(struct fx_tissue *t)
{
	const size_t shape[3] = { 1, t->rows, t->columns }, n = t->rows * t->columns;
	uint8_t *outside;
	uint32_t count;
	int err;

	for (size_t i = 0; i < n; i++)
		t->label[i] = t->mask[i];
	err = fx_components(t->label, FX_U32, shape, 6, t->label, &count);
	outside = err ? NULL : fx_calloc((size_t)count + 1, 1);
	if (!outside)
		return FX_ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (at_rim(t, i))
			outside[t->label[i]] = 1;
	for (size_t i = 0; i < n; i++)
		t->kind[i] = (uint8_t)(!t->label[i]	    ? FX_TISSUE :
				       outside[t->label[i]] ? FX_TISSUE_OUTSIDE :
							      FX_TISSUE_LARGE);
	free(outside);
	return FX_OK;
}

int fx_tissue_next(struct fx_tissue *t, const struct fx_picture *p)
{
	double limit;
	int err;

	measure(t, p);
	smooth(t);
	limit = limit_of(t);
	for (size_t i = 0; i < t->rows * t->columns; i++)
		t->mask[i] = (double)t->smooth[i] < limit;
	err = open_mask(t);
	return err ? err : sort_pieces(t);
}

double fx_tissue_share(const struct fx_tissue *t, enum fx_tissue_kind kind)
{
	const size_t n = t->rows * t->columns;
	double found = 0;

	for (size_t i = 0; i < n; i++)
		found += t->kind[i] == kind;
	return found / (double)n;
}

void fx_tissue_pack(const struct fx_tissue *t, struct fx_pack *to)
{
	fx_running_pack(&t->usual, to);
}

int fx_tissue_unpack(struct fx_tissue *t, struct fx_unpack *from)
{
	return fx_running_unpack(&t->usual, from);
}
