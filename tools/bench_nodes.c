// SPDX-License-Identifier: Apache-2.0
/* bench_nodes.c: a source that writes every byte of its blocks, and a sink that reads every byte.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/pack.h"
#include "bench.h"

struct source {
	int bytes, count, sent; /* sent is not an option */
};

struct sink {
	const char *result; /* options */
	int first, last;
	double pause;
	int taken; /* from here on no options, and saved */
	int64_t first_ns, last_ns;
	uint64_t sum;
};

static const struct fx_port source_ports[] = {
	{ "out", FX_OUT, FX_BLOCK, FX_U8, 0, false, "blocks" },
	{ 0 },
};

static const struct fx_port sink_ports[] = {
	{ "in", FX_IN, FX_BLOCK, FX_U8, 0, false, "blocks" },
	{ 0 },
};

static const struct fx_option source_options[] = {
	{ FX_FIELD(struct source, bytes), .def = 1 << 20, .min = 1, .max = 256 << 20,
	  .help = "bytes of a block" },
	{ FX_FIELD(struct source, count), .def = 100, .min = 1, .max = 1e9, .help = "blocks" },
	{ 0 },
};

static const struct fx_option sink_options[] = {
	{ FX_FIELD(struct sink, result), .path = FX_PATH_WRITE,
	  .help = "file to write the seconds to" },
	{ FX_FIELD(struct sink, first), .def = 0, .min = 0, .max = 1e9,
	  .help = "block whose arrival begins them" },
	{ FX_FIELD(struct sink, last), .def = 1e9, .min = 0, .max = 1e9,
	  .help = "block whose arrival ends them, or the last of all" },
	{ FX_FIELD(struct sink, pause), .max = 1e4, .unit = "ms",
	  .help = "waits so long with each block" },
	{ 0 },
};

static int source_process(struct fx_node *node, void *state)
{
	struct source *s = state;
	const size_t shape[3] = { 1, 1, (size_t)s->bytes };
	struct fx_block *b = fx_new_block(node, 0, FX_U8, 1, shape);

	if (b)
		bench_write(b->data, (size_t)s->bytes, (uint64_t)s->sent);
	if (fx_send(node, 0, b) < 0)
		return FX_ENOMEM;
	return ++s->sent == s->count ? FX_END : FX_OK;
}

static int sink_process(struct fx_node *node, void *state)
{
	struct sink *s = state;
	struct fx_block *b = fx_take(node, 0);

	if (s->taken == s->first)
		s->first_ns = fx_now_ns();
	s->sum += bench_read(b->data, fx_block_size(b));
	if (s->taken <= s->last)
		s->last_ns = fx_now_ns();
	s->taken++;
	fx_block_free(b);
	if (s->pause > 0)
		fx_sleep_ms((int64_t)s->pause);
	return FX_OK;
}

static int sink_drain(struct fx_node *node, void *state)
{
	const struct sink *s = state;
	struct fx_error err = { 0 };
	char text[64];

	snprintf(text, sizeof text, "%.9f %llu\n", (double)(s->last_ns - s->first_ns) * 1e-9,
		 (unsigned long long)s->sum);
	if (fx_file_write(s->result, text, strlen(text), &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

static int sink_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct sink *s = state;

	(void)node;
	fx_pack_put(to, &s->taken, sizeof *s - offsetof(struct sink, taken));
	return FX_OK;
}

static int sink_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct sink *s = state;

	(void)node;
	return fx_unpack_get(from, &s->taken, sizeof *s - offsetof(struct sink, taken));
}

static const struct fx_node_type bench_source = {
	.abi = FX_NODE_ABI,
	.name = "bench/source",
	.summary = "blocks of which every byte is written",
	.ports = source_ports,
	.options = source_options,
	.state_size = sizeof(struct source),
	.process = source_process,
};

static const struct fx_node_type bench_sink = {
	.abi = FX_NODE_ABI,
	.name = "bench/sink",
	.summary = "reads every byte of its blocks",
	.ports = sink_ports,
	.options = sink_options,
	.state_size = sizeof(struct sink),
	.process = sink_process,
	.drain = sink_drain,
	.save = sink_save,
	.load = sink_load,
};

const struct fx_node_type *const bench_nodes[] = { &bench_source, &bench_sink, NULL };
