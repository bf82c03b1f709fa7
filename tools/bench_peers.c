// SPDX-License-Identifier: Apache-2.0
/* bench_peers.c: what fornix' links are compared with: plain ZeroMQ over ipc, and a bare ring of
 * slots in shared memory. Each process is forked; the last one measures. */
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "bench.h"

enum { RELAYS_MAX = 8, SLOTS = 8, IN_FLIGHT = 8 };

/* Shared by the processes of one round. */
struct shared {
	double seconds;
	uint64_t sum;
	struct {
		sem_t full;
	} stage[RELAYS_MAX + 1];
	sem_t free;
};

static void *share(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Runs work(stage) for every stage in a process of its own; true when all ended well. */
static bool in_processes(int stages, bool (*work)(void *context, int stage), void *context)
{
	pid_t pid[RELAYS_MAX + 2];
	bool ok = true;

	for (int i = 0; i < stages; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			_exit(work(context, i) ? 0 : 1);
		ok = ok && pid[i] > 0;
	}
	for (int i = 0; i < stages; i++) {
		int status;

		if (pid[i] <= 0)
			continue;
		if (!ok)
			kill(pid[i], SIGKILL);
		ok = waitpid(pid[i], &status, 0) == pid[i] && status == 0 && ok;
	}
	return ok;
}

struct round {
	size_t bytes;
	int count, relays;
	struct shared *shared;
	char *slots;
	char dir[64];
};

static void *zeromq_socket(void *zmq, int type, const struct round *r, int hop, bool bind)
{
	void *s = zmq_socket(zmq, type);
	const int hwm = IN_FLIGHT;
	char endpoint[128];

	zmq_setsockopt(s, ZMQ_SNDHWM, &hwm, sizeof hwm);
	zmq_setsockopt(s, ZMQ_RCVHWM, &hwm, sizeof hwm);
	snprintf(endpoint, sizeof endpoint, "ipc://%s/%d", r->dir, hop);
	if ((bind ? zmq_bind(s, endpoint) : zmq_connect(s, endpoint)) == 0)
		return s;
	zmq_close(s);
	return NULL;
}

static bool zeromq_source(const struct round *r, void *to)
{
	for (int i = 0; i < r->count; i++) {
		zmq_msg_t m;

		zmq_msg_init_size(&m, r->bytes);
		bench_write(zmq_msg_data(&m), r->bytes, (uint64_t)i);
		if (zmq_msg_send(&m, to, 0) < 0)
			return false;
	}
	return true;
}

static bool zeromq_relay(const struct round *r, void *from, void *to)
{
	for (int i = 0; i < r->count; i++) {
		zmq_msg_t m;

		zmq_msg_init(&m);
		if (zmq_msg_recv(&m, from, 0) < 0 || zmq_msg_send(&m, to, 0) < 0)
			return false;
	}
	return true;
}

static bool zeromq_sink(const struct round *r, void *from)
{
	int64_t first = 0;

	for (int i = 0; i < r->count; i++) {
		zmq_msg_t m;

		zmq_msg_init(&m);
		if (zmq_msg_recv(&m, from, 0) < 0)
			return false;
		first = first ? first : fx_now_ns();
		r->shared->sum += bench_read(zmq_msg_data(&m), zmq_msg_size(&m));
		zmq_msg_close(&m);
	}
	r->shared->seconds = (double)(fx_now_ns() - first) * 1e-9;
	return true;
}

static bool zeromq_stage(void *context, int stage)
{
	const struct round *r = context;
	void *zmq = zmq_ctx_new();
	void *from = stage ? zeromq_socket(zmq, ZMQ_PULL, r, stage - 1, false) : NULL;
	void *to = stage <= r->relays ? zeromq_socket(zmq, ZMQ_PUSH, r, stage, true) : NULL;
	bool ok;

	if (stage == 0)
		ok = to && zeromq_source(r, to);
	else if (stage <= r->relays)
		ok = from && to && zeromq_relay(r, from, to);
	else
		ok = from && zeromq_sink(r, from);
	if (from)
		zmq_close(from);
	if (to)
		zmq_close(to);
	zmq_ctx_term(zmq);
	return ok;
}

static bool ring_stage(void *context, int stage)
{
	const struct round *r = context;
	struct shared *s = r->shared;
	int64_t first = 0;

	for (int i = 0; i < r->count; i++) {
		char *slot = r->slots + (size_t)(i % SLOTS) * r->bytes;

		while (sem_wait(stage ? &s->stage[stage - 1].full : &s->free) != 0)
			;
		if (stage == 0)
			bench_write(slot, r->bytes, (uint64_t)i);
		first = first ? first : fx_now_ns();
		if (stage > r->relays)
			s->sum += bench_read(slot, r->bytes);
		sem_post(stage > r->relays ? &s->free : &s->stage[stage].full);
	}
	if (stage > r->relays)
		s->seconds = (double)(fx_now_ns() - first) * 1e-9;
	return true;
}

static bool peer_round(struct round *r, bool (*work)(void *context, int stage),
		       struct bench_round *out)
{
	const double before = bench_children_cpu_ms();
	bool ok;

	r->shared = share(sizeof *r->shared);
	if (!r->shared)
		return false;
	sem_init(&r->shared->free, 1, SLOTS);
	for (int i = 0; i <= RELAYS_MAX; i++)
		sem_init(&r->shared->stage[i].full, 1, 0);
	ok = in_processes(r->relays + 2, work, r);
	out->seconds = r->shared->seconds;
	out->cpu_ms = bench_children_cpu_ms() - before;
	munmap(r->shared, sizeof *r->shared);
	return ok;
}

bool bench_zeromq(size_t bytes, int count, int relays, struct bench_round *out)
{
	struct round r = { bytes, count, relays, NULL, NULL, "/tmp/fornix-bench-XXXXXX" };
	bool ok = mkdtemp(r.dir) && peer_round(&r, zeromq_stage, out);

	for (int i = 0; i <= relays; i++) {
		char path[128];

		snprintf(path, sizeof path, "%s/%d", r.dir, i);
		unlink(path);
	}
	rmdir(r.dir);
	return ok;
}

bool bench_ring(size_t bytes, int count, int relays, struct bench_round *out)
{
	struct round r = { bytes, count, relays, NULL, share(bytes * SLOTS), "" };
	const bool ok = r.slots && peer_round(&r, ring_stage, out);

	if (r.slots)
		munmap(r.slots, bytes * SLOTS);
	return ok;
}
