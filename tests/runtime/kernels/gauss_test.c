// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/gauss.c against direct sums in double precision. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "kernels/gauss.h"

static void assert_near(double got, double want, double most)
{
	if (!(fabs(got - want) <= most))
		fail_msg("%.9g is not %.9g within %g", got, want, most);
}

static const size_t shapes[][3] = { { 1, 1, 1 },  { 1, 1, 9 },	 { 1, 7, 1 }, { 5, 1, 1 },
				    { 2, 3, 17 }, { 11, 4, 13 }, { 3, 20, 2 } };

static float *random_volume(size_t len, uint64_t seed)
{
	float *v = malloc(len * sizeof *v);

	assert_non_null(v);
	for (size_t i = 0; i < len; i++)
		v[i] = (float)(test_random(&seed) % 1000) / 1000;
	return v;
}

/* The mirrored index, found by walking. */
static size_t walk(long i, size_t n)
{
	long at = 0, step = 1;

	for (long k = 0; k < (i < 0 ? -i - 1 : i); k++) {
		if (at + step < 0 || at + step >= (long)n)
			step = -step;
		else
			at += step;
	}
	return (size_t)at;
}

static double weight(const struct fx_taps *t, int k)
{
	return k < 0 && t->order == 1 ? -(double)t->w[-k] : (double)t->w[abs(k)];
}

/* One output voxel as one triple sum. */
static double direct(const float *in, const size_t n[3], const struct fx_taps t[3], size_t z,
		     size_t y, size_t x)
{
	double sum = 0;

	for (int a = -t[0].radius; a <= t[0].radius; a++)
		for (int b = -t[1].radius; b <= t[1].radius; b++)
			for (int c = -t[2].radius; c <= t[2].radius; c++)
				sum += weight(&t[0], a) * weight(&t[1], b) * weight(&t[2], c) *
				       (double)in[(walk((long)z + a, n[0]) * n[1] +
						   walk((long)y + b, n[1])) *
							  n[2] +
						  walk((long)x + c, n[2])];
	return sum;
}

static void assert_direct(const size_t n[3], const double sigma[3], const int order[3])
{
	size_t len = n[0] * n[1] * n[2];
	float *in = random_volume(len, 5), *out = malloc(len * sizeof *out);
	struct fx_taps t[3];

	for (int axis = 0; axis < 3; axis++)
		fx_taps_gauss(&t[axis], sigma[axis], order[axis]);
	assert_non_null(out);
	assert_int_equal(fx_gauss(out, in, n, sigma, order), FX_OK);
	for (size_t i = 0; i < len; i++)
		assert_near((double)out[i],
			    direct(in, n, t, i / n[2] / n[1], i / n[2] % n[1], i % n[2]), 1e-5);
	free(in);
	free(out);
}

static void equals_the_direct_sum(void **unused)
{
	static const double sigma[3] = { 0.6, 1.0, 0.8 };
	static const int orders[][3] = { { 0, 0, 0 }, { 1, 0, 2 }, { 0, 1, 1 }, { 2, 1, 0 } };

	(void)unused;
	for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
		for (size_t o = 0; o < sizeof orders / sizeof *orders; o++)
			assert_direct(shapes[s], sigma, orders[o]);
}

static void is_exact_on_polynomials(void **unused)
{
	(void)unused;
	for (double sigma = 0; sigma < 18; sigma += 1.3) {
		struct fx_taps t[3];
		double sum = 0, slope = 0, flat = 0, curve = 0;

		for (int order = 0; order < 3; order++)
			fx_taps_gauss(&t[order], sigma, order);
		for (int k = -FX_TAPS_RADIUS_MAX; k <= FX_TAPS_RADIUS_MAX; k++) {
			sum += weight(&t[0], k);
			slope += weight(&t[1], k) * k;
			flat += weight(&t[2], k);
			curve += weight(&t[2], k) * k * k;
		}
		assert_near(sum, 1, 1e-5);
		assert_near(slope, 1, 1e-5);
		assert_near(flat, 0, 1e-5);
		assert_near(curve, 2, 1e-4);
	}
}

static void assert_root(const float m[6])
{
	double a = (double)m[0], b = (double)m[1], c = (double)m[2], d = (double)m[3],
	       e = (double)m[4], f = (double)m[5], scale = 0;
	double got = (double)fx_eigen_largest(m[0], m[1], m[2], m[3], m[4], m[5]);
	double lo = -1e3, hi = 1e3;

	for (int i = 0; i < 6; i++)
		scale = fmax(scale, fabs((double)m[i]));
	/* the largest root by bisection: above it, M - tI is negative definite (Sylvester) */
	for (int i = 0; i < 80; i++) {
		double t = (lo + hi) / 2, A = a - t, B = b - t, C = c - t;
		double det = A * (B * C - f * f) - d * (d * C - f * e) + e * (d * f - B * e);

		if (A < 0 && A * B - d * d > 0 && det < 0)
			hi = t;
		else
			lo = t;
	}
	assert_near(got, hi, 3e-4 * scale + 1e-12);
}

static void finds_the_largest_eigenvalue(void **unused)
{
	static const float special[][6] = {
		{ 0 },
		{ 1, 1, 1, 0, 0, 0 },
		{ 1, 0, 0, 0, 0, 0 },
		{ -1, 0, 0, 0, 0, 0 },
		{ 2, 2, -1, 0, 0, 0 },
		{ 1, 1, 1, 1, 1, 1 },
		{ 1e-6F, 0, 0, 1e-6F, 0, 0 },
	};
	uint64_t seed = 3;

	(void)unused;
	for (size_t i = 0; i < sizeof special / sizeof *special; i++)
		assert_root(special[i]);
	for (int i = 0; i < 2000; i++) {
		float m[6];

		for (int k = 0; k < 6; k++)
			m[k] = (float)(test_random(&seed) % 2001) / 1000 - 1;
		assert_root(m);
	}
}

/* A dark sheet across axis @p axis gives the sheet's second derivative on its crest. */
static void assert_sheet(int axis)
{
	static const double sigma[3] = { 1.5, 1.5, 1.5 };
	const size_t n[3] = { 21, 21, 21 };
	size_t len = n[0] * n[1] * n[2], centre = len / 2;
	float *in = malloc(len * sizeof *in), *out = malloc(len * sizeof *out);
	struct fx_taps t;

	assert_non_null(in);
	assert_non_null(out);
	for (size_t i = 0; i < len; i++) {
		size_t at[3] = { i / 441, i / 21 % 21, i % 21 };

		in[i] = at[axis] == 10 ? 0 : 1;
	}
	fx_taps_gauss(&t, 1.5, 2);
	assert_int_equal(fx_ridge(out, in, n, sigma), FX_OK);
	assert_near((double)out[centre], -(double)t.w[0] * 1.5 * 1.5, 1e-3);
	assert_true(out[centre] > 0.2F);
	assert_near((double)out[0], 0, 0.05);
	free(in);
	free(out);
}

static void ridge_sees_a_sheet_on_any_axis(void **unused)
{
	(void)unused;
	for (int axis = 0; axis < 3; axis++)
		assert_sheet(axis);
}

/* The ridge is the largest eigenvalue of six filtered volumes, each times the sigmas. */
static void assert_hessian(const size_t n[3], const double sigma[3])
{
	static const int orders[6][3] = { { 2, 0, 0 }, { 0, 2, 0 }, { 0, 0, 2 },
					  { 1, 1, 0 }, { 1, 0, 1 }, { 0, 1, 1 } };
	size_t len = n[0] * n[1] * n[2];
	float *in = random_volume(len, 6), *out = malloc(len * sizeof *out),
	      *h = malloc(6 * len * sizeof *h);

	assert_non_null(out);
	assert_non_null(h);
	assert_int_equal(fx_ridge(out, in, n, sigma), FX_OK);
	for (size_t k = 0; k < 6; k++) {
		double scale = 1;

		for (int axis = 0; axis < 3; axis++)
			scale *= pow(sigma[axis], orders[k][axis]);
		assert_int_equal(fx_gauss(h + k * len, in, n, sigma, orders[k]), FX_OK);
		for (size_t i = 0; i < len; i++)
			h[k * len + i] *= (float)scale;
	}
	for (size_t i = 0; i < len; i++)
		assert_near((double)out[i],
			    (double)fx_eigen_largest(h[i], h[len + i], h[2 * len + i],
						     h[3 * len + i], h[4 * len + i],
						     h[5 * len + i]),
			    1e-4);
	free(in);
	free(out);
	free(h);
}

static void ridge_is_of_the_whole_hessian(void **unused)
{
	static const double sigma[3] = { 0.8, 1.2, 2.1 };

	(void)unused;
	for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
		assert_hessian(shapes[s], sigma);
}

static void is_the_same_on_any_number_of_threads(void **unused)
{
	static const double sigma[3] = { 1.0, 1.6, 2.5 };
	const size_t n[3] = { 7, 9, 14 };
	size_t len = n[0] * n[1] * n[2];
	float *in = random_volume(len, 9), *one = malloc(len * sizeof *one),
	      *three = malloc(len * sizeof *three);
	int threads = omp_get_max_threads();

	(void)unused;
	assert_non_null(one);
	assert_non_null(three);
	omp_set_num_threads(1);
	assert_int_equal(fx_ridge(one, in, n, sigma), FX_OK);
	omp_set_num_threads(3);
	assert_int_equal(fx_ridge(three, in, n, sigma), FX_OK);
	omp_set_num_threads(threads);
	assert_memory_equal(one, three, len * sizeof *one);
	free(in);
	free(one);
	free(three);
}

static void refuses_an_empty_shape(void **unused)
{
	static const double sigma[3] = { 1, 1, 1 };
	static const int order[3] = { 0 };
	const size_t n[3] = { 4, 0, 4 }, huge[3] = { SIZE_MAX / 2, 3, 1 };
	float v = 0, w = 0;

	(void)unused;
	assert_int_equal(fx_gauss(&v, &w, n, sigma, order), FX_EINVAL);
	assert_int_equal(fx_ridge(&v, &w, huge, sigma), FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_the_direct_sum),
		cmocka_unit_test(is_exact_on_polynomials),
		cmocka_unit_test(finds_the_largest_eigenvalue),
		cmocka_unit_test(ridge_sees_a_sheet_on_any_axis),
		cmocka_unit_test(ridge_is_of_the_whole_hessian),
		cmocka_unit_test(is_the_same_on_any_number_of_threads),
		cmocka_unit_test(refuses_an_empty_shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
