// SPDX-License-Identifier: Apache-2.0
/* inlet.c: the consuming end of the edge of one input port. */
#include "link/inlet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "link/debts.h"
#include "link/faults.h"
#include "link/inbox.h"
#include "link/letter.h"
#include "link/parcel.h"
#include "link/ready.h"
#include "link/seal.h"
#include "link/slot.h"
#include "link/socket.h"
#include "link/spool.h"
#include "link/turn.h"

enum { HELLO_MS = 50, HELLO_IDLE_MS = 1000, REFUSALS_MAX = 3, REFUSALS_TOLD = 32 };

struct lane {
	void *socket;
	struct fx_pool *pool; /* owned mapping, or NULL */
	struct fx_slots held; /* lent out here */
	bool welcomed;
	bool ended;	 /* END was received */
	unsigned spoilt; /* refused one after the other */
	uint32_t epoch;	 /* of the producer */
	uint32_t moves;	 /* of it, that are known */
	int64_t hello_ns;
	uint64_t *acks; /* to send */
	size_t acks_len, acks_cap;
};

struct fx_inlet {
	struct fx_inlet_config config;
	struct fx__spool *spool; /* then it does all, and the rest is not used */
	struct lane *lanes;
	struct fx__ready ready; /* which of them have to be read */
	struct fx__inbox held;	/* received and not yet handed on */
	struct fx__debts debts;
	uint64_t next;	/* ordered: the place to hand on */
	uint64_t first; /* ordered: what comes before was handed on in a former life */
	bool ended;	/* END was handed on: all before it is acknowledged */
	uint64_t end;	/* its seq */
	bool failed;	/* without memory: a message is lost to this process */
	unsigned refusals;
	bool has_open, opened, reopens; /* has_open: perhaps in a former life */
	struct fx_mark open;
	uint64_t open_seq;
	bool wants;
	struct fx_region want;
};

/* To where the plan says, unless the producer has moved since. */
static int lane_dial(struct fx_inlet *in, size_t i, struct fx_error *err)
{
	struct lane *lane = &in->lanes[i];
	char id[FX_LINK_ROUTE_MAX], moved[FX_STATS_REACH];
	const char *endpoint = in->config.lanes[i].endpoint;

	if (fx_lane_moved(in->config.lanes[i].stats, &lane->moves, moved))
		endpoint = moved;
	lane->socket = fx__socket_new(in->config.zmq, ZMQ_DEALER, FX_WIRE_PAYLOAD_MAX, err);
	if (!lane->socket)
		return FX_EIO;
	snprintf(id, sizeof id, "%.63s/%.63s/%u/%u", in->config.node, in->config.port,
		 in->config.instance, in->config.epoch);
	zmq_setsockopt(lane->socket, ZMQ_ROUTING_ID, id, strlen(id));
	if (in->config.trust && fx_trust_client(in->config.trust, lane->socket, err) < 0)
		return FX_EIO;
	if (zmq_connect(lane->socket, endpoint) != 0)
		return fx_error_set(err, FX_EIO, "cannot connect to %s: %s", endpoint,
				    zmq_strerror(errno));
	fx__ready_watch(&in->ready, i, lane->socket);
	return FX_OK;
}

static int lane_connect(struct fx_inlet *in, size_t i, struct fx_error *err)
{
	const struct fx_inlet_lane *plan = &in->config.lanes[i];
	struct lane *lane = &in->lanes[i];

	if (plan->pool_fd >= 0) {
		lane->pool = fx_pool_map(plan->pool_fd, false, err);
		if (!lane->pool)
			return FX_EIO;
		fx_pool_forget(lane->pool, plan->holder, NULL);
	}
	return lane_dial(in, i, err);
}

/* The producer has moved to another host: goes after it. */
static void lane_follow(struct fx_inlet *in, size_t i, struct fx_error *err)
{
	struct lane *lane = &in->lanes[i];

	if (atomic_load(&in->config.lanes[i].stats->moves) == lane->moves)
		return;
	zmq_close(lane->socket);
	lane->socket = NULL;
	lane->welcomed = false;
	lane->hello_ns = 0;
	in->failed = lane_dial(in, i, err) < 0 || in->failed;
}

/* Its lanes, unless its spool has them. */
static int inlet_connect(struct fx_inlet *in, struct fx_error *err)
{
	const struct fx_inlet_config *c = &in->config;

	if (c->spool_dir) {
		in->spool = fx__spool_new(c, err);
		return in->spool ? FX_OK : FX_EIO;
	}
	in->lanes = fx_calloc(c->lanes_len, sizeof *in->lanes);
	if (!in->lanes || !fx__ready_init(&in->ready, c->lanes_len) ||
	    ((c->gaps || !c->ordered) && !fx__debts_remember(&in->debts)))
		return fx_error_set(err, FX_ENOMEM, "no memory for input %s", c->port);
	for (size_t i = 0; i < c->lanes_len; i++)
		if (lane_connect(in, i, err) < 0)
			return FX_EIO;
	return FX_OK;
}

struct fx_inlet *fx_inlet_new(const struct fx_inlet_config *config, struct fx_error *err)
{
	struct fx_inlet *in = calloc(1, sizeof *in);

	if (!in) {
		fx_error_set(err, FX_ENOMEM, "no memory for input %s", config->port);
		return NULL;
	}
	in->config = *config;
	if (inlet_connect(in, err) < 0) {
		fx_inlet_free(in);
		return NULL;
	}
	return in;
}

void fx_inlet_free(struct fx_inlet *in)
{
	if (!in)
		return;
	fx__spool_free(in->spool);
	fx__inbox_fini(&in->held);
	for (size_t i = 0; in->lanes && i < in->config.lanes_len; i++) {
		if (in->lanes[i].socket)
			zmq_close(in->lanes[i].socket);
		fx_pool_unmap(in->lanes[i].pool);
		free(in->lanes[i].acks);
	}
	fx__debts_fini(&in->debts);
	fx__ready_fini(&in->ready);
	free(in->lanes);
	free(in);
}

size_t fx_inlet_items(const struct fx_inlet *in)
{
	return in->spool ? 1 : in->config.lanes_len;
}

/* A bad network sends late, whenever it likes: then each socket is asked, always. */
zmq_pollitem_t fx_inlet_item(const struct fx_inlet *in, size_t i)
{
	zmq_pollitem_t item = { .events = ZMQ_POLLIN };

	if (in->spool)
		item.socket = fx__spool_socket(in->spool);
	else if (in->config.faults)
		item.socket = in->lanes[i].socket;
	else
		item.fd = in->ready.fds[i].fd;
	return item;
}

bool fx_inlet_ready(const struct fx_inlet *in)
{
	return !in->spool && fx__ready_any(&in->ready);
}

const struct fx_mark *fx_inlet_opened(const struct fx_inlet *in)
{
	if (in->spool && !in->has_open)
		return fx__spool_opened(in->spool);
	return in->has_open ? &in->open : NULL;
}

void fx_inlet_begin(struct fx_inlet *in, uint64_t first)
{
	in->next = in->first = first;
	if (in->spool)
		fx__spool_begin(in->spool, first);
}

void fx_inlet_want(struct fx_inlet *in, struct fx_region want)
{
	in->wants = true;
	in->want = want;
	for (size_t i = 0; in->lanes && i < in->config.lanes_len; i++)
		in->lanes[i].hello_ns = 0;
}

uint64_t fx_inlet_after(const struct fx_inlet *in, uint64_t seq)
{
	return fx_turn_after(seq, in->config.parts);
}

bool fx_inlet_reopens(struct fx_inlet *in, uint64_t *seq)
{
	const bool reopens = in->reopens;

	if (in->spool)
		return fx__spool_reopens(in->spool, seq);
	in->reopens = false;
	*seq = in->open_seq;
	return reopens;
}

void fx_inlet_open(struct fx_inlet *in, const struct fx_mark *open)
{
	in->open = *open;
	in->has_open = true;
}

/* Sends a control frame, which it takes. */
static void lane_tell(struct fx_inlet *in, const struct lane *lane, void *bytes, size_t size)
{
	fx__seal_add(&bytes, &size, NULL, 0, NULL);
	fx__faults_control(in->config.faults, lane->socket, bytes, size);
	fx__ready_sent(&in->ready, (size_t)(lane - in->lanes), lane->socket);
	free(bytes);
}

static void lane_send_acks(struct fx_inlet *in, struct lane *lane)
{
	size_t sent = 0;

	while (sent < lane->acks_len) {
		struct fx_control c = { .kind = FX_CONTROL_ACK, .acks = lane->acks + sent };
		void *bytes;
		size_t size;

		c.acks_len = lane->acks_len - sent < FX_WIRE_ACKS_MAX ? lane->acks_len - sent :
									FX_WIRE_ACKS_MAX;
		if (fx_control_encode(&c, &bytes, &size, NULL) < 0)
			break;
		lane_tell(in, lane, bytes, size);
		sent += c.acks_len;
	}
	lane->acks_len = 0;
}

/* What has come on a lane and is not acknowledged: with the acknowledgements sent before, all that
 * has come. Not told when it is too much for one frame. */
static void lane_list(const struct fx_inlet *in, size_t i, struct fx_control *c)
{
	c->acks = fx_calloc(in->held.len + in->debts.len, sizeof *c->acks);
	for (size_t k = 0; c->acks && k < in->held.len; k++)
		if (in->held.items[k].lane == i)
			c->acks[c->acks_len++] = in->held.items[k].envelope.seq;
	for (size_t k = 0; c->acks && k < in->debts.len; k++)
		if (in->debts.items[k].lane == i)
			c->acks[c->acks_len++] = in->debts.items[k].seq;
	c->lists = c->acks && c->acks_len <= FX_WIRE_ACKS_MAX;
	c->acks_len = c->lists ? c->acks_len : 0;
}

static void lane_hello(struct fx_inlet *in, size_t i)
{
	struct lane *lane = &in->lanes[i];
	struct fx_control c = {
		.kind = FX_CONTROL_HELLO,
		.instance = in->config.instance,
		.epoch = in->config.epoch,
		.credit_messages = in->config.credit_messages,
		.credit_bytes = in->config.credit_bytes,
		.wants = in->wants,
		.want = in->want,
	};
	const int64_t now = fx_now_ns();
	const int64_t idle_ms = in->config.hello_ms ? in->config.hello_ms : HELLO_IDLE_MS;
	const bool gap = in->held.len && !fx_inlet_peek(in);
	const int64_t pause_ms = !lane->welcomed ? HELLO_MS : gap ? idle_ms / 5 : idle_ms;
	void *bytes;
	size_t size;
	int result;

	if (lane->hello_ns && now - lane->hello_ns < pause_ms * 1000000)
		return;
	lane->hello_ns = now;
	snprintf(c.node, sizeof c.node, "%s", in->config.node);
	snprintf(c.port, sizeof c.port, "%s", in->config.port);
	lane_send_acks(in, lane);
	lane_list(in, i, &c);
	result = fx_control_encode(&c, &bytes, &size, NULL);
	free(c.acks);
	if (result < 0)
		return;
	lane_tell(in, lane, bytes, size);
}

static void lane_owe(void *context, size_t i, uint64_t seq)
{
	struct fx_inlet *in = context;
	struct lane *lane = &in->lanes[i];

	if (fx_grow(&lane->acks, &lane->acks_cap, lane->acks_len + 1, sizeof *lane->acks))
		lane->acks[lane->acks_len++] = seq;
	else
		in->failed = true;
}

/* Acknowledgements wait for company while there is work, up to half of the credit. */
static void lane_pay(struct fx_inlet *in, struct lane *lane, bool idle)
{
	if (lane->acks_len && (idle || 2 * lane->acks_len >= in->config.credit_messages))
		lane_send_acks(in, lane);
}

/* Refuses a frame, which will be sent again: in vain when its sender makes it so. Then @p err
 * tells. Damage on the way is not the sender's doing. */
static void lane_refuse(struct fx_inlet *in, size_t i, struct fx_error *why, struct fx_error *err)
{
	fx_error_prefix(why, "input %s from %s", in->config.port, in->config.lanes[i].endpoint);
	in->lanes[i].spoilt += why->code != FX_EIO;
	if (in->lanes[i].spoilt >= REFUSALS_MAX && err)
		*err = *why;
	else if (in->refusals++ < REFUSALS_TOLD)
		fx_log(FX_LOG_WARN, "refused a message, which is to be sent again: %s%s", why->text,
		       in->refusals == REFUSALS_TOLD ? "; no more are told" : "");
}

static int lane_control(struct fx_inlet *in, size_t i, const void *bytes, size_t size,
			struct fx_error *why)
{
	struct lane *lane = &in->lanes[i];
	struct fx_control c;
	int result = fx__seal_check(bytes, size, NULL, 0, why);

	if (result == FX_OK)
		result = fx_control_decode(bytes, size, &c, why);
	if (result == FX_OK)
		free(c.acks);
	if (result == FX_OK && c.kind != FX_CONTROL_WELCOME)
		result =
			fx_error_set(why, FX_ETYPE, "a control message that is none of a producer");
	if (result < 0)
		return result;
	if (lane->pool && c.epoch > lane->epoch)
		fx_pool_forget(lane->pool, in->config.lanes[i].holder, &lane->held);
	lane->welcomed = true;
	lane->epoch = c.epoch;
	return FX_OK;
}

static void inlet_add_debt(struct fx_inlet *in, uint64_t seq, size_t lane)
{
	in->failed = !fx__debts_add(&in->debts, seq, lane) || in->failed;
}

/* True when @p seq is known already: the copy is dropped, and acknowledged when the first is. */
static bool inlet_duplicate(struct fx_inlet *in, uint64_t seq, size_t lane)
{
	if (fx__debts_find(&in->debts, seq)) {
		inlet_add_debt(in, seq, lane);
		return true;
	}
	if (in->ended || fx__debts_paid(&in->debts, seq) ||
	    (in->config.ordered && seq < (in->config.gaps ? in->first : in->next))) {
		lane_owe(in, lane, seq);
		return true;
	}
	if (fx__inbox_has(&in->held, seq))
		inlet_add_debt(in, seq, lane);
	return fx__inbox_has(&in->held, seq);
}

/* A copy of what is known is dropped. Its slot is let go of, unless the voxels are still in use
 * here. */
static void lane_drop(struct fx_inlet *in, size_t i, struct fx_envelope *e)
{
	const struct lane *lane = &in->lanes[i];

	atomic_fetch_add(&in->config.lanes[i].stats->duplicates, e->kind != FX_NOTHING);
	if (lane->pool && e->payload.in_slot && e->payload.slot < fx_pool_slots(lane->pool) &&
	    !fx_slots_has(&lane->held, e->payload.slot))
		fx_pool_drop(lane->pool, e->payload.slot, in->config.lanes[i].holder);
	fx_envelope_fini(e);
}

static int lane_fill(struct fx_inlet *in, size_t i, struct fx_envelope *e, const zmq_msg_t *payload,
		     struct fx_error *why)
{
	void *bytes = zmq_msg_data((zmq_msg_t *)(uintptr_t)payload);

	if (!e->payload.raw_size)
		return FX_OK;
	return e->payload.in_slot ? fx__slot_fill(e, in->lanes[i].pool, in->config.lanes[i].holder,
						  &in->lanes[i].held, why) :
				    fx_letter_fill(e, bytes, zmq_msg_size(payload), why);
}

static bool is_mark(const struct fx_envelope *e, enum fx_mark_kind kind)
{
	return e->kind == FX_NOTHING && e->mark.kind == kind;
}

/* What a mark tells, also when it is a copy. Where the producer is parted, those of all parts but
 * the last keep a place only. True when the stream opens by it. */
static bool inlet_mark(struct fx_inlet *in, size_t i, struct fx_envelope *e)
{
	bool opens;

	in->lanes[i].ended = in->lanes[i].ended || is_mark(e, FX_MARK_END);
	if (is_mark(e, FX_MARK_OPEN) && !in->has_open)
		fx_inlet_open(in, &e->mark);
	if (e->kind == FX_NOTHING && !fx_turn_counts(e->seq, in->config.parts))
		e->mark = (struct fx_mark){ .kind = FX_MARK_SKIP };
	opens = is_mark(e, FX_MARK_OPEN) && !in->opened;
	if (opens)
		in->open_seq = e->seq;
	in->opened = in->opened || opens;
	return opens;
}

static int inlet_accept(struct fx_inlet *in, size_t i, struct fx_envelope *e,
			const zmq_msg_t *payload, struct fx_error *why)
{
	const bool opens = inlet_mark(in, i, e);
	int result;

	if (inlet_duplicate(in, e->seq, i)) {
		in->reopens = in->reopens || opens;
		lane_drop(in, i, e);
		return FX_OK;
	}
	result = lane_fill(in, i, e, payload, why);
	if (result == FX_OK)
		result = fx__inbox_put(&in->held, e, i) ? FX_OK : FX_ENOMEM;
	if (result < 0)
		fx_envelope_fini(e);
	in->failed = in->failed || result == FX_ENOMEM;
	return result;
}

/* One data message; the header frame is received. */
static int lane_data(struct fx_inlet *in, size_t i, zmq_msg_t *header, struct fx_error *why)
{
	const void *bytes = zmq_msg_data(header);
	const size_t size = zmq_msg_size(header);
	struct fx_envelope e;
	zmq_msg_t payload;
	int result = FX_OK;

	zmq_msg_init(&payload);
	if (zmq_msg_more(header) && zmq_msg_recv(&payload, in->lanes[i].socket, ZMQ_DONTWAIT) < 0)
		result = fx_error_set(why, FX_EIO, "a message that is cut short");
	if (result == FX_OK)
		result = fx__seal_check(bytes, size, zmq_msg_data(&payload), zmq_msg_size(&payload),
					why);
	if (result == FX_OK)
		result = fx_wire_decode(bytes, size, &e, why);
	if (result == FX_OK)
		result = inlet_accept(in, i, &e, &payload, why);
	zmq_msg_close(&payload);
	in->failed = in->failed || result == FX_ENOMEM;
	return result;
}

static unsigned lane_receive(struct fx_inlet *in, size_t i, struct fx_error *err)
{
	unsigned refused = 0;
	zmq_msg_t m;

	zmq_msg_init(&m);
	while (zmq_msg_recv(&m, in->lanes[i].socket, ZMQ_DONTWAIT) >= 0) {
		struct fx_error why = { 0 };
		const bool control = fx_wire_is_control(zmq_msg_data(&m), zmq_msg_size(&m));
		const int result =
			control ? lane_control(in, i, zmq_msg_data(&m), zmq_msg_size(&m), &why) :
				  lane_data(in, i, &m, &why);

		if (result < 0) {
			lane_refuse(in, i, &why, err);
			refused++;
		} else {
			in->lanes[i].spoilt = 0;
		}
	}
	in->ready.there[i] = errno != EAGAIN; /* such as a signal */
	zmq_msg_close(&m);
	return refused;
}

unsigned fx_inlet_pump(struct fx_inlet *in, struct fx_error *err)
{
	unsigned refused = 0;

	if (in->spool)
		return fx__spool_pump(in->spool, err);
	fx__ready_look(&in->ready);
	for (size_t i = 0; i < in->config.lanes_len && !in->failed; i++) {
		lane_follow(in, i, err);
		if (fx__ready_take(&in->ready, i) || in->config.faults)
			refused += lane_receive(in, i, err);
		lane_hello(in, i);
		lane_pay(in, &in->lanes[i], !fx_inlet_peek(in));
	}
	return refused;
}

bool fx_inlet_failed(const struct fx_inlet *in)
{
	return in->failed;
}

/* The first that is held comes next. */
static bool inlet_is_next(const struct fx_inlet *in)
{
	const struct fx_envelope *e = &in->held.items[0].envelope;

	if (in->config.ordered && !in->config.gaps)
		return fx_turn_is(e->seq, in->next, in->config.parts);
	for (size_t i = 0; i < in->config.lanes_len; i++)
		if (is_mark(e, FX_MARK_END) && !in->lanes[i].ended &&
		    (in->config.gaps || in->config.parts > 1))
			return false;
	return true;
}

const struct fx_envelope *fx_inlet_peek(const struct fx_inlet *in)
{
	if (in->spool)
		return fx__spool_peek(in->spool);
	return in->held.len && inlet_is_next(in) ? &in->held.items[0].envelope : NULL;
}

bool fx_inlet_pop(struct fx_inlet *in, struct fx_envelope *e)
{
	struct fx__arrival a;
	struct fx_lane_stats *stats;

	if (in->spool)
		return fx__spool_pop(in->spool, e);
	if (!fx_inlet_peek(in))
		return false;
	a = fx__inbox_take(&in->held);
	if (a.envelope.seq >= in->next || !in->config.gaps)
		in->next = fx_inlet_after(in, a.envelope.seq);
	in->ended = is_mark(&a.envelope, FX_MARK_END);
	in->end = a.envelope.seq;
	inlet_add_debt(in, a.envelope.seq, a.lane);
	stats = in->config.lanes[a.lane].stats;
	if (a.envelope.kind != FX_NOTHING)
		atomic_fetch_add(&stats->delivered, 1);
	else if (a.envelope.mark.kind == FX_MARK_MISSING)
		atomic_fetch_add(&stats->missing, 1);
	*e = a.envelope;
	return true;
}

/* An ordered inlet acknowledges in order, so that one number tells a later life where to go on. A
 * later life has to get END again: else it would not end. */
static void inlet_pay(struct fx_inlet *in)
{
	const struct fx__debts *d = &in->debts;

	fx__debts_settle(&in->debts, in->config.ordered, lane_owe, in);
	if (in->config.ordered)
		atomic_store(in->config.floor, d->len && d->items[0].seq < in->next ?
						       d->items[0].seq :
					       in->ended ? in->end :
							   in->next);
}

void fx_inlet_ack(struct fx_inlet *in, uint64_t seq)
{
	if (in->spool) {
		fx__spool_ack(in->spool, seq);
		return;
	}
	for (size_t i = 0; i < in->debts.len; i++)
		if (in->debts.items[i].seq == seq)
			in->debts.items[i].safe = true;
	inlet_pay(in);
	for (size_t i = 0; i < in->config.lanes_len; i++)
		lane_pay(in, &in->lanes[i], false);
}
