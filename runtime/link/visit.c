// SPDX-License-Identifier: Apache-2.0
/* visit.c: a guest at an output of a run, at its own end. */
#include "link/visit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "link/letter.h"
#include "link/parcel.h"
#include "link/socket.h"

enum {
	HELLO_NS = 100000000,
	SLICE_MS = 50,
};

struct lane {
	void *socket;
	bool welcomed;
	int64_t hello_ns;
};

struct fx_visit {
	void *zmq;
	char name[48];
	uint32_t credit_messages;
	uint64_t credit_bytes;
	struct lane *lanes;
	zmq_pollitem_t *items;
	size_t len, next;
};

static int lane_connect(struct fx_visit *v, size_t i, const char *endpoint, struct fx_error *err)
{
	void *s = fx__socket_new(v->zmq, ZMQ_DEALER, FX_WIRE_PAYLOAD_MAX, err);

	v->lanes[i].socket = s;
	v->items[i] = (zmq_pollitem_t){ .socket = s, .events = ZMQ_POLLIN };
	if (s && zmq_connect(s, endpoint) == 0)
		return FX_OK;
	return fx_error_set(err, FX_EIO, "cannot connect to %s: %s", endpoint, zmq_strerror(errno));
}

struct fx_visit *fx_visit_new(const struct fx_visit_config *config, struct fx_error *err)
{
	struct fx_visit *v = calloc(1, sizeof *v);
	int result = FX_OK;

	if (v) {
		v->zmq = zmq_ctx_new();
		v->lanes = fx_calloc(config->endpoints_len, sizeof *v->lanes);
		v->items = fx_calloc(config->endpoints_len, sizeof *v->items);
		v->credit_messages = config->credit_messages;
		v->credit_bytes = config->credit_bytes;
		snprintf(v->name, sizeof v->name, "%s%d", config->kind, (int)getpid());
	}
	if (!v || !v->zmq || !v->lanes || !v->items)
		result = fx_error_set(err, FX_ENOMEM, "no memory for a visit");
	for (size_t i = 0; result == FX_OK && i < config->endpoints_len; i++) {
		v->len = i + 1;
		result = lane_connect(v, i, config->endpoints[i], err);
	}
	if (result == FX_OK)
		return v;
	fx_visit_free(v);
	return NULL;
}

void fx_visit_free(struct fx_visit *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->len; i++)
		if (v->lanes[i].socket)
			zmq_close(v->lanes[i].socket);
	if (v->zmq)
		zmq_ctx_term(v->zmq);
	free(v->lanes);
	free(v->items);
	free(v);
}

static void lane_control(struct lane *lane, struct fx_control *c)
{
	void *bytes;
	size_t size;

	if (fx_control_encode(c, &bytes, &size, NULL) < 0)
		return;
	zmq_send(lane->socket, bytes, size, ZMQ_DONTWAIT);
	free(bytes);
}

/* Often: to a producer that was started again it is a new guest, and misses what is sent before. */
static void greet(struct fx_visit *v)
{
	const int64_t now = fx_now_ns();

	for (size_t i = 0; i < v->len; i++) {
		struct fx_control c = { .kind = FX_CONTROL_HELLO,
					.credit_messages = v->credit_messages,
					.credit_bytes = v->credit_bytes };

		if (v->lanes[i].hello_ns && now - v->lanes[i].hello_ns < HELLO_NS)
			continue;
		v->lanes[i].hello_ns = now;
		snprintf(c.node, sizeof c.node, "%s", v->name);
		lane_control(&v->lanes[i], &c);
	}
}

static int read_control(struct lane *lane, const void *bytes, size_t size, struct fx_error *err)
{
	struct fx_control c;

	if (fx_control_decode(bytes, size, &c, err) < 0)
		return FX_ETYPE;
	lane->welcomed = lane->welcomed || c.kind == FX_CONTROL_WELCOME;
	free(c.acks);
	return FX_IDLE;
}

static int read_data(struct lane *lane, zmq_msg_t *head, bool headers, struct fx_envelope *e,
		     struct fx_error *err)
{
	zmq_msg_t payload;
	int result = fx_wire_decode(zmq_msg_data(head), zmq_msg_size(head), e, err);
	const bool decoded = result == FX_OK, more = zmq_msg_more(head) != 0;

	zmq_msg_init(&payload);
	if (more && zmq_msg_recv(&payload, lane->socket, ZMQ_DONTWAIT) < 0)
		result = fx_error_set(err, FX_ETYPE, "a message that is cut short");
	else if (more && fx__skip_rest(lane->socket, &payload))
		result = fx_error_set(err, FX_ETYPE, "a message of too many frames");
	if (result == FX_OK && !headers && (e->payload.in_slot || (e->payload.raw_size && !more)))
		result = fx_error_set(err, FX_ETYPE, "a message without its payload");
	if (result == FX_OK && more)
		result = fx_letter_fill(e, zmq_msg_data(&payload), zmq_msg_size(&payload), err);
	zmq_msg_close(&payload);
	if (decoded && result < 0)
		fx_envelope_fini(e);
	return result;
}

/* One message of a lane; FX_IDLE when it was none of data, or there is none. */
static int lane_next(struct lane *lane, bool headers, struct fx_envelope *e, struct fx_error *err)
{
	int result = FX_IDLE;
	zmq_msg_t m;

	zmq_msg_init(&m);
	while (result == FX_IDLE && zmq_msg_recv(&m, lane->socket, ZMQ_DONTWAIT) >= 0) {
		if (fx_wire_is_control(zmq_msg_data(&m), zmq_msg_size(&m)))
			result = read_control(lane, zmq_msg_data(&m), zmq_msg_size(&m), err);
		else
			result = read_data(lane, &m, headers, e, err);
	}
	zmq_msg_close(&m);
	return result;
}

int fx_visit_next(struct fx_visit *v, int timeout_ms, struct fx_visit_message *m,
		  struct fx_error *err)
{
	const int64_t until = fx_now_ns() + timeout_ms * INT64_C(1000000);

	for (;;) {
		greet(v);
		for (size_t k = 0; k < v->len; k++) {
			const size_t i = (v->next + k) % v->len;
			const int result =
				lane_next(&v->lanes[i], !v->credit_bytes, &m->envelope, err);

			if (result == FX_IDLE)
				continue;
			m->from = i;
			v->next = i + 1;
			return result;
		}
		if (fx_now_ns() >= until)
			return FX_IDLE;
		zmq_poll(v->items, (int)v->len, SLICE_MS < timeout_ms ? SLICE_MS : timeout_ms);
	}
}

void fx_visit_ack(struct fx_visit *v, size_t from, uint64_t seq)
{
	struct fx_control c = { .kind = FX_CONTROL_ACK, .acks = &seq, .acks_len = 1 };

	lane_control(&v->lanes[from], &c);
}

size_t fx_visit_welcomes(const struct fx_visit *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->len; i++)
		n += v->lanes[i].welcomed;
	return n;
}
