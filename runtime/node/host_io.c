// SPDX-License-Identifier: Apache-2.0
/* host_io.c: what a node calls, on links. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "block/heap.h"
#include "link/turn.h"
#include "node/host_private.h"

enum { PUMP_NS = 1000000 }; /* in a callback: each look at a socket costs a system call */

static enum fx_kind host_waiting(const void *io, unsigned port)
{
	const struct fx__host *h = io;

	return h->has_current && !h->taken && h->current_port == port ? h->current.kind :
									FX_NOTHING;
}

static void *host_take(void *io, unsigned port)
{
	struct fx__host *h = io;
	void *message = h->current.message;

	(void)port;
	h->taken = true;
	h->current.message = NULL;
	return message;
}

static bool host_connected(const void *io, unsigned port)
{
	const struct fx__host *h = io;

	return h->inlets[port] || h->outlets[port];
}

static const struct fx_mark *host_opened(const void *io, unsigned port)
{
	const struct fx__host *h = io;

	if (h->inlets[port] && fx_inlet_opened(h->inlets[port]))
		return fx_inlet_opened(h->inlets[port]);
	return h->inlets[port] && h->place.opened[port] ? &h->place.open[port] : NULL;
}

/* One wait for an outlet: for credit, or for a slot. False when the run is being ended. */
static bool host_wait(struct fx__host *h)
{
	const int64_t start = fx_now_ns();

	fx__host_pump(h, 5);
	h->wait_out_ns += fx_now_ns() - start;
	return !fx__host_terminated();
}

static int host_voxels(void *io, unsigned port, size_t size, struct fx_block *b)
{
	struct fx__host *h = io;
	const int64_t start = fx_cpu_ns();
	int result;

	if (!h->outlets[port] || h->node.again) {
		fx__block_heap(b, fx_alloc_aligned(size));
		return b->data ? FX_OK : FX_ENOMEM;
	}
	while ((result = fx_outlet_voxels(h->outlets[port], size, b)) == FX_IDLE)
		if (!host_wait(h))
			return FX_EIO;
	h->frame_ns += fx_cpu_ns() - start;
	return result;
}

/* The number of what a node with state sends next. */
static uint64_t host_next(const struct fx__host *h, unsigned port, bool mark)
{
	return fx_turn_number(h->next_seq[port], mark, h->wiring->parts);
}

static uint64_t host_seq(struct fx__host *h, unsigned port, bool mark)
{
	const uint64_t seq = host_next(h, port, mark);

	if (h->type->stateless && h->has_current)
		return h->current.seq;
	h->next_seq[port] = fx_turn_own(seq, h->wiring->parts);
	return seq;
}

/* A stateless node does not wait with a message in hand: its host looked for room before it took
 * the input (host_has_room()), and a later input may be what all others wait for. */
static bool must_wait(const struct fx__host *h, const struct fx_outlet *o, uint64_t seq)
{
	return !h->type->stateless && !fx_outlet_room(o, seq);
}

static bool is_end(const struct fx_envelope *e)
{
	return e->kind == FX_NOTHING && e->mark.kind == FX_MARK_END;
}

int fx__host_queue(struct fx__host *h, unsigned port, struct fx_envelope *e, struct fx_error *err)
{
	struct fx_outlet *o = h->outlets[port];
	const int64_t start = fx_cpu_ns();
	int result = FX_IDLE;

	if (fx__host_terminated()) { /* what a callback that is cut short says may not be true */
		fx_envelope_fini(e);
		return fx_error_set(err, FX_EIO, "the run was ended");
	}
	e->seq = host_seq(h, port, !e->kind);
	if (e->seq >= atomic_load(&h->me->ahead[port]) && !is_end(e))
		atomic_store(&h->me->ahead[port], e->seq + 1);
	while (must_wait(h, o, e->seq) || (result = fx_outlet_queue(o, e, err)) == FX_IDLE)
		if (!host_wait(h)) {
			fx_envelope_fini(e);
			return fx_error_set(err, FX_EIO, "the run was ended");
		}
	h->frame_ns += fx_cpu_ns() - start;
	return result;
}

/* The first output that is connected; when none is, the first. */
static unsigned first_output(const struct fx__host *h)
{
	unsigned p = 0;

	for (unsigned k = 0; k < FX__PORTS_MAX; k++)
		if (h->outlets[k])
			return k;
	while (h->type->ports[p].name && h->type->ports[p].dir != FX_OUT)
		p++;
	return p;
}

/* A source has a section once it sends of it: of some outputs no DONE follows. */
static void count_section(struct fx__host *h, const struct fx_block *b)
{
	const int64_t z = b->origin[0] + (int64_t)b->shape[0];

	if (!h->wiring->inputs_len && z > atomic_load(&h->me->done_z))
		atomic_store(&h->me->done_z, z);
}

/* Voxels count on the first output: further ones say more about the same place. */
static void count_out(struct fx__host *h, unsigned port, enum fx_kind kind, const void *message)
{
	if (h->replaying)
		return;
	atomic_fetch_add(&h->me->messages_out, 1);
	if (kind != FX_BLOCK || port != first_output(h))
		return;
	atomic_fetch_add(&h->me->voxels_out, fx_block_len(message));
	count_section(h, message);
}

static int host_send(void *io, unsigned port, enum fx_kind kind, void *message,
		     struct fx_error *err)
{
	struct fx__host *h = io;
	struct fx_envelope e = { .kind = kind, .message = message };
	int failed = FX_OK;

	if (!h->outlets[port] || h->node.again) {
		fx_envelope_fini(&e);
		return FX_OK;
	}
	if (h->type->stateless && h->sent[port]) {
		fx_envelope_fini(&e);
		return fx_error_set(err, FX_EINVAL,
				    "%s is declared stateless but sends two messages for one",
				    h->type->name);
	}
	if (h->wiring->parts > 1 && h->in_process) {
		fx_envelope_fini(&e);
		return fx_error_set(err, FX_EINVAL,
				    "%s may have a key but sends in process(): in mark() and "
				    "drain() only",
				    h->type->name);
	}
	if (kind == FX_BLOCK)
		failed = fx__host_narrow(h, port, message, err);
	if (failed < 0) {
		fx_envelope_fini(&e);
		return failed;
	}
	h->sent[port] = true;
	count_out(h, port, kind, message);
	return fx__host_queue(h, port, &e, err);
}

/* What will never come is told to the run by who says so first: not by who hands on a mark. */
static bool is_first_to_miss(const struct fx__host *h, const struct fx_mark *m, unsigned port)
{
	const struct fx_mark *got = &h->current.mark;
	const bool hands_on =
		h->has_current && !h->current.kind &&
		(h->type->stateless || (got->kind == FX_MARK_MISSING &&
					memcmp(&got->region, &m->region, sizeof m->region) == 0));

	return m->kind == FX_MARK_MISSING && port == first_output(h) && !hands_on;
}

void fx__host_note_missing(const struct fx__host *h, const struct fx_mark *m)
{
	const struct fx_region *r = &m->region;
	char *path = fx_asprintf("%s/missing/%s.%u", h->wiring->state_dir, h->wiring->node,
				 h->wiring->instance);
	char *line = fx_asprintf("%lld %lld %lld %lld %lld %lld %s\n", (long long)r->lo[0],
				 (long long)r->lo[1], (long long)r->lo[2], (long long)r->hi[0],
				 (long long)r->hi[1], (long long)r->hi[2], m->reason);
	const int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;

	if (line && (fd < 0 || write(fd, line, strlen(line)) < 0))
		fx_log(FX_LOG_ERROR, "cannot note what is missing in %s: %s", path ? path : "?",
		       strerror(errno));
	if (fd >= 0)
		close(fd);
	free(path);
	free(line);
}

/* A former life sent the message of this number, and all have it: what it told counts. */
static bool is_had(const struct fx__host *h, unsigned port)
{
	const uint64_t floor = h->outlets[port] ? fx_outlet_floor(h->outlets[port]) : 0;

	return floor != UINT64_MAX && host_next(h, port, true) < floor;
}

static int host_send_mark(void *io, unsigned port, const struct fx_mark *m, struct fx_error *err)
{
	struct fx__host *h = io;
	struct fx_envelope e = { .kind = FX_NOTHING, .mark = *m };

	if (h->node.again)
		return FX_OK;
	if (m->kind == FX_MARK_DONE && m->region.hi[0] > atomic_load(&h->me->done_z))
		atomic_store(&h->me->done_z, m->region.hi[0]);
	if (is_first_to_miss(h, m, port) && !is_had(h, port))
		fx__host_note_missing(h, m);
	if (!h->outlets[port])
		return FX_OK;
	h->sent[port] = true;
	fx__host_narrow_mark(h, port, &e.mark);
	if (m->kind == FX_MARK_OPEN) {
		h->place.opened[port] = true;
		h->place.open[port] = e.mark;
		h->place.open_seq[port] = host_next(h, port, true);
	}
	return fx__host_queue(h, port, &e, err);
}

void fx__host_warned(void *context, const char *text)
{
	struct fx__host *h = context;

	atomic_fetch_add(&h->me->warnings, 1);
	snprintf(h->me->warning, sizeof h->me->warning, "%s", text);
}

static void host_warn(void *io, const char *text)
{
	const struct fx__host *h = io;

	if (h->replaying)
		return; /* was told by the former life */
	fx_log(FX_LOG_WARN, "%s", text);
	fx__host_warned(io, text);
}

/* From a callback that may last for hours: acknowledgements of what was sent before must not wait
 * for its end, or a kill would cost that as well. */
static void host_progress(void *io, double done, double total, const char *unit)
{
	struct fx__host *h = io;

	fx_gauge_set(fx_gauge_of(h->me, unit), done, total, fx_now_ns());
	if (fx_now_ns() - h->pumped_ns > PUMP_NS)
		fx__host_pump(h, 0);
}

/* Makes the folder @p *path on its first use; NULL when that cannot be. */
static const char *host_folder(char **path, char *wanted)
{
	struct fx_error err = { 0 };

	if (*path || !wanted) {
		free(wanted);
		return *path;
	}
	if (fx_make_dirs(wanted, &err) < 0) {
		fx_log(FX_LOG_ERROR, "%s", err.text);
		free(wanted);
		return NULL;
	}
	return *path = wanted;
}

static const char *host_scratch(void *io)
{
	struct fx__host *h = io;

	return host_folder(&h->scratch, fx_asprintf("%s/%s.%u", h->wiring->scratch_dir,
						    h->wiring->node, h->wiring->instance));
}

/* Without a state folder nothing survives this process: any folder will do. */
static const char *host_state_dir(void *io)
{
	struct fx__host *h = io;

	return h->state ? host_folder(&h->state_files, fx_path_join(h->state, "files")) :
			  host_scratch(io);
}

bool fx__host_stops(const struct fx__host *h)
{
	if (!fx__host_draining())
		return false;
	for (unsigned p = 0; p < FX__PORTS_MAX; p++)
		if (h->outlets[p] && h->next_seq[p] < atomic_load(&h->me->ahead[p]))
			return false;
	return true;
}

static bool host_stopping(const void *io)
{
	return fx__host_stops(io) || fx__host_terminated();
}

static void host_want(void *io, unsigned port, struct fx_region region)
{
	const struct fx__host *h = io;

	if (h->inlets[port])
		fx_inlet_want(h->inlets[port], region);
}

const struct fx_node_io fx__host_io = {
	.waiting = host_waiting,
	.take = host_take,
	.connected = host_connected,
	.opened = host_opened,
	.voxels = host_voxels,
	.send = host_send,
	.send_mark = host_send_mark,
	.warn = host_warn,
	.progress = host_progress,
	.scratch = host_scratch,
	.state_dir = host_state_dir,
	.stopping = host_stopping,
	.want = host_want,
};
