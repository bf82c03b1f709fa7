// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/diadem.c; what PyNeval publishes: pyneval_test.c. */
#include "support/test.h"

#include <math.h>

#include <fornix/error.h>

#include "kernels/diadem.h"

static const struct fx_diadem_options rules = FX_DIADEM_DEFAULT;

/* x, y, parent; radius 1 */
static struct fx_tree *plane(const double (*rows)[3], size_t n)
{
	struct fx_tree *t = fx_tree_new(1, n);

	for (size_t i = 0; i < n; i++) {
		t->nodes[i].pos_nm[2] = rows[i][0];
		t->nodes[i].pos_nm[1] = rows[i][1];
		t->nodes[i].parent = (int32_t)rows[i][2];
		t->nodes[i].radius_nm = 1;
	}
	return t;
}

/* A stem with two forks: ends at the ends of both, and of the stem. */
static const double gold[][3] = { { 0, 0, -1 }, { 20, 0, 0 },  { 20, 20, 1 },
				  { 40, 0, 1 }, { 40, 20, 3 }, { 60, 0, 3 } };

static void check(const double (*rows)[3], size_t n, double score, double weight)
{
	struct fx_tree *a = plane(rows, n), *b = plane(gold, 6);
	struct fx_diadem_score s;

	assert_int_equal(fx_diadem_compute(a, b, &rules, &s), FX_OK);
	if (fabs(s.score - score) > 1e-12 || s.weight != weight)
		fail_msg("score %g of weight %g, not %g of %g", s.score, s.weight, score, weight);
	fx_tree_free(a);
	fx_tree_free(b);
}

/* Gold weighs 3 for the first fork, 2 for the second, 1 for each of three ends. */
static void by_hand(void **unused)
{
	/* without the last end: the fork before it is not there, but the way goes on */
	static const double lost[][3] = {
		{ 0, 0, -1 }, { 20, 0, 0 }, { 20, 20, 1 }, { 40, 0, 1 }, { 40, 20, 3 }
	};
	/* an end too much, and its fork */
	static const double more[][3] = {
		{ 0, 0, -1 }, { 10, 0, 0 },  { 20, 0, 1 }, { 20, 20, 2 },
		{ 40, 0, 2 }, { 40, 20, 4 }, { 60, 0, 4 }, { 10, -30, 1 }
	};
	/* rooted elsewhere, in another order */
	static const double turned[][3] = { { 60, 0, -1 }, { 40, 0, 0 },  { 40, 20, 1 },
					    { 20, 0, 1 },  { 20, 20, 3 }, { 0, 0, 3 } };

	(void)unused;
	check(gold, 6, 1, 8);
	check(turned, 6, 1, 8);
	check(lost, 5, 7.0 / 8, 8);
	/* the end too much weighs 1, its fork 1 */
	check(more, 8, 8.0 / 9, 9);
}

static double uniform(uint64_t *seed, double lo, double hi)
{
	return lo + (hi - lo) * (double)(test_random(seed) >> 11) / 9007199254740992.0;
}

/* Any trees: the score is a share, and of a tree with itself it is 1. */
static void any_trees(void **unused)
{
	uint64_t seed = 21;

	(void)unused;
	for (int round = 0; round < 60; round++) {
		const double step = round % 2 ? 30 : 1.5; /* far apart, or all near each other */
		const size_t n = 1 + test_random(&seed) % 60;
		struct fx_tree *a = fx_tree_new(1, n), *b = fx_tree_new(1, n);
		struct fx_diadem_options shared = rules;
		struct fx_diadem_score s;

		shared.shared_forks = true;
		for (size_t i = 0; i < n; i++) {
			const uint64_t up = i ? test_random(&seed) % i : 0;

			a->nodes[i].parent = i && test_random(&seed) % 30 ? (int32_t)up : -1;
			a->nodes[i].radius_nm = 1;
			for (int k = 0; k < 3; k++)
				a->nodes[i].pos_nm[k] = (i ? a->nodes[up].pos_nm[k] : 0) +
							uniform(&seed, -step, step);
			b->nodes[i] = a->nodes[i];
			b->nodes[i].pos_nm[0] += uniform(&seed, -2, 2);
		}
		assert_int_equal(fx_diadem_compute(a, b, &rules, &s), FX_OK);
		assert_true(s.score >= 0 && s.score <= 1);
		assert_int_equal(fx_diadem_compute(b, a, &shared, &s), FX_OK);
		assert_int_equal(fx_diadem_compute(a, a, &rules, &s), FX_OK);
		if (round % 2 && s.weight > 0 && fabs(s.score - 1) > 1e-12)
			fail_msg("round %d: a tree scores %g against itself", round, s.score);
		fx_tree_free(a);
		fx_tree_free(b);
	}
}

static void what_is_refused(void **unused)
{
	struct fx_tree *t = fx_tree_new(1, 1100), *b = plane(gold, 6);
	struct fx_diadem_score s;

	(void)unused;
	for (size_t i = 0; i < 1100; i++) {
		t->nodes[i].parent = i < 2 ? (int32_t)i - 1 : 1;
		t->nodes[i].radius_nm = 1;
		t->nodes[i].pos_nm[2] = (double)i;
	}
	assert_int_equal(fx_diadem_compute(t, t, &rules, &s), FX_EINVAL);
	t->len = 0;
	assert_int_equal(fx_diadem_compute(t, b, &rules, &s), FX_OK);
	assert_true(s.score == 0);
	assert_int_equal(fx_diadem_compute(b, t, &rules, &s), FX_OK);
	assert_true(s.score == 0 && s.weight == 0);
	fx_tree_free(t);
	fx_tree_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_hand),
		cmocka_unit_test(any_trees),
		cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
