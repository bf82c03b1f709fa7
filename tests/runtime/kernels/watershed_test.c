// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/watershed.c: maxima against a direct search, flooding against the cost of
 * the best path. */
#include "support/test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "kernels/watershed.h"

static const size_t shapes[][3] = { { 1, 1, 1 },  { 1, 1, 20 }, { 1, 15, 1 }, { 14, 1, 1 },
				    { 1, 9, 12 }, { 7, 8, 1 },	{ 5, 6, 11 } };

static size_t shape_len(const size_t n[3])
{
	return n[0] * n[1] * n[2];
}

/* Is voxel k in the box of the radius around voxel i? */
static bool in_box(const size_t n[3], const size_t radius[3], size_t i, size_t k)
{
	const size_t a[3] = { i / n[2] / n[1], i / n[2] % n[1], i % n[2] };
	const size_t b[3] = { k / n[2] / n[1], k / n[2] % n[1], k % n[2] };

	for (int axis = 0; axis < 3; axis++)
		if ((a[axis] > b[axis] ? a[axis] - b[axis] : b[axis] - a[axis]) > radius[axis])
			return false;
	return true;
}

static bool is_maximum(const float *map, const size_t n[3], const size_t radius[3], size_t i)
{
	for (size_t k = 0; k < shape_len(n); k++)
		if (in_box(n, radius, i, k) && map[k] > map[i])
			return false;
	return true;
}

static void assert_maxima(const size_t n[3], unsigned values)
{
	static const size_t radius[3] = { 1, 2, 3 }, touch[3] = { 1, 1, 1 };
	size_t len = shape_len(n);
	float *map = malloc(len * sizeof *map);
	uint32_t *labels = malloc(len * sizeof *labels), count = 77, seen = 0;
	uint64_t seed = values;

	assert_non_null(map);
	assert_non_null(labels);
	for (size_t i = 0; i < len; i++)
		map[i] = (float)(test_random(&seed) % values);
	assert_int_equal(fx_seeds_maxima(labels, &count, map, n, radius, 0), FX_OK);
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(labels[i] != 0, map[i] > 0 && is_maximum(map, n, radius, i));
		if (labels[i] > seen)
			assert_int_equal(labels[i], ++seen);
		for (size_t k = 0; k < len; k++)
			if (labels[i] && labels[k] && in_box(n, touch, i, k))
				assert_int_equal(labels[i], labels[k]);
	}
	assert_int_equal(count, seen);
	free(map);
	free(labels);
}

static void seeds_are_the_maxima(void **unused)
{
	(void)unused;
	for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
		assert_maxima(shapes[s], 1000);
		assert_maxima(shapes[s], 3);
	}
}

static void seeds_apart_have_numbers_of_their_own(void **unused)
{
	static const float map[] = { 5, 1, 0, 1, 5, 1, 0, 4, 4 };
	static const uint32_t want[] = { 1, 0, 0, 0, 2, 0, 0, 3, 3 };
	const size_t n[3] = { 1, 1, 9 }, radius[3] = { 1, 1, 2 };
	uint32_t labels[9], count;

	(void)unused;
	assert_int_equal(fx_seeds_maxima(labels, &count, map, n, radius, 0), FX_OK);
	assert_int_equal(count, 3);
	assert_memory_equal(labels, want, sizeof want);
}

/* Relaxes the pass heights of one label: the lowest maximum of height on any path from its seeds,
 * seeds included. */
static void pass_heights(unsigned *cost, const uint32_t *seeds, uint32_t label,
			 const uint8_t *height, const size_t n[3])
{
	const size_t step[3] = { n[1] * n[2], n[2], 1 };
	bool changed = true;

	for (size_t i = 0; i < shape_len(n); i++)
		cost[i] = seeds[i] == label ? height[i] : 1000;
	while (changed) {
		changed = false;
		for (size_t i = 0; i < shape_len(n); i++) {
			const size_t at[3] = { i / n[2] / n[1], i / n[2] % n[1], i % n[2] };

			for (int side = 0; side < 6; side++) {
				int axis = side / 2;
				size_t from = side % 2 ? i + step[axis] : i - step[axis];
				unsigned c;

				if (side % 2 ? at[axis] + 1 >= n[axis] : at[axis] == 0)
					continue;
				c = cost[from] > height[i] ? cost[from] : height[i];
				if (c < cost[i]) {
					cost[i] = c;
					changed = true;
				}
			}
		}
	}
}

/* Every voxel has a label whose pass height is the least of all labels'. */
static void assert_flood(const size_t n[3], unsigned heights)
{
	size_t len = shape_len(n);
	uint8_t *height = malloc(len);
	uint32_t *seeds = calloc(len, sizeof *seeds), *labels = malloc(len * sizeof *labels);
	unsigned *cost = malloc(4 * len * sizeof *cost);
	uint64_t seed = heights;

	assert_non_null(height);
	assert_non_null(seeds);
	assert_non_null(labels);
	assert_non_null(cost);
	for (size_t i = 0; i < len; i++)
		height[i] = (uint8_t)(test_random(&seed) % heights);
	for (uint32_t label = 1; label <= 3; label++)
		seeds[test_random(&seed) % len] = label;
	memcpy(labels, seeds, len * sizeof *labels);
	assert_int_equal(fx_watershed_flood(labels, height, n), FX_OK);
	for (uint32_t label = 1; label <= 3; label++)
		pass_heights(cost + label * len, seeds, label, height, n);
	for (size_t i = 0; i < len; i++) {
		assert_in_range(labels[i], 1, 3);
		if (seeds[i])
			assert_int_equal(labels[i], seeds[i]);
		for (uint32_t label = 1; label <= 3 && !seeds[i]; label++)
			assert_true(cost[labels[i] * len + i] <= cost[label * len + i]);
	}
	free(height);
	free(seeds);
	free(labels);
	free(cost);
}

static void floods_over_the_lowest_pass(void **unused)
{
	(void)unused;
	for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
		assert_flood(shapes[s], 256);
		assert_flood(shapes[s], 4);
	}
}

static void meets_halfway_on_a_plain(void **unused)
{
	static const uint8_t height[8] = { 0 };
	static const uint32_t want[8] = { 1, 1, 1, 1, 2, 2, 2, 2 };
	uint32_t labels[8] = { 1, 0, 0, 0, 0, 0, 0, 2 };
	const size_t n[3] = { 1, 8, 1 };

	(void)unused;
	assert_int_equal(fx_watershed_flood(labels, height, n), FX_OK);
	assert_memory_equal(labels, want, sizeof want);
}

static void without_seeds_nothing_is_flooded(void **unused)
{
	static const uint8_t height[4] = { 0 };
	static const uint32_t none[4] = { 0 };
	const size_t n[3] = { 1, 2, 2 }, empty[3] = { 0, 1, 1 };
	uint32_t labels[4] = { 0 };

	(void)unused;
	assert_int_equal(fx_watershed_flood(labels, height, n), FX_OK);
	assert_memory_equal(labels, none, sizeof none);
	assert_int_equal(fx_watershed_flood(labels, height, empty), FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seeds_are_the_maxima),
		cmocka_unit_test(seeds_apart_have_numbers_of_their_own),
		cmocka_unit_test(floods_over_the_lowest_pass),
		cmocka_unit_test(meets_halfway_on_a_plain),
		cmocka_unit_test(without_seeds_nothing_is_flooded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
