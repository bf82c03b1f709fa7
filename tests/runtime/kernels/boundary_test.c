// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/boundary.c. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>

#include <fornix/error.h>

#include "kernels/boundary.h"
#include "kernels/gauss.h"

static const struct fx_boundary_params params = { 1.2, 2.0, 0.8, 0.2, 2.5, 0.4 };

static float *random_image(size_t len)
{
	float *v = malloc(len * sizeof *v);
	uint64_t seed = 21;

	assert_non_null(v);
	for (size_t i = 0; i < len; i++)
		v[i] = (float)(test_random(&seed) % 256) / 255;
	return v;
}

/* The formula, written out on the filters, with sigmas per axis. */
static void assert_formula(const size_t n[3], const double voxel[3], const double scale[3])
{
	static const int smooth[3] = { 0 };
	size_t len = n[0] * n[1] * n[2];
	float *image = random_image(len), *v = malloc(3 * len * sizeof *v);
	uint8_t *got = malloc(len);
	double sigma[3][3];

	assert_non_null(v);
	assert_non_null(got);
	for (int axis = 0; axis < 3; axis++) {
		sigma[0][axis] = params.sigma_fine * scale[axis];
		sigma[1][axis] = params.sigma_coarse * scale[axis];
		sigma[2][axis] = params.sigma_brightness * scale[axis];
	}
	assert_int_equal(fx_ridge(v, image, n, sigma[0]), FX_OK);
	assert_int_equal(fx_ridge(v + len, image, n, sigma[1]), FX_OK);
	assert_int_equal(fx_gauss(v + 2 * len, image, n, sigma[2], smooth), FX_OK);
	assert_int_equal(fx_boundary_ridge(got, image, n, voxel, &params), FX_OK);
	for (size_t i = 0; i < len; i++) {
		double ridge = fmax((double)v[i], (double)v[len + i]);
		double want = 0.4 + 2.5 * (ridge - 0.2 * (double)v[2 * len + i]);

		want = 255 * fmin(fmax(want, 0), 1);
		assert_true(fabs(want - got[i]) <= 0.51);
	}
	free(image);
	free(v);
	free(got);
}

static void is_ridge_minus_brightness(void **unused)
{
	static const double cube[3] = { 8, 8, 8 }, same[3] = { 1, 1, 1 };
	static const double flat[3] = { 40, 16, 20 }, scale[3] = { 0.4, 1, 0.8 };
	static const size_t shapes[][3] = { { 6, 9, 13 }, { 1, 8, 5 }, { 1, 1, 7 }, { 9, 1, 1 } };

	(void)unused;
	for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
		assert_formula(shapes[s], cube, same);
		assert_formula(shapes[s], flat, scale);
	}
}

static void one_scale_is_enough(void **unused)
{
	struct fx_boundary_params one = params, twice = params;
	const double voxel[3] = { 1, 1, 1 };
	const size_t n[3] = { 4, 5, 6 };
	float *image = random_image(120);
	uint8_t a[120], b[120];

	(void)unused;
	one.sigma_coarse = 0;
	twice.sigma_coarse = twice.sigma_fine;
	assert_int_equal(fx_boundary_ridge(a, image, n, voxel, &one), FX_OK);
	assert_int_equal(fx_boundary_ridge(b, image, n, voxel, &twice), FX_OK);
	assert_memory_equal(a, b, sizeof a);
	free(image);
}

static void odd_values_are_tamed(void **unused)
{
	static const float odd[] = { NAN, INFINITY, -INFINITY, 1e38F, -1e38F };
	static const float tame[] = { 0, 2, -1, 2, -1 };
	const double voxel[3] = { 1, 1, 1 };
	const size_t n[3] = { 1, 1, 5 };
	uint8_t a[5], b[5];

	(void)unused;
	assert_int_equal(fx_boundary_ridge(a, odd, n, voxel, &params), FX_OK);
	assert_int_equal(fx_boundary_ridge(b, tame, n, voxel, &params), FX_OK);
	assert_memory_equal(a, b, sizeof a);
}

static void refuses_what_has_no_extent(void **unused)
{
	const double voxel[3] = { 1, 1, 1 }, flat[3] = { 1, 0, 1 };
	const size_t n[3] = { 1, 1, 1 }, none[3] = { 1, 1, 0 };
	const float image = 0;
	uint8_t b;

	(void)unused;
	assert_int_equal(fx_boundary_ridge(&b, &image, none, voxel, &params), FX_EINVAL);
	assert_int_equal(fx_boundary_ridge(&b, &image, n, flat, &params), FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_ridge_minus_brightness),
		cmocka_unit_test(one_scale_is_enough),
		cmocka_unit_test(odd_values_are_tamed),
		cmocka_unit_test(refuses_what_has_no_extent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
