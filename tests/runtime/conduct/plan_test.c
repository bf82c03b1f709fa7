// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/conduct/plan.c: what a graph becomes when it is large. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "conduct/plan.h"
#include "graph/registry.h"
#include "link/pool.h"

struct rig {
	char *dir;
	struct fx_registry *registry;
	struct fx_graph *graph;
	struct fx_plan *plan;
	struct fx_error err;
};

/* A source, as many workers as said twice, one behind all. */
static void rig_init(struct rig *r, int workers, int readers)
{
	struct fx_graph_errors errors = { 0 };
	char text[2000];
	int used;

	*r = (struct rig){ .dir = test_tmp_dir() };
	r->registry = fx_registry_new(fx_builtin_nodes, NULL);
	used = snprintf(text, sizeof text,
			"version: 1\nnodes:\n"
			"  a: { type: acquire/phantom }\n"
			"  b: { type: flow/pass, workers: %d, from: { in: a.image } }\n"
			"  c: { type: flow/pass, from: { in: b.out } }\n",
			workers);
	for (int i = 0; i < readers; i++)
		used += snprintf(text + used, sizeof text - (size_t)used,
				 "  d%d: { type: flow/pass, workers: %d, from: { in: a.image } }\n",
				 i, workers);
	r->graph = fx_graph_parse("test", text, strlen(text), r->registry, NULL, 0, 0, &errors);
	assert_non_null(r->graph);
	r->plan = fx_plan_new(r->graph, FX_TRANSPORT_SHM,
			      &(struct fx_plan_places){
				      .run_dir = r->dir, .state_dir = r->dir, .dead_dir = r->dir },
			      &r->err);
}

static void rig_fini(struct rig *r)
{
	fx_plan_free(r->plan);
	fx_graph_free(r->graph);
	fx_registry_free(r->registry);
	fx_remove_tree(r->dir, NULL);
	free(r->dir);
}

static unsigned slots_of(const struct rig *r, size_t instance)
{
	struct fx_pool *p = fx_pool_map(r->plan->instances[instance].wiring.pool_fd, false, NULL);
	unsigned n;

	assert_non_null(p);
	n = fx_pool_slots(p);
	fx_pool_unmap(p);
	return n;
}

static void as_many_workers_as_a_graph_may_have_are_planned(void **unused)
{
	bool seen[FX_POOL_HOLDERS] = { false };
	struct rig r;

	(void)unused;
	rig_init(&r, FX_GRAPH_WORKERS_MAX, 1);
	if (!r.plan)
		fail_msg("%s", r.err.text);
	for (size_t e = 0; e < 2; e++)
		for (size_t i = 0; i < FX_GRAPH_WORKERS_MAX; i++) {
			const unsigned holder =
				r.plan->instances[0].wiring.outputs[0].edges[e].lanes[i].holder;

			assert_true(holder > 0 && holder < FX_POOL_HOLDERS && !seen[holder]);
			seen[holder] = true;
		}
	/* two messages for each, and more than that */
	assert_true(slots_of(&r, 0) > 2 * 2 * FX_GRAPH_WORKERS_MAX - 1);
	assert_int_equal(slots_of(&r, 1), FX_POOL_SLOTS);
	rig_fini(&r);
}

static void too_many_are_told(void **unused)
{
	struct rig r;

	(void)unused;
	rig_init(&r, FX_GRAPH_WORKERS_MAX, 3);
	assert_null(r.plan);
	assert_non_null(strstr(r.err.text, "a has more than 255 consuming processes"));
	rig_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_workers_as_a_graph_may_have_are_planned),
		cmocka_unit_test(too_many_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
