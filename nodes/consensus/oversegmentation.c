// SPDX-License-Identifier: Apache-2.0
/* consensus/oversegmentation: split segments wherever one of several segmentations splits them. */
#include <fornix/node.h>

#include <string.h>

#include "kernels/consensus.h"
#include "node/joined.h"

enum { INPUTS = 8, OUT = INPUTS }; /* index into ports[]; inputs come first */

static const char *const zeros[] = { "any", "all", "first", NULL }; /* enum fx_consensus_zero */

struct oversegmentation {
	int unassigned, min_voxels; /* options */
	struct fx_joined joined;    /* owned */
};

enum { ANY_LABEL = FX_U8 | FX_U16 | FX_U32 | FX_U64 };

#define OVERSEGMENTATION_INPUT(letter, more)                                                       \
	{                                                                                          \
		letter, FX_IN, FX_BLOCK, ANY_LABEL, 1 << FX_LABELS, more,                          \
			"segments of blocks with halo, numbered block by block"                    \
	}

static const struct fx_port ports[] = {
	OVERSEGMENTATION_INPUT("a", false),
	OVERSEGMENTATION_INPUT("b", false),
	OVERSEGMENTATION_INPUT("c", true),
	OVERSEGMENTATION_INPUT("d", true),
	OVERSEGMENTATION_INPUT("e", true),
	OVERSEGMENTATION_INPUT("f", true),
	OVERSEGMENTATION_INPUT("g", true),
	OVERSEGMENTATION_INPUT("h", true),
	[OUT] = { "labels", FX_OUT, FX_BLOCK, FX_U32, 1 << FX_LABELS, false,
		  "pieces 1..n of every block on its own, halo included" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct oversegmentation, unassigned), .def = FX_CONSENSUS_ANY, .choices = zeros,
	  .help = "voxels without a piece: those that are 0 in any input, in all, or in input a" },
	{ FX_FIELD(struct oversegmentation, min_voxels), .def = 0, .min = 0, .max = 1e9,
	  .unit = "voxel",
	  .help = "smaller pieces become 0, but for those that may go on beyond the block" },
	{ 0 },
};

static int oversegmentation_init(struct fx_node *node, void *state)
{
	struct oversegmentation *s = state;

	(void)node;
	s->joined.inputs = INPUTS;
	return FX_OK;
}

/* All blocks of a set must show the same voxels. */
static int oversegmentation_check(struct fx_node *node, const struct fx_joined_set *set)
{
	const struct fx_block *a = set->blocks[0];

	for (unsigned i = 1; i < INPUTS; i++) {
		const struct fx_block *b = set->blocks[i];

		if (!b || (memcmp(a->shape, b->shape, sizeof a->shape) == 0 &&
			   memcmp(a->origin, b->origin, sizeof a->origin) == 0))
			continue;
		return fx_fail(node, FX_EINVAL,
			       "blocks of %zux%zux%zu voxels (a) and %zux%zux%zu (%s) have one "
			       "core: all inputs must have blocks of the same halo",
			       a->shape[0], a->shape[1], a->shape[2], b->shape[0], b->shape[1],
			       b->shape[2], ports[i].name);
	}
	return FX_OK;
}

/* A face that does not lie at the end of the volume is open. */
static void oversegmentation_open(const struct fx_node *node, const struct fx_block *b,
				  struct fx_consensus_params *p)
{
	const struct fx_mark *open = fx_opened(node, 0);
	const struct fx_region all = fx_block_region(b);

	for (int a = 0; a < 3; a++) {
		p->open[a][0] = all.lo[a] > (open ? open->region.lo[a] : 0);
		p->open[a][1] = !open || !open->region.hi[a] || all.hi[a] < open->region.hi[a];
	}
}

static struct fx_block *oversegmentation_output(struct fx_node *node, const struct fx_block *like)
{
	struct fx_block *out = fx_new_block(node, OUT, FX_U32, 1, like->shape);

	if (!out)
		return NULL;
	out->role = FX_LABELS;
	out->level = like->level;
	memcpy(out->origin, like->origin, sizeof out->origin);
	memcpy(out->halo_lo, like->halo_lo, sizeof out->halo_lo);
	memcpy(out->halo_hi, like->halo_hi, sizeof out->halo_hi);
	memcpy(out->voxel_nm, like->voxel_nm, sizeof out->voxel_nm);
	return out;
}

static int oversegmentation_send(struct fx_node *node, const struct oversegmentation *s,
				 const struct fx_joined_set *set)
{
	struct fx_consensus_input inputs[INPUTS];
	struct fx_consensus_params p = { .zero = (enum fx_consensus_zero)s->unassigned,
					 .min_voxels = (uint64_t)s->min_voxels };
	struct fx_block *out;
	size_t len = 0;
	uint32_t count;
	int rc = oversegmentation_check(node, set);

	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < INPUTS; i++)
		if (set->blocks[i])
			inputs[len++] = (struct fx_consensus_input){ set->blocks[i]->data,
								     set->blocks[i]->dtype };
	oversegmentation_open(node, set->blocks[0], &p);
	out = oversegmentation_output(node, set->blocks[0]);
	rc = out ? fx_consensus(out->data, &count, inputs, len, out->shape, &p) : FX_ENOMEM;
	if (rc == FX_OK)
		return fx_send(node, OUT, out);
	fx_block_free(out);
	return fx_fail(node, rc, "no memory for the consensus of %zu blocks, or blocks too large",
		       len);
}

static int oversegmentation_process(struct fx_node *node, void *state)
{
	struct oversegmentation *s = state;
	struct fx_joined_set set = { 0 };
	unsigned port = 0;
	bool full;
	int rc;

	while (port < INPUTS && fx_waiting(node, port) == FX_NOTHING)
		port++;
	if (port == INPUTS)
		return FX_OK;
	rc = fx_joined_put(&s->joined, node, port, &set, &full);
	if (rc == FX_OK && full)
		rc = oversegmentation_send(node, s, &set);
	fx_joined_set_fini(&set);
	return rc;
}

static int oversegmentation_mark(struct fx_node *node, void *state, unsigned port,
				 const struct fx_mark *m)
{
	struct oversegmentation *s = state;
	struct fx_mark out = *m;
	bool all;
	int rc = fx_joined_mark(&s->joined, node, port, m, &all);

	if (rc < 0 || !all)
		return rc;
	if (m->kind == FX_MARK_DONE)
		rc = fx_joined_late(&s->joined, node, &m->region, OUT, OUT);
	if (m->kind == FX_MARK_OPEN)
		out.dtype = FX_U32;
	return rc < 0 ? rc : fx_send_mark(node, OUT, &out);
}

static int oversegmentation_drain(struct fx_node *node, void *state)
{
	struct oversegmentation *s = state;

	return fx_joined_late(&s->joined, node, NULL, OUT, OUT);
}

static int oversegmentation_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct oversegmentation *s = state;

	(void)node;
	fx_joined_pack(&s->joined, to);
	return FX_OK;
}

static int oversegmentation_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct oversegmentation *s = state;

	(void)node;
	return fx_joined_unpack(&s->joined, from);
}

static void oversegmentation_finish(void *state)
{
	struct oversegmentation *s = state;

	fx_joined_fini(&s->joined);
}

FX_NODE(consensus_oversegmentation) = {
	.abi = FX_NODE_ABI,
	.name = "consensus/oversegmentation",
	.summary = "split segments wherever one of several segmentations splits them",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct oversegmentation),
	.init = oversegmentation_init,
	.process = oversegmentation_process,
	.mark = oversegmentation_mark,
	.drain = oversegmentation_drain,
	.finish = oversegmentation_finish,
	.save = oversegmentation_save,
	.load = oversegmentation_load,
};
