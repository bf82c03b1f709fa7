// SPDX-License-Identifier: Apache-2.0
/* tiled.c: a stream of sections in the window that a tiler cuts blocks from. */
#include "node/tiled.h"

#include <string.h>

#include "base/pack.h"

static const double ahead_bytes = 512.0 * 1048576;
static const int64_t ahead_min = 8, ahead_max = 256;

/* Sections that 512 MiB hold, within bounds. */
static int64_t sections_ahead(const struct fx_mark *m, size_t voxel_size)
{
	const double area = (double)(m->region.hi[1] - m->region.lo[1]) *
			    (double)(m->region.hi[2] - m->region.lo[2]);
	const double n = ahead_bytes / (area * (double)voxel_size);

	return n < (double)ahead_min ? ahead_min : n > (double)ahead_max ? ahead_max : (int64_t)n;
}

/* The rows of cells that are cut here, and in @p g only the voxels that they read. A share without
 * rows has a row of voxels, as a window has some. */
static void tiled_share(struct fx_tiled *t, struct fx_grid *g, const struct fx_tiling *how)
{
	const int64_t first = fx_grid_first(g, 1), n = fx_grid_past(g, 1) - first;
	struct fx_region strip = g->extent;

	t->rows[0] = first + n * how->part / how->parts;
	t->rows[1] = first + n * (how->part + 1) / how->parts;
	if (how->parts == 1)
		return;
	strip.lo[1] = t->rows[0] * g->block[1] - g->halo[1];
	strip.hi[1] = t->rows[1] * g->block[1] + g->halo[1];
	if (t->rows[0] == t->rows[1]) {
		strip.lo[1] = g->extent.lo[1];
		strip.hi[1] = strip.lo[1] + 1;
	}
	g->extent = fx_region_intersect(strip, g->extent);
}

int fx_tiled_open(struct fx_tiled *t, struct fx_node *node, const struct fx_mark *m,
		  const struct fx_tiling *how)
{
	const size_t voxel_size = fx_dtype_size(m->dtype);
	const char *folder = NULL;
	struct fx_error err = { 0 };
	struct fx_grid grid;
	size_t size;

	if (t->opened)
		return fx_fail(node, FX_EINVAL, "the stream of sections is opened twice");
	if (!voxel_size)
		return fx_fail(node, FX_ETYPE, "the stream of sections has no valid voxel type");
	if (fx_grid_init(&grid, m->region, how->block, how->halo, &err) < 0)
		return fx_fail_error(node, &err);
	t->whole = m->region;
	tiled_share(t, &grid, how);
	grid.ahead = how->ahead < 0 ? sections_ahead(m, voxel_size) : how->ahead;
	if (fx_window_size(&grid, voxel_size, &size, &err) < 0)
		return fx_fail_error(node, &err);
	if ((double)size > how->memory * 1048576 && !(folder = fx_scratch_dir(node)))
		return fx_fail(node, FX_EIO, "no folder for a scratch file of %zu MiB", size >> 20);
	if (fx_scratch_open(&t->scratch, size, folder, &err) < 0 ||
	    fx_window_init(&t->window, &grid, voxel_size, t->scratch.data, &err) < 0)
		return fx_fail_error(node, &err);
	if (how->parts > 1) {
		struct fx_region want = grid.extent;

		want.lo[0] = 0;
		want.hi[0] = INT64_MAX;
		fx_want(node, t->port, want);
	}
	t->opened = true;
	t->dtype = m->dtype;
	memcpy(t->voxel_nm, m->voxel_nm, sizeof t->voxel_nm);
	return FX_OK;
}

/* Puts the rows of a tile that are read here; none of them is no error. */
static int tiled_put(struct fx_tiled *t, const struct fx_block *tile, uint64_t number,
		     struct fx_error *err)
{
	const struct fx_region all = fx_block_region(tile), *e = &t->window.grid.extent;
	struct fx_block rows = *tile;
	int failed;

	if (all.lo[1] >= t->whole.lo[1] && all.hi[1] <= t->whole.hi[1]) {
		rows.origin[1] = all.lo[1] > e->lo[1] ? all.lo[1] : e->lo[1];
		rows.shape[1] =
			(size_t)((all.hi[1] < e->hi[1] ? all.hi[1] : e->hi[1]) - rows.origin[1]);
		rows.data = (uint8_t *)tile->data + (size_t)(rows.origin[1] - all.lo[1]) *
							    tile->shape[2] *
							    fx_dtype_size(tile->dtype);
		if (all.hi[1] <= e->lo[1] || all.lo[1] >= e->hi[1])
			return FX_OK;
	}
	failed = fx_window_put(&t->window, &rows, err);
	if (failed == FX_OK)
		fx_window_note(&t->window, tile->origin[0], number);
	return failed;
}

int fx_tiled_put(struct fx_tiled *t, struct fx_node *node)
{
	struct fx_block *tile = fx_take(node, t->port);
	struct fx_error err = { 0 };
	int failed = FX_OK;

	if (fx_again(node) && !(t->opened && fx_window_wants(&t->window, tile->origin[0]))) {
		fx_block_free(tile);
		return FX_OK;
	}
	if (!t->opened) {
		fx_block_free(tile);
		return fx_fail(node, FX_EINVAL, "a tile comes before the stream is opened");
	}
	if (tile->dtype != t->dtype)
		failed = fx_error_set(&err, FX_ETYPE, "a tile of %s in a stream of %s",
				      fx_dtype_name(tile->dtype), fx_dtype_name(t->dtype));
	else
		failed = tiled_put(t, tile, fx_message(node), &err);
	t->role = tile->role;
	t->level = tile->level;
	fx_block_free(tile);
	return failed < 0 ? fx_fail_error(node, &err) : FX_OK;
}

int fx_tiled_check(const struct fx_tiled *t, struct fx_node *node, const struct fx_mark *m)
{
	const struct fx_region *e = &t->window.grid.extent, *r = &m->region;

	if (!t->opened)
		return fx_fail(node, FX_EINVAL, "a section is marked before the stream is opened");
	if (r->lo[1] > e->lo[1] || r->hi[1] < e->hi[1] || r->lo[2] > e->lo[2] ||
	    r->hi[2] < e->hi[2])
		return fx_fail(node, FX_EINVAL,
			       "a mark for a part of section %lld: only whole sections are done or "
			       "missing",
			       (long long)r->lo[0]);
	return FX_OK;
}

int fx_tiled_close(struct fx_tiled *t, struct fx_node *node, int64_t z, enum fx_window_state state)
{
	struct fx_error err = { 0 };

	if (fx_again(node) && !fx_window_wants(&t->window, z))
		return FX_OK;
	if (fx_window_close(&t->window, z, state, &err) < 0)
		return fx_fail_error(node, &err);
	fx_window_note(&t->window, z, fx_message(node));
	return FX_OK;
}

uint64_t fx_tiled_pack(const struct fx_tiled *t, struct fx_pack *to)
{
	const uint32_t role = (uint32_t)t->role;

	fx_pack_bool(to, t->opened);
	if (!t->opened)
		return UINT64_MAX;
	fx_pack_put(to, &role, sizeof role);
	fx_pack_put(to, &t->level, sizeof t->level);
	return fx_window_pack(&t->window, to);
}

int fx_tiled_unpack(struct fx_tiled *t, struct fx_node *node, const struct fx_tiling *how,
		    struct fx_unpack *from)
{
	const struct fx_mark *open = fx_opened(node, t->port);
	uint32_t role;
	bool opened;
	int failed;

	if (fx_unpack_bool(from, &opened) < 0)
		return FX_ETYPE;
	if (!opened)
		return FX_OK;
	failed = open ? fx_tiled_open(t, node, open, how) : FX_ETYPE;
	if (failed < 0)
		return failed;
	if (fx_unpack_get(from, &role, sizeof role) < 0 || role > FX_MASK ||
	    fx_unpack_get(from, &t->level, sizeof t->level) < 0)
		return FX_ETYPE;
	t->role = (enum fx_role)role;
	return fx_window_unpack(&t->window, from);
}

void fx_tiled_fini(struct fx_tiled *t)
{
	fx_window_fini(&t->window);
	fx_scratch_close(&t->scratch);
}
