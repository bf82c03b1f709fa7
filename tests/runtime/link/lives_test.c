// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/: what later lives of a producer and a consumer say and send again. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/file.h"
#include "link/inlet.h"
#include "link/outlet.h"

enum { PATIENCE_MS = 60000 };

/* A producer "from" and a consumer "to", which nothing but these counters outlives. */
struct pair {
	void *zmq;
	char *dir;
	char endpoint[128];
	struct fx_lane_stats stats;
	_Atomic uint64_t floor;
	struct fx_outlet_lane out_lane;
	struct fx_outlet_edge edge;
	struct fx_inlet_lane in_lane;
	struct fx_outlet *outlet;
	struct fx_inlet *inlet;
};

static void start_outlet(struct pair *p, unsigned epoch)
{
	struct fx_error err = { 0 };

	p->outlet = fx_outlet_new(&(struct fx_outlet_config){ .zmq = p->zmq,
							      .node = "from",
							      .port = "out",
							      .epoch = epoch,
							      .endpoint = p->endpoint,
							      .listen_fd = -1,
							      .repeats = true,
							      .edges_len = 1,
							      .edges = &p->edge },
				  &err);
	if (!p->outlet)
		fail_msg("%s", err.text);
}

static void start_inlet(struct pair *p, unsigned epoch, uint64_t first)
{
	struct fx_error err = { 0 };

	p->inlet = fx_inlet_new(&(struct fx_inlet_config){ .zmq = p->zmq,
							   .node = "to",
							   .port = "in",
							   .epoch = epoch,
							   .ordered = true,
							   .credit_messages = 4,
							   .credit_bytes = 1 << 20,
							   .floor = &p->floor,
							   .lanes_len = 1,
							   .lanes = &p->in_lane },
				&err);
	if (!p->inlet)
		fail_msg("%s", err.text);
	fx_inlet_begin(p->inlet, first);
}

static int setup(void **state)
{
	struct pair *p = calloc(1, sizeof *p);

	p->zmq = zmq_ctx_new();
	p->dir = test_tmp_dir();
	snprintf(p->endpoint, sizeof p->endpoint, "ipc://%s/0", p->dir);
	p->out_lane = (struct fx_outlet_lane){ 1, &p->stats };
	p->edge = (struct fx_outlet_edge){
		"to", "in", 1, &p->out_lane, FX_DROP_NONE, FX_WAY_AUTO, 0
	};
	p->in_lane = (struct fx_inlet_lane){ p->endpoint, -1, 1, &p->stats };
	start_outlet(p, 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	fx_inlet_free(p->inlet);
	fx_outlet_free(p->outlet);
	zmq_ctx_term(p->zmq);
	fx_remove_tree(p->dir, NULL);
	free(p->dir);
	free(p);
	return 0;
}

static void queue_mark(struct pair *p, uint64_t seq, enum fx_mark_kind kind)
{
	struct fx_envelope e = {
		.seq = seq, .mark = { .kind = kind, .dtype = FX_U8, .voxel_nm = { 8, 8, 8 } }
	};

	assert_int_equal(fx_outlet_queue(p->outlet, &e, NULL), FX_OK);
}

static void queue_block(struct pair *p, uint64_t seq)
{
	struct fx_envelope e = { .seq = seq,
				 .kind = FX_BLOCK,
				 .message = fx_block_new(FX_U8, 1, 2, 3) };

	assert_int_equal(fx_outlet_queue(p->outlet, &e, NULL), FX_OK);
}

static void pump(struct pair *p)
{
	fx_outlet_pump(p->outlet);
	fx_inlet_pump(p->inlet, NULL);
	fx_sleep_ms(1);
}

/* The next message must be @p seq; it is acknowledged. */
static void take(struct pair *p, uint64_t seq)
{
	struct fx_envelope e;

	for (int i = 0; i < PATIENCE_MS && !fx_inlet_peek(p->inlet); i++)
		pump(p);
	assert_true(fx_inlet_pop(p->inlet, &e));
	assert_int_equal(e.seq, seq);
	fx_envelope_fini(&e);
	fx_inlet_ack(p->inlet, seq);
}

static void what_was_acknowledged_is_not_sent_again(void **state)
{
	struct pair *p = *state;

	start_inlet(p, 0, 0);
	queue_mark(p, 0, FX_MARK_OPEN);
	queue_block(p, 1);
	queue_block(p, 2);
	for (uint64_t seq = 0; seq < 3; seq++)
		take(p, seq);
	for (int i = 0; i < PATIENCE_MS && fx_outlet_floor(p->outlet) < 3; i++)
		pump(p);
	assert_int_equal(fx_outlet_floor(p->outlet), 3);
	fx_outlet_free(p->outlet);
	start_outlet(p, 1);
	assert_int_equal(fx_outlet_floor(p->outlet), 3);
	queue_mark(p, 0, FX_MARK_OPEN);
	for (uint64_t seq = 1; seq < 5; seq++)
		queue_block(p, seq);
	take(p, 3);
	take(p, 4);
	assert_int_equal(p->stats.duplicates, 0);
	assert_int_equal(p->stats.sent, 4);
}

static void open_comes_again_for_those_behind(void **state)
{
	struct pair *p = *state;
	uint64_t seq;

	start_inlet(p, 1, 7); /* all below 7 was handed on by a former life */
	queue_mark(p, 2, FX_MARK_OPEN);
	for (int i = 0; i < PATIENCE_MS && !fx_inlet_opened(p->inlet); i++)
		pump(p);
	assert_null(fx_inlet_peek(p->inlet));
	assert_true(fx_inlet_reopens(p->inlet, &seq));
	assert_int_equal(seq, 2);
	assert_false(fx_inlet_reopens(p->inlet, &seq));
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		PLACED(what_was_acknowledged_is_not_sent_again),
		PLACED(open_comes_again_for_those_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
