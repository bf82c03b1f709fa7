// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/features.c against sums in double precision and Jacobi's eigenvalues. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "kernels/features.h"
#include "kernels/gauss.h"

enum { Z = 5, Y = 6, X = 19, LEN = Z * Y * X, STRIDE = 24 };

static const size_t shape[3] = { Z, Y, X };

static void random_image(uint8_t *image)
{
	uint64_t seed = 3;

	for (size_t i = 0; i < LEN; i++)
		image[i] = (uint8_t)test_random(&seed);
}

static size_t mirror(long i, long n)
{
	const long k = ((i % (2 * n)) + 2 * n) % (2 * n);

	return (size_t)(k < n ? k : 2 * n - 1 - k);
}

/* The image smoothed at one voxel: one triple sum. */
static double smoothed(const uint8_t *image, const struct fx_taps t[3], const size_t at[3])
{
	double sum = 0;

	for (long a = -t[0].radius; a <= t[0].radius; a++)
		for (long b = -t[1].radius; b <= t[1].radius; b++)
			for (long c = -t[2].radius; c <= t[2].radius; c++) {
				const size_t i = (mirror((long)at[0] + a, Z) * Y +
						  mirror((long)at[1] + b, Y)) *
							 X +
						 mirror((long)at[2] + c, X);

				sum += (double)t[0].w[labs(a)] * (double)t[1].w[labs(b)] *
				       (double)t[2].w[labs(c)] * image[i] / 255;
			}
	return sum;
}

/* Jacobi rotations; eigenvalues from the largest to the smallest. */
static void jacobi(double m[3][3], double value[3])
{
	for (int sweep = 0; sweep < 30; sweep++)
		for (int p = 0; p < 2; p++)
			for (int q = p + 1; q < 3; q++) {
				const double t = 0.5 * atan2(2 * m[p][q], m[q][q] - m[p][p]),
					     c = cos(t), s = sin(t);

				for (int k = 0; k < 3; k++) {
					const double a = m[k][p], b = m[k][q];

					m[k][p] = c * a - s * b;
					m[k][q] = s * a + c * b;
				}
				for (int k = 0; k < 3; k++) {
					const double a = m[p][k], b = m[q][k];

					m[p][k] = c * a - s * b;
					m[q][k] = s * a + c * b;
				}
			}
	for (int k = 0; k < 3; k++)
		value[k] = m[k][k];
	for (int k = 0; k < 3; k++)
		for (int j = 0; j < 2; j++)
			if (value[j] < value[j + 1]) {
				const double v = value[j];

				value[j] = value[j + 1];
				value[j + 1] = v;
			}
}

/* The smoothed image around a voxel, edge voxels repeated. */
static void around(double g[3][3][3], const double *smooth, size_t z, size_t y, size_t x)
{
	for (int i = 0; i < 27; i++) {
		long at[3] = { (long)z + i / 9 - 1, (long)y + i / 3 % 3 - 1, (long)x + i % 3 - 1 };

		for (int a = 0; a < 3; a++)
			at[a] = at[a] < 0		? 0 :
				at[a] >= (long)shape[a] ? (long)shape[a] - 1 :
							  at[a];
		g[i / 9][i / 3 % 3][i % 3] = smooth[(at[0] * Y + at[1]) * X + at[2]];
	}
}

static void expected(double want[5], double g[3][3][3], double sigma, const double step[3])
{
	const double k[3] = { sigma * step[0], sigma * step[1], sigma * step[2] },
		     dz = k[0] * (g[2][1][1] - g[0][1][1]) / 2,
		     dy = k[1] * (g[1][2][1] - g[1][0][1]) / 2,
		     dx = k[2] * (g[1][1][2] - g[1][1][0]) / 2;
	double m[3][3];

	m[0][0] = k[0] * k[0] * (g[2][1][1] + g[0][1][1] - 2 * g[1][1][1]);
	m[1][1] = k[1] * k[1] * (g[1][2][1] + g[1][0][1] - 2 * g[1][1][1]);
	m[2][2] = k[2] * k[2] * (g[1][1][2] + g[1][1][0] - 2 * g[1][1][1]);
	m[0][1] = m[1][0] = k[0] * k[1] / 4 * (g[2][2][1] - g[2][0][1] - g[0][2][1] + g[0][0][1]);
	m[0][2] = m[2][0] = k[0] * k[2] / 4 * (g[2][1][2] - g[2][1][0] - g[0][1][2] + g[0][1][0]);
	m[1][2] = m[2][1] = k[1] * k[2] / 4 * (g[1][2][2] - g[1][2][0] - g[1][0][2] + g[1][0][0]);
	want[0] = g[1][1][1];
	want[1] = sqrt(dz * dz + dy * dy + dx * dx);
	jacobi(m, want + 2);
}

static void check_scale(const struct fx_features *f, const uint8_t *image, int s,
			const double step[3])
{
	const double sigma = fx_features_sigma[s];
	float got[FX_FEATURES * STRIDE], *scratch = calloc(fx_features_scratch(f), sizeof *scratch);
	double smooth[LEN], g[3][3][3], want[5];
	struct fx_taps t[3];

	assert_non_null(scratch);
	for (int a = 0; a < 3; a++)
		fx_taps_gauss(&t[a], sigma * step[a], 0);
	for (size_t i = 0; i < LEN; i++)
		smooth[i] = smoothed(image, t, (const size_t[3]){ i / X / Y, i / X % Y, i % X });
	for (size_t i = 0; i < LEN; i++) {
		if (i % X == 0)
			fx_features_row(f, i / X / Y, i / X % Y, got, STRIDE, scratch);
		around(g, smooth, i / X / Y, i / X % Y, i % X);
		expected(want, g, sigma, step);
		for (int k = 0; k < 5; k++) {
			const double v = (double)got[(s * 5 + k) * STRIDE + (int)(i % X)];

			if (!(fabs(v - want[k]) < 2e-5 + 5e-4 * fmax(fabs(want[2]), fabs(want[4]))))
				fail_msg("scale %d number %d at %zu: %g, not %g", s, k, i, v,
					 want[k]);
		}
	}
	free(scratch);
}

static void same_as_by_hand(void **unused)
{
	static const double voxel[2][3] = { { 8, 8, 8 }, { 40, 8, 10 } };
	uint8_t image[LEN];

	(void)unused;
	random_image(image);
	for (int v = 0; v < 2; v++) {
		struct fx_features f = { 0 };

		assert_int_equal(fx_features_init(&f, image, FX_U8, shape, voxel[v]), FX_OK);
		for (int s = 0; s < 2 + 2 * v; s++) /* the widest are slow by hand */
			check_scale(&f, image, s,
				    (const double[3]){ 8 / voxel[v][0], 8 / voxel[v][1],
						       8 / voxel[v][2] });
		fx_features_fini(&f);
	}
}

/* All rows of a block, with that many threads. */
static float *all_rows(const void *image, enum fx_dtype dtype, int threads)
{
	static const double voxel[3] = { 30, 8, 8 };
	struct fx_features f = { 0 };
	float *rows = calloc((size_t)Z * Y * FX_FEATURES * X, sizeof *rows), *scratch;

	omp_set_num_threads(threads);
	assert_non_null(rows);
	assert_int_equal(fx_features_init(&f, image, dtype, shape, voxel), FX_OK);
	scratch = calloc(fx_features_scratch(&f), sizeof *scratch);
	assert_non_null(scratch);
	for (size_t r = 0; r < (size_t)Z * Y; r++)
		fx_features_row(&f, r / Y, r % Y, rows + r * FX_FEATURES * X, X, scratch);
	free(scratch);
	fx_features_fini(&f);
	omp_set_num_threads(2);
	return rows;
}

static void types_and_threads_do_not_matter(void **unused)
{
	const size_t size = (size_t)Z * Y * FX_FEATURES * X * sizeof(float);
	uint8_t u8[LEN];
	uint16_t u16[LEN];
	float f32[LEN], *a, *b, *c, *d;

	(void)unused;
	random_image(u8);
	for (size_t i = 0; i < LEN; i++) {
		u16[i] = (uint16_t)(u8[i] * 257);
		f32[i] = (float)u8[i] / 255;
	}
	a = all_rows(u8, FX_U8, 1);
	b = all_rows(u8, FX_U8, 3);
	c = all_rows(u16, FX_U16, 2);
	d = all_rows(f32, FX_F32, 1);
	assert_memory_equal(a, b, size);
	assert_memory_equal(a, c, size);
	assert_memory_equal(a, d, size);
	free(a);
	free(b);
	free(c);
	free(d);
}

static void hostile_images_stay_finite(void **unused)
{
	static const float values[] = { NAN, INFINITY, -INFINITY, 1e30F, 0.5F };
	float image[LEN], *rows;

	(void)unused;
	for (size_t i = 0; i < LEN; i++)
		image[i] = values[i % 5];
	rows = all_rows(image, FX_F32, 1);
	for (size_t i = 0; i < (size_t)Z * Y * FX_FEATURES * X; i++)
		assert_true(isfinite(rows[i]));
	free(rows);
}

static void wrong_arguments(void **unused)
{
	static const double good[3] = { 8, 8, 8 }, bad[3] = { 8, 0, 8 };
	struct fx_features f = { 0 };
	uint8_t image[LEN] = { 0 };

	(void)unused;
	assert_int_equal(fx_features_init(&f, image, FX_U32, shape, good), FX_ETYPE);
	assert_int_equal(fx_features_init(&f, image, FX_U8, shape, bad), FX_EINVAL);
	assert_int_equal(fx_features_init(&f, image, FX_U8, (const size_t[3]){ 1, 0, 1 }, good),
			 FX_EINVAL);
	assert_int_equal(
		fx_features_init(&f, image, FX_U8, (const size_t[3]){ SIZE_MAX / 2, 3, 1 }, good),
		FX_EINVAL);
	fx_features_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_by_hand),
		cmocka_unit_test(types_and_threads_do_not_matter),
		cmocka_unit_test(hostile_images_stay_finite),
		cmocka_unit_test(wrong_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
