// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/precision.c and half.h. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/half.h"
#include "kernels/precision.h"

/* What the bits of a half mean, as IEEE 754 says it. */
static double meaning(uint16_t half)
{
	const int exponent = half >> 10 & 31, fraction = half & 1023;
	const double sign = half & 0x8000 ? -1 : 1;

	if (exponent == 31)
		return fraction ? (double)NAN : sign * (double)INFINITY;
	return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static void every_half_is_one_number(void **unused)
{
	(void)unused;
	for (unsigned h = 0; h < 65536; h++) {
		const double want = meaning((uint16_t)h);
		const float got = fx_half_value((uint16_t)h);

		if (isnan(want)) {
			assert_true(isnan(got));
			assert_int_equal(fx_half(got) & 0x7fff, 0x7e00);
			continue;
		}
		assert_true((double)got == want && !signbit(got) == !signbit(want));
		assert_int_equal(fx_half(got), h);
	}
}

/* Between any two halves that follow each other, infinity standing for 65536. */
static void the_nearest_is_taken_and_the_even_one_of_two(void **unused)
{
	(void)unused;
	for (unsigned h = 0; h < 0x7c00; h++) {
		const double a = meaning((uint16_t)h),
			     b = h == 0x7bff ? 65536 : meaning((uint16_t)(h + 1));
		const float middle = (float)((a + b) / 2); /* exact */
		const unsigned even = h & 1 ? h + 1 : h;

		assert_true((double)middle == (a + b) / 2);
		assert_int_equal(fx_half(middle), even);
		assert_int_equal(fx_half(-middle), even | 0x8000);
		assert_int_equal(fx_half(nextafterf(middle, 0)), h);
		assert_int_equal(fx_half(nextafterf(middle, 1e6F)), h + 1);
	}
	assert_int_equal(fx_half(1e30F), 0x7c00);
	assert_int_equal(fx_half(-INFINITY), 0xfc00);
}

enum { N = 3001 }; /* more than two parts */

static void arrays_become_smaller_in_place(void **unused)
{
	uint64_t seed = 5;
	float *values = malloc(N * sizeof *values), *to = malloc(N * sizeof *to),
	      *wide = malloc(N * sizeof *wide);

	(void)unused;
	assert_true(values && to && wide);
	for (size_t i = 0; i < N; i++)
		values[i] = (float)(test_random(&seed) % 1000003) / 1000002;
	memcpy(to, values, N * sizeof *to);
	fx_precision_f16(to, N);
	fx_precision_f32((const uint16_t *)(const void *)to, N, wide);
	for (size_t i = 0; i < N; i++)
		assert_true(wide[i] == fx_half_value(fx_half(values[i])));
	fx_precision_f16_u8(to, N);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(((const uint8_t *)to)[i], (int)floorf(wide[i] * 255 + 0.5F));
	memcpy(to, values, N * sizeof *to);
	fx_precision_u8(to, N);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(((const uint8_t *)to)[i], (int)floorf(values[i] * 255 + 0.5F));
	free(values);
	free(to);
	free(wide);
}

static void bytes_are_cut_to_their_range(void **unused)
{
	float v[] = { -INFINITY, -0.1F, -0.0F, NAN,   0.00195F, 0.00197F,
		      0.5F,	 1,	1.01F, 1e30F, INFINITY };
	const uint8_t want[] = { 0, 0, 0, 0, 0, 1, 128, 255, 255, 255, 255 };

	(void)unused;
	fx_precision_u8(v, sizeof v / sizeof *v);
	assert_memory_equal(v, want, sizeof want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_half_is_one_number),
		cmocka_unit_test(the_nearest_is_taken_and_the_even_one_of_two),
		cmocka_unit_test(arrays_become_smaller_in_place),
		cmocka_unit_test(bytes_are_cut_to_their_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
