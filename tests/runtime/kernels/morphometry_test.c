// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/morphometry.c. */
#include "support/test.h"

#include <math.h>

#include <fornix/error.h>

#include "kernels/morphometry.h"

static void assert_near(double a, double b)
{
	if (!(fabs(a - b) <= 1e-12 * fmax(1, fabs(b))))
		fail_msg("%.17g is not %.17g", a, b);
}

/* x, y, parent */
static struct fx_tree *plane(const double (*rows)[3], size_t n)
{
	struct fx_tree *t = fx_tree_new(1, n);

	for (size_t i = 0; i < n; i++) {
		t->nodes[i].pos_nm[2] = rows[i][0];
		t->nodes[i].pos_nm[1] = rows[i][1];
		t->nodes[i].parent = (int32_t)rows[i][2];
		t->nodes[i].radius_nm = 2;
	}
	return t;
}

/* A stem of 10 to a fork, from which one arm goes 3 up and 4 right, the other 6 down to a fork
 * with two arms of 5; and a second tree of one edge. */
static const double example[][3] = {
	{ 0, 0, -1 },  { 4, 0, 0 },   { 10, 0, 1 }, { 10, 3, 2 },     { 14, 3, 3 },
	{ 10, -6, 2 }, { 15, -6, 5 }, { 5, -6, 5 }, { 100, 100, -1 }, { 100, 110, 8 },
};

static void a_small_neuron(void **unused)
{
	struct fx_tree *t = plane(example, 10);
	struct fx_morphometry m;

	(void)unused;
	assert_int_equal(fx_morphometry_measure(t, 3, &m), FX_OK);
	assert_true(m.nodes == 10 && m.trees == 2 && m.stems == 2 && m.forks == 2 && m.tips == 4);
	assert_int_equal(m.branches, 6);
	assert_near(m.length, 10 + 7 + 6 + 10 + 10);
	assert_true(m.span[0] == 0 && m.span[1] == 116 && m.span[2] == 100);
	assert_near(m.path_max, 21);
	assert_near(m.far_max, sqrt(15 * 15 + 36));
	assert_near(m.tortuosity, (5 + 7 / 5.0) / 6);
	assert_near(m.contraction, (5 + 5 / 7.0) / 6);
	assert_near(m.radius_mean, 2);
	assert_near(m.surface, 2 * 3.14159265358979323846 * 2 * 43);
	assert_near(m.volume, 3.14159265358979323846 * 4 * 43);
	assert_int_equal(m.order_max, 2);
	assert_int_equal(m.strahler, 2);
	/* spheres 3, 6, 9, 12, 15 around (0, 0), where the tree runs to 10 and on to 14.3, 16.2 and
	 * back to 7.8; and 3, 6, 9 in the other tree */
	assert_int_equal(m.sholl_len, 5);
	assert_int_equal(m.sholl[0], 2);
	assert_int_equal(m.sholl[1], 2);
	assert_int_equal(m.sholl[2], 3);
	assert_int_equal(m.sholl[3], 2);
	assert_int_equal(m.sholl[4], 1);
	assert_true(m.sholl_max == 3 && m.sholl_radius == 9);
	fx_morphometry_fini(&m);
	fx_tree_free(t);
}

/* A full binary tree of four levels has the number 4, a comb of any length 2. */
static void strahler_numbers(void **unused)
{
	struct fx_tree *full = fx_tree_new(1, 15), *comb = fx_tree_new(1, 41);
	struct fx_morphometry m;

	(void)unused;
	for (int i = 0; i < 15; i++)
		full->nodes[i].parent = i ? (i - 1) / 2 : -1;
	for (int i = 0; i < 41; i++)
		comb->nodes[i].parent = i ? (i - 1) / 2 * 2 : -1;
	assert_int_equal(fx_morphometry_measure(full, 0, &m), FX_OK);
	assert_int_equal(m.strahler, 4);
	assert_int_equal(m.order_max, 2);
	assert_true(m.tips == 8 && m.tortuosity == 0 && m.sholl_len == 0);
	fx_morphometry_fini(&m);
	assert_int_equal(fx_morphometry_measure(comb, 0, &m), FX_OK);
	assert_int_equal(m.strahler, 2);
	fx_morphometry_fini(&m);
	fx_tree_free(full);
	fx_tree_free(comb);
}

static void what_is_refused(void **unused)
{
	struct fx_tree *t = plane(example, 10);
	struct fx_morphometry m;

	(void)unused;
	assert_int_equal(fx_morphometry_measure(t, 1e-9, &m), FX_EINVAL);
	t->nodes[3].pos_nm[0] = (double)NAN;
	assert_int_equal(fx_morphometry_measure(t, 0, &m), FX_EINVAL);
	t->nodes[3].pos_nm[0] = 0;
	t->nodes[3].parent = 3;
	assert_int_equal(fx_morphometry_measure(t, 0, &m), FX_EINVAL);
	t->len = 0;
	assert_int_equal(fx_morphometry_measure(t, 0, &m), FX_OK);
	assert_true(m.nodes == 0 && m.length == 0 && m.span[0] == 0);
	fx_morphometry_fini(&m);
	fx_tree_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_neuron),
		cmocka_unit_test(strahler_numbers),
		cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
