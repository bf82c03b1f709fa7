// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/curve.c. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "kernels/curve.h"

static const uint32_t RED = 0xff0000;

/* Rows at which column @p x has the colour: how many, the first, and the last. */
static size_t column(const struct fx_picture *p, size_t x, uint32_t colour, size_t ends[2])
{
	size_t n = 0;

	for (size_t y = 40; y < p->h; y++) {
		const uint8_t *c = p->rgb + (y * p->w + x) * 3;

		if ((uint32_t)(c[0] << 16 | c[1] << 8 | c[2]) != colour)
			continue;
		if (!n++)
			ends[0] = y;
		ends[1] = y;
	}
	return n;
}

static void falling_curve_falls(void **unused)
{
	static const double steps[] = { 10, 20, 30 }, values[] = { 3, 2, 1 };
	const struct fx_curve c = { "loss", RED, values };
	struct fx_picture p = fx_curve_draw(&c, 1, steps, 3),
			  again = fx_curve_draw(&c, 1, steps, 3);
	size_t last = 0, ends[2] = { 0 };

	(void)unused;
	assert_non_null(p.rgb);
	for (size_t x = 100; x < 770; x += 30) {
		assert_true(column(&p, x, RED, ends) > 0);
		assert_true(ends[0] > last);
		last = ends[0];
	}
	assert_memory_equal(p.rgb, again.rgb, p.h * p.w * 3);
	fx_picture_fini(&p);
	fx_picture_fini(&again);
}

static void gaps_stay_empty(void **unused)
{
	static const double steps[] = { 0, 1, 2, 3, 4 };
	const double values[] = { 1, 2, (double)NAN, 1, 2 };
	const struct fx_curve c = { "loss", RED, values };
	struct fx_picture p = fx_curve_draw(&c, 1, steps, 5);
	size_t ends[2];

	(void)unused;
	assert_true(column(&p, 150, RED, ends) > 0);
	assert_int_equal(column(&p, 90 + 690 * 3 / 8, RED, ends), 0);
	assert_int_equal(column(&p, 90 + 690 * 5 / 8, RED, ends), 0);
	assert_true(column(&p, 700, RED, ends) > 0);
	fx_picture_fini(&p);
}

static void any_numbers_are_drawn(void **unused)
{
	static const double steps[] = { 5, 5 }, same[] = { 2, 2 };
	const double none[] = { (double)NAN, (double)INFINITY };
	const struct fx_curve c[] = { { "a", RED, same }, { "z0", RED, none } };

	(void)unused;
	for (size_t first = 0; first < 2; first++)
		for (size_t points = 0; points < 3; points++) {
			struct fx_picture p = fx_curve_draw(c + first, 2 - first, steps, points);

			assert_non_null(p.rgb);
			fx_picture_fini(&p);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(falling_curve_falls),
		cmocka_unit_test(gaps_stay_empty),
		cmocka_unit_test(any_numbers_are_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
