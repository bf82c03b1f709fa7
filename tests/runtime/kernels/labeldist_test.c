// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/labeldist.c. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "kernels/labeldist.h"

/* the plain C again, under another name */
#define FX_PORTABLE
int plain_label_distance(const void *labels, enum fx_dtype dtype, const size_t shape[3],
			 const double voxel_nm[3], bool border, float *out);
#define fx_label_distance plain_label_distance
#include "kernels/labeldist.c"
#undef fx_label_distance

enum { NZ = 6, NY = 9, NX = 13, LEN = NZ * NY * NX };
static const size_t shape[3] = { NZ, NY, NX };
static const double voxel_nm[3] = { 40, 16, 12.5 };

/* Distance by looking at every voxel, and at those around the volume when @p border. */
static double brute(const uint32_t *labels, const size_t side[3], const double nm[3], size_t i,
		    int border)
{
	const int nz = (int)side[0], ny = (int)side[1], nx = (int)side[2];
	const int z = (int)i / (ny * nx), y = (int)i / nx % ny, x = (int)i % nx;
	double best = HUGE_VAL;

	if (!labels[i])
		return 0;
	for (int c = -1; c <= nz; c++)
		for (int b = -1; b <= ny; b++)
			for (int a = -1; a <= nx; a++) {
				const int out =
					c < 0 || b < 0 || a < 0 || c == nz || b == ny || a == nx;
				const double dz = (c - z) * nm[0], dy = (b - y) * nm[1],
					     dx = (a - x) * nm[2];

				if (out ? border : labels[(c * ny + b) * nx + a] != labels[i])
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
			assert_true(fabs((double)got[i] -
					 brute(labels, shape, voxel_nm, i, border)) < 1e-3);
	}
}

/* Objects so long that their middles are behind the rows that are looked at one by one, in volumes
 * wider than a strip of lines; some lines of which have no other label at all. */
static void reaches_the_middle_of_large_objects(void **unused)
{
	static const size_t sides[3][3] = { { 3, 210, 70 }, { 220, 3, 67 }, { 2, 3, 900 } };
	static const double nm[3][3] = { { 40, 8, 60 }, { 7.5, 40, 60 }, { 40, 16, 12.5 } };

	(void)unused;
	for (int s = 0; s < 6; s++) {
		const size_t *side = sides[s / 2], len = side[0] * side[1] * side[2];
		const bool border = s % 2;
		uint32_t *labels = calloc(len, sizeof *labels);
		float *got = calloc(len, sizeof *got), *again = calloc(len, sizeof *got);

		for (size_t i = 0; i < len; i++)
			labels[i] = i % side[2] < 60 ? 1 : 2 + (uint32_t)(i / side[2] % 190 == 0);
		labels[len / 3] = 0;
		omp_set_num_threads(1);
		assert_int_equal(fx_label_distance(labels, FX_U32, side, nm[s / 2], border, got),
				 FX_OK);
		for (size_t i = 0; i < len; i += i < 500 ? 13 : 97)
			assert_true(fabs((double)got[i] -
					 brute(labels, side, nm[s / 2], i, border)) < 1e-2);
		omp_set_num_threads(3);
		assert_int_equal(fx_label_distance(labels, FX_U32, side, nm[s / 2], border, again),
				 FX_OK);
		assert_memory_equal(got, again, len * sizeof *got);
		assert_int_equal(
			plain_label_distance(labels, FX_U32, side, nm[s / 2], border, again),
			FX_OK);
		assert_memory_equal(got, again, len * sizeof *got);
		omp_set_num_threads(1);
		free(labels);
		free(got);
		free(again);
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
					    cmocka_unit_test(reaches_the_middle_of_large_objects),
					    cmocka_unit_test(is_infinite_without_another_label) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
