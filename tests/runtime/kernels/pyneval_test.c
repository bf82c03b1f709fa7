// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/pyneval_ssd.c, pyneval_length.c and pyneval_critical.c. */
#include "support/test.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "formats/swc.h"
#include "kernels/assign.h"
#include "kernels/diadem.h"
#include "kernels/pyneval.h"

static const char *const pairs[] = { "geo_fake_data1", "geo_fake_data2",  "geo_fake_data3",
				     "geo_fake_data4", "topo_fake_data1", "topo_fake_data2" };

static void assert_near(const char *what, double a, double b, double limit)
{
	if (!(fabs(a - b) <= limit))
		fail_msg("%s: %.17g is not %.17g within %g", what, a, b, limit);
}

static struct fx_tree *read_tree(const char *pair, const char *name)
{
	char *path = fx_asprintf("%s/metrics/pyneval/%s/%s.swc", test_data_dir(), pair, name);
	struct fx_tree *t = NULL;
	struct fx_error err = { 0 };

	if (fx_swc_read(path, 1, &t, NULL, &err) < 0)
		fail_msg("%s", err.text);
	free(path);
	return t;
}

static double expected(const char *pair, const char *metric, const char *name)
{
	char *path =
		fx_asprintf("%s/metrics/pyneval/%s/std_%s.json", test_data_dir(), pair, metric);
	json_t *root = json_load_file(path, 0, NULL);
	const json_t *v = json_object_get(root, name);
	const double value = json_number_value(v);

	if (!json_is_number(v))
		fail_msg("%s has no %s", path, name);
	json_decref(root);
	free(path);
	return value;
}

static void as_published(void **unused)
{
	(void)unused;
	if (!test_data_dir())
		test_skip("no shared data: results that PyNeval publishes");
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		const char *p = pairs[i];
		struct fx_tree *gold = read_tree(p, "gold"), *test = read_tree(p, "test");
		struct fx_pyneval_ssd ssd;
		struct fx_pyneval_length length;
		struct fx_pyneval_critical nodes;

		assert_int_equal(fx_pyneval_ssd(test, gold, 2, 2, &ssd), FX_OK);
		assert_near(p, ssd.score, expected(p, "ssd", "avg_score"), 1e-6);
		assert_near(p, ssd.recall, expected(p, "ssd", "recall"), 1e-6);
		assert_near(p, ssd.precision, expected(p, "ssd", "precision"), 1e-6);
		assert_int_equal(fx_pyneval_length(test, gold, 2, 0.2, &length), FX_OK);
		assert_near(p, length.recall, expected(p, "length", "recall"), 1e-6);
		assert_near(p, length.precision, expected(p, "length", "precision"), 1e-6);
		assert_int_equal(fx_pyneval_critical(test, gold, 2, &nodes), FX_OK);
		assert_near(p, (double)nodes.gold, expected(p, "critical_node", "gold_len"), 0);
		assert_near(p, (double)nodes.test, expected(p, "critical_node", "test_len"), 0);
		assert_near(p, (double)nodes.matched, expected(p, "critical_node", "true_pos_num"),
			    0);
		assert_near(p, nodes.recall, expected(p, "critical_node", "recall"), 1e-6);
		assert_near(p, nodes.precision, expected(p, "critical_node", "precision"), 1e-6);
		assert_near(p, nodes.mean, expected(p, "critical_node", "mean_dis"), 1e-6);
		assert_near(p, nodes.total, expected(p, "critical_node", "tot_dis"), 1e-6);
		fx_tree_free(gold);
		fx_tree_free(test);
	}
}

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

static void check_length(const double (*test)[3], size_t test_len, const double (*gold)[3],
			 size_t gold_len, double recall, double precision)
{
	struct fx_tree *a = plane(test, test_len), *b = plane(gold, gold_len);
	struct fx_pyneval_length l;

	assert_int_equal(fx_pyneval_length(a, b, 2, 0.2, &l), FX_OK);
	assert_near("recall", l.recall, recall, 1e-12);
	assert_near("precision", l.precision, precision, 1e-12);
	fx_tree_free(a);
	fx_tree_free(b);
}

/* No part of the test is matched twice. */
static void each_length_is_used_once(void **unused)
{
	static const double one[][3] = { { 0, 0, -1 }, { 20, 0, 0 } };
	static const double two[][3] = { { 0, 0, -1 }, { 20, 0, 0 }, { 20, 0, 0 } };
	static const double steps[][3] = { { 0, 0, -1 }, { 10, 0, 0 }, { 20, 0, 1 }, { 30, 0, 2 } };
	/* the last edge is looked at first; the other one lies in it */
	static const double within[][3] = {
		{ 0, 0, -1 }, { 10, 1, -1 }, { 20, 1, 1 }, { 30, 0, 0 }
	};
	/* the other way round: what lies between is used whole */
	static const double after[][3] = {
		{ 10, 1, -1 }, { 20, 1, 0 }, { 0, 0, -1 }, { 30, 0, 2 }
	};
	/* and then in what is left of it */
	static const double beside[][3] = {
		{ 0, 0, -1 }, { 21, 1, -1 }, { 29, 1, 1 }, { 20, 0, 0 }
	};

	(void)unused;
	check_length(one, 2, one, 2, 1, 1);
	check_length(one, 2, two, 3, 0.5, 1);
	check_length(steps, 4, within, 4, 0.25, 10.0 / 30);
	check_length(steps, 4, beside, 4, 1, 28.0 / 30);
	check_length(steps, 4, after, 4, 0.75, 1);
	/* too long a way: not matched */
	check_length(two, 2, within, 2, 0, 0);
}

static void a_cloud_of_ends_is_refused(void **unused)
{
	struct fx_tree *t = fx_tree_new(1, 601);
	struct fx_pyneval_critical c;

	(void)unused;
	for (size_t i = 0; i < 601; i++)
		t->nodes[i].parent = i ? 0 : -1;
	assert_int_equal(fx_pyneval_critical(t, t, 2, &c), FX_EINVAL);
	t->len = 401;
	assert_int_equal(fx_pyneval_critical(t, t, 2, &c), FX_OK);
	assert_int_equal(c.matched, 401);
	fx_tree_free(t);
}

static void diadem_as_published(void **unused)
{
	const struct fx_diadem_options rules = FX_DIADEM_DEFAULT;
	struct fx_diadem_options shared = FX_DIADEM_DEFAULT;

	(void)unused;
	if (!test_data_dir())
		test_skip("no shared data: results that PyNeval publishes");
	shared.shared_forks = true;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		const char *p = pairs[i];
		struct fx_tree *gold = read_tree(p, "gold"), *test = read_tree(p, "test");
		struct fx_diadem_score s;

		assert_int_equal(fx_diadem_compute(test, gold, &shared, &s), FX_OK);
		/* the file of the first pair says 0.25, PyNeval itself 0.5 */
		assert_near(p, s.score, i ? expected(p, "diadem", "final_score") : 0.5, 1e-6);
		assert_near(p, s.weight, expected(p, "diadem", "weight_sum"), 1e-6);
		/* in the last pair gold has a fork of three: of four ends, two lie behind what
		 * sharing misses */
		assert_int_equal(fx_diadem_compute(test, gold, &rules, &s), FX_OK);
		assert_near(p, s.score,
			    i == 5 ? 12.0 / 14 :
			    i	   ? expected(p, "diadem", "final_score") :
				     0.5,
			    1e-12);
		fx_tree_free(gold);
		fx_tree_free(test);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_published),
		cmocka_unit_test(a_cloud_of_ends_is_refused),
		cmocka_unit_test(each_length_is_used_once),
		cmocka_unit_test(diadem_as_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
