// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/logit.c. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/logit.h"

static void heights_are_rounded_sigmoids(void **unused)
{
	enum { LEN = 40001 };
	float *v = malloc(LEN * sizeof *v);
	uint8_t *out = malloc(LEN);

	(void)unused;
	assert_non_null(v);
	assert_non_null(out);
	for (int i = 0; i < LEN; i++)
		v[i] = (float)(i - 20000) / 500;
	fx_logit_heights(out, v, LEN);
	for (int i = 0; i < LEN; i++) {
		const double exact = 255 / (1 + exp((double)v[i]));

		assert_true(fabs((double)out[i] - exact) < 0.5 + 1e-3);
	}
	free(out);
	free(v);
}

static void tanh_is_exact_to_a_millionth(void **unused)
{
	enum { LEN = 20001 };
	static float v[LEN];

	(void)unused;
	for (int i = 0; i < LEN; i++)
		v[i] = (float)(i - 10000) / 600;
	fx_logit_tanh(v, LEN);
	for (int i = 0; i < LEN; i++)
		assert_true(fabs((double)v[i] - tanh((i - 10000) / 600.0)) < 1e-6);
}

static void any_number_is_taken(void **unused)
{
	const float in[6] = { NAN, INFINITY, -INFINITY, 1e30F, -1e30F, 0 };
	static const uint8_t want[6] = { 255, 0, 255, 0, 255, 128 };
	float v[6];
	uint8_t out[6];

	(void)unused;
	memcpy(v, in, sizeof v);
	fx_logit_heights(out, v, 6);
	assert_memory_equal(out, want, sizeof out);
	fx_logit_tanh(v, 6);
	for (int i = 0; i < 6; i++)
		assert_true(fabsf(v[i] - (want[i] == 128 ? 0 : want[i] ? -1 : 1)) < 1e-6F);
}

static void a_boundary_is_the_highest_lower_face(void **unused)
{
	static const uint8_t z[8] = { 99, 99, 99, 99, 10, 20, 30, 40 },
			     y[8] = { 99, 99, 50, 1, 99, 99, 5, 60 },
			     x[8] = { 99, 7, 99, 8, 99, 9, 99, 3 },
			     want[8] = { 0, 7, 50, 8, 10, 20, 30, 60 };
	static const size_t shape[3] = { 2, 2, 2 };
	const uint8_t *const face[3] = { z, y, x };
	uint8_t out[8];

	(void)unused;
	fx_faces_boundary(out, face, shape);
	assert_memory_equal(out, want, sizeof out);
	fx_heights_mean(out, z, y, 8);
	assert_int_equal(out[0], 99);
	assert_int_equal(out[4], 55);
	assert_int_equal(out[7], 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heights_are_rounded_sigmoids),
		cmocka_unit_test(tanh_is_exact_to_a_millionth),
		cmocka_unit_test(any_number_is_taken),
		cmocka_unit_test(a_boundary_is_the_highest_lower_face),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
