// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/treedist.c. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "formats/swc.h"
#include "kernels/treedist.h"

static void assert_near(double a, double b, double limit)
{
	if (!(fabs(a - b) <= limit))
		fail_msg("%.17g is not %.17g within %g", a, b, limit);
}

/* A straight line of n nodes along x, step apart. */
static struct fx_tree *line(int n, double step, double y)
{
	struct fx_tree *t = fx_tree_new(1, (size_t)n);

	for (int i = 0; i < n; i++) {
		t->nodes[i].pos_nm[1] = y;
		t->nodes[i].pos_nm[2] = step * i;
		t->nodes[i].parent = i - 1;
	}
	return t;
}

static double uniform(uint64_t *seed, double lo, double hi)
{
	return lo + (hi - lo) * (double)(test_random(seed) >> 11) / 9007199254740992.0;
}

/* A random walk with branches, some edges without length, and now and then a new root. */
static struct fx_tree *walk(uint64_t *seed, size_t n, double step)
{
	struct fx_tree *t = fx_tree_new(1, n);

	for (size_t i = 0; i < n; i++) {
		struct fx_tree_node *const node = &t->nodes[i];

		node->parent =
			i ? (int32_t)(test_random(seed) % 4 ? i - 1 : test_random(seed) % i) : -1;
		if (i && test_random(seed) % 40 == 0)
			node->parent = -1;
		for (int a = 0; a < 3; a++)
			node->pos_nm[a] =
				(node->parent < 0 ? 20 : t->nodes[node->parent].pos_nm[a]) +
				(test_random(seed) % 20 ? uniform(seed, -step, step) : 0);
	}
	return t;
}

/* Distance from p to the piece from a to b, by the law of the triangle. */
static double brute_distance(const double *p, const double *a, const double *b)
{
	double ab2 = 0, dot = 0, d2 = 0;

	for (int i = 0; i < 3; i++) {
		ab2 += (b[i] - a[i]) * (b[i] - a[i]);
		dot += (p[i] - a[i]) * (b[i] - a[i]);
	}
	const double t = ab2 > 0 ? fmin(1, fmax(0, dot / ab2)) : 0;

	for (int i = 0; i < 3; i++) {
		const double q = a[i] + t * (b[i] - a[i]);

		d2 += (p[i] - q) * (p[i] - q);
	}
	return sqrt(d2);
}

static void brute_way(const struct fx_tree *a, const struct fx_tree *b, double far, double out[3],
		      double *max)
{
	double sum = 0, big = 0;
	size_t n = 0, n_big = 0;

	*max = 0;
	for (size_t i = 0; i < a->len; i++) {
		if (a->nodes[i].parent < 0)
			continue;
		const double *from = a->nodes[i].pos_nm, *to = a->nodes[a->nodes[i].parent].pos_nm;
		const int points = (int)(1 + brute_distance(from, to, to) + 0.5);

		for (int j = 0; j < points; j++) {
			double p[3], best = (double)INFINITY;

			for (int k = 0; k < 3; k++)
				p[k] = from[k] +
				       (points > 1 ? (to[k] - from[k]) * j / (points - 1) : 0);
			for (size_t e = 0; e < b->len; e++)
				if (b->nodes[e].parent >= 0)
					best = fmin(best,
						    brute_distance(
							    p, b->nodes[e].pos_nm,
							    b->nodes[b->nodes[e].parent].pos_nm));
			sum += best;
			n++;
			*max = fmax(*max, best);
			if (best >= far) {
				big += best;
				n_big++;
			}
		}
	}
	out[0] = sum / (double)n;
	out[1] = n_big ? big / (double)n_big : -1;
	out[2] = (double)n_big / (double)n;
}

static void check_brute(const struct fx_tree *a, const struct fx_tree *b, double far)
{
	struct fx_treedist d;
	double ab[3], ba[3], max_ab, max_ba, dsa;

	assert_int_equal(fx_treedist_compute(a, b, far, &d), FX_OK);
	brute_way(a, b, far, ab, &max_ab);
	brute_way(b, a, far, ba, &max_ba);
	dsa = ab[1] < 0 ? ba[1] : ba[1] < 0 ? ab[1] : (ab[1] + ba[1]) / 2;
	assert_near(d.esa12, ab[0], 1e-9);
	assert_near(d.esa21, ba[0], 1e-9);
	assert_near(d.esa, (ab[0] + ba[0]) / 2, 1e-9);
	assert_near(d.dsa, dsa < 0 ? 0 : dsa, 1e-9);
	assert_near(d.pds12, ab[2], 1e-9);
	assert_near(d.pds21, ba[2], 1e-9);
	assert_near(d.pds, (ab[2] + ba[2]) / 2, 1e-9);
	assert_near(d.max, fmin(max_ab, max_ba), 1e-9);
}

static void as_brute_force_says(void **unused)
{
	uint64_t seed = 7;

	(void)unused;
	for (int round = 0; round < 12; round++) {
		struct fx_tree *a = walk(&seed, 2 + test_random(&seed) % 150, 4);
		struct fx_tree *b = walk(&seed, 2 + test_random(&seed) % 150, 4);

		a->nodes[1].parent = b->nodes[1].parent = 0;
		check_brute(a, b, 2);
		check_brute(a, a, 2);
		fx_tree_free(a);
		fx_tree_free(b);
	}
}

static void real_neurons_as_brute_force_says(void **unused)
{
	const char *data = test_data_dir();
	struct fx_error err = { 0 };
	struct fx_tree *a, *b;

	(void)unused;
	if (!data)
		test_skip("no shared data: real neurons against brute force");
	for (int i = 1; i <= 6; i++) {
		char *path[2];

		for (int k = 0; k < 2; k++)
			path[k] = fx_asprintf("%s/metrics/pyneval/%s_fake_data%d/%s.swc", data,
					      i < 5 ? "geo" : "topo", i < 5 ? i : i - 4,
					      k ? "test" : "gold");
		assert_int_equal(fx_swc_read(path[0], 1, &a, NULL, &err), FX_OK);
		assert_int_equal(fx_swc_read(path[1], 1, &b, NULL, &err), FX_OK);
		check_brute(a, b, 2);
		fx_tree_free(a);
		fx_tree_free(b);
		free(path[0]);
		free(path[1]);
	}
}

static void a_shifted_line(void **unused)
{
	struct fx_tree *a = line(11, 2, 0), *b = line(11, 2, 3), *c = line(11, 2, 2);
	struct fx_treedist d;

	(void)unused;
	assert_int_equal(fx_treedist_compute(a, a, 2, &d), FX_OK);
	assert_true(d.esa == 0 && d.dsa == 0 && d.pds == 0 && d.max == 0);
	assert_int_equal(d.points[0], 30); /* 3 an edge: its ends count twice */
	assert_int_equal(fx_treedist_compute(a, b, 2, &d), FX_OK);
	assert_true(d.esa == 3 && d.dsa == 3 && d.pds == 1 && d.max == 3);
	/* exactly the threshold is far */
	assert_int_equal(fx_treedist_compute(a, c, 2, &d), FX_OK);
	assert_true(d.esa == 2 && d.dsa == 2 && d.pds == 1);
	/* from one side only: b lies on the longer a */
	fx_tree_free(b);
	b = line(6, 2, 0);
	assert_int_equal(fx_treedist_compute(a, b, 2, &d), FX_OK);
	assert_true(d.pds21 == 0 && d.pds12 > 0.4 && d.pds == d.pds12 / 2 && d.dsa > 2);
	fx_tree_free(a);
	fx_tree_free(b);
	fx_tree_free(c);
}

static void what_cannot_be_compared(void **unused)
{
	struct fx_tree *one = line(1, 1, 0), *two = line(2, 1, 0), *long_way = line(2, 1e9, 0);
	struct fx_treedist d;
	struct fx_treecover c;

	(void)unused;
	assert_int_equal(fx_treedist_compute(one, two, 2, &d), FX_OK);
	assert_true(d.esa == -1 && d.dsa == -1 && d.pds == -1);
	assert_int_equal(fx_treedist_compute(two, long_way, 2, &d), FX_EINVAL);
	assert_int_equal(fx_treecover_compute(two, long_way, 2, &c), FX_EINVAL);
	/* a tree of one node has a place, but no length */
	assert_int_equal(fx_treecover_compute(one, two, 2, &c), FX_OK);
	assert_true(c.nodes[0] == 1 && c.nodes[1] == 1 && c.length[0] == 0 && c.length[1] == 1);
	fx_tree_free(one);
	fx_tree_free(two);
	fx_tree_free(long_way);
}

static void cover_of_half_a_line(void **unused)
{
	struct fx_tree *a = line(2, 100, 0), *b = line(6, 10, 1);
	struct fx_treecover c;

	(void)unused;
	assert_int_equal(fx_treecover_compute(a, b, 2, &c), FX_OK);
	assert_near(c.total[0], 100, 1e-12);
	assert_near(c.total[1], 50, 1e-12);
	/* up to x = 50 + sqrt(3) */
	assert_near(c.length[0], 0.5 + sqrt(3) / 100, 0.0025);
	assert_true(c.length[1] == 1 && c.nodes[1] == 1 && c.nodes[0] == 0.5);
	fx_tree_free(a);
	fx_tree_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_brute_force_says),
		cmocka_unit_test(real_neurons_as_brute_force_says),
		cmocka_unit_test(a_shifted_line),
		cmocka_unit_test(what_cannot_be_compared),
		cmocka_unit_test(cover_of_half_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
