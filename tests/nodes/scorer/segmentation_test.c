// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/scorer/segmentation.c. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "kernels/metrics.h"
#include "support/labels_tiff.h"
#include "support/node_test.h"

extern const struct fx_node_type fx_node_scorer_segmentation;

static const char *const no_trees[] = { "-trees", NULL };
static const char *const alone[] = { "-trees", "-truth", NULL };

static void assert_near(double a, double b, double limit)
{
	if (!(fabs(a - b) <= limit))
		fail_msg("%.17g is not %.17g within %g", a, b, limit);
}

static void open_port(struct node_test *t, const char *port, int64_t z, int64_t y, int64_t x)
{
	const struct fx_mark m = { .kind = FX_MARK_OPEN,
				   .region.hi = { z, y, x },
				   .voxel_nm = { 8, 8, 8 },
				   .dtype = FX_U64 };

	node_test_mark(t, port, &m);
}

/* A 1 x 2 x n block at z, x; each row one string of digits. */
static struct fx_block *digits(enum fx_dtype dtype, int64_t z, int64_t x, const char *upper,
			       const char *lower)
{
	const size_t n = strlen(upper);
	struct fx_block *b = fx_block_new(dtype, 1, 2, n);

	b->role = FX_LABELS;
	b->origin[0] = z;
	b->origin[2] = x;
	for (int a = 0; a < 3; a++)
		b->voxel_nm[a] = 8;
	for (size_t i = 0; i < 2 * n; i++) {
		const char c = i < n ? upper[i] : lower[i - n];

		if (dtype == FX_U64)
			((uint64_t *)b->data)[i] = (uint64_t)(c - '0');
		else
			((uint16_t *)b->data)[i] = (uint16_t)(c - '0');
	}
	return b;
}

static struct fx_record *final_ids(const uint64_t *table, size_t rows)
{
	struct fx_record *r = fx_record_new("final-ids");

	assert_int_equal(fx_record_table(r, rows, 2), FX_OK);
	memcpy(r->table, table, rows * 2 * sizeof *table);
	return r;
}

static double score(const struct node_test *t, const char *name)
{
	const struct sent *s = node_test_get(t, "scores", FX_RECORD, 0);

	assert_non_null(s);
	return fx_record_number(s->message, name, -77);
}

/* Labels 1 and 2, 3 are provisional pieces of one segment; truth has bodies 6 and 7. */
static void check_interleaving(const char *sequence)
{
	static const uint64_t ids[] = { 1, 1, 2, 2, 3, 2 };
	struct node_test *t = node_test_new(&fx_node_scorer_segmentation, no_trees);

	open_port(t, "labels", 2, 2, 8);
	open_port(t, "truth", 1, 2, 8);
	for (const char *c = sequence; *c; c++) {
		if (*c == 'a')
			node_test_block(t, "labels", digits(FX_U64, 0, 0, "1111", "2220"));
		if (*c == 'b')
			node_test_block(t, "labels", digits(FX_U64, 0, 4, "1111", "3333"));
		if (*c == 'c')
			node_test_block(t, "labels", digits(FX_U64, 1, 0, "1111", "1111"));
		if (*c == 'A')
			node_test_block(t, "truth", digits(FX_U16, 0, 0, "6666", "7777"));
		if (*c == 'B')
			node_test_block(t, "truth", digits(FX_U16, 0, 4, "6666", "7770"));
		if (*c == 'r')
			node_test_record(t, "labels", final_ids(ids, 3));
		assert_int_equal(node_test_result(t), FX_OK);
	}
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_string_equal(node_test_warning(t), "");
	assert_near(score(t, "both_nonzero.voi"), 0, 0);
	assert_near(score(t, "both_nonzero.arand"), 0, 0);
	assert_near(score(t, "both_nonzero.voxels"), 14, 0);
	/* 15 voxels with truth; body 7 has 6 in segment 2 and 1 in 0 */
	assert_near(score(t, "truth_nonzero.rand_split"), (64.0 + 36 + 1) / (64 + 49), 1e-15);
	assert_near(score(t, "truth_nonzero.rand_merge"), 1, 0);
	assert_near(score(t, "all_voxels.voxels"), 16, 0);
	assert_near(score(t, "segments"), 2, 0);
	assert_near(score(t, "truth_segments"), 2, 0);
	assert_near(score(t, "voxels_scored"), 16, 0);
	assert_near(score(t, "voxels"), 24, 0);
	assert_near(score(t, "assigned_fraction"), 23.0 / 24, 1e-15);
	assert_near(score(t, "erl.strict_nm"), -77, 0);
	node_test_free(t);
}

static void any_interleaving_scores_the_same(void **unused)
{
	(void)unused;
	check_interleaving("aAbBcr");
	check_interleaving("ABrabc");
	check_interleaving("rcbaBA");
	check_interleaving("BacbrA");
}

/* Beyond the truth nothing is put aside: else a place that no store takes would be refused. */
static void labels_beyond_the_truth_are_not_kept(void **unused)
{
	(void)unused;
	for (int64_t sections = 0; sections < 2; sections++) {
		struct node_test *t = node_test_new(&fx_node_scorer_segmentation, no_trees);

		open_port(t, "truth", sections, 2, 4); /* 0: not known yet */
		node_test_block(t, "labels", digits(FX_U64, (int64_t)1 << 24, 0, "1111", "1111"));
		assert_int_equal(node_test_result(t), sections ? FX_OK : FX_EINVAL);
		node_test_free(t);
	}
}

static void without_truth_it_counts(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_scorer_segmentation, alone);

	(void)unused;
	open_port(t, "labels", 1, 2, 4);
	node_test_block(t, "labels", digits(FX_U16, 0, 0, "1150", "2200"));
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_near(score(t, "segments"), 3, 0);
	assert_near(score(t, "voxels"), 8, 0);
	assert_near(score(t, "assigned_fraction"), 5.0 / 8, 0);
	assert_near(score(t, "truth_nonzero.voi"), -77, 0);
	node_test_free(t);
}

static struct fx_tree *straight(uint64_t segment, double y_nm, int32_t n)
{
	struct fx_tree *t = fx_tree_new(segment, (size_t)n);

	for (int32_t i = 0; i < n; i++) {
		t->nodes[i].pos_nm[1] = y_nm;
		t->nodes[i].pos_nm[2] = 8.0 * i;
		t->nodes[i].parent = i - 1;
	}
	return t;
}

static void run_lengths_use_final_ids(void **unused)
{
	static const uint64_t ids[] = { 1, 1, 2, 2, 3, 1, 4, 3 };
	static const char *const options[] = { "tolerance=2", NULL };
	struct node_test *t = node_test_new(&fx_node_scorer_segmentation, options);

	(void)unused;
	open_port(t, "labels", 1, 2, 8);
	open_port(t, "truth", 1, 2, 8);
	node_test_block(t, "labels", digits(FX_U64, 0, 0, "1111", "2222"));
	node_test_tree(t, "trees", straight(6, 0, 8));
	node_test_tree(t, "trees", straight(7, 8, 8));
	node_test_block(t, "truth", digits(FX_U16, 0, 0, "6666", "7777"));
	node_test_block(t, "truth", digits(FX_U16, 0, 4, "6666", "7777"));
	node_test_block(t, "labels", digits(FX_U64, 0, 4, "3333", "3444"));
	node_test_record(t, "labels", final_ids(ids, 4));
	assert_int_equal(node_test_drain(t), FX_OK);
	/* row 6 is segment 1 throughout, row 7 is 2222 1 333: strictly 1 is a merging segment */
	assert_near(score(t, "erl.strict_nm"), (24 * 24 + 16 * 16) / 112.0, 1e-12);
	assert_near(score(t, "erl.tolerant_nm"), (56 * 56 + 24 * 24 + 16 * 16) / 112.0, 1e-12);
	assert_near(score(t, "erl.ceiling_nm"), 56, 1e-12);
	assert_near(score(t, "erl.normalised"), (56 * 56 + 24 * 24 + 16 * 16) / 112.0 / 56, 1e-12);
	assert_near(score(t, "erl.tolerance_nodes"), 2, 0);
	assert_near(score(t, "erl.correct"), 96.0 / 112, 1e-12);
	assert_near(score(t, "erl.omitted"), 16.0 / 112, 1e-12);
	assert_near(score(t, "erl.split"), 0, 0);
	assert_near(score(t, "erl.merged"), 0, 0);
	assert_near(score(t, "erl.merging_segments"), 0, 0);
	assert_near(score(t, "erl.trees"), 2, 0);
	assert_near(score(t, "erl.length_nm"), 112, 1e-12);
	assert_near(score(t, "truth_segments"), 2, 0);
	node_test_free(t);
}

/* Truth and trees come late and early; blocks are dropped when they have met. */
static struct node_test *live(const char *lives)
{
	static const uint64_t ids[] = { 1, 1, 2, 2, 3, 2 };
	const char *const options[] = { "tolerance=1", lives, NULL };
	struct node_test *t = node_test_new(&fx_node_scorer_segmentation, options);
	struct fx_tree *tree = fx_tree_new(6, 8);

	for (size_t i = 0; i < 8; i++) {
		tree->nodes[i].pos_nm[2] = 8.0 * (double)i;
		tree->nodes[i].radius_nm = 8;
		tree->nodes[i].parent = (int32_t)i - 1;
	}
	open_port(t, "labels", 3, 2, 8);
	open_port(t, "truth", 2, 2, 8);
	node_test_block(t, "labels", digits(FX_U64, 0, 0, "1111", "2220"));
	node_test_block(t, "truth", digits(FX_U16, 0, 4, "6666", "7770"));
	node_test_block(t, "truth", digits(FX_U16, 1, 0, "6666", "7777"));
	node_test_tree(t, "trees", tree);
	node_test_block(t, "labels", digits(FX_U64, 0, 4, "1111", "3333"));
	node_test_block(t, "truth", digits(FX_U16, 0, 0, "6666", "7777"));
	node_test_block(t, "labels", digits(FX_U64, 1, 0, "1111", "1111"));
	node_test_record(t, "labels", final_ids(ids, 3));
	node_test_block(t, "labels", digits(FX_U64, 2, 0, "1133", "1111"));
	return t;
}

static void another_life_scores_the_same(void **unused)
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };
	struct node_test *t[3];

	(void)unused;
	for (size_t i = 0; i < 3; i++) {
		t[i] = live(lives[i]);
		assert_int_equal(node_test_result(t[i]), FX_OK);
		assert_int_equal(node_test_drain(t[i]), FX_OK);
		node_test_same(t[0], t[i]);
	}
	assert_near(score(t[1], "voxels_scored"), 24, 0);
	assert_true(score(t[1], "erl.strict_nm") > 0);
	node_test_free(t[0]);
	node_test_free(t[1]);
	node_test_free(t[2]);
	t[0] = live(NULL);
	node_test_hostile(t[0]);
	node_test_free(t[0]);
}

static const struct fx_record *detail(const struct node_test *t, size_t i)
{
	const struct sent *s = node_test_get(t, "details", FX_RECORD, i);

	assert_non_null(s);
	return s->message;
}

/* Body 6 in segments 1 and 2, body 7 in 2 and 3: 2 merges them. Segments 1, 2, 3 come as 11,
 * 12, 13. */
static void the_worst_are_told_with_places_and_links(void **unused)
{
	static const char *const options[] = { "-trees", "link_labels=precomputed://x",
					       "viewer=http://v/", NULL };
	static const uint64_t ids[] = { 11, 1, 12, 2, 13, 3 };
	struct node_test *t = node_test_new(&fx_node_scorer_segmentation, options);
	struct fx_block *labels = digits(FX_U64, 0, 0, "1111", "2222");
	struct fx_block *more = digits(FX_U64, 0, 4, "1122", "2333");

	(void)unused;
	for (size_t i = 0; i < 8; i++) {
		((uint64_t *)labels->data)[i] += 10;
		((uint64_t *)more->data)[i] += 10;
	}
	open_port(t, "labels", 1, 2, 8);
	open_port(t, "truth", 1, 2, 8);
	node_test_block(t, "labels", labels);
	node_test_block(t, "truth", digits(FX_U16, 0, 0, "6666", "7777"));
	assert_near(node_test_progress(t, "voxels", NULL), 8, 0);
	assert_near(node_test_progress(t, "VOI so far", NULL), 0, 0);
	node_test_block(t, "truth", digits(FX_U16, 0, 4, "6666", "7777"));
	node_test_block(t, "labels", more);
	assert_true(node_test_progress(t, "VOI so far", NULL) > 0.5);
	node_test_record(t, "labels", final_ids(ids, 3));
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_count(t, "details", FX_RECORD), 3);
	assert_string_equal(fx_record_text(detail(t, 0), "mistake"), "split");
	assert_near(fx_record_number(detail(t, 0), "id", 0), 7, 0);
	assert_near(fx_record_number(detail(t, 0), "part_1.id", 0), 2, 0);
	assert_near(fx_record_number(detail(t, 0), "part_2.id", 0), 3, 0);
	assert_near(fx_record_number(detail(t, 0), "part_2.y", 0), 1, 0);
	assert_true(fx_record_number(detail(t, 0), "part_2.x", 0) >= 5);
	assert_near(fx_record_number(detail(t, 1), "id", 0), 6, 0);
	assert_string_equal(fx_record_text(detail(t, 2), "mistake"), "merger");
	assert_near(fx_record_number(detail(t, 2), "id", 0), 2, 0);
	assert_near(fx_record_number(detail(t, 2), "parts", 0), 2, 0);
	assert_int_equal(strncmp(fx_record_text(detail(t, 2), "link"), "http://v/#!%7B", 14), 0);
	assert_near(score(t, "truth_nonzero.objects.matched_50"), 2, 0);
	assert_true(score(t, "truth_nonzero.cremi") > 0);
	node_test_free(t);
}

static void each_neuron_is_told(void **unused)
{
	struct node_test *t = live(NULL);

	(void)unused;
	assert_int_equal(node_test_drain(t), FX_OK);
	for (size_t i = 0; i < node_test_count(t, "details", FX_RECORD); i++)
		if (strcmp(detail(t, i)->kind, "neuron") == 0) {
			assert_near(fx_record_number(detail(t, i), "skeleton", 0), 6, 0);
			assert_near(fx_record_number(detail(t, i), "length_nm", 0), 56, 1e-12);
			assert_near(fx_record_number(detail(t, i), "run_nm", 0), 56, 1e-12);
			node_test_free(t);
			return;
		}
	fail_msg("no record of a neuron");
}

static void truth_of_another_shape_is_refused(void **unused)
{
	static const int64_t truth[][3] = { { 2, 2, 9 }, { 2, 3, 8 }, { 3, 2, 8 } };

	(void)unused;
	for (int i = 0; i < 3; i++) {
		struct node_test *t = node_test_new(&fx_node_scorer_segmentation, no_trees);

		open_port(t, "labels", 2, 2, 8);
		assert_int_equal(node_test_result(t), FX_OK);
		open_port(t, "truth", truth[i][0], truth[i][1], truth[i][2]);
		assert_int_equal(node_test_result(t), FX_EINVAL);
		if (i == 0)
			assert_string_equal(
				node_test_error(t),
				"truth of 2 x 2 x 9 voxels (z y x) for labels of 2 x 2 "
				"x 8: crop the truth to the same y and x and at most as "
				"many sections, starting at the same corner");
		node_test_free(t);
	}
}

static void what_does_not_fit_is_told(void **unused)
{
	static const uint64_t ids[] = { 1, 1 };
	struct node_test *t = node_test_new(&fx_node_scorer_segmentation, no_trees);

	(void)unused;
	node_test_block(t, "labels", digits(FX_U64, 0, 0, "12", "12"));
	node_test_record(t, "labels", final_ids(ids, 1));
	assert_int_equal(node_test_drain(t), FX_EINVAL);
	assert_string_equal(node_test_error(t), "no final-ids record names segment 2");
	node_test_free(t);
	t = node_test_new(&fx_node_scorer_segmentation, no_trees);
	node_test_block(t, "truth", digits(FX_U16, 0, 0, "11", "11"));
	node_test_block(t, "labels", digits(FX_U64, 0, 2, "12", "12"));
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_string_equal(node_test_warning(t), "3 of 3 scoring rules have no voxel to count");
	assert_near(score(t, "voxels_scored"), 0, 0);
	node_test_free(t);
}

/* Real labels in blocks: the record must say what the whole arrays say. */
static void real_labels_in_blocks_score_as_a_whole(void **unused)
{
	const char *data = test_data_dir();
	struct node_test *t;
	struct fx_block *seg, *truth;
	struct fx_seg_scores s[FX_RULES];

	(void)unused;
	if (!data)
		test_skip("scores of a tiny volume in blocks");
	t = node_test_new(&fx_node_scorer_segmentation, no_trees);
	seg = test_labels_tiff(data, "metrics/tiny/c-seg.tif", 0);
	truth = test_labels_tiff(data, "metrics/tiny/c-truth.tif", 0);
	open_port(t, "labels", 24, 32, 28);
	open_port(t, "truth", 24, 32, 28);
	for (int64_t i = 0; i < 8; i++) {
		struct fx_region r = { { i / 4 * 13, i / 2 % 2 * 13, i % 2 * 13 }, { 0 } };

		for (int a = 0; a < 3; a++)
			r.hi[a] = r.lo[a] ? (int64_t)seg->shape[a] : 13;
		node_test_block(t, i % 3 ? "labels" : "truth",
				fx_block_crop(i % 3 ? seg : truth, r));
		node_test_block(t, i % 3 ? "truth" : "labels",
				fx_block_crop(i % 3 ? truth : seg, r));
	}
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(fx_metrics_compare(seg->data, seg->dtype, truth->data, truth->dtype,
					    fx_block_len(seg), s, NULL),
			 FX_OK);
	assert_near(score(t, "truth_nonzero.voi_split"), s[FX_TRUTH_NONZERO].voi_split, 0);
	assert_near(score(t, "both_nonzero.arand_pairs"), s[FX_BOTH_NONZERO].arand_pairs, 0);
	assert_near(score(t, "truth_segments"), 57, 0);
	assert_near(score(t, "segments"), 55, 0);
	fx_block_free(seg);
	fx_block_free(truth);
	node_test_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_interleaving_scores_the_same),
		cmocka_unit_test(labels_beyond_the_truth_are_not_kept),
		cmocka_unit_test(without_truth_it_counts),
		cmocka_unit_test(run_lengths_use_final_ids),
		cmocka_unit_test(another_life_scores_the_same),
		cmocka_unit_test(the_worst_are_told_with_places_and_links),
		cmocka_unit_test(each_neuron_is_told),
		cmocka_unit_test(truth_of_another_shape_is_refused),
		cmocka_unit_test(what_does_not_fit_is_told),
		cmocka_unit_test(real_labels_in_blocks_score_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
