// SPDX-License-Identifier: Apache-2.0
/* tiler/blocks: cuts sections that come as tiles into blocks with a halo, layer by layer. */
#include <fornix/node.h>

#include <stdio.h>
#include <string.h>

#include "base/scratch.h"
#include "kernels/grid.h"

enum { IMAGE, BLOCKS }; /* index into ports[] */

enum { ANY_DTYPE = FX_U8 | FX_U16 | FX_U32 | FX_U64 | FX_F16 | FX_F32 };

struct blocks {
	struct fx_vec block, halo; /* options: set before init() */
	double memory;
	bool opened;
	struct fx_scratch scratch; /* owned, from OPEN to finish() */
	struct fx_window window;   /* owned, the same */
	enum fx_dtype dtype;	   /* of the tiles */
	enum fx_role role;	   /* of the last tile */
	uint32_t level;
	double voxel_nm[3];
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, ANY_DTYPE, 0, false, "sections as 2-D tiles" },
	[BLOCKS] = { "blocks", FX_OUT, FX_BLOCK, ANY_DTYPE, 0, false,
		     "blocks on a grid anchored at 0, halo included" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct blocks, block), .unit = "voxel", .def_str = "128 128 128", .min = 1,
	  .max = 65536, .help = "size of the grid's cells, z y x" },
	{ FX_FIELD(struct blocks, halo), .unit = "voxel", .def_str = "16 16 16", .min = 0,
	  .max = 65536, .help = "context around each cell on either side, z y x" },
	{ FX_FIELD(struct blocks, memory), .unit = "MiB", .def = 1024, .min = 0, .max = 1048576,
	  .help = "a larger window of sections lies in a scratch file" },
	{ 0 },
};

static int blocks_prepare(struct fx_node *node, struct blocks *s, const struct fx_mark *m)
{
	const size_t voxel_size = fx_dtype_size(m->dtype);
	const char *folder = NULL;
	struct fx_error err = { 0 };
	struct fx_grid grid;
	size_t size;

	if (s->opened)
		return fx_fail(node, FX_EINVAL, "the stream of sections is opened twice");
	if (!voxel_size)
		return fx_fail(node, FX_ETYPE, "the stream of sections has no valid voxel type");
	if (fx_grid_init(&grid, m->region, s->block.v, s->halo.v, &err) < 0 ||
	    fx_window_size(&grid, voxel_size, &size, &err) < 0)
		return fx_fail_error(node, &err);
	if ((double)size > s->memory * 1048576 && !(folder = fx_scratch_dir(node)))
		return fx_fail(node, FX_EIO, "no folder for a scratch file of %zu MiB", size >> 20);
	if (fx_scratch_open(&s->scratch, size, folder, &err) < 0 ||
	    fx_window_init(&s->window, &grid, voxel_size, s->scratch.data, &err) < 0)
		return fx_fail_error(node, &err);
	s->opened = true;
	s->dtype = m->dtype;
	memcpy(s->voxel_nm, m->voxel_nm, sizeof s->voxel_nm);
	return FX_OK;
}

static int blocks_send(struct fx_node *node, const struct blocks *s, struct fx_region core)
{
	const struct fx_region r = fx_grid_reach(&s->window.grid, core);
	struct fx_block *b;
	size_t shape[3];

	for (int a = 0; a < 3; a++)
		shape[a] = (size_t)(r.hi[a] - r.lo[a]);
	b = fx_new_block(node, BLOCKS, s->dtype, 1, shape);
	if (!b)
		return fx_fail(node, FX_ENOMEM, "no memory for a block of %zu x %zu x %zu",
			       shape[0], shape[1], shape[2]);
	b->role = s->role;
	b->level = s->level;
	for (int a = 0; a < 3; a++) {
		b->origin[a] = r.lo[a];
		b->halo_lo[a] = (uint32_t)(core.lo[a] - r.lo[a]);
		b->halo_hi[a] = (uint32_t)(r.hi[a] - core.hi[a]);
		b->voxel_nm[a] = s->voxel_nm[a];
	}
	fx_window_cut(&s->window, r, b->data);
	return fx_send(node, BLOCKS, b);
}

static int blocks_send_layer(struct fx_node *node, const struct blocks *s)
{
	const struct fx_grid *g = &s->window.grid;
	const int64_t z = s->window.layer;
	struct fx_mark done = { .kind = FX_MARK_DONE, .region = g->extent };

	for (int64_t y = fx_grid_first(g, 1); y < fx_grid_past(g, 1); y++)
		for (int64_t x = fx_grid_first(g, 2); x < fx_grid_past(g, 2); x++) {
			const struct fx_region core = fx_grid_core(g, z, y, x);
			const int failed = blocks_send(node, s, core);

			if (failed < 0)
				return failed;
			done.region.lo[0] = core.lo[0];
			done.region.hi[0] = core.hi[0];
		}
	return fx_send_mark(node, BLOCKS, &done);
}

static int blocks_send_ready(struct fx_node *node, struct blocks *s)
{
	while (fx_window_ready(&s->window)) {
		const int failed = blocks_send_layer(node, s);

		if (failed < 0)
			return failed;
		fx_window_leave(&s->window);
	}
	return FX_OK;
}

static int blocks_process(struct fx_node *node, void *state)
{
	struct blocks *s = state;
	struct fx_block *tile = fx_take(node, IMAGE);
	struct fx_error err = { 0 };
	int failed = FX_OK;

	if (fx_again(node) && !(s->opened && fx_window_wants(&s->window, tile->origin[0]))) {
		fx_block_free(tile);
		return FX_OK;
	}
	if (!s->opened) {
		fx_block_free(tile);
		return fx_fail(node, FX_EINVAL, "a tile comes before the stream is opened");
	}
	if (tile->dtype != s->dtype)
		failed = fx_error_set(&err, FX_ETYPE, "a tile of %s in a stream of %s",
				      fx_dtype_name(tile->dtype), fx_dtype_name(s->dtype));
	else
		failed = fx_window_put(&s->window, tile, &err);
	if (failed == FX_OK)
		fx_window_note(&s->window, tile->origin[0], fx_message(node));
	s->role = tile->role;
	s->level = tile->level;
	fx_block_free(tile);
	return failed < 0 ? fx_fail_error(node, &err) : FX_OK;
}

/* Sections [m->region.lo[0], hi[0]) are whole or missing. */
static int blocks_close(struct fx_node *node, struct blocks *s, const struct fx_mark *m)
{
	const enum fx_window_state state =
		m->kind == FX_MARK_DONE ? FX_SECTION_DONE : FX_SECTION_MISSING;
	const struct fx_region *e = &s->window.grid.extent, *r = &m->region;
	struct fx_error err = { 0 };
	int failed = FX_OK;

	if (r->lo[1] > e->lo[1] || r->hi[1] < e->hi[1] || r->lo[2] > e->lo[2] ||
	    r->hi[2] < e->hi[2])
		return fx_fail(node, FX_EINVAL,
			       "a mark for a part of section %lld: only whole sections are done or "
			       "missing",
			       (long long)r->lo[0]);
	if (m->kind == FX_MARK_MISSING)
		failed = fx_send_mark(node, BLOCKS, m);
	for (int64_t z = r->lo[0]; z < r->hi[0] && failed >= 0; z++) {
		if (fx_again(node) && !fx_window_wants(&s->window, z))
			continue;
		if (fx_window_close(&s->window, z, state, &err) < 0)
			return fx_fail_error(node, &err);
		fx_window_note(&s->window, z, fx_message(node));
		failed = blocks_send_ready(node, s);
	}
	return failed;
}

static int blocks_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct blocks *s = state;

	(void)port;
	if (m->kind == FX_MARK_OPEN) {
		const int failed = fx_again(node) ? FX_OK : blocks_prepare(node, s, m);

		return failed < 0 ? failed : fx_send_mark(node, BLOCKS, m);
	}
	if (m->kind != FX_MARK_DONE && m->kind != FX_MARK_MISSING)
		return FX_OK;
	if (!s->opened)
		return fx_fail(node, FX_EINVAL, "a section is marked before the stream is opened");
	return blocks_close(node, s, m);
}

static struct fx_mark blocks_lost(const struct blocks *s, int64_t lo, int64_t hi)
{
	struct fx_mark m = { .kind = FX_MARK_MISSING, .region = s->window.grid.extent };

	m.region.lo[0] = lo;
	m.region.hi[0] = hi;
	snprintf(m.reason, sizeof m.reason, "the stream ended without it");
	return m;
}

/* The stream is over: gaps are missing, and the volume ends behind the last section that came. */
static int blocks_drain(struct fx_node *node, void *state)
{
	struct blocks *s = state;
	struct fx_window *w = &s->window;
	const struct fx_grid *g = &w->grid;
	int64_t seen;
	int failed;

	if (!s->opened || w->layer >= fx_grid_past(g, 0))
		return FX_OK;
	seen = fx_window_seen(w);
	if (!g->open_end && seen < g->extent.hi[0]) {
		const struct fx_mark lost = blocks_lost(s, seen, g->extent.hi[0]);

		fx_warn(node, "the stream ended at section %lld of %lld", (long long)seen,
			(long long)g->extent.hi[0]);
		failed = fx_send_mark(node, BLOCKS, &lost);
		if (failed < 0)
			return failed;
	}
	fx_window_clip(w, seen);
	while (w->front < seen) {
		const struct fx_mark lost = blocks_lost(s, w->front, w->front + 1);

		failed = blocks_send_ready(node, s);
		if (failed == FX_OK && w->front < seen)
			failed = blocks_close(node, s, &lost);
		if (failed < 0)
			return failed;
	}
	return blocks_send_ready(node, s);
}

static int blocks_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct blocks *s = state;
	const uint32_t role = (uint32_t)s->role;

	fx_pack_bool(to, s->opened);
	if (!s->opened)
		return FX_OK;
	fx_pack_put(to, &role, sizeof role);
	fx_pack_put(to, &s->level, sizeof s->level);
	fx_needs(node, fx_window_pack(&s->window, to));
	return FX_OK;
}

static int blocks_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct blocks *s = state;
	const struct fx_mark *open = fx_opened(node, IMAGE);
	uint32_t role;
	bool opened;
	int failed;

	if (fx_unpack_bool(from, &opened) < 0)
		return FX_ETYPE;
	if (!opened)
		return FX_OK;
	failed = open ? blocks_prepare(node, s, open) : FX_ETYPE;
	if (failed < 0)
		return failed;
	if (fx_unpack_get(from, &role, sizeof role) < 0 || role > FX_MASK ||
	    fx_unpack_get(from, &s->level, sizeof s->level) < 0)
		return FX_ETYPE;
	s->role = (enum fx_role)role;
	return fx_window_unpack(&s->window, from);
}

static void blocks_finish(void *state)
{
	struct blocks *s = state;

	fx_window_fini(&s->window);
	fx_scratch_close(&s->scratch);
}

FX_NODE(tiler_blocks) = {
	.abi = FX_NODE_ABI,
	.name = "tiler/blocks",
	.summary = "cut sections that come as tiles into blocks with a halo",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct blocks),
	.process = blocks_process,
	.mark = blocks_mark,
	.drain = blocks_drain,
	.finish = blocks_finish,
	.save = blocks_save,
	.load = blocks_load,
};
