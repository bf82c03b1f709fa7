// SPDX-License-Identifier: Apache-2.0
/* flow/pass: passes every message on unchanged. */
#include <fornix/node.h>

enum { IN, OUT }; /* index into ports[] */

enum {
	ANY_DTYPE = FX_U8 | FX_U16 | FX_U32 | FX_U64 | FX_F16 | FX_F32,
	ANY_KIND = FX_BLOCK | FX_TREE | FX_RECORD,
};

static const struct fx_port ports[] = {
	[IN] = { "in", FX_IN, ANY_KIND, ANY_DTYPE, 0, false, "anything" },
	[OUT] = { "out", FX_OUT, ANY_KIND, ANY_DTYPE, 0, false, "the same" },
	{ 0 },
};

static int pass_process(struct fx_node *node, void *state)
{
	(void)state;
	switch (fx_waiting(node, IN)) {
	case FX_BLOCK:
		return fx_send(node, OUT, fx_take(node, IN));
	case FX_TREE:
		return fx_send_tree(node, OUT, fx_take_tree(node, IN));
	case FX_RECORD:
		return fx_send_record(node, OUT, fx_take_record(node, IN));
	case FX_NOTHING:
		break;
	}
	return FX_OK;
}

FX_NODE(flow_pass) = {
	.abi = FX_NODE_ABI,
	.name = "flow/pass",
	.summary = "pass every message on unchanged",
	.ports = ports,
	.stateless = true,
	.process = pass_process,
};
