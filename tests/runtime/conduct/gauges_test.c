// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/conduct/gauges.c and the gauges of runtime/link/stats.c: what nodes tell of their
 * progress is added up, survives a kill as far as it must, and is shown. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conduct/run.h"

#define S INT64_C(1000000000)

enum { INSTANCES = 3 };

/* Node 0 with two workers, node 1 with one, in one run. */
struct made {
	struct fx_graph_node nodes[2];
	struct fx_graph graph;
	struct fx_plan_instance instances[INSTANCES];
	struct fx_plan plan;
	struct fx_instance_stats stats[INSTANCES];
	struct fx_process processes[INSTANCES];
	struct fx_run run;
};

static struct made *make(void)
{
	struct made *m = calloc(1, sizeof *m);
	static char flood[] = "flood", train[] = "train", type[] = "segmenter/ffn";

	assert_non_null(m);
	m->nodes[0].name = flood;
	m->nodes[1].name = train;
	m->graph = (struct fx_graph){ .nodes = m->nodes, .nodes_len = 2 };
	m->instances[2].node = 1;
	m->plan = (struct fx_plan){ .graph = &m->graph,
				    .instances = m->instances,
				    .instances_len = INSTANCES };
	m->run = (struct fx_run){ .graph = &m->graph,
				  .plan = &m->plan,
				  .processes = m->processes,
				  .stats = { .instances = m->stats, .instances_len = INSTANCES } };
	for (size_t i = 0; i < INSTANCES; i++)
		m->instances[i].wiring.node = i < 2 ? flood : train;
	for (size_t i = 0; i < INSTANCES; i++)
		m->instances[i].wiring.type = type;
	return m;
}

static void set(struct made *m, size_t i, double done, double total, const char *unit, int64_t ns)
{
	fx_gauge_set(fx_gauge_of(&m->stats[i], unit), done, total, ns);
}

static void expect(const struct made *m, size_t node, int64_t now_ns, const char *want)
{
	char text[200];

	fx__gauges_text(&m->run, node, now_ns, text, sizeof text);
	assert_string_equal(text, want);
}

static void workers_are_added_up_and_time_is_told(void **unused)
{
	struct made *m = make();

	(void)unused;
	expect(m, 0, S, "");
	set(m, 0, 1e6, 15.625e6, "voxels", 10 * S);
	set(m, 1, 0, 15.625e6, "voxels", 12 * S);
	set(m, 1, 12345, 0, "evaluations", 12 * S);
	set(m, 0, 2.4e6, 15.625e6, "voxels", 20 * S);
	set(m, 1, 4.0e6, 15.625e6, "voxels", 110 * S);
	set(m, 0, 12.5, 0, "objects", 110 * S);
	/* 5.4M since the 10th second; 9.225M are left */
	expect(m, 0, 110 * S,
	       "40% 6.4M of 15.6M voxels, 3 min left, 12.5 objects, 12.3k evaluations");
	expect(m, 1, 110 * S, "");
	free(m);
}

static void time_left_is_told_when_it_is_known(void **unused)
{
	static const struct {
		double done, total;
		int64_t at;
		const char *want;
	} cases[] = {
		{ 100, 0, 10, "100 steps" },
		{ 0, 1000, 10, "0% 0 of 1000 steps" },
		{ 900, 1000, 10, "90% 900 of 1000 steps, 1 s left" },
		{ 1000, 1000, 10, "100% 1000 of 1000 steps" },
		{ 2000, 1000, 10, "100% 2000 of 1000 steps" },
		{ 9999, 20000, 3600, "49% 9999 of 20.0k steps, 60 min left" },
		{ 1, 10, 3600, "10% 1 of 10 steps, 9.0 h left" },
		{ 1, 100, 3600, "1% 1 of 100 steps, 4.1 days left" },
		{ 999960, 3e9, 1, "0% 1.0M of 3.0G steps, 50 min left" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct made *m = make();

		set(m, 2, 0, cases[i].total, "steps", S);
		set(m, 2, cases[i].done, cases[i].total, "steps", 2 * S);
		expect(m, 1, (1 + cases[i].at) * S, cases[i].want);
		free(m);
	}
}

static void keep(struct made *m)
{
	double done[FX_STATS_GAUGES];

	fx_gauges_read(&m->stats[2], done);
	fx_gauges_keep(&m->stats[2], done);
}

static void what_is_complete_survives_a_kill(void **unused)
{
	struct made *m = make();

	(void)unused;
	set(m, 2, 40, 100, "voxels", S);
	keep(m);
	set(m, 2, 60, 100, "voxels", 2 * S);
	expect(m, 1, S, "60% 60 of 100 voxels");
	fx_gauges_begin(&m->stats[2]); /* it was killed: 20 are done anew */
	expect(m, 1, S, "40% 40 of 100 voxels");
	set(m, 2, 30, 100, "voxels", 3 * S);
	expect(m, 1, S, "70% 70 of 100 voxels");
	keep(m);
	fx_gauges_begin(&m->stats[2]);
	expect(m, 1, S, "70% 70 of 100 voxels");
	free(m);
}

static void odd_units_and_numbers_do_no_harm(void **unused)
{
	struct made *m = make();

	(void)unused;
	set(m, 2, (double)NAN, (double)INFINITY, "a\"b\\c\nd, and far too long for its place", S);
	expect(m, 1, 3 * S, "0 a_b_c_d_ and far too lo");
	for (int i = 0; i < 10; i++)
		set(m, 2, i, 0, (const char *[]){ "x", "y", "z", "u", "v" }[i % 5], S);
	expect(m, 1, 3 * S, "0 a_b_c_d_ and far too lo, 5 x, 6 y, 7 z, 8 u, 9 v");
	set(m, 2, 1, 0, "one more", S);
	expect(m, 1, 3 * S, "0 a_b_c_d_ and far too lo, 5 x, 6 y, 7 z, 8 u, 9 v");
	free(m);
}

static void metrics_have_it(void **unused)
{
	struct made *m = make();
	char *text;

	(void)unused;
	set(m, 0, 3, 0, "objects", S);
	set(m, 1, 4, 0, "objects", S);
	set(m, 2, 0.25, 10, "steps", S);
	text = fx__metrics_text(&m->run);
	assert_non_null(strstr(text, "# TYPE fornix_node_progress gauge\n"
				     "fornix_node_progress{node=\"flood\",unit=\"objects\"} 7\n"
				     "fornix_node_progress{node=\"train\",unit=\"steps\"} 0.25\n"
				     "# HELP fornix_node_progress_total of so many\n"
				     "# TYPE fornix_node_progress_total gauge\n"
				     "fornix_node_progress_total{node=\"train\",unit=\"steps\"} "
				     "10\n"));
	assert_null(strstr(text, "fornix_node_seconds_left{")); /* nothing moved yet */
	free(text);
	set(m, 2, 0.5, 10, "steps", 2 * S);
	text = fx__metrics_text(&m->run);
	assert_non_null(strstr(text, "\nfornix_node_seconds_left{node=\"train\",unit=\"steps\"} "));
	free(text);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_are_added_up_and_time_is_told),
		cmocka_unit_test(time_left_is_told_when_it_is_known),
		cmocka_unit_test(what_is_complete_survives_a_kill),
		cmocka_unit_test(odd_units_and_numbers_do_no_harm),
		cmocka_unit_test(metrics_have_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
