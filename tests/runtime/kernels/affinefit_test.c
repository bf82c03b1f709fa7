// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/affinefit.c. */
#include "support/test.h"

#include <string.h>

#include "kernels/affinefit.h"
#include "support/texture.h"

enum { LEN = 40 };
static const struct fx_affine2 truth = { { { 1.01, 0.03, -4 }, { -0.02, 0.99, 7 } } };

/* A part of the matches is anywhere; the others are off by up to @p noise. */
static void fill(struct fx_patch_match *m, const struct fx_affine2 *map, int wrong, double noise)
{
	uint64_t seed = 4;

	for (int i = 0; i < LEN; i++) {
		for (int a = 0; a < 2; a++)
			m[i].from[a] = 250 * texture_chance(&seed);
		fx_affine2_apply(map, m[i].from, m[i].to);
		for (int a = 0; a < 2; a++)
			m[i].to[a] += i < wrong ? 60 * texture_chance(&seed) - 30 :
						  noise * (2 * texture_chance(&seed) - 1);
		m[i].r = 0.8;
	}
}

static void most_agree(void **unused)
{
	const struct fx_affine_fit how = { FX_MOTION_AFFINE, 1.5, 0.3, 1 };
	struct fx_patch_match m[LEN];
	struct fx_affine_fitted a, b;

	(void)unused;
	fill(m, &truth, 15, 0.3);
	assert_true(fx_affine_fit(m, LEN, &how, &a));
	for (int k = 0; k < 4; k++) {
		const double p[2] = { k & 1 ? 250 : 0, k & 2 ? 250 : 0 };
		double want[2], got[2];

		fx_affine2_apply(&truth, p, want);
		fx_affine2_apply(&a.map, p, got);
		assert_true(hypot(want[0] - got[0], want[1] - got[1]) < 0.3);
	}
	assert_in_range(a.agree, 25, 26);
	assert_true(a.rms < 0.5 && a.rms > 0.1);
	assert_true(fx_affine_fit(m, LEN, &how, &b));
	assert_memory_equal(&a, &b, sizeof a);
}

static void a_shift_alone(void **unused)
{
	const struct fx_affine2 shift = fx_affine2_shift(3.25, -8.5);
	const struct fx_affine_fit how = { FX_MOTION_SHIFT, 1.5, 0.3, 1 };
	struct fx_patch_match m[LEN];
	struct fx_affine_fitted a;

	(void)unused;
	fill(m, &shift, 18, 0.2);
	assert_true(fx_affine_fit(m, LEN, &how, &a));
	assert_true(a.map.m[0][0] == 1 && a.map.m[0][1] == 0);
	assert_true(hypot(a.map.m[0][2] - 3.25, a.map.m[1][2] + 8.5) < 0.1);
}

static void none(void **unused)
{
	const struct fx_affine_fit how = { FX_MOTION_AFFINE, 1.5, 0.3, 1 };
	const struct fx_affine2 wild = { { { 1.5, 0, 0 }, { 0, 1.5, 0 } } };
	struct fx_patch_match m[LEN];
	struct fx_affine_fitted a;

	(void)unused;
	fill(m, &truth, 0, 0.3);
	assert_false(fx_affine_fit(m, 5, &how, &a));
	assert_false(fx_affine_fit(m, 0, &how, &a));
	fill(m, &wild, 0, 0.3); /* no section is scaled so much */
	assert_false(fx_affine_fit(m, LEN, &how, &a));
	for (int i = 0; i < LEN; i++) /* all in one place */
		memcpy(&m[i], &m[0], sizeof m[i]);
	assert_false(fx_affine_fit(m, LEN, &how, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(most_agree),
		cmocka_unit_test(a_shift_alone),
		cmocka_unit_test(none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
