// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/objects.c. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>

#include <fornix/error.h>

#include "kernels/objects.h"

static void assert_near(double a, double b)
{
	if (!(fabs(a - b) <= 1e-12))
		fail_msg("%.17g is not %.17g", a, b);
}

/* Bodies 1 to 4, each of 100 voxels: 1 is whole, 2 is cut 60 to 40, of 3 a fifth is missing, 4 is
 * in the segment of 3; segment 9 lies outside. */
static void example(struct fx_contingency *c)
{
	fx_contingency_count(c, 10, 1, 100);
	fx_contingency_count(c, 20, 2, 60);
	fx_contingency_count(c, 21, 2, 40);
	fx_contingency_count(c, 30, 3, 80);
	fx_contingency_count(c, 0, 3, 20);
	fx_contingency_count(c, 30, 4, 100);
	fx_contingency_count(c, 9, 0, 50);
	fx_contingency_count(c, 10, 0, 25);
}

static void objects_are_matched_one_to_one(void **unused)
{
	struct fx_contingency c = { 0 };
	struct fx_objects o;
	struct fx_record *r = fx_record_new("scores");

	(void)unused;
	example(&c);
	assert_int_equal(fx_objects_match(&c, FX_TRUTH_NONZERO, &o), FX_OK);
	assert_int_equal(o.bodies, 4);
	assert_int_equal(o.segments, 4);
	/* 1: iou 1; 2 with 20: 0.6; 4 with 30: 100 / 180 */
	assert_int_equal(o.matched[0], 3);
	assert_int_equal(o.matched[1], 3);
	assert_int_equal(o.matched[2], 2);
	assert_int_equal(o.matched[3], 1);
	assert_int_equal(o.matched[9], 1);
	assert_near(o.iou_sum, 1 + 0.6 + 100 / 180.0);
	assert_int_equal(fx_objects_add(r, "x", &o), FX_OK);
	assert_near(fx_record_number(r, "x.objects.f1_50", -1), 0.75);
	assert_near(fx_record_number(r, "x.objects.f1_60", -1), 0.5);
	assert_near(fx_record_number(r, "x.objects.f1_mean", -1), (2 * 0.75 + 0.5 + 7 * 0.25) / 10);
	assert_near(fx_record_number(r, "x.objects.precision_75", -1), 0.25);
	assert_near(fx_record_number(r, "x.objects.iou_mean", -1), o.iou_sum / 3);
	/* where there is no truth counts too: 10 has 25 voxels more, 9 is one more */
	assert_int_equal(fx_objects_match(&c, FX_ALL_VOXELS, &o), FX_OK);
	assert_int_equal(o.segments, 5);
	assert_near(o.iou_sum, 0.8 + 0.6 + 100 / 180.0);
	fx_record_free(r);
	fx_contingency_fini(&c);
}

/* Two halves: the segment of either could be the body, but not both. */
static void a_half_is_enough_once(void **unused)
{
	struct fx_contingency c = { 0 };
	struct fx_objects o;

	(void)unused;
	fx_contingency_count(&c, 7, 1, 50);
	fx_contingency_count(&c, 8, 1, 50);
	assert_int_equal(fx_objects_match(&c, FX_ALL_VOXELS, &o), FX_OK);
	assert_int_equal(o.matched[0], 1);
	assert_int_equal(o.matched[1], 0);
	/* nor can one segment be two bodies */
	fx_contingency_fini(&c);
	fx_contingency_count(&c, 7, 1, 50);
	fx_contingency_count(&c, 7, 2, 50);
	assert_int_equal(fx_objects_match(&c, FX_ALL_VOXELS, &o), FX_OK);
	assert_int_equal(o.matched[0], 1);
	fx_contingency_fini(&c);
}

static void two_parts_are_a_mistake(void **unused)
{
	struct fx_contingency c = { 0 };
	struct fx_mistake *m;
	size_t len;

	(void)unused;
	example(&c);
	assert_int_equal(fx_mistakes_find(&c, false, 5, &m, &len), FX_OK);
	assert_int_equal(len, 1);
	assert_true(m->id == 2 && m->parts_len == 2 && !m->parts[0].placed);
	free(m);
	assert_int_equal(fx_mistakes_find(&c, true, 5, &m, &len), FX_OK);
	assert_int_equal(len, 1);
	assert_true(m->id == 30 && m->parts[0].id == 4 && m->voxels == 180);
	free(m);
	fx_contingency_fini(&c);
}

static void mistakes_add_up_to_voi(void **unused)
{
	struct fx_contingency c = { 0 };
	struct fx_mistake *splits, *mergers;
	struct fx_seg_scores s;
	uint64_t seed = 4;
	size_t len;
	double bits = 0;

	(void)unused;
	for (int i = 0; i < 400; i++)
		fx_contingency_count(&c, test_random(&seed) % 30, test_random(&seed) % 40,
				     1 + test_random(&seed) % 100);
	assert_int_equal(fx_metrics_scores(&c, FX_BOTH_NONZERO, &s, NULL), FX_OK);
	assert_int_equal(fx_mistakes_find(&c, false, 1000, &splits, &len), FX_OK);
	for (size_t i = 0; i < len; i++) {
		assert_true(i == 0 || splits[i].bits <= splits[i - 1].bits);
		assert_true(splits[i].parts[0].voxels >= splits[i].parts[1].voxels);
		bits += splits[i].bits;
	}
	assert_near(bits, s.voi_split);
	assert_int_equal(fx_mistakes_find(&c, true, 1000, &mergers, &len), FX_OK);
	bits = 0;
	for (size_t i = 0; i < len; i++)
		bits += mergers[i].bits;
	assert_near(bits, s.voi_merge);
	free(splits);
	free(mergers);
	fx_contingency_fini(&c);
}

static void the_worst_with_their_places(void **unused)
{
	struct fx_contingency c = { .placed = true };
	struct fx_block *seg = fx_block_new(FX_U8, 1, 1, 100),
			*truth = fx_block_new(FX_U8, 1, 1, 100);
	struct fx_mistake *m;
	struct fx_record *r;
	uint64_t voxels = 0;
	size_t len;

	(void)unused;
	/* body 1 in ten segments of 9 voxels and one of 10, all cut from one row */
	for (uint8_t i = 0; i < 100; i++) {
		((uint8_t *)truth->data)[i] = 1;
		((uint8_t *)seg->data)[i] = (uint8_t)(1 + i / 9 - (i == 99));
	}
	seg->origin[0] = truth->origin[0] = 7;
	assert_int_equal(fx_contingency_add_blocks(&c, seg, truth, &voxels), FX_OK);
	assert_int_equal(fx_mistakes_find(&c, true, 5, &m, &len), FX_OK);
	assert_int_equal(len, 0);
	free(m);
	assert_int_equal(fx_mistakes_find(&c, false, 5, &m, &len), FX_OK);
	assert_int_equal(len, 1);
	assert_int_equal(m->parts_len, 11);
	assert_true(m->parts[0].id == 11 && m->parts[0].voxels == 10 && m->parts[1].id == 1 &&
		    m->parts[7].id == 7);
	assert_true(m->parts[1].placed && m->parts[1].at[0] == 7 && m->parts[1].at[2] < 9);
	assert_true(m->parts[0].at[2] >= 90);
	r = fx_mistake_record(m);
	assert_string_equal(fx_record_text(r, "mistake"), "split");
	assert_true(fx_record_number(r, "part_2.z", -1) == 7);
	assert_true(fx_record_number(r, "part_8.id", -1) == 7);
	assert_true(fx_record_number(r, "part_9.id", -1) == -1);
	assert_true(fx_record_number(r, "parts", -1) == 11);
	fx_record_free(r);
	free(m);
	fx_block_free(seg);
	fx_block_free(truth);
	fx_contingency_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_matched_one_to_one),
		cmocka_unit_test(a_half_is_enough_once),
		cmocka_unit_test(two_parts_are_a_mistake),
		cmocka_unit_test(mistakes_add_up_to_voi),
		cmocka_unit_test(the_worst_with_their_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
