// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/quadric.c. */
#include "support/test.h"

#include <math.h>

#include "kernels/quadric.h"

/* A quadric with its top at (y, x). */
static void fill(double v[3][3], double y, double x, double yy, double xx, double yx)
{
	for (int j = 0; j < 3; j++)
		for (int i = 0; i < 3; i++) {
			const double dy = j - 1 - y, dx = i - 1 - x;

			v[j][i] = 5 + yy * dy * dy + xx * dx * dx + yx * dy * dx;
		}
}

static void tops(void **unused)
{
	static const double tops[][2] = { { 0, 0 }, { 0.3, -0.45 }, { -0.9, 0.8 } };
	double v[3][3], at[2];

	(void)unused;
	for (int i = 0; i < 3; i++) {
		fill(v, tops[i][0], tops[i][1], -2, -0.7, 0.9);
		fx_quadric_top((const double(*)[3])v, at);
		assert_true(fabs(at[0] - tops[i][0]) < 1e-12);
		assert_true(fabs(at[1] - tops[i][1]) < 1e-12);
	}
}

static void none(void **unused)
{
	static const double shapes[][3] = { { 1, 1, 0 }, { -1, -1, 3 }, { 0, 0, 0 } };
	double v[3][3], at[2];

	(void)unused;
	for (int i = 0; i < 3; i++) {
		fill(v, 0.2, 0.3, shapes[i][0], shapes[i][1], shapes[i][2]);
		fx_quadric_top((const double(*)[3])v, at);
		assert_true(at[0] == 0 && at[1] == 0);
	}
	fill(v, 1.2, 0, -1, -1, 0); /* too far */
	fx_quadric_top((const double(*)[3])v, at);
	assert_true(at[0] == 0 && at[1] == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tops),
		cmocka_unit_test(none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
