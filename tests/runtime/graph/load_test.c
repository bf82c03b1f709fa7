// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/graph/load.c, params.c, connect.c and order.c: graphs that are right. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "graph/graph.h"
#include "runtime/graph/fake_types.h"

/* The order in the file is not the order of the graph. */
static const char line[] =
	"# a comment\n"
	"version: 1\n"
	"params:\n"
	"  sections: { help: folder with sections }\n"
	"  out: { help: folder to write, default: /tmp/out }\n"
	"  segmenter: { help: which, default: fake }\n"
	"  even: { help: normalize, default: yes }\n"
	"  truth: { help: segments to compare with, default: }\n"
	"nodes:\n"
	"  write: { type: writer/fake, from: { labels: split.labels, scores: score.scores },\n"
	"           set: { path: '$out/${segmenter}_labels$$' } }\n"
	"  score:\n"
	"    type: scorer/fake\n"
	"    from: { truth: truth.labels, labels: split.labels }\n"
	"    policy: block\n"
	"  truth: { type: acquire/truth, when: $truth }\n"
	"  split: { type: segmenter/$segmenter, from: { image: even.out }, workers: 2 }\n"
	"  even:\n"
	"    type: normalizer/fake\n"
	"    when: $even\n"
	"    from: { image: scope.image }\n"
	"    set:\n"
	"      mode: slice\n"
	"      low: 0.5 %\n"
	"  scope: { type: acquire/fake, set: { path: $sections } }\n";

static struct fx_graph *load(const struct fx_registry *r, const char *text,
			     const struct fx_param *params, size_t len)
{
	struct fx_graph_errors errors = { 0 };
	struct fx_graph *g =
		fx_graph_parse("line.yaml", text, strlen(text), r, params, len, 0, &errors);
	char message[1024] = "";

	if (errors.len)
		fx_graph_error_text(&errors, 0, message, sizeof message);
	if (!g || errors.len)
		fail_msg("%s", message);
	return g;
}

static const char *value(const struct fx_graph *g, const char *node, const char *option)
{
	const struct fx_graph_node *n = &g->nodes[fx_graph_find(g, node)];

	for (size_t i = 0; i < n->options_len; i++)
		if (strcmp(n->options[i].name, option) == 0)
			return n->options[i].value;
	return NULL;
}

/* "scope even(image<scope.image) ..." */
static void shape(const struct fx_graph *g, char *text, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < g->nodes_len && used < size; i++) {
		const struct fx_graph_node *n = &g->nodes[i];

		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "", n->name);
		for (size_t j = 0; j < n->inputs_len && used < size; j++) {
			const struct fx_graph_input *in = &n->inputs[j];
			const struct fx_graph_node *from = &g->nodes[in->from];

			assert_true(in->from < i);
			used += (size_t)snprintf(text + used, size - used, "(%s<%s.%s)",
						 n->type->ports[in->port].name, from->name,
						 from->type->ports[in->from_port].name);
		}
	}
}

static void a_graph_in_canonical_order(void **unused)
{
	static const struct fx_param given[] = { { "sections", "/data/a b" }, { "truth", "t" } };
	struct fx_registry *r = fake_registry();
	struct fx_graph *g = load(r, line, given, 2);
	char text[512];

	(void)unused;
	shape(g, text, sizeof text);
	assert_string_equal(text, "scope even(image<scope.image) split(image<even.out) truth "
				  "score(labels<split.labels)(truth<truth.labels) "
				  "write(labels<split.labels)(scores<score.scores)");
	assert_string_equal(value(g, "scope", "path"), "/data/a b");
	assert_string_equal(value(g, "write", "path"), "/tmp/out/fake_labels$");
	assert_string_equal(value(g, "even", "low"), "0.5 %");
	assert_string_equal(g->nodes[1].options[0].name, "low");
	assert_int_equal(g->nodes[1].options[0].line, 24);
	assert_int_equal(g->nodes[1].options[0].col, 12);
	assert_int_equal(g->nodes[2].workers, 2);
	assert_int_equal(g->nodes[3].workers, 1);
	assert_int_equal(g->nodes[2].line, 17);
	assert_int_equal(fx_graph_consumers(g, 2, 1), 2);
	assert_int_equal(fx_graph_find(g, "nothing"), -1);
	assert_int_equal(g->params_len, 5);
	assert_true(g->params[0].given && g->params[0].required && !g->params[1].given);
	assert_string_equal(g->params[1].value, "/tmp/out");
	fx_graph_free(g);
	fx_registry_free(r);
}

static void nodes_that_are_left_out(void **unused)
{
	static const struct fx_param given[] = { { "sections", "s" }, { "even", "off" } };
	struct fx_registry *r = fake_registry();
	struct fx_graph *g = load(r, line, given, 1);
	char text[512];

	(void)unused;
	shape(g, text, sizeof text);
	assert_string_equal(text, "scope even(image<scope.image) split(image<even.out) "
				  "score(labels<split.labels) "
				  "write(labels<split.labels)(scores<score.scores)");
	fx_graph_free(g);
	/* what is evened may be u16; what is split must be u8: sections of u8|u16 still fit */
	g = load(r, line, given, 2);
	shape(g, text, sizeof text);
	assert_string_equal(text, "scope split(image<scope.image) score(labels<split.labels) "
				  "write(labels<split.labels)(scores<score.scores)");
	fx_graph_free(g);
	fx_registry_free(r);
}

static void two_left_out_in_a_row_and_an_unknown_type(void **unused)
{
	static const char text[] =
		"version: 1\n"
		"params: { adapter: { help: which, default: '' } }\n"
		"nodes:\n"
		"  a: { type: acquire/fake, set: { path: x } }\n"
		"  b: { type: adapter/$adapter, when: $adapter, from: { image: a.image } }\n"
		"  c: { type: normalizer/fake, when: no, from: { image: b.out } }\n"
		"  d: { type: segmenter/fake, from: { image: c.out }, set: { gone: $adapter } }\n";
	struct fx_registry *r = fake_registry();
	struct fx_graph *g = load(r, text, NULL, 0);
	char found[256];

	(void)unused;
	shape(g, found, sizeof found);
	assert_string_equal(found, "a d(image<a.image)");
	assert_int_equal(g->nodes[1].options_len, 0);
	fx_graph_free(g);
	fx_registry_free(r);
}

/* A scorer sends other things than it takes: nothing stands in for its scores. */
static void what_has_no_stand_in_is_gone(void **unused)
{
	static const char text[] =
		"version: 1\n"
		"nodes:\n"
		"  a: { type: acquire/truth }\n"
		"  b: { type: scorer/fake, when: false, from: { labels: a.labels } }\n"
		"  c: { type: writer/fake, set: { path: x }, from: { labels: a.labels, scores: "
		"b.scores } }\n";
	struct fx_registry *r = fake_registry();
	struct fx_graph *g = load(r, text, NULL, 0);
	char found[256];

	(void)unused;
	shape(g, found, sizeof found);
	assert_string_equal(found, "a c(labels<a.labels)");
	fx_graph_free(g);
	fx_registry_free(r);
}

static void open_params_are_not_checked(void **unused)
{
	struct fx_registry *r = fake_registry();
	struct fx_graph_errors errors = { 0 };
	struct fx_graph *g = fx_graph_parse("line.yaml", line, sizeof line - 1, r, NULL, 0,
					    FX_GRAPH_OPEN_PARAMS, &errors);

	(void)unused;
	assert_non_null(g);
	assert_string_equal(value(g, "scope", "path"), "$sections");
	fx_graph_free(g);
	fx_registry_free(r);
}

static void a_file_and_its_absence(void **unused)
{
	struct fx_registry *r = fake_registry();
	struct fx_graph_errors errors = { 0 };
	char *dir = test_tmp_dir(), *path = fx_path_join(dir, "g.yaml"), text[512];
	static const char graph[] = "version: 1\nnodes: { a: { type: acquire/truth } }\n";
	struct fx_graph *g;

	(void)unused;
	assert_null(fx_graph_load(path, r, NULL, 0, 0, &errors));
	assert_int_equal(errors.len, 1);
	fx_graph_error_text(&errors, 0, text, sizeof text);
	assert_memory_equal(text, path, strlen(path));
	assert_string_equal(text + strlen(path), ": cannot open: No such file or directory");
	memset(&errors, 0, sizeof errors);
	assert_int_equal(fx_file_write(path, graph, sizeof graph - 1, NULL), FX_OK);
	g = fx_graph_load(path, r, NULL, 0, 0, &errors);
	assert_non_null(g);
	assert_string_equal(g->file, path);
	fx_graph_free(g);
	fx_remove_tree(dir, NULL);
	free(path);
	free(dir);
	fx_registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_graph_in_canonical_order),
		cmocka_unit_test(nodes_that_are_left_out),
		cmocka_unit_test(two_left_out_in_a_row_and_an_unknown_type),
		cmocka_unit_test(what_has_no_stand_in_is_gone),
		cmocka_unit_test(open_params_are_not_checked),
		cmocka_unit_test(a_file_and_its_absence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
