// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/match.c. */
#include "support/test.h"

#include "kernels/match.h"

#include <math.h>
#include <string.h>

enum { BINS = FX_MATCH_BINS };

/* A bump of weights around @p at. */
static void bump(double *h, double at, double width)
{
	for (int v = 0; v < BINS; v++)
		h[v] = floor(1e4 * exp(-(v - at) * (v - at) / (2 * width * width)));
}

static void like_to_like_is_the_identity(void **unused)
{
	double h[BINS], none[BINS] = { 0 };
	uint8_t t[BINS];

	(void)unused;
	bump(h, 120, 30);
	h[0] = 5e6;
	fx_match_table(h, h, 0, t);
	for (int v = 0; v < BINS; v++)
		if (h[v] > 0)
			assert_int_equal(t[v], v);
	fx_match_table(h, none, -1, t);
	for (int v = 0; v < BINS; v++)
		assert_int_equal(t[v], v);
	fx_match_table(none, h, -1, t);
	for (int v = 0; v < BINS; v++)
		assert_int_equal(t[v], v);
}

static void shifts_and_widens(void **unused)
{
	double source[BINS], target[BINS];
	uint8_t t[BINS];

	(void)unused;
	bump(source, 80, 10);
	bump(target, 150, 20);
	fx_match_table(source, target, -1, t);
	for (int v = 60; v <= 100; v++) /* within two deviations */
		assert_in_range(t[v], 150 + 2 * (v - 80) - 1, 150 + 2 * (v - 80) + 2);
	for (int v = 1; v < BINS; v++)
		assert_true(t[v] >= t[v - 1]);
}

static void padding_stays(void **unused)
{
	double source[BINS], target[BINS], plain[BINS];
	uint8_t t[BINS], u[BINS];

	(void)unused;
	bump(source, 80, 10);
	bump(target, 150, 20);
	memcpy(plain, source, sizeof plain);
	plain[70] = target[70] = 0;
	source[70] = 1e9;
	fx_match_table(source, target, 70, t);
	fx_match_table(plain, target, -1, u);
	assert_int_equal(t[70], 70);
	for (int v = 0; v < BINS; v++)
		if (v != 70)
			assert_int_equal(t[v], u[v]);
}

static void one_value_is_enough(void **unused)
{
	double source[BINS] = { 0 }, target[BINS] = { 0 };
	uint8_t t[BINS];

	(void)unused;
	source[9] = 1;
	target[200] = 3;
	fx_match_table(source, target, -1, t);
	assert_int_equal(t[9], 200);
	assert_int_equal(t[255], 200);
}

static void fades(void **unused)
{
	double acc[BINS] = { 0 };
	uint64_t counts[BINS] = { 0 };

	(void)unused;
	counts[5] = 16;
	counts[0] = 7;
	fx_match_learn(acc, counts, 2, 0);
	counts[5] = 0;
	fx_match_learn(acc, counts, 2, 0);
	fx_match_learn(acc, counts, 2, 0);
	assert_true(fabs(acc[5] - 8) < 1e-9);
	assert_true(acc[0] == 0);
	fx_match_learn(acc, counts, 0, -1);
	assert_true(acc[5] == 0 && acc[0] == 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(like_to_like_is_the_identity),
		cmocka_unit_test(shifts_and_widens),
		cmocka_unit_test(padding_stays),
		cmocka_unit_test(one_value_is_enough),
		cmocka_unit_test(fades),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
