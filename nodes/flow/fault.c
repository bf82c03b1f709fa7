// SPDX-License-Identifier: Apache-2.0
/* flow/fault: passes every message on, but for those that meet a fault: by chance, again in the
 * same places with the same seed. For tests of graphs. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fornix/node.h>

#include "base/alloc.h"
#include "base/chance.h"
#include "base/clock.h"
#include "base/file.h"

enum { IN, OUT }; /* index into ports[] */

enum {
	ANY_DTYPE = FX_U8 | FX_U16 | FX_U32 | FX_U64 | FX_F16 | FX_F32,
	ANY_KIND = FX_BLOCK | FX_TREE | FX_RECORD,
	CORRUPT_EVERY = 64, /* bytes of voxels, of which one is changed */
};

/* What may happen. The numbers decide who is met: they never change. */
enum fault { DROP = 1, DELAY, CORRUPT, STALL, CRASH, KILL, EXIT, HANG };

struct fault_state {
	int seed;
	double drop, delay, delay_time, corrupt, stall, stall_time, crash, kill, exit, hang;
	bool always;
};

#define RATE(m, text)                                                                              \
	{                                                                                          \
		FX_FIELD(struct fault_state, m), .min = 0, .max = 1, .help = text                  \
	}

static const struct fx_option options[] = {
	{ FX_FIELD(struct fault_state, seed), .def = 1, .min = 0, .max = 2147483647,
	  .help = "another seed meets other messages" },
	RATE(drop, "part of the messages that become missing"),
	RATE(delay, "part of the messages that wait"),
	{ FX_FIELD(struct fault_state, delay_time), .def = 0.05, .unit = "s", .min = 0, .max = 3600,
	  .help = "how long a message waits" },
	RATE(corrupt, "part of the blocks that get wrong voxels"),
	RATE(stall, "part of the messages at which the process stands still"),
	{ FX_FIELD(struct fault_state, stall_time), .def = 5, .unit = "s", .min = 0, .max = 86400,
	  .help = "how long the process stands still" },
	RATE(crash, "part of the messages at which the process aborts"),
	RATE(kill, "part of the messages at which the process is killed (SIGKILL)"),
	RATE(exit, "part of the messages at which the process ends with exit code 0"),
	RATE(hang, "part of the messages at which the process hangs for ever"),
	{ FX_FIELD(struct fault_state, always),
	  .help = "end or hang at such a message each time it comes, not only once" },
	{ 0 },
};

static const struct fx_port ports[] = {
	[IN] = { "in", FX_IN, ANY_KIND, ANY_DTYPE, 0, false, "anything" },
	[OUT] = { "out", FX_OUT, ANY_KIND, ANY_DTYPE, 0, false, "the same, but for faults" },
	{ 0 },
};

/* A message in hand. */
struct fault_message {
	enum fx_kind kind;
	void *message;
	uint64_t identity; /* by what it is about: no life of this process changes it */
};

static uint64_t fault_block_identity(const struct fx_block *b)
{
	const uint64_t what[4] = { (uint64_t)b->dtype, (uint64_t)b->role, b->channels, b->level };
	uint64_t h = fx_chance_mix(FX_CHANCE_START, what, sizeof what);

	h = fx_chance_mix(h, b->origin, sizeof b->origin);
	return fx_chance_mix(h, b->shape, sizeof b->shape);
}

static uint64_t fault_tree_identity(const struct fx_tree *t)
{
	const uint64_t what[2] = { t->segment, t->len };
	uint64_t h = fx_chance_mix(FX_CHANCE_START, what, sizeof what);

	for (size_t i = 0; i < t->len; i++)
		h = fx_chance_mix(h, t->nodes[i].pos_nm, sizeof t->nodes[i].pos_nm);
	return h;
}

static uint64_t fault_record_identity(const struct fx_record *r)
{
	uint64_t h = fx_chance_mix(FX_CHANCE_START, r->kind, strlen(r->kind));

	h = fx_chance_mix(h, &r->region, sizeof r->region);
	for (size_t i = 0; i < r->fields_len; i++) {
		const struct fx_field *f = &r->fields[i];

		h = fx_chance_mix(h, f->name, strlen(f->name));
		h = f->text ? fx_chance_mix(h, f->text, strlen(f->text)) :
			      fx_chance_mix(h, &f->number, sizeof f->number);
	}
	return r->rows ? fx_chance_mix(h, r->table, r->rows * r->columns * sizeof *r->table) : h;
}

static struct fault_message fault_take(struct fx_node *node)
{
	struct fault_message m = { .kind = fx_waiting(node, IN) };

	if (m.kind == FX_BLOCK) {
		m.message = fx_take(node, IN);
		m.identity = fault_block_identity(m.message);
	} else if (m.kind == FX_TREE) {
		m.message = fx_take_tree(node, IN);
		m.identity = fault_tree_identity(m.message);
	} else if (m.kind == FX_RECORD) {
		m.message = fx_take_record(node, IN);
		m.identity = fault_record_identity(m.message);
	}
	return m;
}

static int fault_send(struct fx_node *node, const struct fault_message *m)
{
	if (m->kind == FX_BLOCK)
		return fx_send(node, OUT, m->message);
	if (m->kind == FX_TREE)
		return fx_send_tree(node, OUT, m->message);
	return fx_send_record(node, OUT, m->message);
}

static void fault_free(const struct fault_message *m)
{
	if (m->kind == FX_BLOCK)
		fx_block_free(m->message);
	else if (m->kind == FX_TREE)
		fx_tree_free(m->message);
	else
		fx_record_free(m->message);
}

static bool fault_met(const struct fault_state *s, enum fault what, double rate, uint64_t identity)
{
	return fx_chance((uint64_t)s->seed, what, identity, rate);
}

/* True the first time in all lives of all workers of the node: whoever makes the file is the first.
 * It lies beside the workers' own scratch folders and goes when the run ends. */
static bool fault_is_first(struct fx_node *node, enum fault what, uint64_t identity)
{
	const char *scratch = fx_scratch_dir(node);
	char *folder = fx_asprintf("%s/../%s.faults", scratch ? scratch : "", fx_node_name(node));
	char *path = fx_asprintf("%s/%d-%016" PRIx64, folder ? folder : "", (int)what, identity);
	int fd = -1, failed = ENOENT;

	if (scratch && folder && path && fx_make_dirs(folder, NULL) == FX_OK) {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		failed = fd < 0 ? errno : 0;
	}
	if (fd >= 0)
		close(fd);
	else if (failed != EEXIST)
		fx_warn(node, "cannot note a fault in %s: it does not happen", path ? path : "?");
	free(path);
	free(folder);
	return fd >= 0;
}

/* The process ends, or never returns, in the way of @p what. */
static void fault_end(enum fault what)
{
	if (what == CRASH)
		abort();
	if (what == KILL)
		raise(SIGKILL);
	if (what == EXIT)
		_exit(0);
	for (;;) /* signals are handled, and nothing comes of it */
		pause();
}

static void fault_may_end(struct fx_node *node, const struct fault_state *s, uint64_t identity)
{
	const struct {
		enum fault what;
		double rate;
		const char *words;
	} ends[] = {
		{ CRASH, s->crash, "aborts" },
		{ KILL, s->kill, "is killed" },
		{ EXIT, s->exit, "ends with exit code 0" },
		{ HANG, s->hang, "hangs" },
	};

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		if (!fault_met(s, ends[i].what, ends[i].rate, identity))
			continue;
		if (!s->always && !fault_is_first(node, ends[i].what, identity))
			continue;
		fx_warn(node, "this process now %s, as asked, at message %016" PRIx64,
			ends[i].words, identity);
		fault_end(ends[i].what);
	}
}

static int fault_drop(struct fx_node *node, const struct fault_message *m)
{
	struct fx_mark mark = { .kind = FX_MARK_MISSING };

	if (m->kind == FX_BLOCK)
		mark.region = fx_block_core(m->message);
	else if (m->kind == FX_RECORD)
		mark.region = ((const struct fx_record *)m->message)->region;
	snprintf(mark.reason, sizeof mark.reason, "%s dropped this %s, as asked",
		 fx_node_name(node),
		 m->kind == FX_BLOCK ? "block" :
		 m->kind == FX_TREE  ? "tree" :
				       "record");
	fault_free(m);
	return fx_send_mark(node, OUT, &mark);
}

/* One byte of every CORRUPT_EVERY is not what it was. */
static int fault_corrupt(struct fx_node *node, const struct fault_state *s,
			 const struct fault_message *m)
{
	struct fx_block *b = m->message;
	const size_t size = fx_block_size(b);
	unsigned char *bytes;

	if (fx_block_own(b) < 0) {
		fx_block_free(b);
		return fx_fail(node, FX_ENOMEM, "no memory for a block");
	}
	bytes = b->data;
	for (size_t i = 0; i < size; i += CORRUPT_EVERY) {
		const size_t part = size - i < CORRUPT_EVERY ? size - i : CORRUPT_EVERY;
		const uint64_t bits = fx_chance_bits((uint64_t)s->seed, CORRUPT,
						     fx_chance_mix(m->identity, &i, sizeof i));

		bytes[i + (bits >> 8) % part] ^= (unsigned char)(1U << (bits & 7));
	}
	return fx_send(node, OUT, b);
}

static int fault_process(struct fx_node *node, void *state)
{
	const struct fault_state *s = state;
	const struct fault_message m = fault_take(node);

	if (!m.message)
		return FX_OK;
	fault_may_end(node, s, m.identity);
	if (fault_met(s, STALL, s->stall, m.identity))
		fx_sleep_ms((int64_t)(s->stall_time * 1000));
	if (fault_met(s, DELAY, s->delay, m.identity))
		fx_sleep_ms((int64_t)(s->delay_time * 1000));
	if (fault_met(s, DROP, s->drop, m.identity))
		return fault_drop(node, &m);
	if (m.kind == FX_BLOCK && fault_met(s, CORRUPT, s->corrupt, m.identity))
		return fault_corrupt(node, s, &m);
	return fault_send(node, &m);
}

FX_NODE(flow_fault) = {
	.abi = FX_NODE_ABI,
	.name = "flow/fault",
	.summary = "pass messages on, with faults by chance: for tests of graphs",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct fault_state),
	.stateless = true,
	.process = fault_process,
};
