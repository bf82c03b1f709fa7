// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/scorer/voxels.c. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "support/node_test.h"

extern const struct fx_node_type fx_node_scorer_voxels;

static double score(const struct node_test *t, const char *port, size_t i, const char *name)
{
	const struct sent *s = node_test_get(t, port, FX_RECORD, i);

	assert_non_null(s);
	return fx_record_number(s->message, name, -77);
}

static void open_port(struct node_test *t, const char *port, int64_t z)
{
	const struct fx_mark m = { .kind = FX_MARK_OPEN,
				   .region.hi = { z, 1, 8 },
				   .voxel_nm = { 8, 8, 8 },
				   .dtype = FX_U8 };

	node_test_mark(t, port, &m);
}

/* Sections z, z + 1, from x on: 4 voxels each, of digits that stand for tenths of 255. */
static struct fx_block *block(enum fx_role role, int64_t z, int64_t x, const char *upper,
			      const char *lower)
{
	struct fx_block *b = fx_block_new(FX_U8, 2, 1, 4);

	b->role = role;
	b->origin[0] = z;
	b->origin[2] = x;
	for (size_t i = 0; i < 8; i++)
		((uint8_t *)b->data)[i] =
			(uint8_t)(((i < 4 ? upper[i] : lower[i - 4]) - '0') * 255 / 10);
	return b;
}

static struct node_test *play(const char *how)
{
	const char *const options[] = { how, NULL };
	struct node_test *t = node_test_new(&fx_node_scorer_voxels, options);

	open_port(t, "prediction", 4);
	open_port(t, "truth", 2);
	node_test_block(t, "truth", block(FX_LABELS, 0, 4, "0011", "0000"));
	node_test_block(t, "prediction", block(FX_PROBABILITY, 2, 0, "9999", "9999"));
	node_test_block(t, "prediction", block(FX_PROBABILITY, 0, 0, "4664", "0009"));
	node_test_block(t, "prediction", block(FX_PROBABILITY, 0, 4, "9400", "0000"));
	node_test_block(t, "truth", block(FX_LABELS, 0, 0, "0110", "0002"));
	return t;
}

/* Section 0: 2 voxels right, 1 too many, 2 missed; section 1: 1 right. */
static void pooled_and_by_image(void **unused)
{
	struct node_test *t = play(NULL);

	(void)unused;
	assert_int_equal(node_test_result(t), FX_OK);
	/* told before the end */
	assert_int_equal(node_test_count(t, "images", FX_RECORD), 2);
	assert_true(node_test_progress(t, "voxels", NULL) == 16);
	assert_true(node_test_progress(t, "IoU so far", NULL) == 0.5);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_count(t, "images", FX_RECORD), 2);
	assert_true(score(t, "images", 0, "z") == 0 && score(t, "images", 0, "image.iou") == 0.4);
	assert_true(score(t, "images", 1, "z") == 1 && score(t, "images", 1, "image.iou") == 1);
	assert_true(score(t, "scores", 0, "pooled.iou") == 0.5);
	assert_true(score(t, "scores", 0, "pooled.both") == 3);
	assert_true(score(t, "scores", 0, "pooled.excess") == 1);
	assert_true(score(t, "scores", 0, "pooled.missed") == 2);
	assert_true(score(t, "scores", 0, "mean.iou") == 0.7);
	assert_true(score(t, "scores", 0, "images") == 2);
	assert_true(score(t, "scores", 0, "voxels") == 16);
	assert_string_equal(node_test_warning(t), "");
	node_test_free(t);
}

static void the_threshold_is_for_values_alone(void **unused)
{
	static const char *const options[] = { "threshold=0.35", NULL };
	struct node_test *t = node_test_new(&fx_node_scorer_voxels, options);

	(void)unused;
	open_port(t, "prediction", 2);
	open_port(t, "truth", 2);
	node_test_block(t, "prediction", block(FX_IMAGE, 0, 0, "4300", "0000"));
	node_test_block(t, "truth", block(FX_MASK, 0, 0, "1111", "0000"));
	node_test_block(t, "prediction", block(FX_MASK, 0, 4, "4300", "0000"));
	node_test_block(t, "truth", block(FX_MASK, 0, 4, "1111", "0000"));
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_true(score(t, "scores", 0, "pooled.both") == 3);
	assert_true(score(t, "scores", 0, "pooled.missed") == 5);
	node_test_free(t);
}

/* Floats that wait for their truth come back as they were. */
static void probabilities_wait_for_truth(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_scorer_voxels, NULL);
	struct fx_block *b = fx_block_new(FX_F32, 2, 1, 4);

	(void)unused;
	b->role = FX_PROBABILITY;
	for (size_t i = 0; i < 8; i++)
		((float *)b->data)[i] = i % 2 ? 0.500001F : 0.5F;
	open_port(t, "prediction", 2);
	open_port(t, "truth", 2);
	node_test_block(t, "prediction", b);
	node_test_block(t, "truth", block(FX_MASK, 0, 0, "0101", "0001"));
	assert_int_equal(node_test_result(t), FX_OK);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_true(score(t, "scores", 0, "pooled.both") == 3);
	assert_true(score(t, "scores", 0, "pooled.excess") == 1);
	assert_true(score(t, "scores", 0, "pooled.none") == 4);
	node_test_free(t);
}

static void what_does_not_meet_is_told(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_scorer_voxels, NULL);

	(void)unused;
	node_test_block(t, "truth", block(FX_MASK, 0, 0, "1111", "0000"));
	node_test_block(t, "prediction", block(FX_MASK, 0, 2, "1111", "0000"));
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_string_equal(node_test_warning(t),
			    "1 blocks of truth met no prediction: are both on one grid?");
	assert_true(score(t, "scores", 0, "voxels") == 0);
	node_test_free(t);
	t = node_test_new(&fx_node_scorer_voxels, NULL);
	open_port(t, "prediction", 2);
	open_port(t, "truth", 3);
	assert_int_not_equal(node_test_result(t), FX_OK);
	assert_non_null(strstr(node_test_error(t), "at most as many sections"));
	node_test_free(t);
}

static void another_life_scores_the_same(void **unused)
{
	struct node_test *t[3];

	(void)unused;
	node_test_lives(play, t);
	for (size_t i = 0; i < 3; i++)
		node_test_free(t[i]);
	t[0] = play(NULL);
	node_test_hostile(t[0]);
	node_test_free(t[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pooled_and_by_image),
		cmocka_unit_test(the_threshold_is_for_values_alone),
		cmocka_unit_test(probabilities_wait_for_truth),
		cmocka_unit_test(what_does_not_meet_is_told),
		cmocka_unit_test(another_life_scores_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
