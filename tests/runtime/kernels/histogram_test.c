// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/histogram.c. */
#include "support/test.h"

#include "kernels/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

enum { N = 1003 };

static int compare(const void *a, const void *b)
{
	return *(const uint8_t *)a - *(const uint8_t *)b;
}

static void percentiles_are_order_statistics(void **unused)
{
	static const double percents[] = { 0, 0.1, 1, 33.3, 50, 99, 99.95, 100 };
	uint64_t counts[256] = { 0 }, seed = 3;
	uint8_t v[N];

	(void)unused;
	for (size_t i = 0; i < N; i++)
		v[i] = (uint8_t)(test_random(&seed) % 200 + 9);
	fx_histogram_count(counts, v, FX_U8, N);
	assert_int_equal(fx_histogram_total(counts, 256), N);
	qsort(v, N, 1, compare);
	for (size_t i = 0; i < sizeof percents / sizeof *percents; i++) {
		const double rank = ceil(N * percents[i] / 100);

		assert_true(fx_histogram_percentile(counts, 256, percents[i]) ==
			    v[rank < 1 ? 0 : (size_t)rank - 1]);
	}
	memset(counts, 0, sizeof counts);
	assert_true(fx_histogram_percentile(counts, 256, 50) == 0);
}

static void moments_are_those_of_the_voxels(void **unused)
{
	uint64_t *counts = calloc(65536, sizeof *counts), seed = 4;
	double sum = 0, squares = 0, mean, sd;
	uint16_t v[N];

	(void)unused;
	assert_non_null(counts);
	assert_int_equal(fx_histogram_bins(FX_U16), 65536);
	assert_int_equal(fx_histogram_bins(FX_F32), 0);
	for (size_t i = 0; i < N; i++) {
		v[i] = (uint16_t)test_random(&seed);
		sum += v[i];
	}
	for (size_t i = 0; i < N; i++)
		squares += (v[i] - sum / N) * (v[i] - sum / N);
	fx_histogram_moments(counts, 65536, &mean, &sd);
	assert_true(mean == 0 && sd == 0);
	fx_histogram_count(counts, v, FX_U16, N);
	fx_histogram_moments(counts, 65536, &mean, &sd);
	assert_true(fabs(mean - sum / N) < 1e-6);
	assert_true(fabs(sd - sqrt(squares / N)) < 1e-6);
	free(counts);
}

static void a_window_sums_the_last_sections(void **unused)
{
	struct fx_histogram h;

	(void)unused;
	assert_int_equal(fx_histogram_init(&h, 2, 3), FX_OK);
	for (uint64_t i = 1; i <= 10; i++) {
		const uint64_t a = i, b = i > 1 ? i - 1 : 0, c = i > 2 ? i - 2 : 0;

		h.last[0] = i;
		h.last[1] = 100 * i;
		fx_histogram_push(&h);
		assert_int_equal(h.sum[0], a + b + c);
		assert_int_equal(h.sum[1], 100 * (a + b + c));
		assert_int_equal(h.len, i < 3 ? i : 3);
	}
	fx_histogram_fini(&h);
	assert_int_equal(fx_histogram_init(&h, SIZE_MAX / 2, 3), FX_ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_order_statistics),
		cmocka_unit_test(moments_are_those_of_the_voxels),
		cmocka_unit_test(a_window_sums_the_last_sections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
