// SPDX-License-Identifier: Apache-2.0
/* mosaic.h: layouts of tiles, as microscopes have them, with known errors of their places. Include
 * after support/test.h. */
#ifndef FX_TESTS_MOSAIC_H
#define FX_TESTS_MOSAIC_H

#include <math.h>
#include <stdlib.h>

#include "support/texture.h"

enum { LAYOUT_MAX = 32 };

/** Tiles of one section. */
struct layout {
	size_t len, height, width;
	double nominal[LAYOUT_MAX][2], real[LAYOUT_MAX][2]; /**< y x of the first voxel */
	uint8_t *voxels[LAYOUT_MAX];			    /**< owned; layout_fini() */
};

static inline void layout_fini(struct layout *l)
{
	for (size_t i = 0; i < l->len; i++)
		free(l->voxels[i]);
}

static inline void layout_add(struct layout *l, double y, double x)
{
	l->nominal[l->len][0] = y;
	l->nominal[l->len++][1] = x;
}

/** @p rows x @p columns tiles that overlap by @p overlap voxels. */
static inline struct layout layout_grid(size_t rows, size_t columns, size_t side, size_t overlap)
{
	struct layout l = { .height = side, .width = side };

	for (size_t i = 0; i < rows * columns; i++)
		layout_add(&l, (double)(i / columns * (side - overlap)),
			   (double)(i % columns * (side - overlap)));
	return l;
}

/** Beams in @p rings around one (7 beams are 1 ring, 19 are 2): rows of hexagons, the tiles of a
 * row side by side, every other row shifted by half a tile; places from 0 on. */
static inline struct layout layout_hexagon(int rings, size_t side, size_t overlap)
{
	struct layout l = { .height = side, .width = side };
	const double pitch = (double)(side - overlap);

	for (int row = -rings; row <= rings; row++)
		for (int i = 0; i < 2 * rings + 1 - abs(row); i++)
			layout_add(&l, (row + rings) * pitch, (i + abs(row) * 0.5) * pitch);
	return l;
}

/** Gives each tile an error of up to @p error voxels on both axes (whole ones when @p whole) and
 * its part of a picture, with noise. */
static inline void layout_image(struct layout *l, double error, bool whole, double noise)
{
	uint64_t seed = 5;

	for (size_t i = 0; i < l->len; i++) {
		for (int a = 0; a < 2; a++) {
			const double e = error * (2 * texture_chance(&seed) - 1);

			l->real[i][a] = l->nominal[i][a] + (whole ? floor(e + 0.5) : e);
		}
		const double map[2][3] = { { 1, 0, l->real[i][0] }, { 0, 1, l->real[i][1] } };

		l->voxels[i] = malloc(l->height * l->width);
		assert_non_null(l->voxels[i]);
		texture_fill(3, l->voxels[i], l->height, l->width, map, noise, 100 + i);
	}
}

static inline int layout_compare(const void *va, const void *vb)
{
	const double a = *(const double *)va, b = *(const double *)vb;

	return a < b ? -1 : a > b;
}

/** Errors of @p places, less their mean, which no one can know: the median and the greatest. */
static inline void layout_errors(const struct layout *l, double (*places)[2], double *median,
				 double *most)
{
	double mean[2] = { 0, 0 }, errors[LAYOUT_MAX];

	for (size_t i = 0; i < l->len; i++)
		for (int a = 0; a < 2; a++)
			mean[a] += (places[i][a] - l->real[i][a]) / (double)l->len;
	for (size_t i = 0; i < l->len; i++)
		errors[i] = hypot(places[i][0] - l->real[i][0] - mean[0],
				  places[i][1] - l->real[i][1] - mean[1]);
	qsort(errors, l->len, sizeof *errors, layout_compare);
	*median = errors[l->len / 2];
	*most = errors[l->len - 1];
}

#endif
