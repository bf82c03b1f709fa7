// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/forest.c, crossing.c and labelmap.c. */
#include "support/test.h"

#include <stdlib.h>

#include "kernels/forest.h"
#include "kernels/labelmap.h"

/* A straight piece of @p len nodes along x from @p x0; its links are added by the test. */
static struct fx_piece line(double x0, size_t len, struct fx_link *links, size_t links_len)
{
	struct fx_piece p = { 1, 100, fx_tree_new(1, len), links_len, links };

	for (size_t i = 0; i < len; i++) {
		p.tree->nodes[i].pos_nm[2] = x0 + (double)i;
		p.tree->nodes[i].radius_nm = 1;
		p.tree->nodes[i].parent = (int32_t)i - 1;
	}
	return p;
}

static struct fx_crossing named(int64_t name)
{
	return (struct fx_crossing){ { name, 0, 0 }, { name, 0, 1 } };
}

static void joins_without_circles(void **unused)
{
	struct fx_link a[2] = { { named(1), 5, 9 }, { named(2), 4, 0 } },
		       b[2] = { { named(1), 5, 0 }, { named(2), 4, 9 } };
	struct fx_piece pieces[3] = { line(0, 10, a, 2), line(10, 10, b, 2), line(50, 5, NULL, 0) };
	struct fx_forest_options o = { 150, 0 };
	struct fx_tree *tree;
	size_t roots = 0;

	(void)unused;
	assert_int_equal(fx_forest_join(pieces, 3, 7, &o, &tree), FX_OK);
	assert_int_equal(tree->len, 20); /* the third piece is dust */
	assert_int_equal(tree->segment, 7);
	assert_true(fx_tree_length_nm(tree) > 18.9 && fx_tree_length_nm(tree) < 19.1);
	fx_tree_free(tree);
	o.dust = 100;
	assert_int_equal(fx_forest_join(pieces, 3, 7, &o, &tree), FX_OK);
	assert_int_equal(tree->len, 25);
	for (size_t i = 0; i < tree->len; i++) {
		assert_true(tree->nodes[i].parent < (int32_t)i);
		roots += tree->nodes[i].parent < 0;
	}
	assert_int_equal(roots, 2);
	fx_tree_free(tree);
	for (int i = 0; i < 3; i++)
		fx_tree_free(pieces[i].tree);
}

static void cuts_ticks_and_roots_at_the_soma(void **unused)
{
	struct fx_piece p = line(0, 20, NULL, 0);
	struct fx_forest_options o = { 0, 4 };
	struct fx_tree *tree;

	(void)unused;
	/* nodes 17..19 become a side branch of node 8 */
	for (int i = 17; i < 20; i++) {
		p.tree->nodes[i].pos_nm[2] = 8;
		p.tree->nodes[i].pos_nm[1] = i - 16;
	}
	p.tree->nodes[17].parent = 8;
	p.tree->nodes[3].type = 1;
	assert_int_equal(fx_forest_join(&p, 1, 1, &o, &tree), FX_OK);
	assert_int_equal(tree->len, 17);
	assert_int_equal(tree->nodes[0].type, 1);
	assert_true(tree->nodes[0].pos_nm[2] > 2.9 && tree->nodes[0].pos_nm[2] < 3.1);
	fx_tree_free(tree);
	o.tick_nm = 2;
	assert_int_equal(fx_forest_join(&p, 1, 1, &o, &tree), FX_OK);
	assert_int_equal(tree->len, 20);
	fx_tree_free(tree);
	fx_tree_free(p.tree);
}

static void chooses_a_spanning_forest(void **unused)
{
	struct fx_crossing_end ends[7];
	/* pieces 0 1 2 in a ring, the shallowest crossing is left out; one end at the rim */
	static const struct {
		int64_t name;
		double depth;
		uint32_t piece[2];
	} ring[3] = { { 1, 3, { 0, 1 } }, { 2, 9, { 1, 2 } }, { 3, 5, { 2, 0 } } };

	(void)unused;
	for (int i = 0; i < 3; i++)
		for (int e = 0; e < 2; e++)
			ends[2 * i + e] =
				(struct fx_crossing_end){ { .crossing = named(ring[i].name),
							    .depth_nm = ring[i].depth },
							  ring[i].piece[e],
							  ring[i].piece[e] };
	ends[6] = (struct fx_crossing_end){ { .crossing = named(9), .depth_nm = 1, .must = true },
					    2,
					    2 };
	assert_int_equal(fx_crossing_choose(ends, 7, 3), FX_OK);
	for (int i = 0; i < 7; i++) {
		assert_int_equal(ends[i].target.must, ends[i].target.crossing.low[0] != 1);
		assert_true(i == 0 || ends[i - 1].block <= ends[i].block);
	}
}

static void give(struct fx_labelmap *m, const char *kind, uint64_t a, uint64_t b, int want)
{
	struct fx_record *r = fx_record_new(kind);
	struct fx_error err = { 0 };

	assert_int_equal(fx_record_table(r, 1, 2), FX_OK);
	r->table[0] = a;
	r->table[1] = b;
	assert_int_equal(fx_labelmap_add(m, r, &err), want);
	fx_record_free(r);
}

static void maps_labels(void **unused)
{
	struct fx_labelmap m = { 0 };
	uint64_t labels[4] = { 0, 8, 9, 12 };
	struct fx_error err = { 0 };

	(void)unused;
	give(&m, "equivalence", 9, 8, FX_OK);
	give(&m, "equivalence", 9, 5, FX_OK);
	give(&m, "scores", 0, 5, FX_OK);
	give(&m, "equivalence", 0, 5, FX_EINVAL);
	assert_int_equal(fx_labelmap_apply(&m, labels, 4, &err), FX_OK);
	assert_int_equal(labels[0], 0);
	assert_int_equal(labels[1], 5);
	assert_int_equal(labels[2], 5);
	assert_int_equal(labels[3], 12);
	give(&m, "final-ids", 5, 1, FX_OK);
	assert_int_equal(fx_labelmap_apply(&m, labels, 3, &err), FX_OK);
	assert_int_equal(labels[2], 1);
	assert_int_equal(fx_labelmap_apply(&m, labels + 3, 1, &err), FX_ENOENT);
	fx_labelmap_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(joins_without_circles),
					    cmocka_unit_test(cuts_ticks_and_roots_at_the_soma),
					    cmocka_unit_test(chooses_a_spanning_forest),
					    cmocka_unit_test(maps_labels) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
