// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/aligner/affine.c. */
#include "support/test.h"

#include "nodes/aligner/stack.h"

extern const struct fx_node_type fx_node_aligner_affine;

static void turned_sections(void **unused)
{
	static const char *const options[] = {
		"references=2", "pull=0", "pull_shape=0", "ahead=2", "patch=32", "grid=6", NULL
	};
	struct stack s = stack_new(6, 110, 4, 0.04);
	struct fx_block *v;
	struct node_test *t;

	(void)unused;
	s.bad[3] = true;
	v = stack_volume(&s);
	t = stack_run(&fx_node_aligner_affine, options, v);
	for (size_t z = 1; z < s.len; z++) {
		assert_true(fx_record_number(stack_record(t, z), "good", -1) == !s.bad[z]);
		if (!s.bad[z] && !(stack_miss(t, &s, z, 0) < 0.5))
			fail_msg("section %zu misses by %.2f", z, stack_miss(t, &s, z, 0));
	}
	node_test_free(t);
	fx_block_free(v);
}

static void another_life_sends_the_same(void **unused)
{
	static const char *const options[] = { "references=2", "ahead=1", "patch=16", "grid=4",
					       NULL };
	struct stack s = stack_new(6, 48, 2, 0.02);
	struct fx_block *v = stack_volume(&s);

	(void)unused;
	sections_check_lives(&fx_node_aligner_affine, options, v);
	fx_block_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turned_sections),
		cmocka_unit_test(another_life_sends_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
