// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/dense.c. */
#include "support/test.h"

#include <omp.h>
#include <string.h>

#include "kernels/dense.h"
#include "support/texture.h"

enum { SIDE = 150 };
static const double still[2][3] = { { 1, 0, 0 }, { 0, 1, 0 } };

static double apart(const struct fx_affine2 *map, const double truth[2][3])
{
	double worst = 0;

	for (int k = 0; k < 4; k++) {
		const double p[2] = { k & 1 ? SIDE - 1 : 0, k & 2 ? SIDE - 1 : 0 };
		double to[2];

		fx_affine2_apply(map, p, to);
		for (int i = 0; i < 2; i++)
			worst = fmax(worst, fabs(to[i] - (truth[i][0] * p[0] + truth[i][1] * p[1] +
							  truth[i][2])));
	}
	return worst;
}

/* Noise, and a quarter that shows something else. */
static void found_in_spite_of_noise_and_change(void **unused)
{
	static const double map[2][3] = { { 1.01, 0.02, -2.3 }, { -0.02, 0.99, 3.6 } },
			    shift[2][3] = { { 1, 0, 2.4 }, { 0, 1, -1.3 } };
	static uint8_t one[SIDE * SIDE], other[SIDE * SIDE];
	const struct fx_plane a = fx_plane_of(one, FX_U8, SIDE, SIDE),
			      b = fx_plane_of(other, FX_U8, SIDE, SIDE);
	struct fx_affine2 guess = { { { 1.005, 0.012, -1 }, { -0.012, 0.995, 2.5 } } },
			  again = guess, far = guess;

	(void)unused;
	texture_fill(5, other, SIDE, SIDE, still, 8, 1);
	texture_fill(5, one, SIDE, SIDE, map, 8, 2);
	texture_fill(90, one, SIDE / 4, SIDE, map, 8, 2);
	assert_true(fx_dense_fit(&b, &a, FX_MOTION_AFFINE, 5, &guess));
	if (!(apart(&guess, map) < 0.3))
		fail_msg("misses by %.3f", apart(&guess, map));
	omp_set_num_threads(2);
	assert_true(fx_dense_fit(&b, &a, FX_MOTION_AFFINE, 5, &again));
	omp_set_num_threads(1);
	assert_memory_equal(&guess, &again, sizeof guess);
	assert_false(fx_dense_fit(&b, &a, FX_MOTION_AFFINE, 0.5, &far)); /* leads too far */
	assert_true(far.m[0][2] == -1 && far.m[1][2] == 2.5);
	texture_fill(5, one, SIDE, SIDE, shift, 15, 2);
	guess = fx_affine2_shift(1.2, -2);
	assert_true(fx_dense_fit(&b, &a, FX_MOTION_SHIFT, 3, &guess));
	assert_true(apart(&guess, shift) < 0.05);
	guess = fx_affine2_shift(SIDE - 8, 0); /* next to nothing in common */
	assert_false(fx_dense_fit(&b, &a, FX_MOTION_SHIFT, 3, &guess));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_in_spite_of_noise_and_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
