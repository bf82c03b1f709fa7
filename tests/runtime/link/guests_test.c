// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/guests.c and visit.c against each other, at an outlet with one consumer. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/file.h"
#include "link/guests.h"
#include "link/inlet.h"
#include "link/visit.h"

enum { SIDE = 64, PATIENCE_MS = 60000 };

struct rig {
	void *zmq;
	char *dir, endpoint[100], guests[100];
	int fd;
	struct fx_pool *pool;
	struct fx_lane_stats stats;
	struct fx_outlet_lane out_lane;
	struct fx_inlet_lane in_lane;
	struct fx_outlet_edge edge;
	_Atomic uint64_t floor, untapped;
	struct fx_outlet *outlet;
	struct fx_inlet *inlet;
	_Atomic uint64_t acked; /* messages that all have acknowledged */
};

static void count_acked(void *context, uint64_t seq)
{
	struct rig *r = context;

	(void)seq;
	r->acked++;
}

static void start_outlet(struct rig *r)
{
	const struct fx_outlet_config config = { .zmq = r->zmq,
						 .node = "from",
						 .port = "out",
						 .endpoint = r->endpoint,
						 .listen_fd = -1,
						 .guests = r->guests,
						 .untapped = &r->untapped,
						 .pool = r->pool,
						 .edges_len = 1,
						 .edges = &r->edge,
						 .acked = count_acked,
						 .context = r };
	struct fx_error err = { 0 };

	r->outlet = fx_outlet_new(&config, &err);
	if (!r->outlet)
		fail_msg("%s", err.text);
}

static struct rig *rig_new(bool shared)
{
	struct rig *r = calloc(1, sizeof *r);
	struct fx_error err = { 0 };

	assert_non_null(r);
	r->zmq = zmq_ctx_new();
	r->dir = test_tmp_dir();
	r->fd = shared ? fx_pool_create(FX_POOL_SLOTS, NULL) : -1;
	r->pool = shared ? fx_pool_map(r->fd, true, NULL) : NULL;
	snprintf(r->endpoint, sizeof r->endpoint, "ipc://%s/0", r->dir);
	snprintf(r->guests, sizeof r->guests, "ipc://%s/g", r->dir);
	r->out_lane = (struct fx_outlet_lane){ 1, &r->stats };
	r->in_lane = (struct fx_inlet_lane){ r->endpoint, r->fd, 1, &r->stats };
	r->edge = (struct fx_outlet_edge){
		.node = "to", .port = "in", .lanes_len = 1, .lanes = &r->out_lane
	};
	start_outlet(r);
	r->inlet = fx_inlet_new(&(struct fx_inlet_config){ .zmq = r->zmq,
							   .node = "to",
							   .port = "in",
							   .ordered = true,
							   .credit_messages = 100,
							   .credit_bytes = 1 << 30,
							   .floor = &r->floor,
							   .lanes_len = 1,
							   .lanes = &r->in_lane },
				&err);
	if (!r->inlet)
		fail_msg("%s", err.text);
	return r;
}

static void rig_free(struct rig *r)
{
	fx_inlet_free(r->inlet);
	fx_outlet_free(r->outlet);
	fx_pool_unmap(r->pool);
	if (r->fd >= 0)
		close(r->fd);
	zmq_ctx_term(r->zmq);
	fx_remove_tree(r->dir, NULL);
	free(r->dir);
	free(r);
}

/* The consumer of the plan takes what has come, and acknowledges it. */
static void pump(struct rig *r, int ms)
{
	struct fx_envelope e;

	for (int i = 0; i < ms; i++) {
		fx_outlet_pump(r->outlet);
		fx_inlet_pump(r->inlet, NULL);
		while (fx_inlet_pop(r->inlet, &e)) {
			fx_envelope_fini(&e);
			fx_inlet_ack(r->inlet, e.seq);
		}
		fx_sleep_ms(1);
	}
}

/* Until a counter has come so far, and a little longer. */
static void await(struct rig *r, const _Atomic uint64_t *counter, uint64_t least)
{
	for (int i = 0; i < PATIENCE_MS && *counter < least; i++)
		pump(r, 1);
	pump(r, 20);
	assert_int_equal(*counter, least);
}

static void settle(struct rig *r)
{
	for (int i = 0; i < PATIENCE_MS && !fx_outlet_settled(r->outlet); i++)
		pump(r, 1);
	assert_true(fx_outlet_settled(r->outlet));
}

/* There is room for this message, when the consumer has been heard. */
static void await_room(struct rig *r, uint64_t seq)
{
	for (int i = 0; i < PATIENCE_MS && !fx_outlet_room(r->outlet, seq); i++)
		pump(r, 1);
	assert_true(fx_outlet_room(r->outlet, seq));
}

static struct fx_visit *visit(struct rig *r, const char *kind, uint32_t messages, uint64_t bytes)
{
	const char *endpoint = r->guests;
	struct fx_error err = { 0 };
	struct fx_visit *v = fx_visit_new(&(struct fx_visit_config){ .kind = kind,
								     .credit_messages = messages,
								     .credit_bytes = bytes,
								     .endpoints_len = 1,
								     .endpoints = &endpoint },
					  &err);

	if (!v)
		fail_msg("%s", err.text);
	return v;
}

/* The next message for a guest, which must come. */
static struct fx_envelope next(struct rig *r, struct fx_visit *v, bool ack)
{
	struct fx_visit_message m = { .from = 9 };
	int result = FX_IDLE;

	for (int i = 0; i < PATIENCE_MS && result == FX_IDLE; i++) {
		pump(r, 1);
		result = fx_visit_next(v, 0, &m, NULL);
	}
	assert_int_equal(result, FX_OK);
	assert_int_equal(m.from, 0);
	if (ack)
		fx_visit_ack(v, m.from, m.envelope.seq);
	return m.envelope;
}

static void expect_block(struct rig *r, struct fx_visit *v, uint64_t seq, bool ack)
{
	struct fx_envelope e = next(r, v, ack);
	const struct fx_block *b = e.message;

	assert_int_equal(e.seq, seq);
	assert_int_equal(e.kind, FX_BLOCK);
	for (size_t i = 0; i < SIDE * SIDE; i++)
		assert_int_equal(((const uint32_t *)b->data)[i], seq * 1000 + i);
	fx_envelope_fini(&e);
}

static void expect_nothing(struct rig *r, struct fx_visit *v)
{
	struct fx_visit_message m;

	pump(r, 30);
	assert_int_equal(fx_visit_next(v, 0, &m, NULL), FX_IDLE);
}

static void welcome(struct rig *r, struct fx_visit *v)
{
	struct fx_visit_message m;

	for (int i = 0; i < PATIENCE_MS && !fx_visit_welcomes(v); i++) {
		assert_int_equal(fx_visit_next(v, 0, &m, NULL), FX_IDLE);
		pump(r, 1);
	}
	assert_int_equal(fx_visit_welcomes(v), 1);
}

static void send_block(struct rig *r, uint64_t seq)
{
	struct fx_block *b = fx_block_new(FX_U32, 1, SIDE, SIDE);
	struct fx_envelope e = { .seq = seq, .kind = FX_BLOCK, .message = b };

	assert_non_null(b);
	for (size_t i = 0; i < SIDE * SIDE; i++)
		((uint32_t *)b->data)[i] = (uint32_t)(seq * 1000 + i);
	assert_int_equal(fx_outlet_queue(r->outlet, &e, NULL), FX_OK);
}

static void send_mark(struct rig *r, uint64_t seq, enum fx_mark_kind kind)
{
	struct fx_envelope e = {
		.seq = seq, .mark = { .kind = kind, .dtype = FX_U32, .voxel_nm = { 8, 8, 8 } }
	};

	assert_int_equal(fx_outlet_queue(r->outlet, &e, NULL), FX_OK);
}

static void expect_mark(struct rig *r, struct fx_visit *v, uint64_t seq, enum fx_mark_kind kind)
{
	struct fx_envelope e = next(r, v, true);

	assert_int_equal(e.seq, seq);
	assert_int_equal(e.kind, FX_NOTHING);
	assert_int_equal(e.mark.kind, kind);
}

static void gets_all(const char *kind, bool shared)
{
	struct rig *r = rig_new(shared);
	struct fx_visit *v;

	send_mark(r, 0, FX_MARK_OPEN);
	send_block(r, 1);
	await(r, &r->acked, 2);
	v = visit(r, kind, 4, 1 << 20);
	expect_mark(r, v, 0, FX_MARK_OPEN); /* also to who comes late */
	send_block(r, 2);
	send_block(r, 3);
	send_mark(r, 4, FX_MARK_DONE);
	expect_block(r, v, 2, true);
	expect_block(r, v, 3, true);
	expect_mark(r, v, 4, FX_MARK_DONE);
	send_mark(r, 5, FX_MARK_END);
	expect_mark(r, v, 5, FX_MARK_END);
	settle(r);
	assert_int_equal(r->untapped, 0);
	await(r, &r->acked, 6);
	if (shared)
		assert_int_equal(fx_pool_used(r->pool), 0);
	fx_visit_free(v);
	rig_free(r);
}

static void a_tap_gets_copies(void **unused)
{
	(void)unused;
	gets_all(FX_GUEST_TAP, true);
	gets_all(FX_GUEST_TAP, false);
}

static void a_recorder_gets_copies(void **unused)
{
	(void)unused;
	gets_all(FX_GUEST_RECORD, true);
	gets_all(FX_GUEST_RECORD, false);
}

/* A tap that reads nothing holds nothing: neither credit, nor slots, nor acknowledgements. */
static void what_a_tap_is_too_slow_for_passes_by(void **unused)
{
	struct rig *r = rig_new(true);
	struct fx_visit *v = visit(r, FX_GUEST_TAP, 2, 1 << 20);
	uint64_t seq, passed = 0;

	(void)unused;
	welcome(r, v);
	for (uint64_t s = 0; s < 10; s++) {
		await_room(r, s);
		send_block(r, s);
	}
	await(r, &r->stats.acked, 10);
	assert_int_equal(r->acked, 10);
	assert_int_equal(fx_pool_used(r->pool), 0);
	assert_int_equal(r->untapped, 8);
	expect_block(r, v, 0, true);
	expect_block(r, v, 1, true);
	expect_nothing(r, v); /* nothing comes later */
	for (seq = 10; r->untapped > passed && seq < 6000; seq++) {
		pump(r, 10); /* credit comes back with acknowledgements */
		passed = r->untapped;
		send_block(r, seq);
	}
	expect_block(r, v, seq - 1, true);
	fx_visit_free(v);
	rig_free(r);
}

static void bytes_bound_a_tap_as_well(void **unused)
{
	struct rig *r = rig_new(false);
	struct fx_visit *v = visit(r, FX_GUEST_TAP, 30, 3 * 4 * SIDE * SIDE);

	(void)unused;
	welcome(r, v);
	for (uint64_t s = 0; s < 10; s++)
		send_block(r, s);
	pump(r, 20);
	assert_int_equal(r->untapped, 7);
	fx_visit_free(v);
	rig_free(r);
}

static void headers_alone_carry_no_voxels(void **unused)
{
	struct rig *r = rig_new(true);
	struct fx_visit *v = visit(r, FX_GUEST_TAP, 30, 0);
	struct fx_envelope e;

	(void)unused;
	welcome(r, v);
	send_block(r, 0);
	e = next(r, v, true);
	assert_int_equal(e.kind, FX_BLOCK);
	assert_null(((const struct fx_block *)e.message)->data);
	assert_int_equal(e.payload.raw_size, 4 * SIDE * SIDE);
	fx_envelope_fini(&e);
	fx_visit_free(v);
	rig_free(r);
}

/* The producer waits for a recorder, and keeps for it what it has not acknowledged. */
static void a_recorder_is_waited_for(void **unused)
{
	struct rig *r = rig_new(true);
	struct fx_visit *v = visit(r, FX_GUEST_RECORD, 2, 1 << 20);

	(void)unused;
	welcome(r, v);
	for (uint64_t s = 0; s < 6; s++) {
		await_room(r, s);
		send_block(r, s);
	}
	await(r, &r->stats.acked, 6);
	assert_int_equal(r->acked, 0);
	assert_false(fx_outlet_room(r->outlet, 6)); /* two on their way, four wait */
	assert_int_equal(fx_pool_used(r->pool), 6);
	send_mark(r, 6, FX_MARK_END);
	pump(r, 20);
	assert_false(fx_outlet_settled(r->outlet));
	for (uint64_t s = 0; s < 6; s++)
		expect_block(r, v, s, true);
	expect_mark(r, v, 6, FX_MARK_END);
	settle(r);
	await(r, &r->acked, 7);
	assert_int_equal(fx_pool_used(r->pool), 0);
	fx_visit_free(v);
	rig_free(r);
}

static void a_recorder_that_goes_is_waited_for_no_more(void **unused)
{
	struct rig *r = rig_new(true);
	struct fx_visit *v = visit(r, FX_GUEST_RECORD, 2, 1 << 20);

	(void)unused;
	welcome(r, v);
	for (uint64_t s = 0; s < 6; s++)
		send_block(r, s);
	pump(r, 50);
	assert_false(fx_outlet_room(r->outlet, 6));
	fx_visit_free(v);
	await(r, &r->acked, 6);
	assert_true(fx_outlet_room(r->outlet, 6));
	assert_int_equal(fx_pool_used(r->pool), 0);
	rig_free(r);
}

static bool any_frame_comes(void *socket)
{
	char bytes[64];
	bool any = false;

	fx_sleep_ms(20);
	while (zmq_recv(socket, bytes, sizeof bytes, ZMQ_DONTWAIT) >= 0)
		any = true;
	return any;
}

/* Nobody else gets in by that door, nor a guest by the other. */
static void strangers_get_nothing(void **unused)
{
	struct rig *r = rig_new(false);
	void *s = zmq_socket(r->zmq, ZMQ_DEALER);
	struct fx_control c = { .kind = FX_CONTROL_HELLO, .credit_messages = 2 };
	const int zero = 0;
	void *bytes;
	size_t size;

	(void)unused;
	zmq_setsockopt(s, ZMQ_LINGER, &zero, sizeof zero);
	assert_int_equal(zmq_connect(s, r->guests), 0);
	snprintf(c.node, sizeof c.node, "to");
	snprintf(c.port, sizeof c.port, "in");
	assert_int_equal(fx_control_encode(&c, &bytes, &size, NULL), FX_OK);
	zmq_send(s, bytes, size, 0);
	zmq_send(s, "rubbish", 7, 0);
	free(bytes);
	send_block(r, 0);
	await(r, &r->stats.acked, 1); /* the consumer of the plan is not disturbed */
	assert_false(any_frame_comes(s));
	zmq_close(s);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tap_gets_copies),
		cmocka_unit_test(a_recorder_gets_copies),
		cmocka_unit_test(what_a_tap_is_too_slow_for_passes_by),
		cmocka_unit_test(bytes_bound_a_tap_as_well),
		cmocka_unit_test(headers_alone_carry_no_voxels),
		cmocka_unit_test(a_recorder_is_waited_for),
		cmocka_unit_test(a_recorder_that_goes_is_waited_for_no_more),
		cmocka_unit_test(strangers_get_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
