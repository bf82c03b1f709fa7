// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/scorer/trees.c and runtime/block/treeset.c. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "support/node_test.h"

extern const struct fx_node_type fx_node_scorer_trees;

static double score(const struct node_test *t, size_t i, const char *name)
{
	const struct sent *s = node_test_get(t, "scores", FX_RECORD, i);

	assert_non_null(s);
	return fx_record_number(s->message, name, -77);
}

static void open_ports(struct node_test *t, double voxel)
{
	const struct fx_mark m = { .kind = FX_MARK_OPEN,
				   .region.hi = { 1, 100, 100 },
				   .voxel_nm = { voxel, voxel, voxel },
				   .dtype = FX_U64 };

	node_test_mark(t, "trees", &m);
	node_test_mark(t, "truth", &m);
}

/* A line along x of 11 nodes, 16 nm apart, at y. */
static struct fx_tree *line(uint64_t segment, double y)
{
	struct fx_tree *t = fx_tree_new(segment, 11);

	for (int i = 0; i < 11; i++) {
		t->nodes[i].pos_nm[1] = y;
		t->nodes[i].pos_nm[2] = 16.0 * i;
		t->nodes[i].radius_nm = 8;
		t->nodes[i].parent = i - 1;
	}
	return t;
}

static void a_shift_by_three_voxels(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_scorer_trees, NULL);

	(void)unused;
	open_ports(t, 8);
	node_test_tree(t, "trees", line(5, 0));
	node_test_tree(t, "truth", line(9, 24));
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_true(score(t, 0, "distance.esa") == 3 && score(t, 0, "distance.pds") == 1);
	assert_true(score(t, 0, "nodes.f1") == 0 && score(t, 0, "length.recall") == 0);
	assert_true(score(t, 0, "test.length") == 20 && score(t, 0, "truth.tips") == 1);
	assert_true(score(t, 0, "unit_nm.y") == 8 && score(t, 0, "diadem.score") == 0);
	node_test_free(t);
}

/* In units of 24 nm the same shift is one unit: all is found. */
static void the_unit_is_an_option(void **unused)
{
	static const char *const options[] = { "unit=24 24 24", "far=1.5", NULL };
	struct node_test *t = node_test_new(&fx_node_scorer_trees, options);

	(void)unused;
	node_test_tree(t, "trees", line(5, 0));
	node_test_tree(t, "truth", line(9, 24));
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_true(score(t, 0, "distance.esa") == 1 && score(t, 0, "distance.pds") == 0);
	assert_true(score(t, 0, "nodes.f1") == 1 && score(t, 0, "length.f1") == 1);
	node_test_free(t);
	t = node_test_new(&fx_node_scorer_trees, NULL);
	node_test_tree(t, "trees", line(5, 0));
	node_test_tree(t, "truth", line(9, 24));
	assert_int_not_equal(node_test_drain(t), FX_OK);
	assert_non_null(strstr(node_test_error(t), "set unit to the nm"));
	node_test_free(t);
}

static void segments_are_compared_by_id(void **unused)
{
	static const char *const options[] = { "by=segment", NULL };
	struct node_test *t = node_test_new(&fx_node_scorer_trees, options);

	(void)unused;
	open_ports(t, 8);
	node_test_tree(t, "trees", line(7, 0));
	node_test_tree(t, "truth", line(8, 50));
	node_test_tree(t, "trees", line(2, 50));
	node_test_tree(t, "truth", line(2, 50));
	node_test_tree(t, "truth", line(7, 32));
	node_test_tree(t, "trees", line(3, 0));
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_count(t, "scores", FX_RECORD), 2);
	assert_true(score(t, 0, "segment") == 2 && score(t, 0, "distance.esa") == 0);
	assert_true(score(t, 1, "segment") == 7 && score(t, 1, "distance.esa") == 4);
	assert_non_null(strstr(node_test_warning(t), "1 segments have no true tree, 1 true"));
	node_test_free(t);
}

static void without_truth_it_measures(void **unused)
{
	static const char *const options[] = { "-truth", NULL };
	struct node_test *t = node_test_new(&fx_node_scorer_trees, options);

	(void)unused;
	open_ports(t, 8);
	node_test_tree(t, "trees", line(7, 0));
	node_test_tree(t, "trees", line(3, 0));
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_true(score(t, 0, "test.trees") == 2 && score(t, 0, "test.length") == 40);
	assert_true(score(t, 0, "distance.esa") == -77);
	node_test_free(t);
}

static void without_trees_there_are_no_scores(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_scorer_trees, NULL);

	(void)unused;
	node_test_tree(t, "trees", line(7, 0));
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_count(t, "scores", FX_RECORD), 0);
	assert_string_equal(node_test_warning(t), "no scores: 1 trees came, and 0 true ones");
	node_test_free(t);
}

static struct node_test *live(const char *lives)
{
	const char *const options[] = { lives, NULL };
	struct node_test *t = node_test_new(&fx_node_scorer_trees, options);

	open_ports(t, 8);
	node_test_tree(t, "truth", line(1, 0));
	node_test_tree(t, "trees", line(1, 9));
	node_test_tree(t, "trees", line(2, 20));
	node_test_tree(t, "truth", line(2, 0));
	node_test_tree(t, "trees", line(2, 18));
	node_test_tree(t, "truth", line(4, 40));
	node_test_tree(t, "trees", line(3, 17));
	return t;
}

static void another_life_scores_the_same(void **unused)
{
	struct node_test *t[3];

	(void)unused;
	node_test_lives(live, t);
	assert_true(score(t[1], 0, "distance.esa") > 0);
	for (size_t i = 0; i < 3; i++)
		node_test_free(t[i]);
	t[0] = live(NULL);
	node_test_hostile(t[0]);
	node_test_free(t[0]);
}

/* Whatever the order in which trees come. */
static void order_does_not_matter(void **unused)
{
	struct node_test *a = live(NULL), *b = node_test_new(&fx_node_scorer_trees, NULL);

	(void)unused;
	open_ports(b, 8);
	node_test_tree(b, "trees", line(2, 18));
	node_test_tree(b, "trees", line(3, 17));
	node_test_tree(b, "truth", line(4, 40));
	node_test_tree(b, "trees", line(2, 20));
	node_test_tree(b, "trees", line(1, 9));
	node_test_tree(b, "truth", line(2, 0));
	node_test_tree(b, "truth", line(1, 0));
	assert_int_equal(node_test_drain(a), FX_OK);
	assert_int_equal(node_test_drain(b), FX_OK);
	node_test_same(a, b);
	node_test_free(a);
	node_test_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shift_by_three_voxels),
		cmocka_unit_test(the_unit_is_an_option),
		cmocka_unit_test(segments_are_compared_by_id),
		cmocka_unit_test(without_truth_it_measures),
		cmocka_unit_test(without_trees_there_are_no_scores),
		cmocka_unit_test(another_life_scores_the_same),
		cmocka_unit_test(order_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
