// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/edt.c against all pairs. */
#include "support/test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include <fornix/error.h>

#include "kernels/edt.h"

static double nearest_zero(const uint8_t *mask, const size_t n[3], const double voxel[3], size_t i)
{
	double best = (double)FLT_MAX;

	for (size_t k = 0; k < n[0] * n[1] * n[2]; k++) {
		double z = voxel[0] * ((double)(i / n[2] / n[1]) - (double)(k / n[2] / n[1]));
		double y = voxel[1] * ((double)(i / n[2] % n[1]) - (double)(k / n[2] % n[1]));
		double x = voxel[2] * ((double)(i % n[2]) - (double)(k % n[2]));

		if (!mask[k])
			best = fmin(best, sqrt(z * z + y * y + x * x));
	}
	return best;
}

static void assert_nearest(const size_t n[3], const double voxel[3], unsigned zeros_of_100)
{
	size_t len = n[0] * n[1] * n[2];
	uint8_t *mask = malloc(len);
	float *dist = malloc(len * sizeof *dist);
	uint64_t seed = 11 + zeros_of_100;

	assert_non_null(mask);
	assert_non_null(dist);
	for (size_t i = 0; i < len; i++)
		mask[i] = test_random(&seed) % 100 < zeros_of_100 ? 0 : (uint8_t)(1 + i % 255);
	assert_int_equal(fx_edt(dist, mask, n, voxel), FX_OK);
	for (size_t i = 0; i < len; i++) {
		double want = nearest_zero(mask, n, voxel, i);

		assert_true(fabs((double)dist[i] - want) <= 1e-6 * want);
	}
	free(mask);
	free(dist);
}

static void equals_all_pairs(void **unused)
{
	static const size_t shapes[][3] = {
		{ 1, 1, 1 },  { 1, 1, 30 }, { 1, 30, 1 }, { 30, 1, 1 },
		{ 1, 13, 9 }, { 8, 1, 11 }, { 9, 8, 1 },  { 6, 9, 13 }
	};
	static const double voxels[][3] = { { 1, 1, 1 }, { 40, 16, 16 }, { 0.2, 1.7, 0.6 } };

	(void)unused;
	for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
		for (size_t v = 0; v < 3; v++) {
			assert_nearest(shapes[s], voxels[v], 1);
			assert_nearest(shapes[s], voxels[v], 30);
		}
}

static void without_background_is_farthest(void **unused)
{
	const size_t n[3] = { 2, 3, 4 };
	const double voxel[3] = { 8, 8, 8 };

	(void)unused;
	assert_nearest(n, voxel, 0);
	assert_nearest(n, voxel, 100);
}

static void refuses_what_has_no_distance(void **unused)
{
	const size_t n[3] = { 1, 1, 1 }, none[3] = { 1, 0, 1 };
	const double voxel[3] = { 8, 8, 8 }, flat[3] = { 8, 0, 8 },
		     infinite[3] = { 8, 8, (double)INFINITY };
	uint8_t mask = 1;
	float dist;

	(void)unused;
	assert_int_equal(fx_edt(&dist, &mask, none, voxel), FX_EINVAL);
	assert_int_equal(fx_edt(&dist, &mask, n, flat), FX_EINVAL);
	assert_int_equal(fx_edt(&dist, &mask, n, infinite), FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_all_pairs),
		cmocka_unit_test(without_background_is_farthest),
		cmocka_unit_test(refuses_what_has_no_distance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
