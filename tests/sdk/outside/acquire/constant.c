// SPDX-License-Identifier: Apache-2.0
/* acquire/constant: sections of one grey value. */
#include <string.h>

#include <fornix/node.h>

enum { IMAGE }; /* index into ports[] */

struct constant {
	int value, sections; /* options */
	int next;
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_OUT, FX_BLOCK, FX_U8, 1 << FX_IMAGE, false, "sections" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct constant, value), .def = 100, .max = 255, .help = "grey value" },
	{ FX_FIELD(struct constant, sections), .def = 3, .min = 1, .max = 100,
	  .help = "how many sections" },
	{ 0 },
};

static int constant_section(struct fx_node *node, const struct constant *s)
{
	const size_t shape[3] = { 1, 16, 16 };
	struct fx_block *b = fx_new_block(node, IMAGE, FX_U8, 1, shape);
	struct fx_mark done = { .kind = FX_MARK_DONE };

	if (b) {
		b->origin[0] = s->next;
		memset(b->data, s->value, fx_block_size(b));
		done.region = fx_block_region(b);
	}
	return fx_send(node, IMAGE, b) < 0 ? FX_ENOMEM : fx_send_mark(node, IMAGE, &done);
}

static int constant_process(struct fx_node *node, void *state)
{
	struct constant *s = state;
	const struct fx_mark open = { .kind = FX_MARK_OPEN,
				      .region = { .hi = { s->sections, 16, 16 } },
				      .voxel_nm = { 1, 1, 1 },
				      .dtype = FX_U8 };
	int result = FX_OK;

	if (s->next == s->sections)
		return FX_END;
	if (s->next == 0)
		result = fx_send_mark(node, IMAGE, &open);
	if (result == FX_OK)
		result = constant_section(node, s);
	s->next++;
	return result;
}

FX_NODE(acquire_constant) = {
	.abi = FX_NODE_ABI,
	.name = "acquire/constant",
	.summary = "sections of one grey value",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct constant),
	.process = constant_process,
};
