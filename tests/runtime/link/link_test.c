// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/outlet.c and inlet.c against each other: order, credits, acknowledgements. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/file.h"
#include "link/inlet.h"
#include "link/outlet.h"

enum { LANES = 4, PATIENCE = 60000 };

/* Up to two producing and two consuming instances on one edge. */
struct rig {
	void *zmq;
	char *dir, endpoint[2][100];
	size_t producers, consumers;
	bool shared, slots_optional;
	int fd[2];
	struct fx_pool *pool[2];
	struct fx_lane_stats stats[LANES];
	struct fx_outlet_lane out_lanes[2][2];
	struct fx_outlet_edge edges[2];
	struct fx_inlet_lane in_lanes[2][2];
	_Atomic uint64_t floor[2];
	struct fx_outlet *outlet[2];
	struct fx_inlet *inlet[2];
	uint64_t acked[64];
	size_t acked_len;
};

static void note_acked(void *context, uint64_t seq)
{
	struct rig *r = context;

	if (r->acked_len < 64)
		r->acked[r->acked_len++] = seq;
}

static void start_outlet(struct rig *r, size_t p, unsigned epoch)
{
	struct fx_error err = { 0 };
	const struct fx_outlet_config config = { .zmq = r->zmq,
						 .node = "from",
						 .port = "out",
						 .instance = (unsigned)p,
						 .epoch = epoch,
						 .endpoint = r->endpoint[p],
						 .listen_fd = -1,
						 .pool = r->pool[p],
						 .slots_optional = r->slots_optional,
						 .edges_len = 1,
						 .edges = &r->edges[p],
						 .acked = note_acked,
						 .context = r };

	r->outlet[p] = fx_outlet_new(&config, &err);
	if (!r->outlet[p])
		fail_msg("%s", err.text);
}

static void start_inlet(struct rig *r, size_t c, unsigned epoch)
{
	struct fx_error err = { 0 };
	const struct fx_inlet_config config = { .zmq = r->zmq,
						.node = "to",
						.port = "in",
						.instance = (unsigned)c,
						.epoch = epoch,
						.ordered = r->consumers == 1,
						.credit_messages = 2,
						.credit_bytes = 1 << 20,
						.floor = &r->floor[c],
						.lanes_len = r->producers,
						.lanes = r->in_lanes[c] };

	r->inlet[c] = fx_inlet_new(&config, &err);
	if (!r->inlet[c])
		fail_msg("%s", err.text);
	if (config.ordered)
		fx_inlet_begin(r->inlet[c], r->floor[c]);
}

static struct rig *rig_new(size_t producers, size_t consumers, bool shared)
{
	struct rig *r = calloc(1, sizeof *r);

	r->zmq = zmq_ctx_new();
	r->dir = test_tmp_dir();
	r->producers = producers;
	r->consumers = consumers;
	for (size_t p = 0; p < producers; p++) {
		snprintf(r->endpoint[p], sizeof r->endpoint[p], "ipc://%s/%zu", r->dir, p);
		r->fd[p] = shared ? fx_pool_create(FX_POOL_SLOTS, NULL) : -1;
		r->pool[p] = shared ? fx_pool_map(r->fd[p], true, NULL) : NULL;
		for (size_t c = 0; c < consumers; c++) {
			struct fx_lane_stats *stats = &r->stats[p * consumers + c];

			r->out_lanes[p][c] = (struct fx_outlet_lane){ (unsigned)c + 1, stats };
			r->in_lanes[c][p] = (struct fx_inlet_lane){ r->endpoint[p], r->fd[p],
								    (unsigned)c + 1, stats };
		}
		r->edges[p] =
			(struct fx_outlet_edge){ "to", "in", consumers, r->out_lanes[p], 0, 0, 0 };
		start_outlet(r, p, 0);
	}
	for (size_t c = 0; c < consumers; c++)
		start_inlet(r, c, 0);
	return r;
}

static void rig_free(struct rig *r)
{
	for (size_t c = 0; c < r->consumers; c++)
		fx_inlet_free(r->inlet[c]);
	for (size_t p = 0; p < r->producers; p++) {
		fx_outlet_free(r->outlet[p]);
		fx_pool_unmap(r->pool[p]);
		if (r->fd[p] >= 0)
			close(r->fd[p]);
	}
	zmq_ctx_term(r->zmq);
	fx_remove_tree(r->dir, NULL);
	free(r->dir);
	free(r);
}

/* Lets both sides work. */
static void pump(struct rig *r, int ms)
{
	for (int i = 0; i < ms; i++) {
		for (size_t p = 0; p < r->producers; p++)
			if (r->outlet[p])
				fx_outlet_pump(r->outlet[p]);
		for (size_t c = 0; c < r->consumers; c++)
			if (r->inlet[c])
				fx_inlet_pump(r->inlet[c], NULL);
		fx_sleep_ms(1);
	}
}

/* Until a counter has come so far, and a little longer. */
static void await(struct rig *r, const _Atomic uint64_t *counter, uint64_t least)
{
	for (int i = 0; i < PATIENCE && *counter < least; i++)
		pump(r, 1);
	pump(r, 20);
	assert_int_equal(*counter, least);
}

static void send_block(struct rig *r, size_t p, uint64_t seq)
{
	struct fx_block *b = fx_block_new(FX_U32, 1, 64, 64);
	struct fx_envelope e = { .seq = seq, .kind = FX_BLOCK, .message = b };

	for (size_t i = 0; i < 64 * 64; i++)
		((uint32_t *)b->data)[i] = (uint32_t)(seq * 1000 + i);
	assert_int_equal(fx_outlet_queue(r->outlet[p], &e, NULL), FX_OK);
}

static void send_mark(struct rig *r, size_t p, uint64_t seq, enum fx_mark_kind kind)
{
	struct fx_envelope e = {
		.seq = seq, .mark = { .kind = kind, .dtype = FX_U32, .voxel_nm = { 8, 8, 8 } }
	};

	assert_int_equal(fx_outlet_queue(r->outlet[p], &e, NULL), FX_OK);
}

/* Takes the next message of consumer @p c, which must come; its seq. */
static uint64_t take(struct rig *r, size_t c, bool ack)
{
	struct fx_envelope e;

	for (int i = 0; i < PATIENCE && !fx_inlet_peek(r->inlet[c]); i++)
		pump(r, 1);
	assert_true(fx_inlet_pop(r->inlet[c], &e));
	if (e.kind == FX_BLOCK)
		assert_int_equal(((uint32_t *)((struct fx_block *)e.message)->data)[77],
				 e.seq * 1000 + 77);
	fx_envelope_fini(&e);
	if (ack)
		fx_inlet_ack(r->inlet[c], e.seq);
	return e.seq;
}

static void delivers_in_order(struct rig *r)
{
	send_mark(r, 0, 0, FX_MARK_OPEN);
	for (uint64_t s = 1; s < 5; s++)
		send_block(r, 0, s);
	send_mark(r, 0, 5, FX_MARK_END);
	for (uint64_t s = 0; s < 6; s++)
		assert_int_equal(take(r, 0, true), s);
	for (int i = 0; i < PATIENCE && !fx_outlet_settled(r->outlet[0]); i++)
		pump(r, 1);
	assert_int_equal(r->acked_len, 6);
	assert_int_equal(r->stats[0].sent, 4);
	assert_int_equal(r->stats[0].delivered, 4);
	assert_int_equal(r->stats[0].acked, 4);
	assert_non_null(fx_inlet_opened(r->inlet[0]));
}

static void shared_memory_delivers_in_order(void **unused)
{
	struct rig *r = rig_new(1, 1, true);

	(void)unused;
	delivers_in_order(r);
	assert_int_equal(fx_pool_used(r->pool[0]), 0);
	rig_free(r);
}

static void frames_deliver_in_order(void **unused)
{
	struct rig *r = rig_new(1, 1, false);

	(void)unused;
	delivers_in_order(r);
	rig_free(r);
}

static void credit_bounds_what_is_in_flight(void **unused)
{
	struct rig *r = rig_new(1, 1, true);

	(void)unused;
	for (uint64_t s = 0; s < 6; s++)
		send_block(r, 0, s);
	await(r, &r->stats[0].sent, 2); /* the credit of start_inlet() */
	assert_false(fx_outlet_room(r->outlet[0], 6));
	assert_int_equal(take(r, 0, false), 0);
	pump(r, 20);
	assert_int_equal(r->stats[0].sent, 2); /* taking alone gives no credit back */
	fx_inlet_ack(r->inlet[0], 0);
	await(r, &r->stats[0].sent, 3);
	rig_free(r);
}

/* Else its consumer would wait for it for ever, and it for credit. */
static void what_all_in_flight_comes_after_passes_credit(void **unused)
{
	struct rig *r = rig_new(1, 1, true);

	(void)unused;
	for (uint64_t s = 7; s > 1; s--)
		send_block(r, 0, s);
	await(r, &r->stats[0].sent, 2);		       /* the credit of start_inlet(): 2 and 3 */
	assert_false(fx_outlet_room(r->outlet[0], 4)); /* the first of four that wait */
	assert_true(fx_outlet_room(r->outlet[0], 1));
	send_block(r, 0, 1);
	await(r, &r->stats[0].sent, 3);
	send_mark(r, 0, 0, FX_MARK_DONE);
	for (uint64_t s = 0; s < 8; s++)
		assert_int_equal(take(r, 0, true), s);
	rig_free(r);
}

static void one_of_workers_gets_what_passes_credit(void **unused)
{
	struct rig *r = rig_new(1, 2, true);
	bool had = false;

	(void)unused;
	for (uint64_t s = 1; s < 6; s++)
		send_block(r, 0, s);
	await(r, &r->stats[0].sent, 2);
	await(r, &r->stats[1].sent, 2);
	send_block(r, 0, 0);
	pump(r, 20);
	assert_int_equal(r->stats[0].sent + r->stats[1].sent, 5); /* 0..4; 5 waits */
	for (int i = 0; i < 3; i++)
		had = take(r, r->stats[0].sent == 3 ? 0 : 1, false) == 0 || had;
	assert_true(had);
	rig_free(r);
}

static void what_finds_no_slot_travels_in_a_frame(void **unused)
{
	struct rig *r = rig_new(1, 1, true);
	struct fx_block *b = fx_block_new(FX_U32, 1, 64, 64);
	struct fx_envelope e = { .kind = FX_BLOCK, .message = b };
	struct fx_block voxels = { 0 };

	(void)unused;
	for (int i = 0; i < FX_POOL_SLOTS; i++)
		assert_int_equal(fx_pool_take(r->pool[0]), i);
	assert_int_equal(fx_outlet_queue(r->outlet[0], &e, NULL), FX_IDLE);
	fx_block_free(b);
	assert_int_equal(fx_outlet_voxels(r->outlet[0], 4, &voxels), FX_IDLE);
	fx_outlet_free(r->outlet[0]);
	r->slots_optional = true;
	start_outlet(r, 0, 0);
	assert_int_equal(fx_outlet_voxels(r->outlet[0], 4, &voxels), FX_OK);
	voxels.release(&voxels);
	send_block(r, 0, 0);
	assert_int_equal(take(r, 0, true), 0);
	assert_int_equal(fx_pool_used(r->pool[0]), FX_POOL_SLOTS);
	rig_free(r);
}

static void end_waits_for_acknowledgements(void **unused)
{
	struct rig *r = rig_new(1, 1, true);

	(void)unused;
	send_block(r, 0, 0);
	send_mark(r, 0, 1, FX_MARK_END);
	assert_int_equal(take(r, 0, false), 0);
	pump(r, 50);
	assert_null(fx_inlet_peek(r->inlet[0]));
	fx_inlet_ack(r->inlet[0], 0);
	assert_int_equal(take(r, 0, true), 1);
	rig_free(r);
}

static void a_worker_that_vanishes_loses_nothing(void **unused)
{
	struct rig *r = rig_new(1, 2, true);
	bool seen[6] = { false };
	size_t n = 0;

	(void)unused;
	for (uint64_t s = 0; s < 4; s++)
		send_block(r, 0, s);
	await(r, &r->stats[0].sent, 2);
	await(r, &r->stats[1].sent, 2);
	take(r, 1, false); /* worker 1 holds two, has seen one, acknowledges none: it dies */
	fx_inlet_free(r->inlet[1]);
	start_inlet(r, 1, 1);
	send_block(r, 0, 4);
	send_block(r, 0, 5);
	for (int i = 0; i < PATIENCE && (n < 6 || r->acked_len < 6); i++) {
		pump(r, 1);
		for (size_t c = 0; c < 2; c++)
			while (fx_inlet_peek(r->inlet[c])) {
				seen[take(r, c, true)] = true;
				n++;
			}
	}
	for (int s = 0; s < 6; s++)
		assert_true(seen[s]);
	assert_int_equal(n, 6);
	assert_int_equal(r->stats[1].resent, 2);
	assert_int_equal(r->stats[0].sent + r->stats[1].sent, 6);
	assert_int_equal(r->stats[0].acked + r->stats[1].acked, 6);
	assert_int_equal(r->stats[0].delivered + r->stats[1].delivered, 6);
	assert_int_equal(fx_pool_used(r->pool[0]), 0);
	rig_free(r);
}

static void an_ordered_consumer_goes_on_where_it_was(void **unused)
{
	struct rig *r = rig_new(1, 1, true);

	(void)unused;
	send_mark(r, 0, 0, FX_MARK_OPEN);
	send_block(r, 0, 1);
	send_block(r, 0, 2);
	assert_int_equal(take(r, 0, true), 0);
	assert_int_equal(take(r, 0, true), 1);
	assert_int_equal(take(r, 0, false), 2);
	fx_inlet_free(r->inlet[0]);
	start_inlet(r, 0, 1);
	send_block(r, 0, 3);
	assert_int_equal(take(r, 0, true), 2);
	assert_int_equal(take(r, 0, true), 3);
	assert_non_null(fx_inlet_opened(r->inlet[0])); /* sent again to the new life */
	rig_free(r);
}

static void copies_of_two_workers_count_once(void **unused)
{
	struct rig *r = rig_new(2, 1, true);

	(void)unused;
	send_block(r, 1, 1);
	pump(r, 100);
	assert_null(fx_inlet_peek(r->inlet[0])); /* 0 comes first */
	send_block(r, 0, 0);
	assert_int_equal(take(r, 0, true), 0);
	assert_int_equal(take(r, 0, true), 1);
	send_block(r, 0, 1); /* made again by the other worker */
	send_block(r, 0, 2);
	assert_int_equal(take(r, 0, true), 2);
	assert_int_equal(r->stats[0].duplicates, 1);
	await(r, &r->stats[0].acked, 3); /* the copy is acknowledged too */
	rig_free(r);
}

static void a_producer_that_comes_back_is_greeted_again(void **unused)
{
	struct rig *r = rig_new(1, 1, true);

	(void)unused;
	send_block(r, 0, 0);
	send_block(r, 0, 1);
	assert_int_equal(take(r, 0, true), 0);
	fx_outlet_free(r->outlet[0]);
	r->outlet[0] = NULL;
	fx_pool_forget(r->pool[0], 0, NULL);
	start_outlet(r, 0, 1);
	send_block(r, 0, 1); /* made again from the input that was not acknowledged */
	send_block(r, 0, 2);
	assert_int_equal(take(r, 0, true), 1);
	assert_int_equal(take(r, 0, true), 2);
	for (int i = 0; i < PATIENCE && fx_pool_used(r->pool[0]); i++)
		pump(r, 1);
	assert_int_equal(fx_pool_used(r->pool[0]), 0);
	rig_free(r);
}

static void a_new_life_gets_open_before_all_have_acknowledged_it(void **unused)
{
	struct rig *r = rig_new(1, 2, true);

	(void)unused;
	send_mark(r, 0, 0, FX_MARK_OPEN);
	take(r, 0, false);
	take(r, 1, true);
	fx_inlet_free(r->inlet[1]);
	start_inlet(r, 1, 1);
	assert_int_equal(take(r, 1, true), 0);
	pump(r, 20);
	assert_int_equal(r->acked_len, 0); /* consumer 0 has not */
	fx_inlet_ack(r->inlet[0], 0);
	for (int i = 0; i < PATIENCE && !r->acked_len; i++)
		pump(r, 1);
	assert_int_equal(r->acked_len, 1);
	rig_free(r);
}

static void a_copy_of_what_is_safe_is_acknowledged(void **unused)
{
	struct rig *r = rig_new(1, 1, true);

	(void)unused;
	send_block(r, 0, 0);
	send_block(r, 0, 1);
	assert_int_equal(take(r, 0, false), 0);
	assert_int_equal(take(r, 0, false), 1);
	fx_inlet_ack(r->inlet[0], 1); /* out of order: it waits for 0 */
	fx_outlet_free(r->outlet[0]);
	r->outlet[0] = NULL;
	fx_pool_forget(r->pool[0], 0, NULL);
	start_outlet(r, 0, 1);
	send_block(r, 0, 0);
	send_block(r, 0, 1);
	await(r, &r->stats[0].duplicates, 2);
	fx_inlet_ack(r->inlet[0], 0);
	await(r, &r->stats[0].acked, 2);
	assert_int_equal(r->floor[0], 2);
	rig_free(r);
}

/* The welcome of a producer's new life and its first block are read in one go. */
static void a_lent_slot_is_kept_over_a_late_welcome(void **unused)
{
	struct rig *r = rig_new(1, 1, true);
	struct fx_envelope e;

	(void)unused;
	send_block(r, 0, 0);
	assert_int_equal(take(r, 0, true), 0);
	await(r, &r->stats[0].acked, 1);
	fx_outlet_free(r->outlet[0]);
	r->outlet[0] = NULL;
	fx_pool_forget(r->pool[0], 0, NULL);
	pump(r, 1100); /* a greeting waits for the new life */
	start_outlet(r, 0, 1);
	send_block(r, 0, 1);
	for (int i = 0; i < PATIENCE && r->stats[0].sent < 2; i++) {
		fx_outlet_pump(r->outlet[0]);
		fx_sleep_ms(1);
	}
	fx_sleep_ms(50);
	for (int i = 0; i < PATIENCE && !fx_inlet_peek(r->inlet[0]); i++)
		pump(r, 1);
	assert_true(fx_inlet_pop(r->inlet[0], &e));
	fx_inlet_ack(r->inlet[0], e.seq);
	await(r, &r->stats[0].acked, 2);
	assert_int_equal(fx_pool_used(r->pool[0]), 1); /* acknowledged, and still in use here */
	fx_envelope_fini(&e);
	assert_int_equal(fx_pool_used(r->pool[0]), 0);
	rig_free(r);
}

/* Names that differ at their end only are two consumers. */
static void long_names_are_told_apart(void **unused)
{
	static const char *const names[2] = {
		"a-name-of-a-node-that-is-as-long-as-graph-files-let-it-be-no-01",
		"a-name-of-a-node-that-is-as-long-as-graph-files-let-it-be-no-02",
	};
	struct rig *r = rig_new(1, 1, true);
	struct fx_outlet_edge edges[2];
	struct fx_outlet_config out = { .zmq = r->zmq,
					.node = "from",
					.port = "out",
					.endpoint = r->endpoint[1],
					.listen_fd = -1,
					.edges_len = 2,
					.edges = edges };
	struct fx_outlet *outlet;
	struct fx_inlet *in[2];
	struct fx_envelope mark = { .mark = { .kind = FX_MARK_DONE } }, got;

	(void)unused;
	snprintf(r->endpoint[1], sizeof r->endpoint[1], "ipc://%s/long", r->dir);
	for (int i = 0; i < 2; i++)
		edges[i] = (struct fx_outlet_edge){ names[i], "in", 1, r->out_lanes[0], 0, 0, 0 };
	outlet = fx_outlet_new(&out, NULL);
	assert_non_null(outlet);
	r->in_lanes[0][1] = (struct fx_inlet_lane){ r->endpoint[1], -1, 1, &r->stats[1] };
	for (int i = 0; i < 2; i++) {
		const struct fx_inlet_config config = { .zmq = r->zmq,
							.node = names[i],
							.port = "in",
							.ordered = true,
							.credit_messages = 2,
							.credit_bytes = 100,
							.floor = &r->floor[1],
							.lanes_len = 1,
							.lanes = &r->in_lanes[0][1] };

		in[i] = fx_inlet_new(&config, NULL);
		assert_non_null(in[i]);
	}
	assert_int_equal(fx_outlet_queue(outlet, &mark, NULL), FX_OK);
	for (int i = 0; i < PATIENCE && !(fx_inlet_peek(in[0]) && fx_inlet_peek(in[1])); i++) {
		fx_outlet_pump(outlet);
		fx_inlet_pump(in[0], NULL);
		fx_inlet_pump(in[1], NULL);
		fx_sleep_ms(1);
	}
	for (int i = 0; i < 2; i++) {
		assert_true(fx_inlet_pop(in[i], &got));
		fx_inlet_free(in[i]);
	}
	fx_outlet_free(outlet);
	rig_free(r);
}

static void strangers_and_garbage_are_refused(void **unused)
{
	struct rig *r = rig_new(1, 1, true);
	void *stranger = zmq_socket(r->zmq, ZMQ_DEALER);
	struct fx_control c = {
		.kind = FX_CONTROL_HELLO, .node = "nobody", .port = "in", .credit_messages = 9
	};
	void *bytes;
	size_t size;
	unsigned refused = 0;

	(void)unused;
	zmq_connect(stranger, r->endpoint[0]);
	zmq_send(stranger, "garbage", 7, 0);
	fx_control_encode(&c, &bytes, &size, NULL);
	zmq_send(stranger, bytes, size, 0);
	zmq_send(stranger, bytes, size, ZMQ_SNDMORE);
	zmq_send(stranger, "more", 4, 0);
	for (int i = 0; i < PATIENCE && refused < 3; i++) {
		refused += fx_outlet_pump(r->outlet[0]);
		fx_sleep_ms(1);
	}
	assert_int_equal(refused, 3);
	free(bytes);
	zmq_close(stranger);
	delivers_in_order(r);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_memory_delivers_in_order),
		cmocka_unit_test(frames_deliver_in_order),
		cmocka_unit_test(credit_bounds_what_is_in_flight),
		cmocka_unit_test(what_all_in_flight_comes_after_passes_credit),
		cmocka_unit_test(one_of_workers_gets_what_passes_credit),
		cmocka_unit_test(what_finds_no_slot_travels_in_a_frame),
		cmocka_unit_test(end_waits_for_acknowledgements),
		cmocka_unit_test(a_worker_that_vanishes_loses_nothing),
		cmocka_unit_test(an_ordered_consumer_goes_on_where_it_was),
		cmocka_unit_test(copies_of_two_workers_count_once),
		cmocka_unit_test(a_producer_that_comes_back_is_greeted_again),
		cmocka_unit_test(a_new_life_gets_open_before_all_have_acknowledged_it),
		cmocka_unit_test(a_copy_of_what_is_safe_is_acknowledged),
		cmocka_unit_test(a_lent_slot_is_kept_over_a_late_welcome),
		cmocka_unit_test(long_names_are_told_apart),
		cmocka_unit_test(strangers_and_garbage_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
