// SPDX-License-Identifier: Apache-2.0
/* health.c: ends processes that hang or use more memory than they may. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "conduct/procfs.h"
#include "conduct/run.h"

#if defined(__has_feature)
#define HEALTH_FEATURE(name) __has_feature(name)
#else
#define HEALTH_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
	HEALTH_FEATURE(address_sanitizer) || HEALTH_FEATURE(thread_sanitizer)
#define HEALTH_SHADOWED 1 /* sanitizers map far more than there is */
#else
#define HEALTH_SHADOWED 0
#endif

enum {
	LOOKS = 8, /* within the time after which a process hangs */
	LOOK_MAX_NS = 1000000000,
	MEMORY_LOOK_MS = 50,
	SPARE_THREADS = 4, /* of ZeroMQ, and what OpenMP may add */
	SPARE_MIB = 64,
	THREAD_MIB = 32, /* buffers of a matrix product */
};

static const struct fx_graph_node *node_of(const struct fx_run *r, size_t i)
{
	return &r->graph->nodes[r->plan->instances[i].node];
}

static double limit_bytes(const struct fx_run *r, size_t i)
{
	return node_of(r, i)->bounds.limit_mib * 1048576;
}

/* 0: never. */
static int64_t hang_ns(const struct fx_run *r, size_t i)
{
	const struct fx_bounds *b = &node_of(r, i)->bounds;
	const double asked = r->options->hang_s != 0 ? r->options->hang_s : FX_HANG_S;
	const double s = b->has_hang ? b->hang_s : asked;

	return s > 0 ? (int64_t)(s * 1e9) : 0;
}

/* A number that differs when any counter does. */
static uint64_t moved(const struct fx_instance_stats *s)
{
	double done[FX_STATS_GAUGES];
	uint64_t parts[5 + FX_STATS_GAUGES] = {
		atomic_load(&s->state),
		atomic_load(&s->pumps),
		atomic_load(&s->messages_in),
		atomic_load(&s->messages_out),
		(uint64_t)atomic_load(&s->work_since_ns),
	};
	uint64_t mixed = 0;

	fx_gauges_read(s, done);
	memcpy(&parts[5], done, sizeof done);
	for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
		mixed = (mixed ^ parts[k]) * UINT64_C(0x100000001b3);
	return mixed;
}

/* What it is at. */
static void work_text(const struct fx_run *r, size_t i, char *text, size_t size)
{
	const struct fx_instance_stats *s = &r->stats.instances[i];
	const struct fx_node_type *type = node_of(r, i)->type;
	const enum fx_run_state state = fx__run_state(r, i);
	const uint32_t port = atomic_load(&s->work_port);

	if (state == FX_STATE_STARTING)
		snprintf(text, size, "while it started");
	else if (!atomic_load(&s->work_since_ns))
		snprintf(text, size, "between two messages");
	else if (state == FX_STATE_DRAINING)
		snprintf(text, size, "while it finished, all its inputs having ended");
	else if (port && port <= fx_type_ports(type))
		snprintf(text, size, "while it worked on message %" PRIu64 " of input %s",
			 atomic_load(&s->work_seq), type->ports[port - 1].name);
	else
		snprintf(text, size, "while it made what comes after %" PRIu64 " messages",
			 atomic_load(&s->messages_out));
}

static void kill_hung(struct fx_run *r, size_t i, enum fx_hang_verdict verdict, double seconds)
{
	struct fx_process *p = &r->processes[i];
	char work[160];

	work_text(r, i, work, sizeof work);
	if (verdict == FX_HANG_STOPPED)
		snprintf(p->killed, sizeof p->killed, "hung: stopped by a signal for %g s %s",
			 seconds, work);
	else if (verdict == FX_HANG_STUCK)
		snprintf(p->killed, sizeof p->killed,
			 "hung: waited for a disk or a file system for %g s %s",
			 seconds * FX_HANG_DISK, work);
	else if (verdict == FX_HANG_SPINS)
		snprintf(p->killed, sizeof p->killed, "hung: computed for %g s without progress %s",
			 seconds * FX_HANG_BUSY, work);
	else
		snprintf(p->killed, sizeof p->killed, "hung: no progress for %g s %s", seconds,
			 work);
	kill(p->pid, SIGKILL);
}

static void tell_slow(const struct fx_run *r, size_t i, double seconds)
{
	char work[160];

	work_text(r, i, work, sizeof work);
	fx_log(FX_LOG_WARN,
	       "%s.%u has computed for %g s without progress %s; after %g s it is taken to hang",
	       node_of(r, i)->name, r->plan->instances[i].wiring.instance,
	       (double)(r->processes[i].hang.warn_ns / 2) * 1e-9, work, seconds * FX_HANG_BUSY);
}

static void look_at_progress(struct fx_run *r, size_t i, int64_t now)
{
	struct fx_process *p = &r->processes[i];
	const int64_t limit = hang_ns(r, i);
	struct fx_hang_sample s = { .now_ns = now, .moved = moved(&r->stats.instances[i]) };
	enum fx_hang_verdict verdict;
	struct fx_proc proc;

	if (!limit ||
	    now - p->progress_ns < (limit / LOOKS < LOOK_MAX_NS ? limit / LOOKS : LOOK_MAX_NS))
		return;
	p->progress_ns = now;
	if (!fx_proc_read(p->pid, &proc))
		return;
	s.cpu_ns = proc.cpu_ns;
	s.io_bytes = proc.io_bytes;
	s.state = proc.state;
	verdict = fx_hang_judge(&p->hang, &s, limit);
	if (verdict == FX_HANG_SLOW)
		tell_slow(r, i, (double)limit * 1e-9);
	else if (verdict != FX_HANG_NONE)
		kill_hung(r, i, verdict, (double)limit * 1e-9);
}

/* Such as "2.01 GiB", never less than it is. */
static void size_text(double bytes, char *text, size_t size)
{
	const double mib = bytes / 1048576, shown = mib < 1024 ? mib : mib / 1024;

	snprintf(text, size, "%.10g %s", ceil(shown * 100) / 100, mib < 1024 ? "MiB" : "GiB");
}

static void look_at_memory(struct fx_run *r, size_t i, int64_t now)
{
	struct fx_process *p = &r->processes[i];
	const double limit = limit_bytes(r, i);
	const struct fx_bounds *b = &node_of(r, i)->bounds;
	char used[32], allowed[32];
	double bytes;

	if (limit <= 0 || now - p->memory_ns < MEMORY_LOOK_MS * INT64_C(1000000))
		return;
	p->memory_ns = now;
	bytes = (double)fx_proc_memory(p->pid);
	if (bytes <= limit)
		return;
	size_text(bytes, used, sizeof used);
	size_text(limit, allowed, sizeof allowed);
	snprintf(p->killed, sizeof p->killed,
		 "used %s, more than its limit of %s (%.200s:%d:%d): raise `limit`, or use smaller "
		 "blocks or fewer threads",
		 used, allowed, r->graph->file, b->line, b->col);
	p->hopeless = true;
	kill(p->pid, SIGKILL);
}

void fx__health_look(struct fx_run *r, size_t i)
{
	const struct fx_process *p = &r->processes[i];
	const int64_t now = fx_now_ns();

	if (p->pid && !p->killed[0])
		look_at_memory(r, i, now);
	if (p->pid && !p->killed[0])
		look_at_progress(r, i, now);
}

void fx__health_begin(struct fx_run *r, size_t i)
{
	struct fx_process *p = &r->processes[i];
	const double threads = r->plan->instances[i].threads + SPARE_THREADS;
	struct rlimit stack, data;
	double most = limit_bytes(r, i);

	memset(&p->hang, 0, sizeof p->hang);
	p->killed[0] = 0;
	p->hopeless = false;
	if (most <= 0 || HEALTH_SHADOWED || getrlimit(RLIMIT_STACK, &stack) != 0)
		return;
	if (stack.rlim_cur == RLIM_INFINITY)
		stack.rlim_cur = 2 << 20;
	most += threads * ((double)stack.rlim_cur + THREAD_MIB * 1048576.0) + SPARE_MIB * 1048576.0;
	if (prlimit(p->pid, RLIMIT_DATA, NULL, &data) != 0 || (double)data.rlim_max <= most)
		return;
	data.rlim_cur = data.rlim_max = (rlim_t)most;
	if (prlimit(p->pid, RLIMIT_DATA, &data, NULL) != 0)
		fx_log(FX_LOG_WARN, "cannot limit the memory of %s: %s", node_of(r, i)->name,
		       strerror(errno));
}

void fx__health_words(const struct fx_run *r, size_t i, char *text, size_t size)
{
	const struct fx_instance_stats *s = &r->stats.instances[i];
	const struct fx_bounds *b = &node_of(r, i)->bounds;
	char allowed[32];

	size_text(limit_bytes(r, i), allowed, sizeof allowed);
	if (b->limit_mib > 0 && atomic_load(&s->error_code) == FX_ENOMEM)
		snprintf(text, size, "%s; its limit is %s (%.200s:%d:%d)", s->error, allowed,
			 r->graph->file, b->line, b->col);
	else
		snprintf(text, size, "%s", s->error);
}
