// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/graph/parts.c: what is said of keys and workers that do not go together. */
#include "support/test.h"

#include <string.h>

#include "fake_types.h"
#include "graph/graph.h"

#define HEAD                                                                                       \
	"version: 1\nnodes:\n  a: { type: acquire/truth }\n  i: { type: acquire/fake, set: { "     \
	"path: x } }\n"
#define SCORE "  s: { type: scorer/fake, from: { labels: a.labels }, "

static void expect(const char *text, const char *said)
{
	struct fx_registry *r = fake_registry();
	struct fx_graph_errors errors = { 0 };
	char got[1024] = "";

	assert_null(fx_graph_parse("g", text, strlen(text), r, NULL, 0, 0, &errors));
	fx_graph_error_text(&errors, 0, got, sizeof got);
	assert_int_equal(errors.len, 1);
	assert_string_equal(got, said);
	fx_registry_free(r);
}

static void what_cannot_be_parted_is_told(void **unused)
{
	(void)unused;
	expect(HEAD SCORE "key: column, workers: 2 }\n",
	       "g:5:60: s.key: no key \"column\"; valid: region, id");
	expect(HEAD SCORE "workers: 2 }\n",
	       "g:5:64: s.workers: scorer/fake keeps state between messages: say by what its work "
	       "is parted, as in \"key: region\"");
	expect(HEAD "  s: { type: writer/fake, set: { path: x }, from: { labels: a.labels }, "
		    "key: id }\n",
	       "g:5:78: s.key: the work of writer/fake cannot be parted by id");
	expect(HEAD "  s: { type: normalizer/fake, from: { image: i.image }, key: id }\n",
	       "g:5:62: s.key: normalizer/fake keeps nothing between messages: its workers share "
	       "them without a key");
}

static void policies_go_with_parts(void **unused)
{
	(void)unused;
	expect(HEAD SCORE "key: id, workers: 2, policy: drop_old }\n",
	       "g:5:43: s.labels: policy drop_old does not go with a key: each part would miss "
	       "something else");
	expect(HEAD SCORE "key: id, workers: 2 }\n"
			  "  w: { type: writer/fake, set: { path: x }, from: { scores: s.scores }, "
			  "policy: spool }\n",
	       "g:6:61: w.scores: policy spool does not go with what comes from a node with a key: "
	       "put a flow/pass between them");
}

static void parts_are_those_of_the_node_that_numbers(void **unused)
{
	static const char text[] = HEAD SCORE "key: region, workers: 3, policy: spool }\n";
	struct fx_registry *r = fake_registry();
	struct fx_graph_errors errors = { 0 };
	struct fx_graph *g = fx_graph_parse("g", text, strlen(text), r, NULL, 0, 0, &errors);
	long s;

	(void)unused;
	assert_non_null(g);
	s = fx_graph_find(g, "s");
	assert_int_equal(g->nodes[s].key, FX_KEY_REGION);
	assert_int_equal(fx_graph_parts(g, (size_t)s), 3);
	assert_int_equal(fx_graph_parts(g, (size_t)fx_graph_find(g, "a")), 1);
	fx_graph_free(g);
	fx_registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_parted_is_told),
		cmocka_unit_test(policies_go_with_parts),
		cmocka_unit_test(parts_are_those_of_the_node_that_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
