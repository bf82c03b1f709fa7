// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/patch.c. */
#include "support/test.h"

#include <fornix/error.h>

#include "kernels/patch.h"
#include "support/texture.h"

enum { SIDE = 120 };
static const double still[2][3] = { { 1, 0, 0 }, { 0, 1, 0 } };

struct pair {
	uint8_t one[SIDE * SIDE], other[SIDE * SIDE];
	struct fx_plane a, b;
};

/* Voxel p of `one` shows what is at map * (p, 1) of `other`. */
static void fill(struct pair *p, const double map[2][3], double noise)
{
	texture_fill(5, p->other, SIDE, SIDE, still, noise, 1);
	texture_fill(5, p->one, SIDE, SIDE, map, noise, 2);
	p->a = fx_plane_of(p->one, FX_U8, SIDE, SIDE);
	p->b = fx_plane_of(p->other, FX_U8, SIDE, SIDE);
}

static void turned_and_shifted(void **unused)
{
	static const double maps[2][2][3] = { { { 1, 0, 3.3 }, { 0, 1, -2.6 } },
					      { { 1.02, 0.05, -1.4 }, { -0.05, 0.98, 4.2 } } };
	const struct fx_patch_how how = { 12, 4, 5 };
	struct fx_patch p;
	struct fx_patch_match m;
	static struct pair pair;

	(void)unused;
	assert_int_equal(fx_patch_init(&p, &how), FX_OK);
	for (int i = 0; i < 2; i++) {
		struct fx_affine2 guess = { { { maps[i][0][0], maps[i][0][1], maps[i][0][2] + 2.2 },
					      { maps[i][1][0], maps[i][1][1],
						maps[i][1][2] - 1.7 } } };

		fill(&pair, maps[i], 3);
		assert_int_equal(fx_patch_find(&p, &pair.a, &pair.b, &guess, 60, 55, &m), 1);
		assert_true(m.from[0] == 60 && m.from[1] == 55);
		assert_true(fabs(m.to[0] -
				 (maps[i][0][0] * 60 + maps[i][0][1] * 55 + maps[i][0][2])) < 0.1);
		assert_true(fabs(m.to[1] -
				 (maps[i][1][0] * 60 + maps[i][1][1] * 55 + maps[i][1][2])) < 0.1);
		assert_true(m.r > 0.95 && m.lead > 0.1);
	}
	fx_patch_fini(&p);
}

/* The correlation is that of the definition. */
static void by_brute_force(void **unused)
{
	enum { HALF = 3, N = (2 * HALF + 1) * (2 * HALF + 1) };
	const struct fx_patch_how how = { HALF, 5, 0 };
	const struct fx_affine2 map = fx_affine2_shift(1, 2);
	double best = -1;
	struct fx_patch p;
	struct fx_patch_match m;
	static struct pair pair;

	(void)unused;
	fill(&pair, (const double[2][3]){ { 1, 0, 2 }, { 0, 1, 4 } }, 5);
	assert_int_equal(fx_patch_init(&p, &how), FX_OK);
	assert_int_equal(fx_patch_find(&p, &pair.a, &pair.b, &map, 40, 50, &m), 1);
	for (int s = 0; s < 121; s++) {
		double a = 0, b = 0, aa = 0, bb = 0, ab = 0, r;

		for (int i = 0; i < N; i++) {
			const int y = 40 - HALF + i / 7, x = 50 - HALF + i % 7;
			const double
				u = pair.one[y * SIDE + x],
				v = pair.other[(y + 1 + s / 11 - 5) * SIDE + x + 2 + s % 11 - 5];

			a += u;
			b += v;
			aa += u * u;
			bb += v * v;
			ab += u * v;
		}
		r = (ab - a * b / N) / sqrt((aa - a * a / N) * (bb - b * b / N));
		best = r > best ? r : best;
	}
	assert_true(fabs(m.r - best) < 1e-5);
	fx_patch_fini(&p);
}

static void what_is_not_found(void **unused)
{
	const struct fx_patch_how how = { 12, 4, 5 };
	const struct fx_affine2 right = fx_affine2_shift(0, 0), far = fx_affine2_shift(30, 0),
				off = fx_affine2_shift(5, 0);
	struct fx_patch p;
	struct fx_patch_match m;
	static struct pair pair;

	(void)unused;
	fill(&pair, still, 0);
	assert_int_equal(fx_patch_init(&p, &how), FX_OK);
	assert_int_equal(fx_patch_find(&p, &pair.a, &pair.b, &right, 60, 60, &m), 1);
	assert_int_equal(fx_patch_find(&p, &pair.a, &pair.b, &right, 11, 60, &m), 0);
	assert_int_equal(fx_patch_find(&p, &pair.a, &pair.b, &right, 60, SIDE - 12, &m), 0);
	assert_int_equal(fx_patch_find(&p, &pair.a, &pair.b, &far, 80, 60, &m), 0);
	assert_int_equal(fx_patch_find(&p, &pair.a, &pair.b, &off, 60, 60, &m), -1);
	for (int i = 0; i < SIDE * SIDE; i++)
		pair.one[i] = (uint8_t)(128 + i % 3);
	assert_int_equal(fx_patch_find(&p, &pair.a, &pair.b, &right, 60, 60, &m), 0);
	fx_patch_fini(&p);
	assert_int_equal(fx_patch_init(&p, &(struct fx_patch_how){ 0, 4, 5 }), FX_EINVAL);
	fx_patch_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turned_and_shifted),
		cmocka_unit_test(by_brute_force),
		cmocka_unit_test(what_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
