// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/grid.c: the cells. The window is tested by tests/nodes/tiler. */
#include "support/test.h"

#include "kernels/grid.h"

#include <string.h>

static const double block[3] = { 4, 5, 6 }, halo[3] = { 1, 0, 9 };

static void cells_cover_the_volume_once(void **unused)
{
	const struct fx_region extent = { { 3, 0, 7 }, { 9, 11, 20 } };
	uint8_t seen[9][11][20] = { { { 0 } } };
	struct fx_grid g;

	(void)unused;
	assert_int_equal(fx_grid_init(&g, extent, block, halo, NULL), FX_OK);
	for (int64_t z = fx_grid_first(&g, 0); z < fx_grid_past(&g, 0); z++)
		for (int64_t y = fx_grid_first(&g, 1); y < fx_grid_past(&g, 1); y++)
			for (int64_t x = fx_grid_first(&g, 2); x < fx_grid_past(&g, 2); x++) {
				const struct fx_region r = fx_grid_core(&g, z, y, x);

				assert_false(fx_region_empty(r));
				for (int64_t i = r.lo[0]; i < r.hi[0]; i++)
					for (int64_t j = r.lo[1]; j < r.hi[1]; j++)
						for (int64_t k = r.lo[2]; k < r.hi[2]; k++)
							seen[i][j][k]++;
			}
	for (int64_t i = 0; i < 9; i++)
		for (int64_t j = 0; j < 11; j++)
			for (int64_t k = 0; k < 20; k++)
				assert_int_equal(seen[i][j][k], i >= 3 && k >= 7);
}

static void halos_end_at_the_faces(void **unused)
{
	const struct fx_region extent = { { 0 }, { 12, 5, 12 } };
	struct fx_grid g;
	struct fx_region r;

	(void)unused;
	assert_int_equal(fx_grid_init(&g, extent, block, halo, NULL), FX_OK);
	r = fx_grid_reach(&g, fx_grid_core(&g, 1, 0, 1));
	assert_int_equal(r.lo[0], 3);
	assert_int_equal(r.hi[0], 9);
	assert_int_equal(r.lo[2], 0);
	assert_int_equal(r.hi[2], 12);
	assert_true(fx_region_empty(fx_grid_core(&g, 3, 0, 0)));
}

static void an_open_end_has_no_last_cell(void **unused)
{
	const struct fx_region extent = { { 0 }, { 0, 5, 12 } };
	struct fx_grid g;

	(void)unused;
	assert_int_equal(fx_grid_init(&g, extent, block, halo, NULL), FX_OK);
	assert_true(g.open_end);
	assert_true(fx_grid_past(&g, 0) == INT64_MAX);
	assert_int_equal(fx_grid_core(&g, 100, 0, 0).hi[0], 404);
}

static void refuses(struct fx_region extent, double side, double edge, const char *text)
{
	const double b[3] = { side, 1, 1 }, h[3] = { 0, edge, 0 };
	struct fx_error err = { 0 };
	struct fx_grid g;

	assert_int_equal(fx_grid_init(&g, extent, b, h, &err), FX_EINVAL);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" lacks \"%s\"", err.text, text);
}

static void says_what_is_wrong(void **unused)
{
	const struct fx_region fine = { { 0 }, { 1, 1, 1 } }, flat = { { 0 }, { 1, 0, 1 } },
			       before = { { 0, 0, -1 }, { 1, 1, 1 } },
			       wide = { { 0 }, { 1, 1, INT64_MAX } };

	(void)unused;
	refuses(fine, 0, 0, "block 0 is not a whole number");
	refuses(fine, 1.5, 0, "block 1.5");
	refuses(fine, 1e9, 0, "block 1e+09");
	refuses(fine, 1, -1, "halo -1");
	refuses(flat, 1, 0, "axis y, 0..0");
	refuses(before, 1, 0, "axis x, -1..1");
	refuses(wide, 1, 0, "axis x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_cover_the_volume_once),
		cmocka_unit_test(halos_end_at_the_faces),
		cmocka_unit_test(an_open_end_has_no_last_cell),
		cmocka_unit_test(says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
