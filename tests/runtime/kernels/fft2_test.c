// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/fft2.c. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>

#include <fornix/error.h>

#include "kernels/fft2.h"

static void it_is_the_sum_that_it_says(void **unused)
{
	enum { H = 7, W = 10, C = W / 2 + 1 };
	struct fx_fft2 f;
	struct fx_complex s[H * C];
	float image[H * W], back[H * W];
	uint64_t seed = 3;

	(void)unused;
	for (size_t i = 0; i < H * W; i++)
		image[i] = (float)(test_random(&seed) % 1000) / 500 - 1;
	assert_int_equal(fx_fft2_init(&f, H, W), FX_OK);
	assert_int_equal(f.columns, C);
	fx_fft2_forward(&f, image, s);
	for (size_t v = 0; v < H; v++)
		for (size_t u = 0; u < C; u++) {
			double re = 0, im = 0;

			for (size_t i = 0; i < H * W; i++) {
				const double a = -6.283185307179586 * ((double)(v * (i / W)) / H +
								       (double)(u * (i % W)) / W);

				re += (double)image[i] * cos(a);
				im += (double)image[i] * sin(a);
			}
			assert_true(fabs((double)s[v * C + u].re - re) < 1e-4);
			assert_true(fabs((double)s[v * C + u].im - im) < 1e-4);
		}
	fx_fft2_inverse(&f, s, back);
	for (size_t i = 0; i < H * W; i++)
		assert_true(fabsf(back[i] / (H * W) - image[i]) < 1e-5F);
	fx_fft2_fini(&f);
}

static void sizes(void **unused)
{
	struct fx_fft2 f;

	(void)unused;
	assert_int_equal(fx_fft2_size(0), 2);
	assert_int_equal(fx_fft2_size(1), 2);
	assert_int_equal(fx_fft2_size(7), 8);
	assert_int_equal(fx_fft2_size(250), 250);
	assert_int_equal(fx_fft2_size(251), 256);
	assert_int_equal(fx_fft2_size(1000001), 1012500);
	assert_int_equal(fx_fft2_init(&f, 4, 5), FX_EINVAL);
	fx_fft2_fini(&f);
	assert_int_equal(fx_fft2_init(&f, 0, 4), FX_EINVAL);
	fx_fft2_fini(&f);
	assert_int_equal(fx_fft2_init(&f, ((size_t)1 << 24) + 1, 4), FX_EINVAL);
	fx_fft2_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_sum_that_it_says),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
