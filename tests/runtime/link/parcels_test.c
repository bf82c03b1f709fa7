// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/parcels.c, and by it outlet.c and inlet.c with a consumer that drops. */
#include "support/test.h"

#include "link/parcels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/file.h"
#include "link/inlet.h"

enum { PATIENCE_MS = 60000 };
enum { CREDIT = 2, WAITING = 2 /* what outlet.c lets wait for one that drops */ };

/* Up to two producers; one consumer "all" that all is kept for, one "view" that drops. */
struct rig {
	void *zmq;
	char *dir, endpoint[2][100];
	size_t producers;
	struct fx_lane_stats stats[2][2]; /* by producer; all, view */
	struct fx_outlet_lane out_lanes[2][2];
	struct fx_outlet_edge edges[2][2];
	struct fx_inlet_lane in_lanes[2][2]; /* by consumer */
	_Atomic uint64_t floor[2];
	struct fx_outlet *outlet[2];
	struct fx_inlet *all, *view;
	uint64_t told; /* messages that the producer does not wait for any more */
};

static void note_acked(void *context, uint64_t seq)
{
	struct rig *r = context;

	(void)seq;
	r->told++;
}

static struct fx_inlet *inlet_new(struct rig *r, const char *name, size_t k, unsigned epoch)
{
	const struct fx_inlet_config config = { .zmq = r->zmq,
						.node = name,
						.port = "in",
						.epoch = epoch,
						.ordered = true,
						.gaps = k == 1,
						.credit_messages = CREDIT,
						.credit_bytes = 1 << 20,
						.floor = &r->floor[k],
						.lanes_len = r->producers,
						.lanes = r->in_lanes[k] };
	struct fx_inlet *in = fx_inlet_new(&config, NULL);

	assert_non_null(in);
	return in;
}

static void outlet_new(struct rig *r, size_t p, enum fx_drop drop, unsigned epoch)
{
	for (size_t k = 0; k < 2; k++) {
		r->out_lanes[p][k] = (struct fx_outlet_lane){ (unsigned)k + 1, &r->stats[p][k] };
		r->in_lanes[k][p] = (struct fx_inlet_lane){ r->endpoint[p], -1, (unsigned)k + 1,
							    &r->stats[p][k] };
		r->edges[p][k] = (struct fx_outlet_edge){
			k ? "view" : "all",	 "in",	      1, &r->out_lanes[p][k],
			k ? drop : FX_DROP_NONE, FX_WAY_AUTO, 0
		};
	}
	r->outlet[p] = fx_outlet_new(&(struct fx_outlet_config){ .zmq = r->zmq,
								 .node = "from",
								 .port = "out",
								 .instance = (unsigned)p,
								 .epoch = epoch,
								 .endpoint = r->endpoint[p],
								 .listen_fd = -1,
								 .edges_len = 2,
								 .edges = r->edges[p],
								 .acked = note_acked,
								 .context = r },
				     NULL);
	assert_non_null(r->outlet[p]);
}

static struct rig *rig_new(size_t producers, enum fx_drop drop)
{
	struct rig *r = calloc(1, sizeof *r);

	r->zmq = zmq_ctx_new();
	r->dir = test_tmp_dir();
	r->producers = producers;
	for (size_t p = 0; p < producers; p++) {
		snprintf(r->endpoint[p], sizeof r->endpoint[p], "ipc://%s/%zu", r->dir, p);
		outlet_new(r, p, drop, 0);
	}
	r->all = inlet_new(r, "all", 0, 0);
	r->view = inlet_new(r, "view", 1, 0);
	return r;
}

static void rig_free(struct rig *r)
{
	fx_inlet_free(r->all);
	fx_inlet_free(r->view);
	for (size_t p = 0; p < r->producers; p++)
		fx_outlet_free(r->outlet[p]);
	zmq_ctx_term(r->zmq);
	fx_remove_tree(r->dir, NULL);
	free(r->dir);
	free(r);
}

static void pump(struct rig *r, int ms)
{
	for (int i = 0; i < ms; i++) {
		for (size_t p = 0; p < r->producers; p++)
			fx_outlet_pump(r->outlet[p]);
		fx_inlet_pump(r->all, NULL);
		if (r->view)
			fx_inlet_pump(r->view, NULL);
		fx_sleep_ms(1);
	}
}

static void queue(struct rig *r, size_t p, uint64_t seq, enum fx_mark_kind mark)
{
	struct fx_envelope e = { .seq = seq, .mark = { .kind = mark, .dtype = FX_U32 } };

	e.mark.voxel_nm[0] = e.mark.voxel_nm[1] = e.mark.voxel_nm[2] = 8;
	if (!mark) {
		e.kind = FX_BLOCK;
		e.message = fx_block_new(FX_U32, 1, 64, 64);
	}
	assert_int_equal(fx_outlet_queue(r->outlet[p], &e, NULL), FX_OK);
}

/* What the next message of @p in is: its seq; it must come. */
static uint64_t take(struct rig *r, struct fx_inlet *in)
{
	struct fx_envelope e;

	for (int i = 0; i < PATIENCE_MS && !fx_inlet_peek(in); i++)
		pump(r, 1);
	assert_true(fx_inlet_pop(in, &e));
	fx_envelope_fini(&e);
	fx_inlet_ack(in, e.seq);
	return e.seq;
}

/* The viewer, which takes nothing, has been heard and has got OPEN. */
static void await_open(struct rig *r)
{
	for (int i = 0; i < PATIENCE_MS && !fx_inlet_peek(r->view); i++)
		pump(r, 1);
	assert_non_null(fx_inlet_peek(r->view));
}

static void settle(struct rig *r)
{
	for (int i = 0; i < PATIENCE_MS && !fx_outlet_settled(r->outlet[0]); i++)
		pump(r, 1);
	assert_true(fx_outlet_settled(r->outlet[0]));
}

/* OPEN, @p blocks with a DONE behind each ten, END; "all" takes each as it comes, and "view"
 * none. */
static void flood(struct rig *r, uint64_t blocks)
{
	uint64_t seq = 0;

	queue(r, 0, seq, FX_MARK_OPEN);
	assert_int_equal(take(r, r->all), seq++);
	await_open(r);
	for (uint64_t i = 0; i < blocks; i++) {
		assert_true(fx_outlet_room(r->outlet[0], seq));
		queue(r, 0, seq, 0);
		assert_int_equal(take(r, r->all), seq++);
		if (i % 10 == 9) {
			queue(r, 0, seq, FX_MARK_DONE);
			assert_int_equal(take(r, r->all), seq++);
		}
	}
	queue(r, 0, seq, FX_MARK_END);
	assert_int_equal(take(r, r->all), seq++);
	for (int i = 0; i < PATIENCE_MS && r->told < seq; i++)
		pump(r, 1);
	assert_int_equal(r->told, seq); /* also END: no one waits for the viewer */
	assert_int_equal(r->stats[0][0].sent, blocks);
	assert_int_equal(r->stats[0][0].acked, blocks);
	assert_int_equal(r->stats[0][0].dropped, 0);
}

static void expect_view(struct rig *r, const uint64_t *want, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(take(r, r->view), want[i]);
	settle(r);
	assert_int_equal(r->stats[0][1].acked, CREDIT + WAITING);
	assert_int_equal(r->stats[0][1].dropped, 50 - CREDIT - WAITING);
	assert_int_equal(r->stats[0][1].sent, 50);
	assert_int_equal(r->stats[0][1].delivered, r->stats[0][1].acked);
}

/* OPEN, the two in flight, the marks, the newest. */
static void a_slow_viewer_gets_the_newest(void **unused)
{
	struct rig *r = rig_new(1, FX_DROP_OLD);

	(void)unused;
	flood(r, 50);
	expect_view(r, (const uint64_t[]){ 0, 1, 2, 11, 22, 33, 44, 53, 54, 55, 56 }, 11);
	rig_free(r);
}

static void a_slow_viewer_gets_the_oldest(void **unused)
{
	struct rig *r = rig_new(1, FX_DROP_NEW);

	(void)unused;
	flood(r, 50);
	expect_view(r, (const uint64_t[]){ 0, 1, 2, 3, 4, 11, 22, 33, 44, 55, 56 }, 11);
	rig_free(r);
}

static void what_a_viewer_keeps_up_with_is_not_dropped(void **unused)
{
	struct rig *r = rig_new(1, FX_DROP_OLD);

	(void)unused;
	for (uint64_t seq = 0; seq < 20; seq++) {
		queue(r, 0, seq, 0);
		assert_int_equal(take(r, r->view), seq);
		assert_int_equal(take(r, r->all), seq);
	}
	for (int i = 0; i < PATIENCE_MS && r->stats[0][1].acked < 20; i++)
		pump(r, 1);
	assert_int_equal(r->stats[0][1].dropped, 0);
	assert_int_equal(r->stats[0][1].acked, 20);
	rig_free(r);
}

/* The blocks that its former life had go to the next, or are dropped: all are counted. */
static void a_viewer_that_is_killed_adds_up(void **unused)
{
	struct rig *r = rig_new(1, FX_DROP_OLD);

	(void)unused;
	queue(r, 0, 0, FX_MARK_OPEN);
	await_open(r);
	for (uint64_t seq = 1; seq < 9; seq++) {
		queue(r, 0, seq, 0);
		pump(r, 5);
		take(r, r->all);
	}
	pump(r, 20);
	fx_inlet_free(r->view);
	r->view = inlet_new(r, "view", 1, 1);
	queue(r, 0, 9, FX_MARK_END);
	for (uint64_t seq = 8; seq < 10; seq++)
		assert_int_equal(take(r, r->all), seq);
	assert_int_equal(take(r, r->view), 0);
	while (take(r, r->view) != 9)
		;
	settle(r);
	assert_int_equal(r->stats[0][1].sent, 8);
	assert_int_equal(r->stats[0][1].acked + r->stats[0][1].dropped, 8);
	assert_int_equal(r->stats[0][1].delivered, r->stats[0][1].acked);
	assert_true(r->stats[0][1].dropped >= 4);
	rig_free(r);
}

/* Of two workers each has dropped what it likes: nothing is waited for but their ends. */
static void gaps_of_two_workers_stop_nothing(void **unused)
{
	struct rig *r = rig_new(2, FX_DROP_OLD);

	(void)unused;
	queue(r, 1, 0, FX_MARK_OPEN);
	queue(r, 1, 5, 0);
	assert_int_equal(take(r, r->view), 0);
	assert_int_equal(take(r, r->view), 5); /* 1..4 are not there */
	queue(r, 0, 0, FX_MARK_OPEN);
	queue(r, 0, 3, 0);
	assert_int_equal(take(r, r->view), 3); /* comes late, counts */
	queue(r, 0, 5, 0);		       /* made again by the other worker */
	queue(r, 0, 7, FX_MARK_END);
	for (int i = 0; i < PATIENCE_MS && r->stats[0][1].duplicates < 1; i++)
		pump(r, 1);
	pump(r, 50);
	assert_null(fx_inlet_peek(r->view)); /* the other has not ended */
	queue(r, 1, 6, 0);
	assert_int_equal(take(r, r->view), 6);
	queue(r, 1, 7, FX_MARK_END);
	assert_int_equal(take(r, r->view), 7);
	for (int i = 0; i < PATIENCE_MS && r->stats[1][1].acked < 2; i++)
		pump(r, 1);
	assert_int_equal(r->stats[0][1].duplicates, 1);
	assert_int_equal(r->stats[1][1].acked, 2);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_viewer_gets_the_newest),
		cmocka_unit_test(a_slow_viewer_gets_the_oldest),
		cmocka_unit_test(what_a_viewer_keeps_up_with_is_not_dropped),
		cmocka_unit_test(a_viewer_that_is_killed_adds_up),
		cmocka_unit_test(gaps_of_two_workers_stop_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
