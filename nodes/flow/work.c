// SPDX-License-Identifier: Apache-2.0
/* flow/work: passes blocks on after the time that a real node would need. For measuring graphs. */
#include <string.h>
#include <time.h>

#include <fornix/node.h>

#include "base/clock.h"

enum { IN, OUT }; /* index into ports[] */

enum {
	ANY_DTYPE = FX_U8 | FX_U16 | FX_U32 | FX_U64 | FX_F16 | FX_F32,
	STEPS = 10000, /* of computing, between two looks at the clock */
};

static const int64_t slice_ns = 1000000000; /* of a long wait, so that all see that it lives */

struct work {
	double time; /* options */
	bool busy;
	uint64_t blocks, computed; /* so far */
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct work, time), .def = 0.01, .unit = "s", .min = 0, .max = 86400,
	  .help = "how long each block takes, from when it is taken until it is sent" },
	{ FX_FIELD(struct work, busy),
	  .help = "compute that long with one thread; else wait, as for a graphics processor" },
	{ 0 },
};

static const struct fx_port ports[] = {
	[IN] = { "in", FX_IN, FX_BLOCK, ANY_DTYPE, 0, false, "blocks" },
	[OUT] = { "out", FX_OUT, FX_BLOCK, ANY_DTYPE, 0, false, "the same, later" },
	{ 0 },
};

/* The same block in the memory that it is sent from, as what a real node makes; NULL without. */
static struct fx_block *work_copy(struct fx_node *node, const struct fx_block *b)
{
	struct fx_block *to = fx_new_block(node, OUT, b->dtype, b->channels, b->shape);

	if (!to)
		return NULL;
	to->role = b->role;
	to->level = b->level;
	memcpy(to->origin, b->origin, sizeof to->origin);
	memcpy(to->halo_lo, b->halo_lo, sizeof to->halo_lo);
	memcpy(to->halo_hi, b->halo_hi, sizeof to->halo_hi);
	memcpy(to->voxel_nm, b->voxel_nm, sizeof to->voxel_nm);
	memcpy(to->data, b->data, fx_block_size(b));
	return to;
}

static void work_wait(int64_t until_ns)
{
	const struct timespec t = { .tv_sec = until_ns / 1000000000,
				    .tv_nsec = until_ns % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static uint64_t work_compute(uint64_t x, int64_t until_ns)
{
	while (fx_now_ns() < until_ns)
		for (int i = 0; i < STEPS; i++)
			x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return x;
}

static void work_until(struct fx_node *node, struct work *s, int64_t until_ns)
{
	for (int64_t now = fx_now_ns(); now < until_ns && !fx_stopping(node); now = fx_now_ns()) {
		const int64_t next = until_ns - now < slice_ns ? until_ns : now + slice_ns;

		if (s->busy)
			s->computed = work_compute(s->computed, next);
		else
			work_wait(next);
		if (next < until_ns)
			fx_progress(node, (double)s->blocks, 0, "blocks");
	}
}

static int work_process(struct fx_node *node, void *state)
{
	struct work *s = state;
	const int64_t start = fx_now_ns();
	struct fx_block *in = fx_take(node, IN), *out;

	if (!in)
		return FX_OK;
	out = work_copy(node, in);
	fx_block_free(in);
	work_until(node, s, start + (int64_t)(s->time * 1e9));
	s->blocks++;
	return fx_send(node, OUT, out);
}

FX_NODE(flow_work) = {
	.abi = FX_NODE_ABI,
	.name = "flow/work",
	.summary = "pass blocks on after a set time: a stand-in for a node that computes",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct work),
	.stateless = true,
	.process = work_process,
};
