// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/labeldist.c. */
#include "support/test.h"

#include <math.h>

#include "kernels/labeldist.h"

enum { NZ = 6, NY = 9, NX = 13, LEN = NZ * NY * NX };
static const size_t shape[3] = { NZ, NY, NX };
static const double voxel_nm[3] = { 40, 16, 12.5 };

/* Distance by looking at every voxel, and at those around the volume when @p border. */
static double brute(const uint32_t *labels, size_t i, int border)
{
	const int z = (int)(i / (NY * NX)), y = (int)(i / NX % NY), x = (int)(i % NX);
	double best = HUGE_VAL;

	if (!labels[i])
		return 0;
	for (int c = -1; c <= NZ; c++)
		for (int b = -1; b <= NY; b++)
			for (int a = -1; a <= NX; a++) {
				const int out =
					c < 0 || b < 0 || a < 0 || c == NZ || b == NY || a == NX;
				const double dz = (c - z) * voxel_nm[0], dy = (b - y) * voxel_nm[1],
					     dx = (a - x) * voxel_nm[2];

				if (out ? border : labels[(c * NY + b) * NX + a] != labels[i])
					best = fmin(best, dz * dz + dy * dy + dx * dx);
			}
	return sqrt(best);
}

static void equals_a_plain_search(void **unused)
{
	uint32_t labels[LEN];
	uint64_t wide[LEN], seed = 3;
	float got[LEN], again[LEN];

	(void)unused;
	for (int border = 0; border < 2; border++) {
		for (size_t i = 0; i < LEN; i++) {
			labels[i] = test_random(&seed) % 12 ? (uint32_t)(i / 50) : 0;
			wide[i] = labels[i] * UINT64_C(0x100000001);
		}
		assert_int_equal(fx_label_distance(labels, FX_U32, shape, voxel_nm, border, got),
				 FX_OK);
		assert_int_equal(fx_label_distance(wide, FX_U64, shape, voxel_nm, border, again),
				 FX_OK);
		assert_memory_equal(got, again, sizeof got);
		for (size_t i = 0; i < LEN; i++)
			assert_true(fabs((double)got[i] - brute(labels, i, border)) < 1e-3);
	}
}

static void is_infinite_without_another_label(void **unused)
{
	uint32_t labels[LEN];
	float got[LEN];

	(void)unused;
	for (size_t i = 0; i < LEN; i++)
		labels[i] = 5;
	assert_int_equal(fx_label_distance(labels, FX_U32, shape, voxel_nm, false, got), FX_OK);
	assert_true(isinf(got[0]) && isinf(got[LEN / 2]));
	assert_int_equal(fx_label_distance(labels, FX_U32, shape, voxel_nm, true, got), FX_OK);
	assert_true(fabs((double)got[0] - 12.5) < 1e-6);
	assert_int_equal(fx_label_distance(labels, FX_U8, shape, voxel_nm, true, got), FX_ETYPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(equals_a_plain_search),
					    cmocka_unit_test(is_infinite_without_another_label) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
