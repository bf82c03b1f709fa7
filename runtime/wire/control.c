// SPDX-License-Identifier: Apache-2.0
/* control.c: what the ends of an edge tell each other. */
#include "proto/control.pb-c.h"
#include "wire/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "wire/frame.h"
#include "wire/unpack.h"

bool fx_wire_is_control(const void *bytes, size_t size)
{
	return size >= FX__PREFIX && ((const char *)bytes)[3] == FX__FRAME_CONTROL;
}

int fx_control_encode(const struct fx_control *c, void **bytes, size_t *size, struct fx_error *err)
{
	Fornix__Control w;
	Fornix__Welcome welcome;
	Fornix__Hello hello;
	Fornix__Ack ack;
	struct fx_control copy = *c;
	int64_t want[6];

	fornix__control__init(&w);
	fornix__welcome__init(&welcome);
	fornix__hello__init(&hello);
	fornix__ack__init(&ack);
	if (c->kind == FX_CONTROL_WELCOME) {
		welcome.version = FX_WIRE_VERSION;
		welcome.node = copy.node;
		welcome.port = copy.port;
		welcome.instance = c->instance;
		welcome.epoch = c->epoch;
		w.body_case = FORNIX__CONTROL__BODY_WELCOME;
		w.welcome = &welcome;
	} else if (c->kind == FX_CONTROL_HELLO) {
		hello.version = FX_WIRE_VERSION;
		hello.node = copy.node;
		hello.port = copy.port;
		hello.instance = c->instance;
		hello.epoch = c->epoch;
		hello.credit_messages = c->credit_messages;
		hello.credit_bytes = c->credit_bytes;
		hello.lists = c->lists;
		hello.n_have = c->acks_len;
		hello.have = c->acks;
		memcpy(want, c->want.lo, sizeof c->want.lo);
		memcpy(want + 3, c->want.hi, sizeof c->want.hi);
		hello.n_want = c->wants ? 6 : 0;
		hello.want = want;
		w.body_case = FORNIX__CONTROL__BODY_HELLO;
		w.hello = &hello;
	} else {
		ack.n_seq = c->acks_len;
		ack.seq = c->acks;
		w.body_case = FORNIX__CONTROL__BODY_ACK;
		w.ack = &ack;
	}
	return fx__frame_pack(FX__FRAME_CONTROL, &w.base, bytes, size, err);
}

static int decode_acks(const uint64_t *seq, size_t n, struct fx_control *c, struct fx_error *err)
{
	if (n > FX_WIRE_ACKS_MAX)
		return fx_error_set(err, FX_ETYPE, "%zu acknowledgements in one message", n);
	if (!n)
		return FX_OK;
	c->acks = fx_calloc(n, sizeof *c->acks);
	if (!c->acks)
		return fx_error_set(err, FX_ENOMEM, "no memory for acknowledgements");
	memcpy(c->acks, seq, n * sizeof *c->acks);
	c->acks_len = n;
	return FX_OK;
}

static int decode_names(struct fx_control *c, enum fx_control_kind kind, const char *node,
			const char *port, struct fx_error *err)
{
	if (strlen(node) >= sizeof c->node || strlen(port) >= sizeof c->port)
		return fx_error_set(err, FX_ETYPE, "a peer whose name is too long");
	snprintf(c->node, sizeof c->node, "%s", node);
	snprintf(c->port, sizeof c->port, "%s", port);
	c->kind = kind;
	return FX_OK;
}

static int decode_want(struct fx_control *c, const Fornix__Hello *hello, struct fx_error *err)
{
	c->wants = hello->n_want != 0;
	if (c->wants && hello->n_want != 6)
		return fx_error_set(err, FX_ETYPE, "a region of %zu numbers", hello->n_want);
	for (int a = 0; a < 3; a++) {
		c->want.lo[a] = c->wants ? hello->want[a] : INT64_MIN;
		c->want.hi[a] = c->wants ? hello->want[3 + a] : INT64_MAX;
	}
	return FX_OK;
}

static int decode_body(const Fornix__Control *w, struct fx_control *c, struct fx_error *err)
{
	if (w->body_case == FORNIX__CONTROL__BODY_ACK) {
		c->kind = FX_CONTROL_ACK;
		return decode_acks(w->ack->seq, w->ack->n_seq, c, err);
	}
	if (w->body_case == FORNIX__CONTROL__BODY_WELCOME) {
		c->instance = w->welcome->instance;
		c->epoch = w->welcome->epoch;
		return decode_names(c, FX_CONTROL_WELCOME, w->welcome->node, w->welcome->port, err);
	}
	if (w->body_case == FORNIX__CONTROL__BODY_HELLO) {
		c->instance = w->hello->instance;
		c->epoch = w->hello->epoch;
		c->credit_messages = w->hello->credit_messages;
		c->credit_bytes = w->hello->credit_bytes;
		c->lists = w->hello->lists;
		if (decode_names(c, FX_CONTROL_HELLO, w->hello->node, w->hello->port, err) < 0 ||
		    decode_want(c, w->hello, err) < 0)
			return FX_ETYPE;
		return decode_acks(w->hello->have, w->hello->n_have, c, err);
	}
	return fx_error_set(err, FX_ETYPE, "a control message without a body");
}

int fx_control_decode(const void *bytes, size_t size, struct fx_control *c, struct fx_error *err)
{
	struct fx__unpacked u = { 0 };
	int result;

	memset(c, 0, sizeof *c);
	result = fx__unpack(&u, FX__FRAME_CONTROL, &fornix__control__descriptor, bytes, size, err);
	if (result == FX_OK)
		result = decode_body((const Fornix__Control *)u.message, c, err);
	fx__unpack_fini(&u);
	return result;
}
