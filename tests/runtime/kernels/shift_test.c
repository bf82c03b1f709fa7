// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/shift.c. */
#include "support/test.h"

#include "kernels/shift.h"

#include "support/artefacts.h"

enum { SIDE = 96, CUT = 72 };

/* The part of section @p z of @p v at y, x, as a plane. */
static struct fx_grey plane_at(const struct fx_block *v, size_t z, size_t y, size_t x)
{
	uint8_t part[CUT * CUT];
	struct fx_grey p;

	for (size_t i = 0; i < CUT; i++)
		memcpy(part + i * CUT, artefacts_section(v, z) + (y + i) * SIDE + x, CUT);
	assert_int_equal(fx_grey_init(&p, CUT, CUT), 0);
	fx_grey_fill(&p, part, FX_U8);
	return p;
}

static void finds_shifts(void **unused)
{
	static const int shifts[][2] = { { 0, 0 }, { 3, -2 }, { -8, 8 }, { 7, 1 }, { -1, -5 } };
	struct fx_block *v = artefacts_volume(1, SIDE, SIDE, 4, 3);
	struct fx_grey a = plane_at(v, 0, 12, 12);

	(void)unused;
	for (size_t i = 0; i < 5; i++) {
		const int dy = shifts[i][0], dx = shifts[i][1];
		struct fx_grey b = plane_at(v, 0, (size_t)(12 - dy), (size_t)(12 - dx));
		struct fx_shift s;

		for (size_t at = 0; at < CUT; at += 36) { /* also at the rim */
			fx_shift_find(&s, &a, &b, at, CUT - 36 - at, 36, 36, 8);
			assert_true(fabs(s.y - dy) < 0.1 && fabs(s.x - dx) < 0.1);
			assert_true(s.similarity > 0.999 && fabs(s.power - 900) < 500);
		}
		fx_grey_fini(&b);
	}
	fx_grey_fini(&a);
	fx_block_free(v);
}

static void strangers_are_not_alike(void **unused)
{
	struct fx_block *v = artefacts_volume(12, SIDE, SIDE, 4, 3);
	struct fx_grey a = plane_at(v, 0, 12, 12), next = plane_at(v, 1, 12, 12),
		       far = plane_at(v, 11, 12, 12);
	struct fx_shift s;

	(void)unused;
	fx_shift_find(&s, &a, &next, 4, 4, 60, 60, 8);
	assert_true(s.similarity > 0.8 && fabs(s.y) < 1 && fabs(s.x) < 1);
	fx_shift_find(&s, &a, &far, 4, 4, 60, 60, 8);
	assert_true(s.similarity < 0.4);
	memset(far.full, 0, CUT * CUT * sizeof *far.full);
	fx_grey_halve(&far);
	fx_shift_find(&s, &a, &far, 4, 4, 60, 60, 8);
	assert_true(s.similarity == 0);
	fx_grey_fini(&a);
	fx_grey_fini(&next);
	fx_grey_fini(&far);
	fx_block_free(v);
}

/* Whatever the patch, nothing outside of the planes is read (sanitizers tell). */
static void any_patch_is_fine(void **unused)
{
	struct fx_block *v = artefacts_volume(1, SIDE, SIDE, 4, 3);

	(void)unused;
	for (size_t side = 2; side < 40; side += 3) {
		struct fx_grey a, b;
		struct fx_shift s;

		assert_int_equal(fx_grey_init(&a, side, 40 - side), 0);
		assert_int_equal(fx_grey_init(&b, side, 40 - side), 0);
		fx_grey_fill(&a, v->data, FX_U8);
		fx_grey_fill(&b, v->data, FX_U8);
		for (size_t reach = 0; reach < 9; reach++)
			for (size_t at = 0; at < side; at += 2) {
				fx_shift_find(&s, &a, &b, at, 0, side - at, 40 - side, reach);
				assert_true(fabs(s.y) <= 0.5 && fabs(s.x) <= 0.5);
				assert_true(s.similarity > 0.999);
			}
		fx_grey_fini(&a);
		fx_grey_fini(&b);
	}
	fx_block_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_shifts),
		cmocka_unit_test(strangers_are_not_alike),
		cmocka_unit_test(any_patch_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
