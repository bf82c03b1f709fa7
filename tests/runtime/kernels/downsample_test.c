// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/downsample.c on voxels that can be counted by hand. */
#include "support/test.h"

#include "kernels/downsample.h"

static void means_are_rounded_to_the_nearest(void **unused)
{
	static const size_t shape[3] = { 1, 2, 3 }, factor[3] = { 2, 2, 2 };
	const uint8_t from[6] = { 1, 2, 250, 2, 2, 251 };
	const uint64_t high[6] = { UINT64_MAX, UINT64_MAX, 1, UINT64_MAX, UINT64_MAX, 2 };
	const float reals[6] = { 1, 2, -4, 2, 2, 1 };
	uint8_t to[2];
	uint64_t wide[2];
	float real[2];

	(void)unused;
	assert_int_equal(fx_downsample_len(3, 2), 2);
	assert_int_equal(fx_downsample_len(3, 1), 3);
	fx_downsample_mean(from, shape, factor, FX_U8, to);
	assert_int_equal(to[0], 2);   /* 1.75 */
	assert_int_equal(to[1], 251); /* 250.5 */
	fx_downsample_mean(high, shape, factor, FX_U64, wide);
	assert_true(wide[0] == UINT64_MAX && wide[1] == 2);
	fx_downsample_mean(reals, shape, factor, FX_F32, real);
	assert_true(real[0] == 1.75F && real[1] == -1.5F);
}

static void labels_vote(void **unused)
{
	static const size_t shape[3] = { 2, 2, 4 }, factor[3] = { 2, 2, 2 }, flat[3] = { 1, 2, 2 };
	const uint32_t from[16] = { 9, 9, 0, 0, 4, 4, 0, 3, 9, 7, 0, 7, 4, 1, 3, 7 };
	uint32_t to[4];

	(void)unused;
	fx_downsample_mode(from, shape, factor, FX_U32, to);
	assert_int_equal(to[0], 4); /* 4 and 9 three times */
	assert_int_equal(to[1], 0); /* four times */
	fx_downsample_mode(from, shape, flat, FX_U32, to);
	assert_int_equal(to[0], 4);
	assert_int_equal(to[1], 0);
	assert_int_equal(to[2], 1); /* all once */
	assert_int_equal(to[3], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(means_are_rounded_to_the_nearest),
		cmocka_unit_test(labels_vote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
