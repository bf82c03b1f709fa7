// SPDX-License-Identifier: Apache-2.0
/* components.c: connected components of label volumes, by runs along x. */
#include "kernels/components.h"

#include <omp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/labelruns.h"

#define NONE UINT32_MAX /* parent of runs without label */

enum {
	SLAB_MIN = 1 << 16, /* voxels that a thread is worth */
	WORDS = 8,	    /* written at once */
	LINE = 64,	    /* bytes of the cache that come together */
};

struct volume {
	const void *labels;
	bool wide;
	size_t shape[3], words; /* of the bits of a row */
	int connectivity;
};

/* The runs of rows lo..hi-1. The parent of a run is one of the same piece that does not come
 * behind, or itself. */
struct runs {
	uint32_t *parent;
	size_t len, cap;
	size_t lo, hi, *row; /* row[i]: index of the first run of row lo + i; one more at the end */
	uint64_t *breaks;    /* of each row */
	uint64_t *same;	     /* bits where two rows are equal */
	uint64_t *need;	     /* where it is not known yet what a row touches */
	uint32_t *end;	     /* of the runs of a row */
};

static const void *row_labels(const struct volume *v, size_t row)
{
	return (const char *)v->labels + row * v->shape[2] * (v->wide ? 8 : 4);
}

static uint32_t run_root(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i) {
		parent[i] = parent[parent[i]];
		i = parent[i];
	}
	return i;
}

/* Makes two runs of one label one piece. The smaller index becomes the root: roots are then in
 * raster order. Most runs that meet are known to be one. */
static inline void runs_join(uint32_t *parent, uint32_t i, uint32_t j)
{
	if (parent[i] != parent[j]) {
		const uint32_t a = run_root(parent, i), b = run_root(parent, j),
			       root = a < b ? a : b;

		parent[a] = parent[b] = parent[i] = parent[j] = root;
	}
}

/* Two rows that touch. */
struct rows {
	uint32_t *parent;
	const uint64_t *breaks[2], *same, *need;
	const void *labels[2];
	uint32_t first[2]; /* runs */
	bool wide, corners;
};

#define TARGET
#define NAME portable_rows
#include "kernels/components_tmpl.c"
#undef TARGET

#if defined(__x86_64__) && !defined(FX_PORTABLE)
#define TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define NAME   avx2_rows
#include "kernels/components_tmpl.c"
#undef TARGET
#endif

static void rows_join(const struct rows *r, size_t words)
{
#if defined(__x86_64__) && !defined(FX_PORTABLE)
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
		avx2_rows(r, words);
		return;
	}
#endif
	portable_rows(r, words);
}

/* Joins @p row with @p other; with @p corners, runs are one also when they only meet at a corner.
 */
static void row_join(const struct volume *v, struct runs *r, size_t row, size_t other, bool corners)
{
	const size_t at[2] = { row - r->lo, other - r->lo };
	struct rows rows = { .parent = r->parent,
			     .same = r->same,
			     .need = r->need,
			     .wide = v->wide,
			     .corners = corners };

	for (int k = 0; k < 2; k++) {
		rows.breaks[k] = r->breaks + at[k] * v->words;
		rows.labels[k] = row_labels(v, k ? other : row);
		rows.first[k] = (uint32_t)r->row[at[k]];
	}
	fx_label_same(rows.labels[0], rows.labels[1], v->wide, v->shape[2], r->same);
	rows_join(&rows, v->words);
}

/* Joins @p row with those before it that touch it and lie in from..to-1. With 26 neighbours, what a
 * voxel touches in another row also touches the voxel next to it in the row that was first, and has
 * been joined with that: where the two are equal, it need not be looked at again. */
static void row_connect(const struct volume *v, struct runs *r, size_t row, size_t from, size_t to)
{
	const size_t ny = v->shape[1], y = row % ny;
	const bool deep = row >= ny, edges = v->connectivity > 6, corners = v->connectivity > 18;
	const struct {
		bool there;
		size_t back; /* rows */
		bool corners;
		bool first; /* of rows that touch it */
	} near[4] = { { deep, ny, edges, corners },
		      { deep && edges && y + 1 < ny, ny - 1, corners, false },
		      { y > 0, 1, edges, corners },
		      { deep && edges && y > 0, ny + 1, corners, false } };

	memset(r->need, 0xff, v->words * sizeof *r->need);
	for (int k = 0; k < 4; k++) {
		const size_t other = row - near[k].back; /* wraps where there is none */

		if (!near[k].there || other < from || other >= to)
			continue;
		row_join(v, r, row, other, near[k].corners);
		for (size_t w = 0; near[k].first && w < v->words; w++)
			r->need[w] &= ~r->same[w];
	}
}

static bool row_scan(const struct volume *v, struct runs *r, size_t row)
{
	const void *labels = row_labels(v, row);
	uint64_t *breaks = r->breaks + (row - r->lo) * v->words;
	size_t n, lo = 0;

	fx_label_breaks(labels, v->wide, v->shape[2], breaks);
	n = fx_label_runs(breaks, v->shape[2], r->end);
	if (!fx_grow(&r->parent, &r->cap, r->len + n, sizeof *r->parent))
		return false;
	for (size_t k = 0; k < n; lo = r->end[k++], r->len++)
		r->parent[r->len] = fx_label_at(labels, v->wide, lo) ? (uint32_t)r->len : NONE;
	r->row[row - r->lo + 1] = r->len;
	return true;
}

/* Asks for the labels of a row while another is worked on. */
static void row_prefetch(const struct volume *v, size_t row)
{
	const char *labels = row_labels(v, row), *end = row_labels(v, row + 1);

	for (; labels < end; labels += LINE)
		__builtin_prefetch(labels);
}

static bool runs_init(const struct volume *v, struct runs *r)
{
	const size_t rows = r->hi - r->lo;

	r->row = fx_calloc(rows + 1, sizeof *r->row);
	r->breaks = fx_calloc(rows * v->words, sizeof *r->breaks);
	r->same = fx_calloc(v->words, sizeof *r->same);
	r->need = fx_calloc(v->words, sizeof *r->need);
	r->end = fx_calloc(v->shape[2], sizeof *r->end);
	return r->row && r->breaks && r->same && r->need && r->end;
}

static void runs_fini(struct runs *r)
{
	free(r->parent);
	free(r->row);
	free(r->breaks);
	free(r->same);
	free(r->need);
	free(r->end);
}

/* Rows r->lo to r->hi - 1 by themselves. */
static bool slab_scan(const struct volume *v, struct runs *r)
{
	bool fits = runs_init(v, r);

	for (size_t row = r->lo; fits && row < r->hi; row++) {
		fits = row_scan(v, r, row);
		if (row + 1 < r->hi)
			row_prefetch(v, row + 1);
		if (fits)
			row_connect(v, r, row, r->lo, row);
	}
	return fits;
}

/* Adds the runs of a slab to @p all, which lack those behind the rows before. */
static void slab_append(const struct volume *v, const struct runs *slab, struct runs *all)
{
	const size_t rows = slab->hi - slab->lo;

	for (size_t i = 0; i < slab->len; i++) {
		const uint32_t parent = slab->parent[i];

		all->parent[all->len + i] = parent == NONE ? NONE : (uint32_t)all->len + parent;
	}
	for (size_t i = 0; i < rows; i++)
		all->row[slab->lo + i + 1] = all->len + slab->row[i + 1];
	memcpy(all->breaks + slab->lo * v->words, slab->breaks,
	       rows * v->words * sizeof *slab->breaks);
	all->len += slab->len;
}

/* Puts slabs behind one another into @p all and joins their rows. */
static bool slabs_join(const struct volume *v, const struct runs *slab, size_t slabs,
		       struct runs *all)
{
	size_t len = 0;

	for (size_t k = 0; k < slabs; k++)
		len += slab[k].len;
	all->hi = v->shape[0] * v->shape[1];
	all->parent = fx_calloc(len, sizeof *all->parent);
	if (!runs_init(v, all) || !all->parent)
		return false;
	for (size_t k = 0; k < slabs; k++)
		slab_append(v, &slab[k], all);
	for (size_t k = 1; k < slabs; k++)
		for (size_t row = slab[k].lo; row < slab[k].hi; row++)
			if (row <= slab[k].lo + v->shape[1])
				row_connect(v, all, row, 0, slab[k].lo);
	return true;
}

/* Parents become piece numbers. They come before their runs, so that one pass numbers all. */
static uint32_t runs_number(struct runs *r)
{
	uint32_t count = 0;

	for (size_t i = 0; i < r->len; i++) {
		const uint32_t parent = r->parent[i];

		r->parent[i] = parent == NONE ? 0 : parent == i ? ++count : r->parent[parent];
	}
	return count;
}

/* A row from the pieces of its runs. They are written in whole words, beyond their end, where the
 * next one comes, as long as it is the row. */
static void row_paint(const uint32_t *piece, const uint32_t *end, size_t runs, size_t nx,
		      uint32_t *out)
{
	for (size_t k = 0, x = 0; k < runs; x = end[k++]) {
		for (; x < end[k] && x + WORDS <= nx; x += WORDS)
			for (size_t i = 0; i < WORDS; i++)
				out[x + i] = piece[k];
		for (; x < end[k]; x++)
			out[x] = piece[k];
	}
}

static bool runs_paint(const struct volume *v, const struct runs *r, uint32_t *out)
{
	const size_t nx = v->shape[2];
	bool fits = true;

#pragma omp parallel reduction(&& : fits)
	{
		uint32_t *end = fx_calloc(nx, sizeof *end);

		fits = end != NULL;
#pragma omp for schedule(static)
		for (size_t row = 0; row < r->hi; row++)
			if (fits)
				row_paint(r->parent + r->row[row], end,
					  fx_label_runs(r->breaks + row * v->words, nx, end), nx,
					  out + row * nx);
		free(end);
	}
	return fits;
}

static int volume_work(const struct volume *v, struct runs *slab, size_t slabs, uint32_t *out,
		       uint32_t *count)
{
	const size_t rows = v->shape[0] * v->shape[1];
	struct runs all = { 0 }, *r = slab;
	bool fits = true;

#pragma omp parallel for schedule(static) reduction(&& : fits)
	for (size_t k = 0; k < slabs; k++) {
		slab[k].lo = rows * k / slabs;
		slab[k].hi = rows * (k + 1) / slabs;
		fits = slab_scan(v, &slab[k]) && fits;
	}
	if (fits && slabs > 1) {
		fits = slabs_join(v, slab, slabs, &all);
		r = &all;
	}
	if (fits) {
		*count = runs_number(r);
		fits = runs_paint(v, r, out);
	}
	runs_fini(&all);
	return fits ? FX_OK : FX_ENOMEM;
}

int fx_components(const void *labels, enum fx_dtype dtype, const size_t shape[3], int connectivity,
		  uint32_t *out, uint32_t *count)
{
	const struct volume v = { labels,
				  dtype == FX_U64,
				  { shape[0], shape[1], shape[2] },
				  fx_label_words(shape[2]),
				  connectivity };
	size_t rows, len, slabs = (size_t)omp_get_max_threads();
	struct runs *slab;
	int result;

	if (dtype != FX_U32 && dtype != FX_U64)
		return FX_ETYPE;
	if (!fx_mul_size(shape[0], shape[1], &rows) || !fx_mul_size(rows, shape[2], &len) ||
	    len > UINT32_MAX - 1 || (connectivity != 6 && connectivity != 18 && connectivity != 26))
		return FX_EINVAL;
	slabs = slabs < len / SLAB_MIN + 1 ? slabs : len / SLAB_MIN + 1;
	slabs = slabs < rows ? slabs : rows;
	slab = fx_calloc(slabs ? slabs : 1, sizeof *slab);
	if (!slab)
		return FX_ENOMEM;
	result = volume_work(&v, slab, slabs, out, count);
	for (size_t k = 0; k < slabs; k++)
		runs_fini(&slab[k]);
	free(slab);
	return result;
}
