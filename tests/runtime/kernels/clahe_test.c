// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/clahe.c. */
#include "support/test.h"

#include "kernels/clahe.h"

#include <math.h>
#include <string.h>

#include <fornix/error.h>

enum { H = 27, W = 41 };

static void clips_and_keeps_the_sum(void **unused)
{
	uint64_t seed = 11;

	(void)unused;
	for (int round = 0; round < 50; round++) {
		uint64_t counts[64] = { 0 }, n = test_random(&seed) % 5000, sum = 0, limit;

		for (uint64_t i = 0; i < n; i++)
			counts[test_random(&seed) % (1 + test_random(&seed) % 64)]++;
		limit = n / 64 + 1 + test_random(&seed) % 20;
		fx_clahe_clip(counts, 64, limit);
		for (size_t b = 0; b < 64; b++) {
			assert_true(counts[b] <= limit);
			sum += counts[b];
		}
		assert_int_equal(sum, n);
	}
}

static void spreads_as_it_says(void **unused)
{
	uint64_t counts[4] = { 10, 0, 3, 0 };
	static const uint64_t expected[4] = { 4, 3, 4, 2 }; /* 6 over: 1 each, then 3 one by one */

	(void)unused;
	fx_clahe_clip(counts, 4, 4);
	assert_memory_equal(counts, expected, sizeof expected);
}

static void noise(uint8_t *v, uint64_t seed)
{
	for (size_t i = 0; i < H * W; i++)
		v[i] = (uint8_t)(60 + test_random(&seed) % 40 + i / W * 2);
}

/* Without clipping and with one region it is plain equalisation. */
static void one_region_is_equalisation(void **unused)
{
	struct fx_clahe c;
	uint8_t v[H * W], out[W];

	(void)unused;
	noise(v, 5);
	assert_int_equal(fx_clahe_init(&c, H, W, 1000, FX_U8), FX_OK);
	fx_clahe_learn(&c, v, 0, 255, 1e6, false);
	fx_clahe_apply(&c, v + 3 * W, 3, 0, W, false, out);
	for (size_t x = 0; x < W; x++) {
		size_t rank = 0;

		for (size_t i = 0; i < H * W; i++)
			rank += v[i] <= v[3 * W + x];
		assert_int_equal(out[x], 255 * rank / (H * W));
	}
	fx_clahe_fini(&c);
}

/* The map of region (ry, rx) for grey value g, counted anew. */
static double rank_of(const uint8_t *v, size_t ry, size_t rx, uint8_t g)
{
	const size_t y1 = (ry + 1) * H / 3, x1 = (rx + 1) * W / 4;
	size_t n = 0, rank = 0;

	for (size_t y = ry * H / 3; y < y1; y++)
		for (size_t x = rx * W / 4; x < x1; x++, n++)
			rank += v[y * W + x] <= g;
	return (double)(255 * rank / n);
}

static double centre(size_t i, size_t size, size_t n)
{
	return ((double)(i * size / n) + (double)((i + 1) * size / n) - 1) / 2;
}

/* Weight of region i of n at voxel @p at: a hat on its centre, level beyond the outermost. */
static double hat(double at, size_t i, size_t size, size_t n)
{
	const double here = centre(i, size, n);

	if (at < here)
		return i == 0 ? 1 : fmax(0, 1 - (here - at) / (here - centre(i - 1, size, n)));
	return i == n - 1 ? 1 : fmax(0, 1 - (at - here) / (centre(i + 1, size, n) - here));
}

static void regions_are_blended(void **unused)
{
	struct fx_clahe c;
	uint8_t v[H * W], out[W];

	(void)unused;
	noise(v, 6);
	assert_int_equal(fx_clahe_init(&c, H, W, 10, FX_U8), FX_OK);
	assert_int_equal(c.ny, 3);
	assert_int_equal(c.nx, 4);
	fx_clahe_learn(&c, v, 0, 255, 1e6, false);
	for (size_t y = 0; y < H; y++) {
		fx_clahe_apply(&c, v + y * W + 2, y, 2, W - 2, false, out + 2);
		for (size_t x = 2; x < W; x++) {
			double sum = 0;

			for (size_t ry = 0; ry < 3; ry++)
				for (size_t rx = 0; rx < 4; rx++)
					sum += hat((double)y, ry, H, 3) * hat((double)x, rx, W, 4) *
					       rank_of(v, ry, rx, v[y * W + x]);
			assert_true(fabs(out[x] - sum) <= 0.5 + 1e-6);
		}
	}
	fx_clahe_fini(&c);
}

static void a_limit_of_1_leaves_the_order_of_values(void **unused)
{
	struct fx_clahe c;
	uint8_t v[H * W], out[H * W];

	(void)unused;
	noise(v, 8);
	assert_int_equal(fx_clahe_init(&c, H, W, 1000, FX_U8), FX_OK);
	fx_clahe_learn(&c, v, 0, 255, 1, false);
	for (size_t y = 0; y < H; y++)
		fx_clahe_apply(&c, v + y * W, y, 0, W, false, out + y * W);
	for (size_t i = 0; i < H * W; i++) /* a limit of 1 is nearly the identity */
		assert_in_range(out[i], v[i] - v[i] / 4, v[i] + v[i] / 4);
	fx_clahe_fini(&c);
}

static void any_size_is_finite(void **unused)
{
	/* height, width, side; the one bin in use keeps one voxel of n: 255 / n, n by the region */
	static const size_t sizes[][5] = { { 1, 1, 8, 255, 255 },
					   { 1, 100, 8, 255 / 8, 255 / 7 },
					   { 7, 3, 64, 255 / 21, 255 / 21 },
					   { 19, 2, 1, 255, 255 } };
	uint8_t out[100];
	uint16_t v[100];

	(void)unused;
	for (size_t i = 0; i < 100; i++)
		v[i] = 300;
	for (size_t i = 0; i < 4; i++) {
		struct fx_clahe c;

		assert_int_equal(fx_clahe_init(&c, sizes[i][0], sizes[i][1], sizes[i][2], FX_U16),
				 FX_OK);
		fx_clahe_learn(&c, v, 300, 300, 2, false);
		for (size_t y = 0; y < sizes[i][0]; y++)
			fx_clahe_apply(&c, v, y, 0, sizes[i][1], false, out);
		for (size_t x = 0; x < sizes[i][1]; x++)
			assert_in_range(out[x], sizes[i][3], sizes[i][4]);
		fx_clahe_fini(&c);
	}
}

static void refuses_other_voxels(void **unused)
{
	struct fx_clahe c;

	(void)unused;
	assert_int_equal(fx_clahe_init(&c, 4, 4, 2, FX_F32), FX_ETYPE);
	fx_clahe_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clips_and_keeps_the_sum),
		cmocka_unit_test(spreads_as_it_says),
		cmocka_unit_test(one_region_is_equalisation),
		cmocka_unit_test(regions_are_blended),
		cmocka_unit_test(a_limit_of_1_leaves_the_order_of_values),
		cmocka_unit_test(any_size_is_finite),
		cmocka_unit_test(refuses_other_voxels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
