// SPDX-License-Identifier: Apache-2.0
/* components.c: connected components of label volumes, by runs along x. */
#include "kernels/components.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"

/* Voxels lo..hi-1 of one row have this label; parent is a run of the same piece, or itself. */
struct run {
	uint64_t label;
	uint32_t lo, hi, parent;
};

struct runs {
	struct run *run;
	size_t len, cap;
	size_t *row; /* index of the first run of each row, and behind the last */
};

static uint32_t run_root(struct run *run, uint32_t i)
{
	while (run[i].parent != i) {
		run[i].parent = run[run[i].parent].parent;
		i = run[i].parent;
	}
	return i;
}

/* The smaller index becomes the root: roots are then in raster order. */
static void run_join(struct run *run, uint32_t i, uint32_t j)
{
	i = run_root(run, i);
	j = run_root(run, j);
	if (i < j)
		run[j].parent = i;
	else
		run[i].parent = j;
}

static void runs_meet(struct runs *r, size_t i, size_t j, uint32_t reach)
{
	const struct run *a = &r->run[i], *b = &r->run[j];

	if (a->label == b->label && a->lo < b->hi + reach && b->lo < a->hi + reach)
		run_join(r->run, (uint32_t)i, (uint32_t)j);
}

/* Joins equal runs of two rows that overlap when one is made wider by @p reach at both ends. */
static void rows_join(struct runs *r, size_t row, size_t other, uint32_t reach)
{
	const size_t i_end = r->row[row + 1], j_end = r->row[other + 1];
	size_t i = r->row[row], j = r->row[other];

	while (i < i_end && j < j_end) {
		const uint32_t a = r->run[i].hi, b = r->run[j].hi;

		runs_meet(r, i, j, reach);
		/* runs that end together may each touch the next of the other at a corner */
		if (a == b && i + 1 < i_end)
			runs_meet(r, i + 1, j, reach);
		if (a == b && j + 1 < j_end)
			runs_meet(r, i, j + 1, reach);
		i += a <= b;
		j += b <= a;
	}
}

static uint64_t label_at(const void *labels, bool wide, size_t i)
{
	return wide ? ((const uint64_t *)labels)[i] : ((const uint32_t *)labels)[i];
}

static bool row_scan(struct runs *r, const void *labels, bool wide, size_t row, size_t nx)
{
	r->row[row] = r->len;
	for (size_t x = 0; x < nx;) {
		const uint64_t label = label_at(labels, wide, row * nx + x);
		const size_t lo = x;

		while (x < nx && label_at(labels, wide, row * nx + x) == label)
			x++;
		if (!label)
			continue;
		if (!fx_grow(&r->run, &r->cap, r->len + 1, sizeof *r->run))
			return false;
		r->run[r->len] = (struct run){ label, (uint32_t)lo, (uint32_t)x, (uint32_t)r->len };
		r->len++;
	}
	r->row[row + 1] = r->len;
	return true;
}

static void row_connect(struct runs *r, size_t z, size_t y, size_t ny, int connectivity)
{
	const size_t row = z * ny + y;
	const uint32_t face = connectivity > 6, edge = connectivity > 18;

	if (y)
		rows_join(r, row, row - 1, face);
	if (!z)
		return;
	rows_join(r, row, row - ny, face);
	if (connectivity > 6 && y)
		rows_join(r, row, row - ny - 1, edge);
	if (connectivity > 6 && y + 1 < ny)
		rows_join(r, row, row - ny + 1, edge);
}

/* Roots come before the other runs of their piece, so that one pass numbers all. */
static uint32_t runs_paint(struct runs *r, size_t rows, size_t nx, uint32_t *out)
{
	uint32_t count = 0;

	for (size_t row = 0; row < rows; row++) {
		uint32_t x = 0, *to = out + row * nx;

		for (size_t i = r->row[row]; i < r->row[row + 1]; i++) {
			struct run *run = &r->run[i];
			const uint32_t root = run_root(r->run, (uint32_t)i);

			run->label = root == i ? ++count : r->run[root].label;
			while (x < run->lo)
				to[x++] = 0;
			while (x < run->hi)
				to[x++] = (uint32_t)run->label;
		}
		while (x < nx)
			to[x++] = 0;
	}
	return count;
}

int fx_components(const void *labels, enum fx_dtype dtype, const size_t shape[3], int connectivity,
		  uint32_t *out, uint32_t *count)
{
	struct runs r = { 0 };
	size_t rows, len;
	bool fits = true;

	if (dtype != FX_U32 && dtype != FX_U64)
		return FX_ETYPE;
	if (!fx_mul_size(shape[0], shape[1], &rows) || !fx_mul_size(rows, shape[2], &len) ||
	    len > UINT32_MAX - 1 || (connectivity != 6 && connectivity != 18 && connectivity != 26))
		return FX_EINVAL;
	r.row = fx_calloc(rows + 1, sizeof *r.row);
	fits = r.row != NULL;
	for (size_t row = 0; fits && row < rows; row++) {
		fits = row_scan(&r, labels, dtype == FX_U64, row, shape[2]);
		if (fits)
			row_connect(&r, row / shape[1], row % shape[1], shape[1], connectivity);
	}
	if (fits)
		*count = runs_paint(&r, rows, shape[2], out);
	free(r.row);
	free(r.run);
	return fits ? FX_OK : FX_ENOMEM;
}
