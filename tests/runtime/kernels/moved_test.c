// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/moved.c. */
#include "support/test.h"

#include "kernels/cubic.h"
#include "kernels/moved.h"
#include "support/texture.h"

enum { SIDE = 150 };
static const double still[2][3] = { { 1, 0, 0 }, { 0, 1, 0 } };

static void rows_are_those_of_cubic_convolution(void **unused)
{
	static const struct fx_affine2 maps[3] = {
		{ { { 1, 0, 3.25 }, { 0, 1, -4.5 } } },
		{ { { 1, 0, 2 }, { 0, 1, 5 } } },
		{ { { 1.01, 0.02, -7.3 }, { -0.03, 0.98, 6.1 } } },
	};
	static uint8_t v[SIDE * SIDE];
	const struct fx_plane p = fx_plane_of(v, FX_U8, SIDE, SIDE);
	float row[SIDE], part[SIDE];

	(void)unused;
	texture_fill(5, v, SIDE, SIDE, still, 5, 1);
	for (int k = 0; k < 3; k++)
		for (int y = 0; y < SIDE; y += 7) {
			fx_moved_row(&p, &maps[k], y, 0, SIDE, row);
			fx_moved_row(&p, &maps[k], y, 37, SIDE - 37, part);
			assert_memory_equal(row + 37, part, (SIDE - 37) * sizeof *part);
			for (int x = 0; x < SIDE; x++) {
				const double at[2] = { y, x };
				double to[2];

				fx_affine2_apply(&maps[k], at, to);
				assert_true(fabs((double)row[x] - fx_cubic_at(&p, to[0], to[1])) <
					    1e-3);
			}
		}
}

static void inside_is_with_all_corners(void **unused)
{
	static const uint8_t v[20 * 30];
	const struct fx_plane p = fx_plane_of(v, FX_U8, 20, 30);
	const struct fx_affine2 map = { { { 1, 0.1, 0 }, { 0, 1, 0 } } };

	(void)unused;
	assert_true(fx_moved_inside(&p, &map, (double[]){ 0, 0 }, (double[]){ 16, 29 }));
	assert_false(fx_moved_inside(&p, &map, (double[]){ 0, 0 }, (double[]){ 17, 29 }));
	assert_true(fx_moved_inside(&p, &map, (double[]){ 0, 0 }, (double[]){ 19, 0 }));
	assert_false(fx_moved_inside(&p, &map, (double[]){ -0.5, 0 }, (double[]){ 9, 0 }));
	assert_false(fx_moved_inside(&p, &map, (double[]){ 0, 0 }, (double[]){ 2, 29.5 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_those_of_cubic_convolution),
		cmocka_unit_test(inside_is_with_all_corners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
