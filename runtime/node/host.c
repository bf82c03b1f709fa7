// SPDX-License-Identifier: Apache-2.0
/* host.c: runs one node in this process. */
#include "node/host.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "graph/registry.h"
#include "node/confine.h"
#include "node/host_private.h"

enum { SOCKETS_MAX = 1024, IDLE_MS = 100, PUMP_NS = 200000 };

/* The one thing that signals need: C leaves no other way to reach a handler. */
static volatile sig_atomic_t terminated, draining;

static void on_terminate(int number)
{
	(void)number;
	terminated = 1;
}

static void on_drain(int number)
{
	(void)number;
	draining = 1;
}

bool fx__host_terminated(void)
{
	return terminated != 0;
}

bool fx__host_draining(void)
{
	return draining != 0;
}

static void host_signals(void)
{
	struct sigaction a = { .sa_handler = on_terminate };
	sigset_t held;

	sigaction(SIGTERM, &a, NULL);
	a.sa_handler = on_drain;
	sigaction(SIGUSR1, &a, NULL);
	a.sa_handler = SIG_IGN; /* the conductor handles the keyboard */
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGPIPE, &a, NULL);
	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGUSR1);
	sigprocmask(SIG_UNBLOCK, &held, NULL); /* the conductor held them until here */
}

static void host_usage(struct fx__host *h)
{
	const int64_t now = fx_now_ns();
	struct rusage u;

	if (now - h->rusage_ns < 100000000 || getrusage(RUSAGE_SELF, &u) != 0)
		return;
	h->rusage_ns = now;
	atomic_store(&h->me->cpu_ns,
		     (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000u +
			     (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000u);
	atomic_store(&h->me->peak_rss_bytes, (uint64_t)u.ru_maxrss * 1024u);
}

/* Waits until a socket has something, or the time is over. */
static void host_poll(struct fx__host *h, int timeout_ms)
{
	zmq_pollitem_t items[SOCKETS_MAX];
	int n = 0;

	for (unsigned p = 0; p < FX__PORTS_MAX; p++) {
		if (h->outlets[p])
			items[n++] = (zmq_pollitem_t){ .socket = fx_outlet_socket(h->outlets[p]),
						       .events = ZMQ_POLLIN };
		if (h->outlets[p] && fx_outlet_guests(h->outlets[p]))
			items[n++] = (zmq_pollitem_t){ .socket = fx_outlet_guests(h->outlets[p]),
						       .events = ZMQ_POLLIN };
		for (size_t i = 0; h->inlets[p] && i < fx_inlet_items(h->inlets[p]) &&
				   n < SOCKETS_MAX - 2 * FX__PORTS_MAX;
		     i++)
			items[n++] = fx_inlet_item(h->inlets[p], i);
		if (h->inlets[p] && fx_inlet_ready(h->inlets[p]))
			timeout_ms = 0;
	}
	if (n)
		zmq_poll(items, n, timeout_ms);
	else
		fx_sleep_ms(timeout_ms);
}

/* A stateless node's consumers get OPEN also when the node itself is not given it again. */
static void host_reopen(struct fx__host *h, struct fx_inlet *in)
{
	struct fx_envelope open = { .kind = FX_NOTHING };

	if (!h->type->stateless || !fx_inlet_reopens(in, &open.seq))
		return;
	open.mark = *fx_inlet_opened(in);
	for (unsigned p = 0; p < FX__PORTS_MAX && !h->broken.code; p++)
		if (h->outlets[p])
			fx_outlet_queue(h->outlets[p], &open, &h->broken);
}

void fx__host_pump(struct fx__host *h, int timeout_ms)
{
	unsigned refused = 0;

	atomic_fetch_add(&h->me->pumps, 1);
	fx__host_keep_pump(h, timeout_ms > 0);
	if (timeout_ms)
		host_poll(h, timeout_ms);
	h->pumped_ns = fx_now_ns();
	for (unsigned p = 0; p < FX__PORTS_MAX; p++) {
		if (h->outlets[p])
			refused += fx_outlet_pump(h->outlets[p]);
		if (h->inlets[p] && !h->replaying) {
			refused += fx_inlet_pump(h->inlets[p], &h->broken);
			host_reopen(h, h->inlets[p]);
		}
	}
	atomic_fetch_add(&h->me->refused, refused);
	host_usage(h);
}

void fx__host_acked(void *context, uint64_t seq)
{
	struct fx__host *h = context;

	for (size_t i = 0; i < h->pending_len; i++) {
		struct fx__pending *p = &h->pending[i];

		if (p->seq != seq || --p->left)
			continue;
		fx_inlet_ack(h->inlets[p->port], seq);
		fx_gauges_keep(h->me, p->done);
		*p = h->pending[--h->pending_len];
		return;
	}
}

static unsigned connected_outputs(const struct fx__host *h)
{
	unsigned n = 0;

	for (unsigned p = 0; p < FX__PORTS_MAX; p++)
		n += h->outlets[p] != NULL;
	return n;
}

/* The same mark on every connected output. */
static int host_mark_all(struct fx__host *h, const struct fx_mark *m)
{
	int result = FX_OK;

	for (unsigned p = 0; result == FX_OK && p < FX__PORTS_MAX; p++)
		if (h->outlets[p] && !h->sent[p])
			result = fx_send_mark(&h->node, p, m);
	return result;
}

static int host_end_outputs(struct fx__host *h)
{
	const struct fx_mark end = { .kind = FX_MARK_END };

	memset(h->sent, 0, sizeof h->sent);
	return host_mark_all(h, &end);
}

static bool all_ended(const struct fx__host *h)
{
	for (unsigned p = 0; p < FX__PORTS_MAX; p++)
		if (h->inlets[p] && !h->ended[p])
			return false;
	return true;
}

static int host_drain(struct fx__host *h)
{
	int result = FX_OK;

	if (h->replaying)
		fx__host_keep_replayed(h);
	atomic_store(&h->me->state, FX_STATE_DRAINING);
	if (h->type->drain)
		result = h->type->drain(&h->node, h->node.state);
	return result == FX_OK ? host_end_outputs(h) : result;
}

static int host_mark(struct fx__host *h)
{
	const struct fx_mark *m = &h->current.mark;

	if (m->kind == FX_MARK_DONE && m->region.hi[0] > atomic_load(&h->me->done_z))
		atomic_store(&h->me->done_z, m->region.hi[0]);
	if (m->kind == FX_MARK_END) {
		h->ended[h->current_port] = true;
		return all_ended(h) ? host_drain(h) : FX_OK;
	}
	if (m->kind == FX_MARK_SKIP)
		return FX_OK;
	if (h->type->mark)
		return h->type->mark(&h->node, h->node.state, h->current_port, m);
	return host_mark_all(h, m);
}

static int host_message(struct fx__host *h)
{
	int result;

	if (!h->replaying)
		atomic_fetch_add(&h->me->messages_in, 1);
	if (!h->replaying && h->current.kind == FX_BLOCK)
		atomic_fetch_add(&h->me->voxels_in, fx_block_len(h->current.message));
	h->in_process = true;
	result = h->type->process(&h->node, h->node.state);
	h->in_process = false;
	return result;
}

/* A stateless node's input is acknowledged when its answers are; where a node gave no answer, SKIP
 * keeps the place in the stream. */
static int host_answer(struct fx__host *h)
{
	const struct fx_mark skip = { .kind = FX_MARK_SKIP };

	return host_mark_all(h, &skip);
}

/* In place of a message that is set aside the node is told that its region is missing: unless other
 * parts of it are not, which must send the same marks. */
static int host_without(struct fx__host *h)
{
	struct fx_mark missing;
	int result = fx__host_set_aside(h, &missing);

	if (result < 0)
		return result;
	if (h->type->stateless && connected_outputs(h))
		return host_mark_all(h, &missing);
	fx__host_note_missing(h, &missing);
	fx_envelope_fini(&h->current);
	h->current.kind = FX_NOTHING;
	h->current.message = NULL;
	h->current.mark = missing;
	return h->wiring->parts > 1 ? FX_OK : host_mark(h);
}

static int host_give(struct fx__host *h)
{
	if (fx__host_is_aside(h))
		return host_without(h);
	return h->current.kind ? host_message(h) : host_mark(h);
}

static int host_owe(struct fx__host *h)
{
	if (!h->type->stateless || !connected_outputs(h))
		return FX_OK;
	if (!fx_grow(&h->pending, &h->pending_cap, h->pending_len + 1, sizeof *h->pending))
		return fx_fail(&h->node, FX_ENOMEM, "no memory for pending acknowledgements");
	h->pending[h->pending_len] = (struct fx__pending){ .seq = h->current.seq,
							   .port = h->current_port,
							   .left = connected_outputs(h) };
	fx_gauges_read(h->me, h->pending[h->pending_len++].done);
	return FX_OK;
}

/* What a message gave counts, also when this process is killed, once no one will send it again. */
static void host_done(struct fx__host *h)
{
	for (size_t i = 0; i < h->pending_len; i++)
		if (h->pending[i].seq == h->current.seq && h->pending[i].port == h->current_port)
			fx_gauges_read(h->me, h->pending[i].done);
}

/* Wall and processor time at the start of a callback. */
struct moment {
	int64_t now_ns, cpu_ns;
};

static struct moment moment(void)
{
	return (struct moment){ fx_now_ns(), fx_cpu_ns() };
}

/* What is left of a time; never less than nothing: some was taken before it began. */
static uint64_t left(int64_t ns, int64_t without)
{
	return ns > without ? (uint64_t)(ns - without) : 0;
}

/* Time inside of callbacks, less what they waited for credit and what sending took. */
static void count_busy(struct fx__host *h, struct moment start)
{
	atomic_fetch_add(&h->me->busy_ns, left(fx_now_ns() - start.now_ns, h->wait_out_ns));
	atomic_fetch_add(&h->me->wait_out_ns, (uint64_t)h->wait_out_ns);
	atomic_fetch_add(&h->me->work_ns, left(fx_cpu_ns() - start.cpu_ns, h->frame_ns));
	h->wait_out_ns = 0;
	h->frame_ns = 0;
	fx__host_rests(h);
}

int fx__host_hand_over(struct fx__host *h, unsigned port)
{
	const bool open = !h->current.kind && h->current.mark.kind == FX_MARK_OPEN;
	int result;

	h->current_port = port;
	fx__host_works(h, fx_now_ns(), port + 1, h->current.seq);
	h->has_current = true;
	h->taken = false;
	memset(h->sent, 0, sizeof h->sent);
	result = fx__host_widen(h, port);
	if (open) {
		h->place.opened[port] = true;
		h->place.open[port] = h->current.mark;
		fx_inlet_open(h->inlets[port], &h->current.mark);
	}
	h->place.next_in[port] = fx_inlet_after(h->inlets[port], h->current.seq);
	if (result == FX_OK)
		result = fx__host_keep_message(h);
	if (result == FX_OK)
		result = host_owe(h);
	if (result == FX_OK)
		result = host_give(h);
	if (result == FX_OK && h->type->stateless && connected_outputs(h))
		result = host_answer(h);
	host_done(h);
	if (!h->taken)
		fx_envelope_fini(&h->current);
	h->has_current = false;
	fx__host_rests(h);
	return result;
}

/* Hands one message or mark to the node. */
static int host_deliver(struct fx__host *h, unsigned port)
{
	const struct moment start = moment();
	int result;

	fx_inlet_pop(h->inlets[port], &h->current);
	result = fx__host_hand_over(h, port);
	if (result == FX_OK && h->keep)
		result = fx__host_keep_owe(h, port, h->current.seq);
	else if (result == FX_OK && (!h->type->stateless || !connected_outputs(h)))
		fx_inlet_ack(h->inlets[port], h->current.seq);
	if (result == FX_OK && !all_ended(h))
		result = fx__host_keep_save(h);
	count_busy(h, start);
	return result;
}

/* A stateless node takes an input when there is room for its answers. */
static bool host_has_room(const struct fx__host *h, uint64_t seq)
{
	for (unsigned p = 0; h->type->stateless && p < FX__PORTS_MAX; p++)
		if (h->outlets[p] && !fx_outlet_room(h->outlets[p], seq))
			return false;
	return true;
}

/* The first port at or after @p from that has something for the node; -1 when none has. Whether
 * there is something that waits for room only, to @p full. */
static int host_ready(const struct fx__host *h, unsigned from, bool *full)
{
	*full = false;
	for (unsigned i = 0; i < FX__PORTS_MAX; i++) {
		const unsigned p = (from + i) % FX__PORTS_MAX;
		const struct fx_envelope *e = h->inlets[p] ? fx_inlet_peek(h->inlets[p]) : NULL;

		if (e && host_has_room(h, e->seq))
			return (int)p;
		*full = *full || e;
	}
	return -1;
}

static int host_check(struct fx__host *h)
{
	if (h->unkept.code)
		return fx_fail_error(&h->node, &h->unkept);
	for (unsigned p = 0; p < FX__PORTS_MAX; p++)
		if (h->inlets[p] && fx_inlet_failed(h->inlets[p]))
			return fx_fail(&h->node, FX_ENOMEM, "no memory for what came on input %s",
				       h->type->ports[p].name);
	return FX_OK;
}

/* Sockets are handled when there is nothing else to do, and often enough: each look at one costs a
 * system call. */
static bool pump_due(const struct fx__host *h)
{
	return fx_now_ns() - h->pumped_ns > PUMP_NS;
}

static int host_run_inputs(struct fx__host *h)
{
	unsigned from = 0;
	int result = FX_OK;

	while (result == FX_OK && !terminated && !all_ended(h)) {
		bool full;
		int port = host_ready(h, from, &full);
		const int64_t start = fx_now_ns();

		if (port < 0 || pump_due(h))
			fx__host_pump(h, 0);
		if (h->broken.code < 0)
			return fx_fail(&h->node, FX_ETYPE, "a message that cannot be read: %s",
				       h->broken.text);
		result = host_check(h);
		if (result < 0)
			break;
		port = host_ready(h, from, &full);
		if (port >= 0) {
			result = host_deliver(h, (unsigned)port);
			from = (unsigned)port + 1;
			continue;
		}
		fx__host_pump(h, IDLE_MS);
		atomic_fetch_add(full ? &h->me->wait_out_ns : &h->me->wait_in_ns,
				 (uint64_t)(fx_now_ns() - start));
	}
	return result;
}

static int host_run_source(struct fx__host *h)
{
	int result = FX_OK;

	while (result >= 0 && result != FX_END && !terminated && !fx__host_stops(h)) {
		const struct moment start = moment();

		fx__host_works(h, start.now_ns, 0, 0);
		result = h->type->process(&h->node, h->node.state);
		if (result >= 0 && result != FX_END && fx__host_keep_save(h) < 0)
			result = h->node.error.code;
		count_busy(h, start);
		if (result == FX_IDLE || pump_due(h))
			fx__host_pump(h, result == FX_IDLE ? IDLE_MS : 0);
	}
	if (result >= 0 && !terminated) { /* killed with its run: the stream has not ended */
		const struct moment start = moment();

		fx__host_works(h, start.now_ns, 0, 0);
		result = host_drain(h);
		count_busy(h, start);
	}
	return result;
}

static bool host_settled(const struct fx__host *h)
{
	for (unsigned p = 0; p < FX__PORTS_MAX; p++)
		if (h->outlets[p] && !fx_outlet_settled(h->outlets[p]))
			return false;
	return true;
}

/* All is done here: serve those who have not finished, until the conductor ends the run. */
static void host_linger(struct fx__host *h)
{
	while (!terminated) {
		if (host_settled(h) && atomic_load(&h->me->state) != FX_STATE_FINISHED) {
			h->rusage_ns = 0;
			host_usage(h);
			atomic_store(&h->me->state, FX_STATE_FINISHED);
		}
		fx__host_pump(h, IDLE_MS);
	}
}

static int host_start(struct fx__host *h, struct fx_error *err)
{
	const struct fx_wiring *w = h->wiring;

	if (fx_type_ports(h->type) > FX__PORTS_MAX)
		return fx_error_set(err, FX_EINVAL, "%s has more than %d ports", h->type->name,
				    FX__PORTS_MAX);
	if (fx_node_init(&h->node, h->type, w->node, &fx__host_io, h) < 0)
		return fx_error_set(err, FX_ENOMEM, "no memory");
	h->node.part = w->parts > 1 ? w->instance : 0;
	h->node.parts = w->parts;
	for (size_t i = 0; i < w->options_len; i++)
		if (fx_node_set(&h->node, w->options[i].name, w->options[i].text, err) < 0)
			return FX_EINVAL;
	fx_confine(w, &h->node, h->me->confined, sizeof h->me->confined);
	if (fx__host_keep_open(h, err) < 0 || fx__host_connect(h, err) < 0)
		return FX_EIO;
	fx__host_works(h, fx_now_ns(), 0, 0);
	if (fx_node_start(&h->node) < 0) {
		*err = h->node.error;
		return h->node.error.code;
	}
	fx__host_rests(h);
	return FX_OK;
}

static void host_fini(struct fx__host *h)
{
	fx_node_fini(&h->node);
	for (unsigned p = 0; p < FX__PORTS_MAX; p++) {
		fx_inlet_free(h->inlets[p]);
		fx_outlet_free(h->outlets[p]);
	}
	fx_faults_free(h->faults);
	fx_pool_unmap(h->pool);
	fx_trust_free(h->trust);
	if (h->zmq)
		zmq_ctx_term(h->zmq);
	fx_stats_unmap(&h->stats);
	for (size_t i = 0; i < h->kept_len; i++)
		free(h->kept[i]);
	free(h->kept);
	fx__host_keep_close(h);
	free(h->pending);
	free(h->state_files);
	free(h->scratch);
}

/* The node's life between init() and finish(). */
static int host_live(struct fx__host *h)
{
	int result;

	atomic_store(&h->me->state, FX_STATE_RUNNING);
	result = fx__host_keep_restore(h);
	if (result >= 0)
		result = h->wiring->inputs_len ? host_run_inputs(h) : host_run_source(h);
	if (result == FX_OK)
		host_linger(h);
	return result;
}

int fx_host_run(const struct fx_wiring *w, const struct fx_node_type *type)
{
	struct fx__host h = { .wiring = w, .type = type };
	struct fx_error err = { 0 };
	int result;

	host_signals();
	if (fx_stats_map(&h.stats, w->stats_fd, w->stats_instances, w->stats_lanes, &err) < 0) {
		fx_log(FX_LOG_ERROR, "%s", err.text);
		return err.code;
	}
	h.me = &h.stats.instances[w->index];
	atomic_store(&h.me->state, FX_STATE_STARTING);
	fx__host_rests(&h); /* the one before may have been killed at work */
	fx_gauges_begin(h.me);
	result = host_start(&h, &err);
	if (result == FX_OK) {
		result = host_live(&h);
		err = h.node.error;
	}
	if (result < 0 && !terminated) {
		fx_log(FX_LOG_ERROR, "%s", err.text);
		snprintf(h.me->error, sizeof h.me->error, "%s", err.text);
		atomic_store(&h.me->error_code, err.code);
		atomic_store(&h.me->state, FX_STATE_FAILED);
	}
	host_fini(&h);
	return result;
}
