// SPDX-License-Identifier: Apache-2.0
/* tiler/blocks: cuts sections that come as tiles into blocks with a halo, layer by layer. */
#include <fornix/node.h>

#include <stdio.h>

#include "node/masked.h"

enum { IMAGE, MASK, BLOCKS }; /* index into ports[] */

enum { ANY_DTYPE = FX_U8 | FX_U16 | FX_U32 | FX_U64 | FX_F16 | FX_F32 };

struct blocks {
	struct fx_vec block, halo; /* options: set before init() */
	double memory;
	int ahead;
	struct fx_masked sections; /* owned, from OPEN to finish() */
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, ANY_DTYPE, 0, false, "sections as 2-D tiles" },
	[MASK] = { "mask", FX_IN, FX_BLOCK, FX_U8, 1U << FX_MASK, true,
		   "of the same sections: 1 is what no segment may enter" },
	[BLOCKS] = { "blocks", FX_OUT, FX_BLOCK, ANY_DTYPE, 0, false,
		     "blocks on a grid anchored at 0, halo included; a mask is their channel 2" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct blocks, block), .unit = "voxel", .def_str = "128 128 128", .min = 1,
	  .max = 65536, .help = "size of the grid's cells, z y x" },
	{ FX_FIELD(struct blocks, halo), .unit = "voxel", .def_str = "16 16 16", .min = 0,
	  .max = 65536, .help = "context around each cell on either side, z y x" },
	{ FX_FIELD(struct blocks, memory), .unit = "MiB", .def = 1024, .min = 0, .max = 1048576,
	  .help = "a larger window of sections lies in a scratch file" },
	{ FX_FIELD(struct blocks, ahead), .def = -1, .min = -1, .max = 65536,
	  .help = "with a mask: sections that either input may be ahead of the other; -1 is what "
		  "512 MiB hold, 8 to 256" },
	{ 0 },
};

static int blocks_init(struct fx_node *node, void *state)
{
	struct blocks *s = state;

	s->sections.masked = fx_connected(node, MASK);
	s->sections.image.port = IMAGE;
	s->sections.mask.port = MASK;
	return FX_OK;
}

static struct fx_tiling blocks_tiling(const struct fx_node *node, const struct blocks *s)
{
	struct fx_tiling how = { .block = s->block.v,
				 .halo = s->halo.v,
				 .memory = s->memory,
				 .ahead = s->sections.masked ? s->ahead : 0 };

	how.part = fx_part(node, &how.parts);
	return how;
}

/* Sections [lo, hi), whole: also where other parts cut their blocks. */
static struct fx_region blocks_sections(const struct blocks *s, int64_t lo, int64_t hi)
{
	struct fx_region r = s->sections.image.whole;

	r.lo[0] = lo;
	r.hi[0] = hi;
	return r;
}

static int blocks_send(struct fx_node *node, const struct blocks *s, struct fx_region core)
{
	const struct fx_region r = fx_grid_reach(&s->sections.image.window.grid, core);
	struct fx_block *b = fx_masked_cut(&s->sections, node, BLOCKS, r);

	if (!b)
		return fx_fail(node, FX_ENOMEM, "no memory for a block of %lld x %lld x %lld",
			       (long long)(r.hi[0] - r.lo[0]), (long long)(r.hi[1] - r.lo[1]),
			       (long long)(r.hi[2] - r.lo[2]));
	for (int a = 0; a < 3; a++) {
		b->halo_lo[a] = (uint32_t)(core.lo[a] - r.lo[a]);
		b->halo_hi[a] = (uint32_t)(r.hi[a] - core.hi[a]);
	}
	return fx_send(node, BLOCKS, b);
}

static int blocks_send_layer(struct fx_node *node, const struct blocks *s)
{
	const struct fx_grid *g = &s->sections.image.window.grid;
	const int64_t z = s->sections.image.window.layer, *rows = s->sections.image.rows;
	const struct fx_region any = fx_grid_core(g, z, fx_grid_first(g, 1), fx_grid_first(g, 2));
	const struct fx_mark done = { .kind = FX_MARK_DONE,
				      .region = blocks_sections(s, any.lo[0], any.hi[0]) };

	for (int64_t y = rows[0]; y < rows[1]; y++)
		for (int64_t x = fx_grid_first(g, 2); x < fx_grid_past(g, 2); x++) {
			const int failed = blocks_send(node, s, fx_grid_core(g, z, y, x));

			if (failed < 0)
				return failed;
		}
	return fx_send_mark(node, BLOCKS, &done);
}

static int blocks_send_ready(struct fx_node *node, struct blocks *s)
{
	while (fx_masked_ready(&s->sections)) {
		const int failed = blocks_send_layer(node, s);

		if (failed < 0)
			return failed;
		fx_masked_leave(&s->sections);
	}
	return FX_OK;
}

static int blocks_process(struct fx_node *node, void *state)
{
	struct blocks *s = state;

	return fx_tiled_put(fx_waiting(node, MASK) == FX_NOTHING ? &s->sections.image :
								   &s->sections.mask,
			    node);
}

/* Sections [m->region.lo[0], hi[0]) are whole or missing. */
static int blocks_close(struct fx_node *node, struct blocks *s, const struct fx_mark *m)
{
	const bool missing = m->kind == FX_MARK_MISSING;
	int failed = missing ? fx_send_mark(node, BLOCKS, m) : FX_OK;

	for (int64_t z = m->region.lo[0]; z < m->region.hi[0] && failed >= 0; z++) {
		failed = fx_tiled_close(&s->sections.image, node, z,
					missing ? FX_SECTION_MISSING : FX_SECTION_DONE);
		if (failed == FX_OK)
			failed = blocks_send_ready(node, s);
	}
	return failed;
}

static int blocks_close_known(struct fx_node *node, struct blocks *s)
{
	struct fx_mark m;
	int failed = FX_OK;

	while (failed >= 0 && fx_masked_next(&s->sections, &m))
		failed = blocks_close(node, s, &m);
	return failed;
}

static int blocks_open(struct fx_node *node, struct blocks *s, unsigned port,
		       const struct fx_mark *m)
{
	const struct fx_tiling how = blocks_tiling(node, s);
	const int failed =
		fx_again(node) ? FX_OK : fx_masked_open(&s->sections, node, port, m, &how);

	return failed < 0 || port == MASK ? failed : fx_send_mark(node, BLOCKS, m);
}

static int blocks_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct blocks *s = state;
	int failed;

	if (m->kind == FX_MARK_OPEN)
		return blocks_open(node, s, port, m);
	if (m->kind != FX_MARK_DONE && m->kind != FX_MARK_MISSING)
		return FX_OK;
	failed = fx_masked_mark(&s->sections, node, port, m);
	return failed < 0 ? failed : blocks_close_known(node, s);
}

static struct fx_mark blocks_lost(const struct blocks *s, int64_t lo, int64_t hi)
{
	struct fx_mark m = { .kind = FX_MARK_MISSING, .region = blocks_sections(s, lo, hi) };

	snprintf(m.reason, sizeof m.reason, "the stream ended without it");
	return m;
}

/* The stream is over: gaps are missing, and the volume ends behind the last section that came. */
static int blocks_drain(struct fx_node *node, void *state)
{
	struct blocks *s = state;
	struct fx_window *w = &s->sections.image.window;
	const struct fx_grid *g = &w->grid;
	int64_t seen;
	int failed;

	if (!s->sections.image.opened)
		return FX_OK;
	failed = fx_masked_end(&s->sections, node, w->front);
	if (failed == FX_OK)
		failed = blocks_close_known(node, s);
	if (failed < 0 || w->layer >= fx_grid_past(g, 0))
		return failed;
	seen = fx_window_seen(w);
	if (fx_masked_end(&s->sections, node, seen) < 0)
		return FX_EINVAL;
	if (!g->open_end && seen < g->extent.hi[0]) {
		const struct fx_mark lost = blocks_lost(s, seen, g->extent.hi[0]);

		if (fx_part(node, NULL) == 0)
			fx_warn(node, "the stream ended at section %lld of %lld", (long long)seen,
				(long long)g->extent.hi[0]);
		failed = fx_send_mark(node, BLOCKS, &lost);
		if (failed < 0)
			return failed;
	}
	fx_masked_clip(&s->sections, seen);
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

	fx_masked_save(&s->sections, node, to);
	return FX_OK;
}

static int blocks_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct blocks *s = state;
	const struct fx_tiling how = blocks_tiling(node, s);

	return fx_masked_load(&s->sections, node, &how, from);
}

static void blocks_finish(void *state)
{
	struct blocks *s = state;

	fx_masked_fini(&s->sections);
}

FX_NODE(tiler_blocks) = {
	.abi = FX_NODE_ABI,
	.name = "tiler/blocks",
	.summary = "cut sections that come as tiles into blocks with a halo",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct blocks),
	.init = blocks_init,
	.process = blocks_process,
	.mark = blocks_mark,
	.drain = blocks_drain,
	.finish = blocks_finish,
	.save = blocks_save,
	.load = blocks_load,
	.keys = FX_KEY_REGION,
};
