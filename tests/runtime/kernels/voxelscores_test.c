// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/voxelscores.c. */
#include "support/test.h"

#include <math.h>

#include <fornix/error.h>

#include "kernels/voxelscores.h"

static void counts_of_every_type(void **unused)
{
	static const float f32[] = { 0.5F, 0.51F, 0.2F, 1, 0, (float)NAN };
	static const uint8_t u8[] = { 127, 128, 10, 255, 0, 0 };
	static const uint16_t u16[] = { 32767, 32768, 100, 65535, 0, 0 };
	static const uint64_t ids[] = { 0, (uint64_t)1 << 60, 0, 7, 0, 0 };
	static const uint32_t truth[] = { 0, 3, 3, 0, 0, 9 };
	const struct {
		const void *data;
		enum fx_dtype dtype;
		double threshold;
	} masks[] = {
		{ f32, FX_F32, 0.5 }, { u8, FX_U8, 0.5 }, { u16, FX_U16, 0.5 }, { ids, FX_U64, -1 }
	};
	struct fx_voxel_counts c = { 0 };

	(void)unused;
	for (size_t i = 0; i < 4; i++) {
		c = (struct fx_voxel_counts){ 0 };
		assert_int_equal(fx_voxel_count(&c, masks[i].data, masks[i].dtype,
						masks[i].threshold, truth, FX_U32, 6),
				 FX_OK);
		assert_true(c.both == 1 && c.excess == 1 && c.missed == 2 && c.none == 2);
	}
	/* what is at the threshold is not above it */
	for (size_t i = 0; i < 3; i++) {
		c = (struct fx_voxel_counts){ 0 };
		assert_int_equal(
			fx_voxel_count(&c, masks[i].data, masks[i].dtype, 1, truth, FX_U32, 6),
			FX_OK);
		assert_true(c.both == 0 && c.excess == 0);
	}
	assert_int_equal(fx_voxel_count(&c, ids, FX_U64, 0.5, truth, FX_U32, 6), FX_ETYPE);
	assert_int_equal(fx_voxel_count(&c, f32, FX_F32, -1, truth, FX_U32, 6), FX_ETYPE);
	assert_int_equal(fx_voxel_count(&c, u8, FX_U8, -1, f32, FX_F32, 6), FX_ETYPE);
}

/* More than one piece, against a count one by one. */
static void long_arrays(void **unused)
{
	uint8_t a[10001];
	uint16_t b[10001];
	uint64_t seed = 3, both = 0, excess = 0, missed = 0;
	struct fx_voxel_counts c = { 0 };

	(void)unused;
	for (int i = 0; i < 10001; i++) {
		a[i] = test_random(&seed) % 3 == 0;
		b[i] = (uint16_t)(test_random(&seed) % 2 * 300);
		both += a[i] && b[i];
		excess += a[i] && !b[i];
		missed += !a[i] && b[i];
	}
	assert_int_equal(fx_voxel_count(&c, a, FX_U8, -1, b, FX_U16, 10001), FX_OK);
	assert_true(c.both == both && c.excess == excess && c.missed == missed &&
		    c.none == 10001 - both - excess - missed);
}

static void scores_of_counts(void **unused)
{
	const struct fx_voxel_counts c = { 6, 2, 4, 8 }, none = { 0 }, wrong = { 0, 1, 0, 0 };
	struct fx_voxel_scores s = fx_voxel_score(&c);

	(void)unused;
	assert_true(s.iou == 0.5 && s.dice == 12.0 / 18 && s.precision == 0.75 && s.recall == 0.6 &&
		    s.accuracy == 0.7);
	s = fx_voxel_score(&none);
	assert_true(s.iou == 0 && s.dice == 0 && s.precision == 0 && s.recall == 0);
	s = fx_voxel_score(&wrong);
	assert_true(s.iou == 0 && s.accuracy == 0);
}

/* Of five images one has no voxel, and one is empty on both sides. */
static void means_over_images(void **unused)
{
	static const struct fx_voxel_counts images[] = {
		{ 1, 1, 0, 0 }, { 0 }, { 0, 0, 0, 2 }, { 2, 0, 0, 0 }, { 0, 1, 1, 0 }
	};
	struct fx_record *r = fx_record_new("scores");

	(void)unused;
	assert_int_equal(fx_voxel_means_add(r, images, 5), FX_OK);
	assert_true(fx_record_number(r, "images", 0) == 4);
	assert_true(fx_record_number(r, "images_present", 0) == 3);
	assert_true(fx_record_number(r, "mean.iou", 0) == 1.5 / 4);
	assert_true(fx_record_number(r, "mean_present.iou", 0) == 0.5);
	assert_true(fx_record_number(r, "mean.accuracy", 0) == 2.5 / 4);
	fx_record_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_of_every_type),
		cmocka_unit_test(long_arrays),
		cmocka_unit_test(scores_of_counts),
		cmocka_unit_test(means_over_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
