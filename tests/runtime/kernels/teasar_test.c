// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/teasar.c and skeletonize.c. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "kernels/skeletonize.h"

static const struct fx_teasar_options usual = { 1.5, 300, 1e5, 4, 750, 3500, 2, 300 };

/* A Y of square tubes 5 wide in a volume of 9 x 60 x 60 voxels of 20 nm: a stem along x, two arms.
 */
enum { NZ = 9, NY = 60, NX = 60 };

static uint64_t *make_fork(void)
{
	uint64_t *labels = calloc(NZ * NY * NX, sizeof *labels);

	assert_non_null(labels);
	for (int t = 2; t < 58; t++)
		for (int z = 2; z < 7; z++)
			for (int w = -2; w <= 2; w++) {
				const int arm = t < 30 ? 0 : t - 30;

				labels[(z * NY + 30 + arm + (arm > 25 ? 25 - arm : 0) + w) * NX +
				       t] = 4;
				labels[(z * NY + 30 - arm + (arm > 25 ? arm - 25 : 0) + w) * NX +
				       t] = 4;
			}
	return labels;
}

static struct fx_skeletonize_block block_of(const uint64_t *labels)
{
	return (struct fx_skeletonize_block){ .labels = labels,
					      .shape = { NZ, NY, NX },
					      .origin = { 100, 200, 300 },
					      .voxel_nm = { 20, 20, 20 } };
}

static void traces_a_fork(void **unused)
{
	uint64_t *labels = make_fork();
	struct fx_skeletonize_block b = block_of(labels);
	struct fx_skeletons s;
	struct fx_tree *tree;
	size_t ends = 0, forks = 0;

	(void)unused;
	assert_int_equal(fx_skeletonize(&b, &usual, &s), FX_OK);
	assert_int_equal(s.len, 1);
	tree = s.pieces[0].tree;
	assert_int_equal(s.pieces[0].label, 4);
	assert_int_equal(fx_tree_classify(tree), FX_OK);
	for (size_t i = 0; i < tree->len; i++) {
		const struct fx_tree_node *n = &tree->nodes[i];
		const size_t z = (size_t)lround(n->pos_nm[0] / 20) - 100,
			     y = (size_t)lround(n->pos_nm[1] / 20) - 200,
			     x = (size_t)lround(n->pos_nm[2] / 20) - 300;

		assert_int_equal(labels[(z * NY + y) * NX + x], 4);
		assert_true(n->parent < (int32_t)i && (n->parent >= 0) == (i > 0));
		ends += n->type == 6;
		forks += n->type == 5;
	}
	assert_int_equal(ends, 3);
	assert_int_equal(forks, 1);
	/* stem 28, arms of 25 diagonal and some straight steps */
	assert_true(fabs(fx_tree_length_nm(tree) - 20 * (28 + 2 * (25 * sqrt(2) + 2))) < 200);
	fx_skeletons_fini(&s);
	free(labels);
}

static void reaches_targets_and_respects_balls(void **unused)
{
	uint64_t *labels = make_fork();
	struct fx_skeletonize_block b = block_of(labels);
	const struct fx_link_target targets[2] = {
		{ .voxel = (3 * NY + 29) * NX + 10, .must = true },
		{ .voxel = (5 * NY + 31) * NX + 20, .must = true },
	};
	struct fx_ball all[NZ * NY];
	struct fx_skeletons s;

	(void)unused;
	b.targets = targets;
	b.targets_len = 2;
	assert_int_equal(fx_skeletonize(&b, &usual, &s), FX_OK);
	assert_int_equal(s.pieces[0].links_len, 2);
	assert_int_equal(s.pieces[0].links[0].node, 0);
	fx_skeletons_fini(&s);

	/* a ball from the block before that clears everything: only the targets are joined. The
	 * object does not touch the first plane, so that a voxel is put there. */
	labels[(4 * NY + 30) * NX] = labels[(4 * NY + 30) * NX + 1] = 4;
	for (size_t i = 0; i < NZ * NY; i++)
		all[i] = (struct fx_ball){ { 104, 230, 299 }, 5000 };
	b.enters[2] = all;
	assert_int_equal(fx_skeletonize(&b, &usual, &s), FX_OK);
	assert_true(fx_tree_length_nm(s.pieces[0].tree) < 20 * 20);
	assert_true(s.leaves[2][0].radius_nm < 0);
	fx_skeletons_fini(&s);
	free(labels);
}

static void finds_a_soma_with_a_hole(void **unused)
{
	enum { N = 40 };
	uint64_t *labels = calloc(N * N * N, sizeof *labels);
	struct fx_skeletonize_block b = { .labels = labels,
					  .shape = { N, N, N },
					  .voxel_nm = { 300, 300, 300 } };
	struct fx_skeletons s;
	const struct fx_tree_node *root;

	(void)unused;
	for (int z = 0; z < N; z++)
		for (int y = 0; y < N; y++)
			for (int x = 0; x < N; x++) {
				const int d = (z - 20) * (z - 20) + (y - 20) * (y - 20) +
					      (x - 20) * (x - 20);

				labels[(z * N + y) * N + x] = d <= 15 * 15 && d > 3 * 3;
			}
	assert_int_equal(fx_skeletonize(&b, &usual, &s), FX_OK);
	root = &s.pieces[0].tree->nodes[0];
	assert_int_equal(root->type, 1);
	assert_true(root->radius_nm > 3500);
	assert_int_equal(s.pieces[0].tree->len, 1); /* the soma clears the rest */
	fx_skeletons_fini(&s);
	free(labels);
}

/* Many bent tubes of all sizes side by side: every number of threads gives the same bytes. */
static void threads_do_not_matter(void **unused)
{
	uint64_t *labels = calloc(NZ * NY * NX, sizeof *labels);
	struct fx_skeletonize_block b = block_of(labels);
	const int threads = omp_get_max_threads();
	struct fx_skeletons s[2];

	(void)unused;
	assert_non_null(labels);
	for (int z = 0; z < NZ; z++)
		for (int y = 0; y < NY; y++)
			for (int x = 0; x < NX; x++) {
				const int at = y + (x < 30 ? x / 3 : (60 - x) / 3);

				if (at % 7 && (x + at / 7 * 5) % 41)
					labels[(z * NY + y) * NX + x] = (uint64_t)(at / 7 + 1);
			}
	for (int i = 0; i < 2; i++) {
		omp_set_num_threads(1 + 3 * i);
		assert_int_equal(fx_skeletonize(&b, &usual, &s[i]), FX_OK);
	}
	omp_set_num_threads(threads);
	assert_true(s[0].len > 12);
	assert_int_equal(s[0].len, s[1].len);
	for (size_t p = 0; p < s[0].len; p++) {
		const struct fx_tree *one = s[0].pieces[p].tree, *many = s[1].pieces[p].tree;

		assert_int_equal(s[0].pieces[p].label, s[1].pieces[p].label);
		assert_int_equal(one->len, many->len);
		assert_memory_equal(one->nodes, many->nodes, one->len * sizeof *one->nodes);
	}
	for (size_t i = 0; i < NZ * NY; i++) {
		const struct fx_ball *one = &s[0].leaves[2][i], *many = &s[1].leaves[2][i];

		assert_memory_equal(one->centre, many->centre, sizeof one->centre);
		assert_memory_equal(&one->radius_nm, &many->radius_nm, sizeof one->radius_nm);
	}
	fx_skeletons_fini(&s[0]);
	fx_skeletons_fini(&s[1]);
	free(labels);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(traces_a_fork),
					    cmocka_unit_test(reaches_targets_and_respects_balls),
					    cmocka_unit_test(finds_a_soma_with_a_hole),
					    cmocka_unit_test(threads_do_not_matter) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
