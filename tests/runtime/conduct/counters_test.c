// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/conduct/counters.c: counters of several hosts become those of one run. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "conduct/counters.h"

enum { PRODUCER, CONSUMER };

/* A graph of two nodes, each on a host of its own, with one lane; and the counters of two hosts. */
struct fixture {
	struct fx_graph_node nodes[2];
	struct fx_graph graph;
	struct fx_plan_instance instances[2];
	struct fx_plan_edge edge;
	struct fx_plan plan;
	struct fx_wired_lane lane;
	struct fx_wired_edge out_edge;
	struct fx_wired_output output;
	struct fx_wired_input input;
	struct fx_stats here, there;
	struct fx_counters counters;
};

static void stats_open(struct fx_stats *s)
{
	*s = (struct fx_stats){ .instances_len = 2,
				.lanes_len = 1,
				.instances = calloc(2, sizeof *s->instances),
				.lanes = calloc(1, sizeof *s->lanes) };
}

static void fixture_open(struct fixture *f)
{
	struct fx_error err = { 0 };

	*f = (struct fixture){ .nodes = { { .workers = 1 }, { .workers = 1 } } };
	f->graph = (struct fx_graph){ .nodes = f->nodes, .nodes_len = 2 };
	f->edge = (struct fx_plan_edge){ .from = 0, .to = 1, .producers = 1, .consumers = 1 };
	f->plan = (struct fx_plan){ .graph = &f->graph,
				    .instances = f->instances,
				    .instances_len = 2,
				    .edges = &f->edge,
				    .edges_len = 1,
				    .lanes_len = 1 };
	f->out_edge = (struct fx_wired_edge){ .lanes = &f->lane, .lanes_len = 1 };
	f->output = (struct fx_wired_output){ .edges = &f->out_edge, .edges_len = 1 };
	f->input = (struct fx_wired_input){ .lanes = &f->lane, .lanes_len = 1 };
	f->instances[0].wiring = (struct fx_wiring){ .outputs = &f->output, .outputs_len = 1 };
	f->instances[1] = (struct fx_plan_instance){
		.node = 1, .host = 1, .wiring = { .index = 1, .inputs = &f->input, .inputs_len = 1 }
	};
	stats_open(&f->here);
	stats_open(&f->there);
	assert_int_equal(fx_counters_init(&f->counters, &f->there, &err), FX_OK);
}

static void fixture_close(struct fixture *f)
{
	fx_counters_fini(&f->counters);
	free(f->here.instances);
	free(f->here.lanes);
	free(f->there.instances);
	free(f->there.lanes);
}

static void each_end_of_a_lane_counts_its_own(void **unused)
{
	struct fx_error err = { 0 };
	struct fixture f;

	(void)unused;
	fixture_open(&f);
	f.here.lanes[0].sent = 9;
	f.here.instances[1].lives = 4;
	f.there.lanes[0].sent = 1; /* not its own */
	f.there.lanes[0].delivered = 7;
	f.there.instances[1].messages_in = 7;
	f.there.instances[1].lives = 1; /* not its own either */
	fx_counters_begin(&f.counters);
	assert_false(fx_counters_any(&f.counters));
	assert_int_equal(fx_counters_put(&f.counters, &f.there, &f.instances[1].wiring, false),
			 FX_OK);
	assert_true(fx_counters_any(&f.counters));
	assert_int_equal(
		fx_counters_take(&f.here, f.counters.bytes, f.counters.len, &f.plan, 1, &err),
		FX_OK);
	assert_int_equal(f.here.lanes[0].sent, 9);
	assert_int_equal(f.here.lanes[0].delivered, 7);
	assert_int_equal(f.here.instances[1].messages_in, 7);
	assert_int_equal(f.here.instances[1].lives, 4);
	/* what has not changed is not sent, and what runs elsewhere by now does not count */
	fx_counters_begin(&f.counters);
	fx_counters_put(&f.counters, &f.there, &f.instances[1].wiring, false);
	assert_false(fx_counters_any(&f.counters));
	f.there.lanes[0].delivered = 8;
	fx_counters_put(&f.counters, &f.there, &f.instances[1].wiring, false);
	f.instances[1].host = 0;
	assert_int_equal(
		fx_counters_take(&f.here, f.counters.bytes, f.counters.len, &f.plan, 1, &err),
		FX_OK);
	assert_int_equal(f.here.lanes[0].delivered, 7);
	fixture_close(&f);
}

static void a_process_begins_with_what_is_known_of_it(void **unused)
{
	struct fx_error err = { 0 };
	struct fixture f;

	(void)unused;
	fixture_open(&f);
	f.here.instances[1].floor[0] = 5;
	f.here.lanes[0].delivered = 5;
	f.there.lanes[0].sent = 3; /* by the other end, which runs there and counts on */
	fx_counters_begin(&f.counters);
	assert_int_equal(fx_counters_put(&f.counters, &f.here, &f.instances[1].wiring, true),
			 FX_OK);
	assert_int_equal(fx_counters_load(&f.there, f.counters.bytes, f.counters.len, &err), FX_OK);
	assert_int_equal(f.there.instances[1].floor[0], 5);
	assert_int_equal(f.there.lanes[0].delivered, 5);
	assert_int_equal(f.there.lanes[0].sent, 3);
	fixture_close(&f);
}

static void what_was_acknowledged_had_been_delivered(void **unused)
{
	struct fx_lane_stats lane = { .acked = 9, .delivered = 5, .duplicates = 1 };

	(void)unused;
	fx_counters_infer(&lane);
	assert_int_equal(lane.delivered, 8);
	lane.acked = 3;
	fx_counters_infer(&lane);
	assert_int_equal(lane.delivered, 8);
}

static void what_is_cut_or_wrong_is_refused(void **unused)
{
	struct fx_error err = { 0 };
	struct fixture f;
	size_t len;

	(void)unused;
	fixture_open(&f);
	f.there.lanes[0].delivered = 7;
	fx_counters_begin(&f.counters);
	fx_counters_put(&f.counters, &f.there, &f.instances[1].wiring, true);
	len = f.counters.len;
	for (size_t cut = 0; cut < len; cut += cut < 32 ? 1 : 997) {
		uint8_t *bytes = malloc(cut ? cut : 1);
		const bool whole = cut == sizeof(int64_t) ||
				   cut == sizeof(int64_t) + 8 + sizeof(struct fx_instance_stats);

		memcpy(bytes, f.counters.bytes, cut);
		assert_int_equal(fx_counters_take(&f.here, bytes, cut, &f.plan, 1, &err),
				 whole ? FX_OK : FX_ETYPE);
		free(bytes);
	}
	f.there.instances[1].gauges_len = 99; /* more than there can be, and texts without an end */
	memset(f.there.instances[1].error, 'x', sizeof f.there.instances[1].error);
	fx_counters_begin(&f.counters);
	fx_counters_put(&f.counters, &f.there, &f.instances[1].wiring, true);
	assert_int_equal(fx_counters_take(&f.here, f.counters.bytes, len, &f.plan, 1, &err), FX_OK);
	assert_int_equal(f.here.instances[1].gauges_len, FX_STATS_GAUGES);
	assert_int_equal(strlen(f.here.instances[1].error), sizeof f.here.instances[1].error - 1);
	f.counters.bytes[sizeof(int64_t) + 4] = 9; /* an index that there is not */
	assert_int_equal(fx_counters_take(&f.here, f.counters.bytes, len, &f.plan, 1, &err),
			 FX_ETYPE);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_end_of_a_lane_counts_its_own),
		cmocka_unit_test(a_process_begins_with_what_is_known_of_it),
		cmocka_unit_test(what_was_acknowledged_had_been_delivered),
		cmocka_unit_test(what_is_cut_or_wrong_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
