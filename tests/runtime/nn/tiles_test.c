// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/nn/tiles.c. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "nn/tiles.h"

enum { LEN_MAX = 1024 };

/* Pieces cover the axis, are no longer than allowed, overlap enough; shares add up to 1. */
static void check(size_t len, size_t unit, size_t most, size_t overlap)
{
	const struct fx_tiles t = fx_tiles_cut(len, unit, most, overlap);
	double sum[LEN_MAX] = { 0 };
	float weight[LEN_MAX];

	assert_true(t.len >= len && t.len < len + unit && t.len <= LEN_MAX);
	assert_true(t.size % unit == 0 && t.count >= 1);
	assert_true(t.size <= (most < 3 * unit ? 3 * unit : most));
	assert_int_equal(fx_tiles_start(&t, 0), 0);
	assert_int_equal(fx_tiles_start(&t, t.count - 1) + t.size, t.len);
	for (size_t i = 0; i < t.count; i++) {
		const size_t start = fx_tiles_start(&t, i);

		assert_int_equal(start % unit, 0);
		if (i)
			assert_true(fx_tiles_start(&t, i - 1) + t.size - start >=
				    (overlap < most / unit / 3 * unit ? overlap :
									most / unit / 3 * unit));
		fx_tiles_weights(&t, i, weight);
		for (size_t k = 0; k < t.size; k++) {
			assert_true(weight[k] >= 0 && weight[k] <= 1);
			sum[start + k] += (double)weight[k];
		}
	}
	for (size_t k = 0; k < t.len; k++)
		assert_true(fabs(sum[k] - 1) < 1e-6);
}

static void pieces_cover_any_axis(void **unused)
{
	static const size_t units[] = { 1, 4, 8 }, most[] = { 1, 24, 40, 64, 160 },
			    overlaps[] = { 0, 5, 16, 32, 1000 };

	(void)unused;
	for (size_t len = 1; len < 420; len += 1 + len / 12)
		for (size_t i = 0; i < 75; i++)
			check(len, units[i % 3], most[i / 3 % 5], overlaps[i / 15]);
}

static void pieces_are_as_few_and_as_small_as_can_be(void **unused)
{
	struct fx_tiles t = fx_tiles_cut(176, 8, 160, 32);
	float w[104];

	(void)unused;
	assert_int_equal(t.count, 2);
	assert_int_equal(t.size, 104);
	fx_tiles_weights(&t, 0, w); /* both have 72 to 103; the outer 8 are the other's */
	assert_true(w[71] >= 1 && w[79] >= 1 && w[80] < 1 && w[95] > 0 && w[96] <= 0);
	assert_true(fabsf(w[87] - 0.53125F) < 1e-6F);
	t = fx_tiles_cut(3, 8, 160, 32);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.size, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_cover_any_axis),
		cmocka_unit_test(pieces_are_as_few_and_as_small_as_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
