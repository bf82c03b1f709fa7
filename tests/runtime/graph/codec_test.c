// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/graph/codec.c: what a graph says about how payloads are coded. */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "graph/graph.h"
#include "runtime/graph/fake_types.h"

#define HEAD                                                                                       \
	"version: 1\n"                                                                             \
	"params: { way: { default: zstd } }\n"                                                     \
	"nodes:\n"                                                                                 \
	"  a: { type: acquire/truth }\n"                                                           \
	"  b: { type: acquire/truth }\n"
#define FROM "from: { labels: a.labels, truth: b.labels } }\n"

static void inputs_have_their_codecs(void **unused)
{
	static const char text[] = HEAD "  one: { type: scorer/fake, codec: lz4, " FROM
					"  six: { type: scorer/fake, codec: { truth: $way }, " FROM
					"  two: { type: scorer/fake, codec: { truth: none, labels: "
					"auto }, " FROM;
	static const struct {
		const char *node;
		unsigned port;
		enum fx_coding coding;
	} want[] = {
		{ "one", 0, FX_CODING_LZ4 },  { "one", 1, FX_CODING_LZ4 },
		{ "six", 0, FX_CODING_AUTO }, { "six", 1, FX_CODING_ZSTD },
		{ "two", 0, FX_CODING_AUTO }, { "two", 1, FX_CODING_NONE },
	};
	struct fx_registry *r = fake_registry();
	struct fx_graph_errors errors = { 0 };
	struct fx_graph *g = fx_graph_parse("g", text, sizeof text - 1, r, NULL, 0, 0, &errors);

	(void)unused;
	if (!g)
		fail_msg("%s", errors.list[0].text);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		const struct fx_graph_node *n = &g->nodes[fx_graph_find(g, want[i].node)];

		assert_int_equal(n->inputs[want[i].port].port, want[i].port);
		assert_int_equal(n->inputs[want[i].port].coding, want[i].coding);
	}
	assert_string_equal(fx_coding_name(FX_CODING_LZ4), "lz4");
	fx_graph_free(g);
	fx_registry_free(r);
}

static void what_is_wrong_is_told(void **unused)
{
	static const char *const cases[][2] = {
		{ "codec: ztsd, " FROM,
		  "g:6:36: six.codec: no codec \"ztsd\"; did you mean \"zstd\"?" },
		{ "codec: { labls: lz4 }, " FROM,
		  "g:6:38: six.codec: no connected input \"labls\"; did you mean \"labels\"?" },
		{ "codec: { scores: lz4 }, " FROM,
		  "g:6:38: six.codec: no connected input \"scores\"; valid: labels, truth" },
	};
	struct fx_registry *r = fake_registry();

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fx_graph_errors errors = { 0 };
		char text[1024], said[1024];

		snprintf(text, sizeof text, HEAD "  six: { type: scorer/fake, %s", cases[i][0]);
		assert_null(fx_graph_parse("g", text, strlen(text), r, NULL, 0, 0, &errors));
		fx_graph_error_text(&errors, 0, said, sizeof said);
		assert_string_equal(said, cases[i][1]);
	}
	fx_registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inputs_have_their_codecs),
		cmocka_unit_test(what_is_wrong_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
