// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/: a producer whose work is parted, and a consumer whose is. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/file.h"
#include "link/inlet.h"
#include "link/outlet.h"
#include "link/turn.h"

enum { PARTS = 3 };

/* Three parts "from", and one ordered or two unordered consumers "to". */
struct rig {
	void *zmq;
	char *dir, endpoint[PARTS][128];
	size_t consumers;
	struct fx_lane_stats stats[PARTS][2];
	_Atomic uint64_t floor;
	struct fx_outlet_lane out_lanes[PARTS][2];
	struct fx_outlet_edge edges[PARTS];
	struct fx_inlet_lane in_lanes[2][PARTS];
	struct fx_outlet *outlet[PARTS];
	struct fx_inlet *inlet[2];
	uint64_t place[PARTS]; /* where each goes on */
};

static void start_inlet(struct rig *r, size_t c, unsigned epoch)
{
	struct fx_error err = { 0 };

	r->inlet[c] = fx_inlet_new(&(struct fx_inlet_config){ .zmq = r->zmq,
							      .node = "to",
							      .port = "in",
							      .instance = (unsigned)c,
							      .epoch = epoch,
							      .ordered = r->consumers == 1,
							      .parts = PARTS,
							      .credit_messages = 2,
							      .credit_bytes = 1 << 20,
							      .floor = &r->floor,
							      .lanes_len = PARTS,
							      .lanes = r->in_lanes[c] },
				   &err);
	if (!r->inlet[c])
		fail_msg("%s", err.text);
}

static struct rig *rig_new(size_t consumers)
{
	struct rig *r = calloc(1, sizeof *r);
	struct fx_error err = { 0 };

	r->zmq = zmq_ctx_new();
	r->dir = test_tmp_dir();
	r->consumers = consumers;
	for (size_t p = 0; p < PARTS; p++) {
		snprintf(r->endpoint[p], sizeof r->endpoint[p], "ipc://%s/%zu", r->dir, p);
		for (size_t c = 0; c < consumers; c++) {
			r->out_lanes[p][c] = (struct fx_outlet_lane){ 1, &r->stats[p][c] };
			r->in_lanes[c][p] =
				(struct fx_inlet_lane){ r->endpoint[p], -1, 1, &r->stats[p][c] };
		}
		r->edges[p] = (struct fx_outlet_edge){
			.node = "to", .port = "in", .lanes_len = consumers, .lanes = r->out_lanes[p]
		};
		r->place[p] = fx_turn_first((unsigned)p, PARTS);
		r->outlet[p] = fx_outlet_new(&(struct fx_outlet_config){ .zmq = r->zmq,
									 .node = "from",
									 .port = "out",
									 .instance = (unsigned)p,
									 .parts = PARTS,
									 .endpoint = r->endpoint[p],
									 .listen_fd = -1,
									 .repeats = true,
									 .edges_len = 1,
									 .edges = &r->edges[p] },
					     &err);
		if (!r->outlet[p])
			fail_msg("%s", err.text);
	}
	for (size_t c = 0; c < consumers; c++)
		start_inlet(r, c, 0);
	return r;
}

static void rig_free(struct rig *r)
{
	for (size_t c = 0; c < r->consumers; c++)
		fx_inlet_free(r->inlet[c]);
	for (size_t p = 0; p < PARTS; p++)
		fx_outlet_free(r->outlet[p]);
	zmq_ctx_term(r->zmq);
	fx_remove_tree(r->dir, NULL);
	free(r->dir);
	free(r);
}

static void pump(struct rig *r)
{
	for (size_t p = 0; p < PARTS; p++)
		fx_outlet_pump(r->outlet[p]);
	for (size_t c = 0; c < r->consumers; c++)
		if (r->inlet[c])
			fx_inlet_pump(r->inlet[c], NULL);
	fx_sleep_ms(1);
}

static void send(struct rig *r, size_t p, enum fx_mark_kind mark)
{
	struct fx_envelope e = { .seq = fx_turn_number(r->place[p], mark != 0, PARTS),
				 .kind = mark ? FX_NOTHING : FX_BLOCK };

	if (mark)
		e.mark = (struct fx_mark){ .kind = mark, .dtype = FX_U8, .voxel_nm = { 8, 8, 8 } };
	else
		e.message = fx_block_new(FX_U8, 1, 1, p + 1);
	r->place[p] = fx_turn_own(e.seq, PARTS);
	assert_int_equal(fx_outlet_queue(r->outlet[p], &e, NULL), FX_OK);
}

/* The next of consumer @p c, within a long time: a block of part p as p + 1, a mark as minus its
 * kind, a place only as 0. */
static int take(struct rig *r, size_t c, bool ack)
{
	struct fx_envelope e;
	int what;

	for (int i = 0; i < 20000 && !fx_inlet_peek(r->inlet[c]); i++)
		pump(r);
	assert_true(fx_inlet_pop(r->inlet[c], &e));
	what = e.kind			   ? (int)((struct fx_block *)e.message)->shape[2] :
	       e.mark.kind == FX_MARK_SKIP ? 0 :
					     -(int)e.mark.kind;
	fx_envelope_fini(&e);
	if (ack)
		fx_inlet_ack(r->inlet[c], e.seq);
	return what;
}

static void expect(struct rig *r, const int *what, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(take(r, 0, true), what[i]);
}

/* The last part has nothing in the first round. */
static void send_part(struct rig *r, size_t p)
{
	static const enum fx_mark_kind story[PARTS][8] = {
		{ FX_MARK_OPEN, 0, 0, FX_MARK_DONE, 0, FX_MARK_END },
		{ FX_MARK_OPEN, 0, FX_MARK_DONE, 0, 0, FX_MARK_END },
		{ FX_MARK_OPEN, FX_MARK_DONE, 0, 0, 0, FX_MARK_END },
	};

	for (size_t i = 0; i < 6; i++)
		send(r, p, story[p][i]);
}

/* The last part is ahead of the others. */
static void send_story(struct rig *r)
{
	for (size_t p = PARTS; p-- > 0;)
		send_part(r, p);
}

static const int merged[] = { 0, 0, -FX_MARK_OPEN, 1, 1, 0, 2, 0, -FX_MARK_DONE, 1, 0, 2, 2, 0, 3,
			      3, 3, -FX_MARK_END };

enum { MERGED = sizeof merged / sizeof *merged };

static void their_streams_become_one(void **unused)
{
	struct rig *r = rig_new(1);

	(void)unused;
	send_story(r);
	expect(r, merged, MERGED);
	for (size_t p = 0; p < PARTS; p++) {
		for (int i = 0; i < 20000 && !fx_outlet_settled(r->outlet[p]); i++)
			pump(r);
		assert_true(fx_outlet_settled(r->outlet[p]));
	}
	for (size_t p = 0; p < PARTS; p++) {
		assert_int_equal(r->stats[p][0].delivered, 3);
		assert_int_equal(fx_outlet_floor(r->outlet[p]), r->place[p]);
	}
	rig_free(r);
}

/* Wherever the consumer dies: what it acknowledged does not come again, all else does; END always,
 * for a life that is to end. */
static void a_later_life_goes_on_in_turn(void **unused)
{
	(void)unused;
	for (size_t died = 1; died <= MERGED; died++) {
		const size_t from = died < MERGED ? died : MERGED - 1;
		struct rig *r = rig_new(1);

		send_story(r);
		expect(r, merged, died);
		fx_inlet_free(r->inlet[0]);
		start_inlet(r, 0, 1);
		fx_inlet_begin(r->inlet[0], r->floor);
		expect(r, merged + from, MERGED - from);
		rig_free(r);
	}
}

/* Workers take what comes; END is the last of all, and there for each. */
static void workers_see_the_end_when_all_parts_have_ended(void **unused)
{
	struct rig *r = rig_new(2);
	int blocks = 0, ends = 0, opens = 0;

	(void)unused;
	send_part(r, PARTS - 1); /* with its END */
	for (int i = 0; i < 200; i++) {
		pump(r);
		for (size_t c = 0; c < 2; c++)
			if (fx_inlet_peek(r->inlet[c])) {
				const int what = take(r, c, true);

				assert_int_not_equal(what, -FX_MARK_END);
				blocks += what > 0;
				opens += what == -FX_MARK_OPEN;
			}
	}
	send_part(r, 1);
	send_part(r, 0);
	while (ends < 2)
		for (size_t c = 0; c < 2; c++) {
			int what;

			pump(r);
			if (!fx_inlet_peek(r->inlet[c]))
				continue;
			what = take(r, c, true);
			blocks += what > 0;
			opens += what == -FX_MARK_OPEN;
			ends += what == -FX_MARK_END;
			if (what == -FX_MARK_END)
				assert_int_equal(blocks, 9);
		}
	assert_int_equal(opens, 2);
	rig_free(r);
}

/* A consumer whose work is parted has an edge a part: each is given all, or the places of what it
 * has no use for. */
static void each_part_of_a_consumer_gets_what_it_wants(void **unused)
{
	struct fx_lane_stats stats[2] = { 0 };
	struct fx_outlet_lane lanes[2] = { { 1, &stats[0] }, { 2, &stats[1] } };
	struct fx_outlet_edge edges[2] = {
		{ .node = "to", .port = "in", .lanes_len = 1, .lanes = &lanes[0] },
		{ .node = "to", .port = "in", .lanes_len = 1, .lanes = &lanes[1], .first = 1 },
	};
	struct rig *r = calloc(1, sizeof *r);
	struct fx_error err = { 0 };
	struct fx_outlet *o;
	char *dir = test_tmp_dir(), endpoint[128];

	(void)unused;
	r->zmq = zmq_ctx_new();
	r->consumers = 2;
	snprintf(endpoint, sizeof endpoint, "ipc://%s/0", dir);
	o = fx_outlet_new(&(struct fx_outlet_config){ .zmq = r->zmq,
						      .node = "from",
						      .port = "out",
						      .endpoint = endpoint,
						      .listen_fd = -1,
						      .edges_len = 2,
						      .edges = edges },
			  &err);
	assert_non_null(o);
	for (unsigned c = 0; c < 2; c++) {
		struct fx_inlet_lane lane = { endpoint, -1, c + 1, &stats[c] };
		struct fx_inlet *in =
			fx_inlet_new(&(struct fx_inlet_config){ .zmq = r->zmq,
								.node = "to",
								.port = "in",
								.instance = c,
								.ordered = true,
								.credit_messages = 2,
								.credit_bytes = 1 << 20,
								.floor = &r->floor,
								.lanes_len = 1,
								.lanes = &lane },
				     &err);
		struct fx_envelope e = { .seq = c, .kind = FX_BLOCK };

		assert_non_null(in);
		fx_inlet_want(in, (struct fx_region){ { 0, c, 0 }, { 9, c + 1, 9 } });
		e.message = fx_block_new(FX_U8, 1, 1, 1);
		((struct fx_block *)e.message)->origin[1] = 1; /* of use to the second alone */
		assert_int_equal(fx_outlet_queue(o, &e, NULL), FX_OK);
		for (uint64_t seq = 0; seq <= c; seq++) {
			for (int i = 0; i < 20000 && !fx_inlet_peek(in); i++) {
				fx_outlet_pump(o);
				fx_inlet_pump(in, NULL);
				fx_sleep_ms(1);
			}
			assert_true(fx_inlet_pop(in, &e));
			assert_int_equal(e.seq, seq);
			assert_int_equal(e.kind, c ? FX_BLOCK : FX_NOTHING);
			assert_true(c || e.mark.kind == FX_MARK_SKIP);
			fx_envelope_fini(&e);
			fx_inlet_ack(in, seq);
		}
		for (int i = 0; i < 20000 && stats[c].acked <= c; i++) {
			fx_outlet_pump(o);
			fx_inlet_pump(in, NULL);
			fx_sleep_ms(1);
		}
		assert_int_equal(stats[c].acked, c + 1);
		assert_int_equal(stats[c].unwanted, c ? 0 : 1);
		assert_int_equal(stats[c].delivered, c ? 2 : 0);
		fx_inlet_free(in);
	}
	fx_outlet_free(o);
	zmq_ctx_term(r->zmq);
	fx_remove_tree(dir, NULL);
	free(dir);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(their_streams_become_one),
		cmocka_unit_test(a_later_life_goes_on_in_turn),
		cmocka_unit_test(workers_see_the_end_when_all_parts_have_ended),
		cmocka_unit_test(each_part_of_a_consumer_gets_what_it_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
