// SPDX-License-Identifier: Apache-2.0
/* guests.c: taps and recorders at the producing end. */
#include "link/guests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "link/welcome.h"
#include "link/socket.h"

enum {
	GUESTS_MAX = 8,
	CREDIT_MAX = 32, /* messages on their way to one guest */
	FLIGHT_MAX = CREDIT_MAX + 2,
	BYTES_MAX = 256 << 20,
	WAITING_MAX = 4,
	LOOK_NS = 2000000, /* while there is no guest, how often someone may knock */
};

#define ASK_NS	  INT64_C(200000000)   /* between two messages that tell whether a guest is there */
#define SILENT_NS INT64_C(10000000000) /* a guest that says nothing for so long has gone */

/* On its way to a guest. */
struct flight {
	uint64_t seq;
	size_t bytes;
	struct fx__parcel *p; /* owned reference, of a recorder; else NULL */
};

struct guest {
	char route[FX_LINK_ROUTE_MAX];
	size_t route_size;
	bool keeps;   /* a recorder */
	bool headers; /* wants no payloads */
	uint32_t credit_messages;
	uint64_t credit_bytes, bytes; /* bytes: of all in flight */
	struct flight flight[FLIGHT_MAX];
	size_t flight_len;
	struct fx__parcels waiting; /* of a recorder */
	int64_t heard_ns, asked_ns;
};

struct fx__guests {
	const struct fx_outlet_config *config; /* borrowed */
	void *socket;
	struct fx__parcel *const *open, *const *end;
	void (*acked)(struct fx_outlet *o, struct fx__parcel *p);
	struct fx_outlet *outlet;
	struct guest *list[GUESTS_MAX];
	size_t len;
	int64_t looked_ns;
};

struct fx__guests *fx__guests_new(const struct fx_outlet_config *config,
				  struct fx__parcel *const *open, struct fx__parcel *const *end,
				  void (*acked)(struct fx_outlet *o, struct fx__parcel *p),
				  struct fx_outlet *outlet, struct fx_error *err)
{
	const int one = 1;
	struct fx__guests *g = calloc(1, sizeof *g);

	if (!g) {
		fx_error_set(err, FX_ENOMEM, "no memory for output %s", config->port);
		return NULL;
	}
	*g = (struct fx__guests){
		.config = config, .open = open, .end = end, .acked = acked, .outlet = outlet
	};
	g->socket = fx__socket_new(config->zmq, ZMQ_ROUTER, FX_WIRE_HEADER_MAX, err);
	if (g->socket)
		zmq_setsockopt(g->socket, ZMQ_ROUTER_MANDATORY, &one, sizeof one);
	if (g->socket && zmq_bind(g->socket, config->guests) == 0)
		return g;
	fx_error_set(err, FX_EIO, "cannot listen on %s: %s", config->guests, zmq_strerror(errno));
	fx__guests_free(g);
	return NULL;
}

static void guest_free(struct guest *guest)
{
	for (size_t k = 0; k < guest->flight_len; k++)
		if (guest->flight[k].p)
			fx__parcel_unref(guest->flight[k].p);
	fx__parcels_fini(&guest->waiting);
	free(guest);
}

void fx__guests_free(struct fx__guests *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->len; i++)
		guest_free(g->list[i]);
	if (g->socket)
		zmq_close(g->socket);
	free(g);
}

void *fx__guests_socket(const struct fx__guests *g)
{
	return g ? g->socket : NULL;
}

/* A guest has gone: nothing waits for it any more. */
static void leave(struct fx__guests *g, size_t i)
{
	struct guest *guest = g->list[i];

	g->list[i] = g->list[--g->len];
	for (size_t k = 0; k < guest->flight_len; k++)
		if (guest->flight[k].p)
			g->acked(g->outlet, guest->flight[k].p);
	guest->flight_len = 0;
	while (guest->waiting.len)
		g->acked(g->outlet, fx__parcels_remove(&guest->waiting, guest->waiting.len - 1));
	guest_free(guest);
}

/* The header of a message whose payload lies in a slot, as it is when the payload is in a frame. */
static int header_for_frame(const struct fx__parcel *p, void **header, size_t *size)
{
	struct fx_envelope e;
	int result = fx_wire_decode(p->form.header, p->form.header_size, &e, NULL);

	if (result < 0)
		return result;
	e.payload.in_slot = false;
	e.payload.slot = 0;
	result = fx_wire_encode(&e, header, size, NULL);
	fx_envelope_fini(&e);
	return result;
}

/* Sends a copy; false when the guest is not there any more, or there is no memory for it. What
 * may fail for another reason comes before the first frame: a message is sent whole or not. */
static bool guest_send(struct fx__guests *g, struct guest *guest, const struct fx__parcel *p)
{
	const bool slot = p->slot >= 0 && !guest->headers;
	void *header = NULL;
	size_t size = 0;
	bool there;

	if (slot && header_for_frame(p, &header, &size) < 0)
		return false;
	there = zmq_send(g->socket, guest->route, guest->route_size, ZMQ_SNDMORE) >= 0;
	if (there && slot) {
		zmq_send(g->socket, header, size, ZMQ_SNDMORE);
		zmq_send(g->socket, fx_pool_slot(p->pool, (unsigned)p->slot), p->bytes, 0);
	} else if (there && guest->headers) {
		zmq_send(g->socket, p->form.header, p->form.header_size, 0);
	} else if (there) {
		fx__form_send(&p->form, g->socket);
	}
	free(header);
	return there;
}

static bool has_credit(const struct guest *guest, const struct fx__parcel *p)
{
	const size_t bytes = guest->headers ? 0 : p->bytes;

	if (!guest->flight_len)
		return true;
	return guest->flight_len < guest->credit_messages &&
	       (guest->headers || guest->bytes + bytes <= guest->credit_bytes);
}

/* Takes the reference of a recorder; false when the guest is not there any more. */
static bool launch(struct fx__guests *g, struct guest *guest, struct fx__parcel *p)
{
	const size_t bytes = guest->headers ? 0 : p->bytes;

	guest->flight[guest->flight_len++] =
		(struct flight){ p->seq, bytes, guest->keeps ? p : NULL };
	guest->bytes += bytes;
	return guest_send(g, guest, p);
}

static bool goes_to_all(const struct fx__parcel *p)
{
	return !p->data && (p->mark == FX_MARK_OPEN || p->mark == FX_MARK_END);
}

/* To a tap when it has credit, or it is of the two that tell where the stream begins and ends. */
static bool offer_to_tap(struct fx__guests *g, struct guest *guest, struct fx__parcel *p)
{
	if (has_credit(guest, p) || (goes_to_all(p) && guest->flight_len < FLIGHT_MAX))
		return launch(g, guest, p);
	atomic_fetch_add(g->config->untapped, 1);
	return true;
}

static bool send_waiting(struct fx__guests *g, struct guest *guest)
{
	while (guest->waiting.len && has_credit(guest, guest->waiting.items[0]))
		if (!launch(g, guest, fx__parcels_remove(&guest->waiting, 0)))
			return false;
	return true;
}

static bool offer_to_recorder(struct fx__guests *g, struct guest *guest, struct fx__parcel *p)
{
	if (!fx__parcels_insert(&guest->waiting, guest->waiting.len, p))
		return false;
	p->refs++;
	p->unacked += !p->told;
	return send_waiting(g, guest);
}

static void offer(struct fx__guests *g, size_t i, struct fx__parcel *p)
{
	struct guest *guest = g->list[i];

	if (!(guest->keeps ? offer_to_recorder(g, guest, p) : offer_to_tap(g, guest, p)))
		leave(g, i);
}

void fx__guests_offer(struct fx__guests *g, struct fx__parcel *p)
{
	for (size_t i = g ? g->len : 0; i-- > 0;)
		offer(g, i, p);
}

bool fx__guests_room(const struct fx__guests *g)
{
	for (size_t i = 0; g && i < g->len; i++)
		if (g->list[i]->waiting.len >= WAITING_MAX)
			return false;
	return true;
}

bool fx__guests_settled(const struct fx__guests *g)
{
	for (size_t i = 0; g && i < g->len; i++)
		if (g->list[i]->keeps && (g->list[i]->waiting.len || g->list[i]->flight_len))
			return false;
	return true;
}

/* Tells a guest who is here; false when it is not there any more. */
static bool welcome(struct fx__guests *g, struct guest *guest)
{
	guest->asked_ns = fx_now_ns();
	return fx__welcome(g->socket, g->config, guest->route, guest->route_size);
}

static struct guest *guest_of(const struct fx__guests *g, const void *route, size_t size)
{
	for (size_t i = 0; i < g->len; i++)
		if (g->list[i]->route_size == size && memcmp(g->list[i]->route, route, size) == 0)
			return g->list[i];
	return NULL;
}

static bool starts(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

/* A new guest gets the mark that opens the stream, and the one that ends it, when they were sent.
 */
static bool hello(struct fx__guests *g, const struct fx_control *c, const void *route, size_t size)
{
	const bool keeps = starts(c->node, FX_GUEST_RECORD);
	struct guest *guest;

	if (size > FX_LINK_ROUTE_MAX || g->len == GUESTS_MAX ||
	    !(keeps || starts(c->node, FX_GUEST_TAP)))
		return false;
	guest = calloc(1, sizeof *guest);
	if (!guest)
		return false;
	memcpy(guest->route, route, size);
	guest->route_size = size;
	guest->keeps = keeps;
	guest->headers = !keeps && !c->credit_bytes;
	guest->credit_messages = c->credit_messages < CREDIT_MAX ? c->credit_messages : CREDIT_MAX;
	guest->credit_bytes = c->credit_bytes < BYTES_MAX ? c->credit_bytes : BYTES_MAX;
	guest->heard_ns = fx_now_ns();
	g->list[g->len++] = guest;
	if (!welcome(g, guest)) {
		leave(g, g->len - 1);
		return true;
	}
	if (*g->open)
		offer(g, g->len - 1, *g->open);
	if (*g->end && guest_of(g, route, size))
		offer(g, g->len - 1, *g->end);
	return true;
}

static void ack(struct fx__guests *g, struct guest *guest, uint64_t seq)
{
	for (size_t k = 0; k < guest->flight_len; k++) {
		const struct flight f = guest->flight[k];

		if (f.seq != seq)
			continue;
		guest->bytes -= f.bytes;
		guest->flight[k] = guest->flight[--guest->flight_len];
		if (f.p)
			g->acked(g->outlet, f.p);
		return;
	}
}

static bool control(struct fx__guests *g, zmq_msg_t *route, zmq_msg_t *body)
{
	const void *from = zmq_msg_data(route);
	const size_t size = zmq_msg_size(route);
	struct guest *guest = guest_of(g, from, size);
	struct fx_control c;
	bool ok = true;

	if (fx_control_decode(zmq_msg_data(body), zmq_msg_size(body), &c, NULL) < 0)
		return false;
	if (guest)
		guest->heard_ns = fx_now_ns();
	if (c.kind == FX_CONTROL_HELLO && !guest)
		ok = hello(g, &c, from, size);
	else if (c.kind == FX_CONTROL_ACK)
		for (size_t k = 0; guest && k < c.acks_len; k++)
			ack(g, guest, c.acks[k]);
	else
		ok = c.kind == FX_CONTROL_HELLO;
	free(c.acks);
	return ok;
}

static unsigned receive(struct fx__guests *g)
{
	unsigned refused = 0;
	zmq_msg_t route, body;

	zmq_msg_init(&route);
	while (zmq_msg_recv(&route, g->socket, ZMQ_DONTWAIT) >= 0) {
		zmq_msg_init(&body);
		if (!zmq_msg_more(&route) || zmq_msg_recv(&body, g->socket, ZMQ_DONTWAIT) < 0 ||
		    fx__skip_rest(g->socket, &body) || !control(g, &route, &body))
			refused++;
		zmq_msg_close(&body);
	}
	zmq_msg_close(&route);
	return refused;
}

unsigned fx__guests_pump(struct fx__guests *g)
{
	const int64_t now = g ? fx_now_ns() : 0;
	unsigned refused;

	if (!g || (!g->len && now - g->looked_ns < LOOK_NS))
		return 0;
	g->looked_ns = now;
	refused = receive(g);
	for (size_t i = g->len; i-- > 0;) {
		struct guest *guest = g->list[i];

		if (!send_waiting(g, guest) || now - guest->heard_ns > SILENT_NS ||
		    (now - guest->asked_ns > ASK_NS && !welcome(g, guest)))
			leave(g, i);
	}
	return refused;
}
