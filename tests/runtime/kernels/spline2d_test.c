// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/spline2d.c. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "kernels/spline2d.h"

enum { H = 61, W = 83 };

static double wave(double y, double x)
{
	return 100 + 40 * sin(0.31 * y + 0.5) * cos(0.23 * x) + 20 * sin(0.4 * x - 0.2 * y);
}

static void fill(float *to, size_t h, size_t w)
{
	for (size_t y = 0; y < h; y++)
		for (size_t x = 0; x < w; x++)
			to[y * w + x] = (float)wave((double)y, (double)x);
}

static void near(double a, double b, double most)
{
	if (!(fabs(a - b) <= most))
		fail_msg("%g is not within %g of %g", a, most, b);
}

static void exact_at_voxels_and_right_between(void **unused)
{
	float c[H * W];

	(void)unused;
	fill(c, H, W);
	fx_spline2d_prepare(c, H, W);
	for (size_t y = 0; y < H; y++)
		for (size_t x = 0; x < W; x++)
			near((double)fx_spline2d_at(c, H, W, (double)y, (double)x),
			     wave((double)y, (double)x), 1e-3);
	for (double y = 8; y < H - 8; y += 0.7)
		for (double x = 8; x < W - 8; x += 0.9)
			near((double)fx_spline2d_at(c, H, W, y, x), wave(y, x), 0.05);
}

static void mirrored_beyond_the_rim(void **unused)
{
	float c[H * W];

	(void)unused;
	fill(c, H, W);
	fx_spline2d_prepare(c, H, W);
	near((double)fx_spline2d_at(c, H, W, -3.25, 5), (double)fx_spline2d_at(c, H, W, 3.25, 5),
	     1e-3);
	near((double)fx_spline2d_at(c, H, W, 5, W + 3.5),
	     (double)fx_spline2d_at(c, H, W, 5, W - 5.5), 1e-3);
	near((double)fx_spline2d_at(c, H, W, -1e6, 2e6), (double)fx_spline2d_at(c, H, W, 1e6, -2e6),
	     1e-3);
}

static void thin_images(void **unused)
{
	float one[1] = { 7 }, row[5] = { 1, 5, 2, 8, 3 }, column[2] = { 4, 6 };

	(void)unused;
	fx_spline2d_prepare(one, 1, 1);
	near((double)fx_spline2d_at(one, 1, 1, 0.3, -9.7), 7, 1e-5);
	fx_spline2d_prepare(row, 1, 5);
	near((double)fx_spline2d_at(row, 1, 5, 0.4, 3), 8, 1e-5);
	near((double)fx_spline2d_at(row, 1, 5, -2, 1), 5, 1e-5);
	fx_spline2d_prepare(column, 2, 1);
	near((double)fx_spline2d_at(column, 2, 1, 1, 0), 6, 1e-5);
	near((double)fx_spline2d_at(column, 2, 1, 0, 3), 4, 1e-5);
}

static void same_bits_for_any_threads(void **unused)
{
	enum { LARGE = 200 };
	static float a[LARGE * LARGE], b[LARGE * LARGE];
	const int threads = omp_get_max_threads();

	(void)unused;
	fill(a, LARGE, LARGE);
	memcpy(b, a, sizeof a);
	omp_set_num_threads(1);
	fx_spline2d_prepare(a, LARGE, LARGE);
	omp_set_num_threads(3);
	fx_spline2d_prepare(b, LARGE, LARGE);
	omp_set_num_threads(threads);
	assert_memory_equal(a, b, sizeof a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_at_voxels_and_right_between),
		cmocka_unit_test(mirrored_beyond_the_rim),
		cmocka_unit_test(thin_images),
		cmocka_unit_test(same_bits_for_any_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
