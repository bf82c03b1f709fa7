// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/flow/pass.c. */
#include "support/test.h"

#include "support/node_test.h"

extern const struct fx_node_type fx_node_flow_pass;

static void passes_a_block_and_a_tree(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_flow_pass, NULL);
	struct fx_block *b = fx_block_new(FX_U8, 1, 2, 3);

	(void)unused;
	assert_int_equal(node_test_block(t, "in", b), FX_OK);
	assert_int_equal(node_test_tree(t, "in", fx_tree_new(7, 2)), FX_OK);
	assert_int_equal(node_test_count(t, "out", FX_BLOCK), 1);
	assert_ptr_equal(node_test_get(t, "out", FX_BLOCK, 0)->message, b);
	assert_int_equal(((struct fx_tree *)node_test_get(t, "out", FX_TREE, 0)->message)->segment,
			 7);
	node_test_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(passes_a_block_and_a_tree) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
