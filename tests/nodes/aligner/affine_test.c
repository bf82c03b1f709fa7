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

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Medians over the good sections of how far their middle and their worst corner are from where
 * they belong. The texture stands still, and so does the first section: that is the gauge. */
static void whole_stack(const struct node_test *t, const struct stack *s, double median[2])
{
	const double far = (double)s->side - 1;
	double miss[2][STACK_MOST];
	size_t n = 0;

	for (size_t z = 1; z < s->len; z++) {
		const struct fx_affine2 put = stack_map(t, z), first = stack_map(t, 0);

		for (int k = 0; k < 5 && !s->bad[z]; k++) {
			const double p[2] = { k == 4 ? far / 2 :
					      k & 1  ? far :
						       0,
					      k == 4 ? far / 2 :
					      k & 2  ? far :
						       0 };
			double is[2], at[2], should[2], e;
			struct fx_affine2 back = { 0 };

			assert_true(fx_affine2_invert(&s->map[0], &back));
			fx_affine2_apply(&s->map[z], p, at);
			fx_affine2_apply(&back, at, is);
			fx_affine2_apply(&first, is, should);
			fx_affine2_apply(&put, p, is);
			e = hypot(is[0] - should[0], is[1] - should[1]);
			if (k == 4)
				miss[0][n] = e;
			else
				miss[1][n] = k && miss[1][n] > e ? miss[1][n] : e;
		}
		n += !s->bad[z];
	}
	for (int i = 0; i < 2; i++) {
		qsort(miss[i], n, sizeof **miss, ascending);
		median[i] = miss[i][n / 2];
	}
}

/* 24 sections with noise, shifted, turned, scaled and sheared, one of them bad: nothing adds up. */
static void a_long_stack_keeps_its_place_and_shape(void **unused)
{
	static const char *const options[] = {
		"references=3", "pull=0", "pull_shape=0", "ahead=2", "patch=32", "grid=6", NULL
	};
	struct stack s = stack_new(24, 96, 2, 0.01);
	uint64_t seed = 5;
	double median[2];
	struct fx_block *v;
	struct node_test *t;

	(void)unused;
	s.noise = 16;
	s.bad[13] = true;
	for (size_t z = 0; z < s.len; z++)
		for (int i = 0; i < 4; i++) {
			const double by = 0.01 * (2 * texture_chance(&seed) - 1);

			s.map[z].m[i / 2][i % 2] += by;
			s.map[z].m[i / 2][2] -= by * 95 / 2;
		}
	v = stack_volume(&s);
	t = stack_run(&fx_node_aligner_affine, options, v);
	for (size_t z = 1; z < s.len; z++)
		assert_true(fx_record_number(stack_record(t, z), "good", -1) == !s.bad[z]);
	assert_true(stack_map(t, 0).m[0][0] == 1 && stack_map(t, 0).m[1][1] == 1);
	whole_stack(t, &s, median);
	if (!(median[0] < 0.2 && median[1] < 0.5))
		fail_msg("middles miss by %.3f, corners by %.3f", median[0], median[1]);
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
		cmocka_unit_test(a_long_stack_keeps_its_place_and_shape),
		cmocka_unit_test(another_life_sends_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
