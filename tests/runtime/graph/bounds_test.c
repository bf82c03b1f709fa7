// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/graph/bounds.c, and that a graph has what its file says. */
#include "support/test.h"

#include <string.h>

#include "graph/bounds.h"
#include "runtime/graph/fake_types.h"

static void keys_and_units(void **unused)
{
	struct fx_bounds b = { 0 };
	struct fx_error err = { 0 };

	(void)unused;
	assert_true(fx_bounds_has("hang") && fx_bounds_has("limit"));
	assert_false(fx_bounds_has("hang_s") || fx_bounds_has("limi") || fx_bounds_has(""));
	assert_int_equal(fx_bounds_set(&b, "limit", "", &err), FX_OK);
	assert_int_equal(fx_bounds_set(&b, "hang", "", &err), FX_OK);
	assert_false(b.has_hang);
	assert_int_equal(fx_bounds_set(&b, "limit", "2 GiB", &err), FX_OK);
	assert_true(b.limit_mib == 2048 && !b.has_hang);
	assert_int_equal(fx_bounds_set(&b, "hang", "0", &err), FX_OK);
	assert_true(b.hang_s == 0 && b.has_hang);
	assert_int_equal(fx_bounds_set(&b, "hang", "1.5 min", &err), FX_OK);
	assert_true(b.hang_s == 90);
	assert_int_equal(fx_bounds_set(&b, "limit", "15.9", &err), FX_EINVAL);
}

static void a_graph_has_them(void **unused)
{
	static const char text[] = "version: 1\n"
				   "params: { most: { default: \"\" } }\n"
				   "nodes:\n"
				   "  a: { type: acquire/truth, hang: 200 ms, limit: $most }\n"
				   "  b: { type: acquire/truth, limit: 500 }\n";
	const struct fx_param given = { "most", "1 GiB" };
	struct fx_registry *r = fake_registry();
	struct fx_graph_errors e = { 0 };

	(void)unused;
	for (size_t i = 0; i < 2; i++) {
		struct fx_graph *g = fx_graph_parse("g", text, strlen(text), r, &given, i, 0, &e);

		if (!g)
			fail_msg("%s", e.list[0].text);
		assert_true(g->nodes[0].bounds.has_hang && g->nodes[0].bounds.hang_s == 0.2);
		assert_true(g->nodes[0].bounds.limit_mib == (i ? 1024 : 0));
		assert_true(!g->nodes[1].bounds.has_hang && g->nodes[1].bounds.limit_mib == 500);
		assert_int_equal(g->nodes[1].bounds.line, 5);
		assert_int_equal(g->nodes[1].bounds.col, 36);
		fx_graph_free(g);
	}
	fx_registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_and_units),
		cmocka_unit_test(a_graph_has_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
