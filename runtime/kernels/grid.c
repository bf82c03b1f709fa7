// SPDX-License-Identifier: Apache-2.0
/* grid.c: the block grid and the rolling window of sections that its blocks are cut from. */
#include "kernels/grid.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const int64_t side_max = (int64_t)1 << 20, extent_max = (int64_t)1 << 40;

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int grid_whole(double v, int64_t min, const char *name, int64_t *out, struct fx_error *err)
{
	if (!(v >= (double)min && v <= (double)side_max) || v != floor(v))
		return fx_error_set(err, FX_EINVAL,
				    "%s %g is not a whole number of voxels within %" PRId64
				    "..%" PRId64,
				    name, v, min, side_max);
	*out = (int64_t)v;
	return FX_OK;
}

int fx_grid_init(struct fx_grid *g, struct fx_region extent, const double block[3],
		 const double halo[3], struct fx_error *err)
{
	*g = (struct fx_grid){ .extent = extent, .open_end = extent.hi[0] == 0 };
	for (int a = 0; a < 3; a++) {
		const bool known = a > 0 || !g->open_end;

		if (grid_whole(block[a], 1, "block", &g->block[a], err) < 0 ||
		    grid_whole(halo[a], 0, "halo", &g->halo[a], err) < 0)
			return FX_EINVAL;
		if (extent.lo[a] < 0 || extent.lo[a] > extent_max ||
		    (known && (extent.hi[a] <= extent.lo[a] || extent.hi[a] > extent_max)))
			return fx_error_set(err, FX_EINVAL,
					    "the volume's extent on axis %c, %" PRId64 "..%" PRId64
					    ", is not within 0..2^40 or empty",
					    "zyx"[a], extent.lo[a], extent.hi[a]);
	}
	if (g->open_end)
		g->extent.hi[0] = INT64_MAX;
	return FX_OK;
}

int64_t fx_grid_first(const struct fx_grid *g, int axis)
{
	return g->extent.lo[axis] / g->block[axis];
}

int64_t fx_grid_past(const struct fx_grid *g, int axis)
{
	if (g->extent.hi[axis] == INT64_MAX)
		return INT64_MAX;
	if (g->extent.hi[axis] <= g->extent.lo[axis])
		return fx_grid_first(g, axis);
	return (g->extent.hi[axis] + g->block[axis] - 1) / g->block[axis];
}

struct fx_region fx_grid_core(const struct fx_grid *g, int64_t z, int64_t y, int64_t x)
{
	const int64_t index[3] = { z, y, x };
	struct fx_region r;

	for (int a = 0; a < 3; a++) {
		r.lo[a] = index[a] * g->block[a];
		r.hi[a] = r.lo[a] + g->block[a];
	}
	return fx_region_intersect(r, g->extent);
}

struct fx_region fx_grid_reach(const struct fx_grid *g, struct fx_region core)
{
	for (int a = 0; a < 3; a++) {
		core.lo[a] -= g->halo[a];
		core.hi[a] += g->halo[a];
	}
	return fx_region_intersect(core, g->extent);
}

/* Voxels of a section. */
static uint64_t grid_area(const struct fx_grid *g)
{
	return (uint64_t)(g->extent.hi[1] - g->extent.lo[1]) *
	       (uint64_t)(g->extent.hi[2] - g->extent.lo[2]);
}

/* Sections that a layer reads at most, and those ahead. */
static int64_t grid_depth(const struct fx_grid *g)
{
	const int64_t all = g->extent.hi[0] - g->extent.lo[0];

	return min64(g->block[0] + 2 * g->halo[0] + g->ahead, all);
}

/* Sections [lo, hi) that layer @p layer reads; empty past the last layer. */
static void grid_sections(const struct fx_grid *g, int64_t layer, int64_t *lo, int64_t *hi)
{
	const struct fx_region core = fx_grid_core(g, layer, 0, 0);

	*lo = max64(core.lo[0] - g->halo[0], g->extent.lo[0]);
	*hi = min64(core.hi[0] + g->halo[0], g->extent.hi[0]);
}

int fx_window_size(const struct fx_grid *g, size_t voxel_size, size_t *size, struct fx_error *err)
{
	const size_t height = (size_t)(g->extent.hi[1] - g->extent.lo[1]),
		     width = (size_t)(g->extent.hi[2] - g->extent.lo[2]);
	size_t n = (size_t)(grid_depth(g) + 1);

	if (!fx_mul_size(n, height, &n) || !fx_mul_size(n, width, &n) ||
	    !fx_mul_size(n, voxel_size, &n) || n > SIZE_MAX / 2)
		return fx_error_set(err, FX_ENOMEM,
				    "a window of %" PRId64 " sections of %zu x %zu is too large",
				    grid_depth(g), height, width);
	*size = n;
	return FX_OK;
}

int fx_window_init(struct fx_window *w, const struct fx_grid *g, size_t voxel_size, void *memory,
		   struct fx_error *err)
{
	int64_t hi;

	*w = (struct fx_window){ .grid = *g, .voxel_size = voxel_size, .memory = memory };
	w->section_size = (size_t)grid_area(g) * voxel_size;
	w->len = grid_depth(g) + 1;
	w->layer = fx_grid_first(g, 0);
	grid_sections(g, w->layer, &w->base, &hi);
	w->front = w->base;
	w->slots = fx_calloc((size_t)w->len, sizeof *w->slots);
	return w->slots ? FX_OK :
			  fx_error_set(err, FX_ENOMEM, "no memory for %" PRId64 " slots", w->len);
}

void fx_window_fini(struct fx_window *w)
{
	free(w->slots);
	w->slots = NULL;
}

static struct fx_window_slot *window_slot(const struct fx_window *w, int64_t z)
{
	return &w->slots[z % w->len];
}

static uint8_t *window_section(const struct fx_window *w, int64_t z)
{
	return w->memory + (size_t)(z % w->len) * w->section_size;
}

/* Where voxel @p z @p y @p x of the volume lies. */
static uint8_t *window_at(const struct fx_window *w, int64_t z, int64_t y, int64_t x)
{
	const struct fx_region *e = &w->grid.extent;
	const size_t row = (size_t)(y - e->lo[1]), width = (size_t)(e->hi[2] - e->lo[2]);

	return window_section(w, z) + (row * width + (size_t)(x - e->lo[2])) * w->voxel_size;
}

static int window_check(const struct fx_window *w, int64_t z, struct fx_error *err)
{
	if (z < w->grid.extent.lo[0] || z >= w->grid.extent.hi[0])
		return fx_error_set(err, FX_EINVAL,
				    "section %" PRId64 " is outside of the volume's %" PRId64
				    "..%" PRId64,
				    z, w->grid.extent.lo[0], w->grid.extent.hi[0] - 1);
	if (z >= w->base + w->len - 1)
		return fx_error_set(err, FX_EINVAL,
				    "section %" PRId64 " comes too early: section %" PRId64
				    " is awaited, and the window ends at %" PRId64,
				    z, w->front, w->base + w->len - 2);
	if (z < w->front || window_slot(w, z)->state != FX_SECTION_AWAITED)
		return fx_error_set(err, FX_EINVAL, "section %" PRId64 " comes twice", z);
	return FX_OK;
}

static int window_check_tile(const struct fx_window *w, const struct fx_block *t,
			     struct fx_error *err)
{
	const struct fx_region r = fx_block_region(t), *e = &w->grid.extent;
	const uint32_t *lo = t->halo_lo, *hi = t->halo_hi;

	if (t->shape[0] != 1 || t->channels != 1 || lo[0] || lo[1] || lo[2] || hi[0] || hi[1] ||
	    hi[2] || fx_dtype_size(t->dtype) != w->voxel_size)
		return fx_error_set(err, FX_ETYPE,
				    "a block of %zu sections and %u channels of %s at section "
				    "%" PRId64
				    ": a tile has one section, one channel, no halo, and "
				    "the voxels that the stream announced",
				    t->shape[0], t->channels, fx_dtype_name(t->dtype), r.lo[0]);
	for (int a = 1; a < 3; a++)
		if (r.lo[a] < e->lo[a] || r.hi[a] > e->hi[a])
			return fx_error_set(
				err, FX_EINVAL,
				"a tile of section %" PRId64 " with %c %" PRId64 "..%" PRId64
				" is outside of the volume's %" PRId64 "..%" PRId64,
				r.lo[0], "zyx"[a], r.lo[a], r.hi[a] - 1, e->lo[a], e->hi[a] - 1);
	return window_check(w, r.lo[0], err);
}

int fx_window_put(struct fx_window *w, const struct fx_block *tile, struct fx_error *err)
{
	const int64_t z = tile->origin[0];
	const size_t width = (size_t)(w->grid.extent.hi[2] - w->grid.extent.lo[2]),
		     row_size = tile->shape[2] * w->voxel_size,
		     rows = tile->shape[2] == width ? tile->shape[1] : 1; /* copied at once */
	const int failed = window_check_tile(w, tile, err);
	const uint8_t *from = tile->data;
	struct fx_window_slot *slot;

	if (failed < 0)
		return failed;
	slot = window_slot(w, z);
	slot->voxels += fx_block_len(tile);
	if (slot->voxels > grid_area(&w->grid))
		return fx_error_set(err, FX_EINVAL,
				    "section %" PRId64 " got more voxels than its %" PRIu64
				    ": its tiles overlap or come twice",
				    z, grid_area(&w->grid));
	for (size_t y = 0; y < tile->shape[1]; y += rows)
		memcpy(window_at(w, z, tile->origin[1] + (int64_t)y, tile->origin[2]),
		       from + y * row_size, rows * row_size);
	return FX_OK;
}

bool fx_window_awaits(const struct fx_window *w, int64_t z)
{
	return z >= w->front && z < w->base + w->len - 1 && z < w->grid.extent.hi[0] &&
	       window_slot(w, z)->state == FX_SECTION_AWAITED;
}

bool fx_window_closed(const struct fx_window *w, int64_t z)
{
	if (z < w->front)
		return true;
	return z < w->base + w->len - 1 && window_slot(w, z)->state != FX_SECTION_AWAITED;
}

int fx_window_close(struct fx_window *w, int64_t z, enum fx_window_state state,
		    struct fx_error *err)
{
	const int failed = window_check(w, z, err);
	struct fx_window_slot *slot;

	if (failed < 0)
		return failed;
	slot = window_slot(w, z);
	if (state == FX_SECTION_DONE && slot->voxels != grid_area(&w->grid))
		return fx_error_set(err, FX_EINVAL,
				    "section %" PRId64 " is called done with %" PRIu64
				    " of its %" PRIu64 " voxels",
				    z, slot->voxels, grid_area(&w->grid));
	slot->state = state;
	return FX_OK;
}

/* Takes up section front, whose state is known. */
static void window_take_up(struct fx_window *w)
{
	uint8_t *section = window_section(w, w->front);

	window_slot(w, w->front)->any = w->any;
	if (window_slot(w, w->front)->state == FX_SECTION_DONE) {
		for (int64_t z = w->base; !w->any && z < w->front; z++)
			memcpy(window_section(w, z), section, w->section_size);
		w->any = true;
	} else if (w->any) {
		memcpy(section, window_section(w, w->front - 1), w->section_size);
	} else {
		memset(section, 0, w->section_size);
	}
	w->front++;
}

bool fx_window_ready(struct fx_window *w)
{
	int64_t lo, hi;

	if (w->layer >= fx_grid_past(&w->grid, 0))
		return false;
	grid_sections(&w->grid, w->layer, &lo, &hi);
	while (w->front < hi && window_slot(w, w->front)->state != FX_SECTION_AWAITED)
		window_take_up(w);
	return w->front >= hi;
}

void fx_window_leave(struct fx_window *w)
{
	int64_t lo, hi;

	w->layer++;
	if (w->layer >= fx_grid_past(&w->grid, 0))
		return;
	grid_sections(&w->grid, w->layer, &lo, &hi);
	for (; w->base < lo; w->base++)
		*window_slot(w, w->base + w->len - 1) = (struct fx_window_slot){ 0 };
}

int64_t fx_window_seen(const struct fx_window *w)
{
	int64_t z = w->base + w->len - 1;

	while (z > w->front && window_slot(w, z - 1)->state == FX_SECTION_AWAITED)
		z--;
	return z;
}

void fx_window_clip(struct fx_window *w, int64_t hi)
{
	w->grid.extent.hi[0] = hi;
	w->grid.open_end = false;
}

void fx_window_cut(const struct fx_window *w, struct fx_region r, void *dst)
{
	const size_t row_size = (size_t)(r.hi[2] - r.lo[2]) * w->voxel_size;
	uint8_t *to = dst;

	for (int64_t z = r.lo[0]; z < r.hi[0]; z++)
		for (int64_t y = r.lo[1]; y < r.hi[1]; y++, to += row_size)
			memcpy(to, window_at(w, z, y, r.lo[2]), row_size);
}

void fx_window_note(struct fx_window *w, int64_t z, uint64_t number)
{
	struct fx_window_slot *slot = window_slot(w, z);

	if (!slot->first)
		slot->first = number + 1;
}

/* True when a section came before the window's first one. */
static bool window_any(const struct fx_window *w)
{
	return w->front == w->base ? w->any : window_slot(w, w->base)->any;
}

/* True when the window's first section takes, or may take, its voxels from the one before. */
static bool window_leans_back(const struct fx_window *w)
{
	return w->base > w->grid.extent.lo[0] && window_any(w) &&
	       (w->front == w->base || window_slot(w, w->base)->state == FX_SECTION_MISSING);
}

uint64_t fx_window_pack(const struct fx_window *w, struct fx_pack *to)
{
	uint64_t needs = UINT64_MAX;
	const bool back = window_leans_back(w);

	fx_pack_put(to, &w->layer, sizeof w->layer);
	if (w->layer >= fx_grid_past(&w->grid, 0))
		return needs;
	fx_pack_bool(to, window_any(w));
	fx_pack_bool(to, back);
	if (back)
		fx_pack_put(to, window_section(w, w->base - 1), w->section_size);
	for (int64_t z = w->base; z < w->base + w->len - 1; z++)
		if (window_slot(w, z)->first && window_slot(w, z)->first - 1 < needs)
			needs = window_slot(w, z)->first - 1;
	return needs;
}

int fx_window_unpack(struct fx_window *w, struct fx_unpack *from)
{
	bool back;
	int64_t hi;

	if (fx_unpack_get(from, &w->layer, sizeof w->layer) < 0 ||
	    w->layer < fx_grid_first(&w->grid, 0) || w->layer > fx_grid_past(&w->grid, 0) ||
	    w->layer > extent_max)
		return FX_ETYPE;
	if (w->layer == fx_grid_past(&w->grid, 0))
		return FX_OK;
	grid_sections(&w->grid, w->layer, &w->base, &hi);
	w->front = w->base;
	if (fx_unpack_bool(from, &w->any) < 0 || fx_unpack_bool(from, &back) < 0)
		return FX_ETYPE;
	if (back && w->base <= w->grid.extent.lo[0])
		return FX_ETYPE;
	return back ? fx_unpack_get(from, window_section(w, w->base - 1), w->section_size) : FX_OK;
}

bool fx_window_wants(const struct fx_window *w, int64_t z)
{
	return w->layer < fx_grid_past(&w->grid, 0) && z >= w->base;
}
