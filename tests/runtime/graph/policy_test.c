// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/graph/policy.c: what a graph says about slow consumers. */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "graph/graph.h"
#include "runtime/graph/fake_types.h"

#define HEAD                                                                                       \
	"version: 1\n"                                                                             \
	"params: { disk: { default: spool 3 GiB } }\n"                                             \
	"nodes:\n"                                                                                 \
	"  a: { type: acquire/truth }\n"                                                           \
	"  b: { type: acquire/truth }\n"
#define FROM "from: { labels: a.labels, truth: b.labels } }\n"

static void inputs_have_their_policies(void **unused)
{
	static const char text[] = HEAD
		"  one: { type: scorer/fake, policy: drop_old, " FROM
		"  two: { type: scorer/fake, policy: { truth: $disk }, " FROM
		"  six: { type: scorer/fake, policy: { truth: spool, labels: drop_new }, " FROM;
	static const struct {
		const char *node;
		unsigned port;
		enum fx_policy policy;
		uint64_t gib;
	} want[] = {
		{ "one", 0, FX_POLICY_DROP_OLD, 0 }, { "one", 1, FX_POLICY_DROP_OLD, 0 },
		{ "two", 0, FX_POLICY_BLOCK, 0 },    { "two", 1, FX_POLICY_SPOOL, 3 },
		{ "six", 0, FX_POLICY_DROP_NEW, 0 }, { "six", 1, FX_POLICY_SPOOL, 10 },
	};
	struct fx_registry *r = fake_registry();
	struct fx_graph_errors errors = { 0 };
	struct fx_graph *g = fx_graph_parse("g", text, sizeof text - 1, r, NULL, 0, 0, &errors);

	(void)unused;
	if (!g)
		fail_msg("%s", errors.list[0].text);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		const struct fx_graph_node *n = &g->nodes[fx_graph_find(g, want[i].node)];
		const struct fx_graph_input *in = &n->inputs[want[i].port];

		assert_int_equal(in->port, want[i].port);
		assert_int_equal(in->policy, want[i].policy);
		if (want[i].policy == FX_POLICY_SPOOL)
			assert_int_equal(in->spool_bytes, want[i].gib << 30);
	}
	fx_graph_free(g);
	fx_registry_free(r);
}

static void what_is_wrong_is_told(void **unused)
{
	static const char *const cases[][2] = {
		{ "policy: spol, " FROM,
		  "g:6:37: six.policy: no policy \"spol\"; did you mean \"spool\"?" },
		{ "policy: drop_old 3, " FROM,
		  "g:6:37: six.policy: no policy \"drop_old 3\"; did you "
		  "mean \"drop_old\"?" },
		{ "policy: spool 3 nm, " FROM,
		  "g:6:37: six.policy: spool: unit \"nm\", but this is in MiB" },
		{ "policy: spool 0, " FROM,
		  "g:6:37: six.policy: spool: 0 is not within 1..1073741824 MiB" },
		{ "policy: { labls: spool }, " FROM,
		  "g:6:39: six.policy: no connected input \"labls\"; did "
		  "you mean \"labels\"?" },
		{ "policy: { scores: block }, " FROM,
		  "g:6:39: six.policy: no connected input \"scores\"; "
		  "valid: labels, truth" },
	};
	struct fx_registry *r = fake_registry();

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fx_graph_errors errors = { 0 };
		char text[1024], said[1024];

		snprintf(text, sizeof text, HEAD "  six: { type: scorer/fake, %s", cases[i][0]);
		assert_null(fx_graph_parse("g", text, strlen(text), r, NULL, 0, 0, &errors));
		assert_int_equal(errors.len, 1);
		fx_graph_error_text(&errors, 0, said, sizeof said);
		assert_string_equal(said, cases[i][1]);
	}
	fx_registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inputs_have_their_policies),
		cmocka_unit_test(what_is_wrong_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
