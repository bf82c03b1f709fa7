// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/graph/graft.c on graphs/demo.yaml. */
#include "support/test.h"

#include <string.h>

#include "graph/graft.h"

static int setup(void **state)
{
	*state = fx_registry_new(fx_builtin_nodes, NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	fx_registry_free(*state);
	return 0;
}

static struct fx_graph *demo(const struct fx_registry *r)
{
	const struct fx_param out = { "out", "/tmp/nowhere" };
	struct fx_graph_errors errors = { 0 };
	struct fx_graph *g = fx_graph_load("graphs/demo.yaml", r, &out, 1, 0, &errors);

	assert_non_null(g);
	return g;
}

static void source(struct fx_graph *g, const struct fx_registry *r, const char *at, int wanted,
		   struct fx_error *err)
{
	const struct fx_param options[] = { { "path", "rec" }, { "speed", "original" } };
	const struct fx_graft graft = { fx_registry_find(r, "acquire/recording", NULL), options,
					2 };
	unsigned port;
	size_t node;

	assert_int_equal(fx_graph_output(g, at, &node, &port, err), FX_OK);
	assert_int_equal(fx_graft_source(g, &graft, node, port, err), wanted);
}

/* Every input reads an output of a node before it. */
static void check(const struct fx_graph *g)
{
	for (size_t i = 0; i < g->nodes_len; i++)
		for (size_t k = 0; k < g->nodes[i].inputs_len; k++) {
			const struct fx_graph_input *in = &g->nodes[i].inputs[k];

			assert_true(in->from < i);
			assert_true(in->from_port < fx_type_ports(g->nodes[in->from].type));
			assert_int_equal(g->nodes[in->from].type->ports[in->from_port].dir, FX_OUT);
		}
}

static const struct fx_graph_node *node(const struct fx_graph *g, const char *name)
{
	const long i = fx_graph_find(g, name);

	return i < 0 ? NULL : &g->nodes[i];
}

/* The name of the node that input @p k of @p name reads. */
static const char *reads(const struct fx_graph *g, const char *name, size_t k)
{
	return g->nodes[node(g, name)->inputs[k].from].name;
}

static void a_source_takes_the_place_of_what_led_to_it(void **state)
{
	struct fx_graph *g = demo(*state);
	struct fx_error err = { 0 };

	source(g, *state, "segment.labels", FX_OK, &err);
	check(g);
	assert_string_equal(node(g, "segment")->type->name, "acquire/recording");
	assert_int_equal(node(g, "segment")->workers, 1);
	assert_int_equal(node(g, "segment")->inputs_len, 0);
	assert_string_equal(node(g, "segment")->options[1].value, "original");
	assert_string_equal(reads(g, "whole", 0), "segment");
	assert_non_null(node(g, "tiles")); /* others read it */
	assert_string_equal(reads(g, "save_image", 0), "tiles");
	fx_graph_free(g);
}

static void what_nobody_reads_any_more_goes(void **state)
{
	struct fx_graph *g = demo(*state);
	struct fx_error err = { 0 };

	source(g, *state, "whole.labels", FX_OK, &err);
	check(g);
	assert_null(node(g, "segment"));
	assert_non_null(node(g, "even")); /* for the picture */
	assert_string_equal(reads(g, "trace", 0), "whole");
	fx_graph_free(g);
}

/* truth and trees of the scorer may be missing; the truth's tiler needs what it reads. */
static void other_outputs_of_the_node_are_lost(void **state)
{
	struct fx_graph *g = demo(*state);
	struct fx_error err = { 0 };

	source(g, *state, "scope.image", FX_EINVAL, &err);
	assert_string_equal(err.text,
			    "truth_tiles.image needs scope.truth, which was not recorded");
	fx_graph_free(g);
	g = demo(*state);
	source(g, *state, "truth_tiles.blocks", FX_OK, &err);
	check(g);
	assert_string_equal(node(g, "truth_tiles")->type->name, "acquire/recording");
	assert_string_equal(node(g, "scope")->type->name, "acquire/phantom");
	fx_graph_free(g);
}

static void a_reader_more(void **state)
{
	struct fx_graph *g = demo(*state);
	const size_t before = g->nodes_len;
	const struct fx_param options[] = { { "path", "rec" } };
	const struct fx_graft graft = { fx_registry_find(*state, "writer/recording", NULL), options,
					1 };
	struct fx_error err = { 0 };
	unsigned port;
	size_t from;

	assert_int_equal(fx_graph_output(g, "scope.trees", &from, &port, &err), FX_OK);
	assert_int_equal(fx_graft_reader(g, "recording", &graft, from, port, &err), FX_OK);
	check(g);
	assert_int_equal(g->nodes_len, before + 1);
	assert_string_equal(reads(g, "recording", 0), "scope");
	assert_int_equal(fx_graph_consumers(g, from, port), 2);
	fx_graph_free(g);
}

static void outputs_that_are_not_there(void **state)
{
	static const char *const wrong[] = { "scope",	   "scope.", "scope.imag", "scop.image",
					     "even.image", "",	     ".image" };
	struct fx_graph *g = demo(*state);
	unsigned port;
	size_t from;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct fx_error err = { 0 };

		assert_int_equal(fx_graph_output(g, wrong[i], &from, &port, &err), FX_ENOENT);
		assert_non_null(strstr(err.text, "there are scope.image scope.truth"));
	}
	fx_graph_free(g);
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		PLACED(a_source_takes_the_place_of_what_led_to_it),
		PLACED(what_nobody_reads_any_more_goes),
		PLACED(other_outputs_of_the_node_are_lost),
		PLACED(a_reader_more),
		PLACED(outputs_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
