// SPDX-License-Identifier: Apache-2.0
/* outlet.c: the producing end of all edges of one output port. */
#include "link/outlet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/alloc.h"
#include "link/faults.h"
#include "link/form.h"
#include "link/guests.h"
#include "link/lost.h"
#include "link/parcel.h"
#include "link/parcels.h"
#include "link/seal.h"
#include "link/slot.h"
#include "link/socket.h"
#include "link/turn.h"
#include "link/welcome.h"

enum { WAITING_MAX = 4, MARKS_MAX = 1024 };

/* One consuming instance. */
struct lane {
	bool known; /* it has said hello */
	char route[FX_LINK_ROUTE_MAX];
	size_t route_size;
	uint32_t epoch, credit_messages;
	uint64_t credit_bytes, bytes; /* payload bytes in flight */
	size_t messages;	      /* blocks, trees, records in flight */
	bool ended;
	struct fx_region want;	   /* where blocks are of use to it */
	struct fx__parcels flight; /* sent, not acknowledged */
	struct fx__silence silence;
	struct fx__pace pace; /* of its connection */
};

struct edge {
	struct lane *lanes;
	struct fx__parcels waiting; /* in order of seq */
	uint64_t next;		    /* the place behind the last that was queued */
};

struct fx_outlet {
	struct fx_outlet_config config;
	void *socket;
	struct edge *edges;
	struct fx__parcel *open, *end; /* owned references, for consumers that come late */
	bool failed;		       /* without memory: reported by the next queue() */
	unsigned refusals;	       /* control messages that were refused */
	struct fx__guests *guests;     /* owned, or NULL */
	struct fx__effort effort;
};

static bool broadcast(const struct fx__parcel *p)
{
	return !p->data && (p->mark == FX_MARK_OPEN || p->mark == FX_MARK_END);
}

static int outlet_bind(struct fx_outlet *o, struct fx_error *err)
{
	const int one = 1;

	o->socket = fx__socket_new(o->config.zmq, ZMQ_ROUTER, FX_WIRE_HEADER_MAX, err);
	if (!o->socket)
		return FX_EIO;
	zmq_setsockopt(o->socket, ZMQ_ROUTER_HANDOVER, &one, sizeof one);
	if (o->config.trust && fx_trust_server(o->config.trust, o->socket, err) < 0)
		return FX_EIO;
	if (o->config.listen_fd >= 0)
		zmq_setsockopt(o->socket, ZMQ_USE_FD, &o->config.listen_fd,
			       sizeof o->config.listen_fd);
	if (zmq_bind(o->socket, o->config.endpoint) != 0)
		return fx_error_set(err, FX_EIO, "cannot listen on %s: %s", o->config.endpoint,
				    zmq_strerror(errno));
	return FX_OK;
}

/* A former life of this instance had sent what it never saw acknowledged: that is made again. */
static void outlet_forget(struct fx_outlet *o)
{
	for (size_t e = 0; e < o->config.edges_len; e++)
		for (size_t i = 0; i < o->config.edges[e].lanes_len; i++) {
			struct fx_lane_stats *s = o->config.edges[e].lanes[i].stats;

			atomic_store(&s->sent, atomic_load(&s->acked) + atomic_load(&s->dropped));
		}
}

/* Tells, once, that no edge has still to acknowledge @p p. */
static void parcel_tell(struct fx_outlet *o, struct fx__parcel *p)
{
	if (p->unacked || p->told)
		return;
	p->told = true;
	if (o->config.acked)
		o->config.acked(o->config.context, p->seq);
}

/* One that was waited for needs @p p no more; takes its reference. */
static void parcel_paid(struct fx_outlet *o, struct fx__parcel *p)
{
	if (p->unacked)
		p->unacked--;
	parcel_tell(o, p);
	fx__parcel_unref(p);
}

struct fx_outlet *fx_outlet_new(const struct fx_outlet_config *config, struct fx_error *err)
{
	struct fx_outlet *o = calloc(1, sizeof *o);
	bool ok = o != NULL;

	if (ok) {
		o->config = *config;
		o->edges = fx_calloc(config->edges_len, sizeof *o->edges);
		ok = o->edges != NULL;
	}
	for (size_t e = 0; ok && e < config->edges_len; e++) {
		o->edges[e].lanes = fx_calloc(config->edges[e].lanes_len, sizeof(struct lane));
		ok = o->edges[e].lanes != NULL;
	}
	if (!ok)
		fx_error_set(err, FX_ENOMEM, "no memory for output %s", config->port);
	if (!ok || outlet_bind(o, err) < 0) {
		fx_outlet_free(o);
		return NULL;
	}
	if (config->epoch)
		outlet_forget(o);
	if (config->guests)
		o->guests = fx__guests_new(&o->config, &o->open, &o->end, parcel_paid, o, err);
	if (!config->guests || o->guests)
		return o;
	fx_outlet_free(o);
	return NULL;
}

void fx_outlet_free(struct fx_outlet *o)
{
	if (!o)
		return;
	fx__guests_free(o->guests);
	for (size_t e = 0; o->edges && e < o->config.edges_len; e++) {
		for (size_t i = 0; o->edges[e].lanes && i < o->config.edges[e].lanes_len; i++)
			fx__parcels_fini(&o->edges[e].lanes[i].flight);
		fx__parcels_fini(&o->edges[e].waiting);
		free(o->edges[e].lanes);
	}
	if (o->open)
		fx__parcel_unref(o->open);
	if (o->end)
		fx__parcel_unref(o->end);
	if (o->socket)
		zmq_close(o->socket);
	free(o->edges);
	free(o);
}

void *fx_outlet_socket(const struct fx_outlet *o)
{
	return o->socket;
}

void *fx_outlet_guests(const struct fx_outlet *o)
{
	return fx__guests_socket(o->guests);
}

static void lane_send(struct fx_outlet *o, size_t e, size_t i, struct fx__parcel *p)
{
	struct lane *lane = &o->edges[e].lanes[i];
	struct fx__form form;

	if (!lane->known)
		return;
	if (fx__parcel_outside(p, lane->want)) {
		if (fx__form_skip(&form, p->seq)) /* else it counts as lost on the way */
			fx__faults_send(o->config.faults, o->socket, lane->route, lane->route_size,
					&form);
		free(form.header);
		return;
	}
	if (p->slot >= 0)
		fx_pool_hold(o->config.pool, (unsigned)p->slot, o->config.edges[e].lanes[i].holder);
	form = fx__parcel_form(
		p, fx__form_codec(o->config.edges[e].way, p->grey, lane->pace.harder), &o->effort);
	fx__form_count(&form, o->config.edges[e].lanes[i].stats);
	fx__faults_send(o->config.faults, o->socket, lane->route, lane->route_size, &form);
}

/* Puts a parcel in flight on a lane. Takes a reference that the caller holds. */
static void lane_launch(struct fx_outlet *o, size_t e, size_t i, struct fx__parcel *p)
{
	struct lane *lane = &o->edges[e].lanes[i];

	if (!fx__parcels_insert(&lane->flight, lane->flight.len, p)) {
		o->failed = true;
		fx__parcel_unref(p);
		return;
	}
	if (p->data) {
		struct fx_lane_stats *s = o->config.edges[e].lanes[i].stats;
		const size_t leaves = fx__parcel_outside(p, lane->want) ? 0 : p->bytes;

		lane->messages++;
		lane->bytes += p->bytes;
		lane->pace.raw += leaves;
		atomic_fetch_add(&s->sent, 1);
		atomic_fetch_add(&s->bytes, leaves);
	}
	lane_send(o, e, i, p);
}

static bool lane_has_credit(const struct lane *lane, const struct fx__parcel *p)
{
	if (!lane->known)
		return false;
	if (!p->data)
		return lane->flight.len < MARKS_MAX;
	return lane->messages == 0 || (lane->messages < lane->credit_messages &&
				       lane->bytes + p->bytes <= lane->credit_bytes);
}

/* The lowest number in flight on an edge; UINT64_MAX when nothing is. */
static uint64_t edge_lowest(const struct edge *edge, size_t lanes)
{
	uint64_t lowest = UINT64_MAX;

	for (size_t i = 0; i < lanes; i++)
		lowest = fx__parcels_lowest(&edge->lanes[i].flight, lowest);
	return lowest;
}

/* The lane with the fewest in flight, of those with credit or of all known; -1: there is none. */
static int edge_fewest(const struct edge *edge, size_t lanes, const struct fx__parcel *p,
		       bool with_credit)
{
	int best = -1;

	for (size_t i = 0; i < lanes; i++) {
		const struct lane *lane = &edge->lanes[i];

		if ((with_credit ? lane_has_credit(lane, p) : lane->known) &&
		    (best < 0 || lane->flight.len < edge->lanes[best].flight.len))
			best = (int)i;
	}
	return best;
}

/* The lane that @p p may go out on; -1 when it has to wait. What all in flight comes after may have
 * to be acknowledged first; where messages are dropped, no one waits for one. */
static int edge_pick(const struct edge *edge, size_t lanes, const struct fx__parcel *p, bool drops)
{
	const int pick = edge_fewest(edge, lanes, p, true);

	if (pick >= 0 || drops || edge_lowest(edge, lanes) <= p->seq)
		return pick;
	return edge_fewest(edge, lanes, p, false);
}

static _Atomic uint64_t *edge_floor(const struct fx_outlet *o, size_t e)
{
	return &o->config.edges[e].lanes[0].stats->floor;
}

static void edge_tell_floor(struct fx_outlet *o, size_t e)
{
	const struct edge *edge = &o->edges[e];
	const uint64_t flying = edge_lowest(edge, o->config.edges[e].lanes_len);
	const uint64_t floor =
		fx__parcels_lowest(&edge->waiting, flying < edge->next ? flying : edge->next);

	if (o->config.repeats && floor > atomic_load(edge_floor(o, e)))
		atomic_store(edge_floor(o, e), floor);
}

uint64_t fx_outlet_floor(const struct fx_outlet *o)
{
	uint64_t floor = UINT64_MAX;

	for (size_t e = 0; e < o->config.edges_len; e++)
		if (!o->config.edges[e].drop && atomic_load(edge_floor(o, e)) < floor)
			floor = atomic_load(edge_floor(o, e));
	return floor;
}

static void edge_dispatch(struct fx_outlet *o, size_t e)
{
	struct edge *edge = &o->edges[e];
	const size_t lanes = o->config.edges[e].lanes_len;

	while (edge->waiting.len) {
		struct fx__parcel *p = edge->waiting.items[0];
		const int pick = edge_pick(edge, lanes, p, o->config.edges[e].drop);

		if (broadcast(p)) {
			if (p->mark == FX_MARK_END && edge_lowest(edge, lanes) < UINT64_MAX)
				break;
			fx__parcels_remove(&edge->waiting, 0);
			p->refs += (unsigned)lanes - 1;
			for (size_t i = 0; i < lanes; i++)
				lane_launch(o, e, i, p);
		} else if (pick >= 0) {
			fx__parcels_remove(&edge->waiting, 0);
			lane_launch(o, e, (size_t)pick, p);
		} else {
			break;
		}
	}
	fx__parcels_shed(&edge->waiting, o->config.edges[e].drop,
			 o->config.edges[e].lanes[0].stats);
	for (size_t i = 0; i < lanes; i++) {
		struct fx_lane_stats *s = o->config.edges[e].lanes[i].stats;

		atomic_store(&s->depth, edge->lanes[i].messages + (i ? 0 : edge->waiting.len));
		atomic_store(&s->oldest_ns,
			     fx__parcels_since(&edge->lanes[i].flight, i ? NULL : &edge->waiting));
	}
	edge_tell_floor(o, e);
}

static void lane_ack(struct fx_outlet *o, size_t e, size_t i, uint64_t seq)
{
	struct lane *lane = &o->edges[e].lanes[i];

	for (size_t k = 0; k < lane->flight.len; k++) {
		struct fx__parcel *p = lane->flight.items[k];

		if (p->seq != seq)
			continue;
		fx__parcels_remove(&lane->flight, k);
		if (p->data) {
			lane->messages--;
			lane->bytes -= p->bytes;
			atomic_fetch_add(&o->config.edges[e].lanes[i].stats->acked, 1);
			atomic_fetch_add(&o->config.edges[e].lanes[i].stats->unwanted,
					 fx__parcel_outside(p, lane->want));
		}
		lane->silence.acked = true;
		lane->ended = lane->ended || (!p->data && p->mark == FX_MARK_END);
		if (o->config.edges[e].drop) /* was not waited for */
			fx__parcel_unref(p);
		else
			parcel_paid(o, p);
		return;
	}
}

/* To a new life of a consumer that had got @p p before; it is then acknowledged once more. */
static void lane_repeat(struct fx_outlet *o, size_t e, size_t i, struct fx__parcel *p)
{
	const struct fx__parcels *waiting = &o->edges[e].waiting;

	for (size_t k = 0; k < waiting->len; k++)
		if (waiting->items[k] == p)
			return;
	p->refs++;
	p->unacked += !p->told && !o->config.edges[e].drop;
	lane_launch(o, e, i, p);
}

/* What the former life of a consumer had not acknowledged waits again, in its old place; what
 * goes to all is sent to the new life as well. */
static void lane_revive(struct fx_outlet *o, size_t e, size_t i)
{
	struct edge *edge = &o->edges[e];
	struct lane *lane = &edge->lanes[i];
	struct fx_lane_stats *s = o->config.edges[e].lanes[i].stats;
	struct fx__parcels old = lane->flight;
	bool open = false, end = false;

	lane->flight = (struct fx__parcels){ 0 };
	lane->messages = 0;
	lane->bytes = 0;
	lane->ended = false;
	if (o->config.pool)
		fx_pool_forget(o->config.pool, o->config.edges[e].lanes[i].holder, NULL);
	for (size_t k = 0; k < old.len; k++) {
		struct fx__parcel *p = old.items[k];

		if (broadcast(p)) {
			open = open || p == o->open;
			end = end || p == o->end;
			lane_launch(o, e, i, p);
			continue;
		}
		atomic_fetch_add(&s->resent, p->data);
		if (!fx__parcels_insert_in_order(&edge->waiting, p))
			o->failed = true;
	}
	free(old.items);
	atomic_store(&s->sent, atomic_load(&s->acked) + atomic_load(&s->dropped));
	atomic_store(&s->delivered, atomic_load(&s->acked));
	if (o->open && !open)
		lane_repeat(o, e, i, o->open);
	if (o->end && !end)
		lane_repeat(o, e, i, o->end);
}

/* Finds edge and lane of a consumer by its names; false when the plan has no such edge. */
static bool outlet_find(const struct fx_outlet *o, const struct fx_control *c, size_t *e, size_t *i)
{
	for (*e = 0; *e < o->config.edges_len; (*e)++) {
		const struct fx_outlet_edge *edge = &o->config.edges[*e];

		*i = (size_t)c->instance - edge->first; /* one that comes before is far behind */
		if (strcmp(edge->node, c->node) == 0 && strcmp(edge->port, c->port) == 0 &&
		    *i < edge->lanes_len)
			return true;
	}
	return false;
}

/* A greeting of a life that is known: what was lost on the way to it goes out again, at the end. */
static bool outlet_heard(struct fx_outlet *o, size_t e, size_t i, const struct fx_control *c)
{
	struct lane *lane = &o->edges[e].lanes[i];
	const size_t len = lane->flight.len;
	const bool lists = c->lists && c->epoch == lane->epoch;
	const size_t lost = lists ? fx__lost(&lane->silence, lane->flight.items, len, c) : 0;

	fx__welcome(o->socket, &o->config, lane->route,
		    lane->route_size); /* the first may be what was lost */
	for (size_t k = len - lost; k < len; k++) {
		atomic_fetch_add(&o->config.edges[e].lanes[i].stats->resent,
				 lane->flight.items[k]->data);
		lane_send(o, e, i, lane->flight.items[k]);
	}
	return true;
}

static bool outlet_hello(struct fx_outlet *o, const struct fx_control *c, const void *route,
			 size_t route_size)
{
	struct lane *lane;
	size_t e, i;
	bool fresh;

	if (!outlet_find(o, c, &e, &i) || route_size > FX_LINK_ROUTE_MAX)
		return false;
	lane = &o->edges[e].lanes[i];
	lane->want = c->want;
	if (lane->known && c->epoch <= lane->epoch)
		return outlet_heard(o, e, i, c);
	fresh = !lane->known;
	memcpy(lane->route, route, route_size);
	lane->route_size = route_size;
	lane->known = true;
	lane->epoch = c->epoch;
	lane->silence = (struct fx__silence){ .apart_ms = o->config.silence_ms };
	lane->credit_messages = c->credit_messages;
	lane->credit_bytes = c->credit_bytes;
	fx__welcome(o->socket, &o->config, lane->route, lane->route_size);
	if (!fresh)
		lane_revive(o, e, i);
	else
		for (size_t k = 0; k < lane->flight.len; k++)
			lane_send(o, e, i, lane->flight.items[k]);
	return true;
}

static bool outlet_acks(struct fx_outlet *o, const struct fx_control *c, zmq_msg_t *route,
			zmq_msg_t *body)
{
	for (size_t e = 0; e < o->config.edges_len; e++)
		for (size_t i = 0; i < o->config.edges[e].lanes_len; i++) {
			struct lane *lane = &o->edges[e].lanes[i];

			if (!lane->known || lane->route_size != zmq_msg_size(route) ||
			    memcmp(lane->route, zmq_msg_data(route), lane->route_size) != 0)
				continue;
			fx__form_look(&lane->pace, body, &o->effort,
				      o->config.edges[e].lanes[i].stats);
			for (size_t k = 0; k < c->acks_len; k++)
				lane_ack(o, e, i, c->acks[k]);
			return true;
		}
	return false;
}

static bool outlet_control(struct fx_outlet *o, zmq_msg_t *route, zmq_msg_t *body)
{
	struct fx_control c;
	struct fx_error err = { 0 };
	bool ok;

	if (fx__seal_check(zmq_msg_data(body), zmq_msg_size(body), NULL, 0, &err) < 0 ||
	    fx_control_decode(zmq_msg_data(body), zmq_msg_size(body), &c, &err) < 0) {
		fx__refuse(o->socket, &o->config, &o->refusals, route, body, err.text);
		return false;
	}
	if (c.kind == FX_CONTROL_HELLO)
		ok = outlet_hello(o, &c, zmq_msg_data(route), zmq_msg_size(route));
	else
		ok = c.kind == FX_CONTROL_ACK && outlet_acks(o, &c, route, body);
	free(c.acks);
	return ok;
}

unsigned fx_outlet_pump(struct fx_outlet *o)
{
	unsigned refused = 0;
	zmq_msg_t route, body;

	zmq_msg_init(&route);
	while (zmq_msg_recv(&route, o->socket, ZMQ_DONTWAIT) >= 0) {
		zmq_msg_init(&body);
		if (!zmq_msg_more(&route) || zmq_msg_recv(&body, o->socket, ZMQ_DONTWAIT) < 0 ||
		    fx__skip_rest(o->socket, &body) || !outlet_control(o, &route, &body))
			refused++;
		zmq_msg_close(&body);
	}
	zmq_msg_close(&route);
	for (size_t e = 0; e < o->config.edges_len; e++)
		edge_dispatch(o, e);
	fx_faults_pump(o->config.faults);
	return refused + fx__guests_pump(o->guests);
}

bool fx_outlet_room(const struct fx_outlet *o, uint64_t seq)
{
	for (size_t e = 0; e < o->config.edges_len; e++) {
		const struct fx__parcels *waiting = &o->edges[e].waiting;

		if (!o->config.edges[e].drop && waiting->len >= WAITING_MAX &&
		    waiting->items[0]->seq <= seq)
			return false;
	}
	return fx__guests_room(o->guests);
}

static void outlet_remember(struct fx_outlet *o, struct fx__parcel *p)
{
	struct fx__parcel **keep = p->mark == FX_MARK_OPEN ? &o->open : &o->end;

	if (*keep)
		fx__parcel_unref(*keep);
	*keep = p;
	p->refs++;
}

int fx_outlet_queue(struct fx_outlet *o, struct fx_envelope *e, struct fx_error *err)
{
	struct fx__parcel *p;
	const enum fx_way way = o->config.edges_len ? o->config.edges[0].way : FX_WAY_AUTO;
	int result = fx__parcel_new(o->config.pool, way, e, &p, err);

	if (result == FX_IDLE && o->config.slots_optional)
		result = fx__parcel_new(NULL, way, e, &p, err);
	if (result != FX_OK)
		return result;
	if (broadcast(p))
		outlet_remember(o, p);
	for (size_t i = 0; i < o->config.edges_len; i++) {
		o->edges[i].next = fx_turn_own(p->seq, o->config.parts);
		if (o->config.repeats && !broadcast(p) && p->seq < atomic_load(edge_floor(o, i)))
			continue;
		p->refs++;
		if (!o->config.edges[i].drop)
			p->unacked += broadcast(p) ? (unsigned)o->config.edges[i].lanes_len : 1;
		if (!fx__parcels_insert_in_order(&o->edges[i].waiting, p)) {
			p->refs--;
			o->failed = true;
		}
		edge_dispatch(o, i);
	}
	fx__guests_offer(o->guests, p); /* behind all edges: one that has gone has acknowledged */
	parcel_tell(o, p);
	fx__parcel_unref(p);
	return o->failed ? fx_error_set(err, FX_ENOMEM, "no memory for the queue of output %s",
					o->config.port) :
			   FX_OK;
}

bool fx_outlet_settled(const struct fx_outlet *o)
{
	for (size_t e = 0; e < o->config.edges_len; e++)
		for (size_t i = 0; i < o->config.edges[e].lanes_len; i++)
			if (!o->edges[e].lanes[i].ended)
				return false;
	return fx__guests_settled(o->guests);
}

int fx_outlet_voxels(struct fx_outlet *o, size_t size, struct fx_block *b)
{
	return size > FX_WIRE_PAYLOAD_MAX ?
		       FX_EINVAL :
		       fx__slot_new(o->config.pool, o->config.slots_optional, size, b);
}
