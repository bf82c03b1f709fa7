// SPDX-License-Identifier: Apache-2.0
/* A node with state for tests, loaded as a module: passes blocks on, numbers them in `level`, and
 * aborts at the block whose first voxel is at the section, row and column it is told. */
#include <fornix/node.h>

#include <stdlib.h>

enum { IN, OUT };

struct fragile {
	struct fx_vec at;
	uint32_t seen;
};

static const struct fx_port ports[] = {
	[IN] = { "in", FX_IN, FX_BLOCK, FX_U8, 0, false, "blocks" },
	[OUT] = { "out", FX_OUT, FX_BLOCK, FX_U8, 0, false, "the same blocks" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct fragile, at), .def_str = "0 0 0", .unit = "voxel", .min = -1, .max = 1e6,
	  .help = "origin of the block that it does not survive" },
	{ 0 },
};

static int fragile_process(struct fx_node *node, void *state)
{
	struct fragile *s = state;
	struct fx_block *b = fx_take(node, IN);

	if (!b)
		return fx_fail(node, FX_ENOMEM, "no block");
	if (b->origin[0] == (int64_t)s->at.v[0] && b->origin[1] == (int64_t)s->at.v[1] &&
	    b->origin[2] == (int64_t)s->at.v[2])
		abort();
	b->level = s->seen++;
	return fx_send(node, OUT, b);
}

FX_NODE(flow_fragile) = {
	.abi = FX_NODE_ABI,
	.name = "flow/fragile",
	.summary = "pass blocks on, but for one that kills it",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct fragile),
	.process = fragile_process,
	.keys = FX_KEY_ID,
};
