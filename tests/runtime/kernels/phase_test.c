// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/phase.c. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "kernels/phase.h"
#include "support/texture.h"

enum { SIDE = 200 };

/* A picture of height x width whose corner is at (y, x) of the texture; free(). */
static uint8_t *picture(size_t height, size_t width, double y, double x, double noise,
			uint64_t seed)
{
	const double map[2][3] = { { 1, 0, y }, { 0, 1, x } };
	uint8_t *to = malloc(height * width);

	assert_non_null(to);
	texture_fill(11, to, height, width, map, noise, seed);
	return to;
}

static struct fx_shift shift(const uint8_t *a, size_t ha, size_t wa, const uint8_t *b, size_t hb,
			     size_t wb, const struct fx_phase *how)
{
	const struct fx_plane pa = fx_plane_of(a, FX_U8, ha, wa),
			      pb = fx_plane_of(b, FX_U8, hb, wb);
	struct fx_shift s;

	assert_int_equal(fx_phase_shift(&pa, &pb, how, &s), FX_OK);
	return s;
}

static void near(struct fx_shift s, double y, double x, double within)
{
	if (fabs(s.by[0] - y) > within || fabs(s.by[1] - x) > within)
		fail_msg("%.3f %.3f instead of %.3f %.3f", s.by[0], s.by[1], y, x);
}

static void between_voxels(void **unused)
{
	static const double by[][2] = { { 0, 0 }, { 0.3, -0.4 }, { 12.5, -7.25 }, { -33.7, 41.1 } };
	const struct fx_phase how = FX_PHASE_DEFAULT;
	uint8_t *a = picture(120, 130, 50, 50, 0, 1);

	(void)unused;
	for (size_t i = 0; i < 4; i++) {
		uint8_t *b = picture(120, 130, 50 + by[i][0], 50 + by[i][1], 0, 2);
		const struct fx_shift s = shift(a, 120, 130, b, 120, 130, &how);

		near(s, by[i][0], by[i][1], 0.03);
		assert_true(s.confidence > 0.7 && s.correlation > 0.8);
		free(b);
	}
	free(a);
}

static void in_noise(void **unused)
{
	const struct fx_phase how = FX_PHASE_DEFAULT;
	uint8_t *a = picture(SIDE, SIDE, 0, 0, 35, 1), *b = picture(SIDE, SIDE, 6.4, -9.8, 35, 2);

	(void)unused;
	near(shift(a, SIDE, SIDE, b, SIDE, SIDE, &how), 6.4, -9.8, 0.13);
	free(a);
	free(b);
}

static void sizes_and_types_differ(void **unused)
{
	const struct fx_phase how = FX_PHASE_DEFAULT;
	uint8_t *a = picture(150, 160, 0, 0, 0, 1), *b = picture(60, 50, 41.3, 70.6, 0, 2);
	uint16_t *wide = calloc(60 * 64, sizeof *wide);
	const struct fx_plane pa = fx_plane_of(a, FX_U8, 150, 160),
			      pb = { wide, FX_U16, 60, 50, 64 };
	struct fx_shift s;

	(void)unused;
	assert_non_null(wide);
	for (size_t i = 0; i < 60 * 64; i++) /* another contrast, and rubbish between the rows */
		wide[i] = i % 64 < 50 ? (uint16_t)(b[i / 64 * 50 + i % 64] * 90 + 3000) : 60000;
	assert_int_equal(fx_phase_shift(&pa, &pb, &how, &s), FX_OK);
	near(s, 41.3, 70.6, 0.1);
	assert_true(s.overlap == 1);
	free(a);
	free(b);
	free(wide);
}

/* Neighbours of a mosaic share 12 % of each. */
static void small_overlap(void **unused)
{
	struct fx_phase how = { .low = 0.01,
				.high = 0.2,
				.taper = 0.05,
				.overlap = 0.05,
				.candidates = 8,
				.expect = { 0, 175 },
				.limit = { 20, 20 } };
	uint8_t *a = picture(SIDE, SIDE, 0, 0, 8, 1), *b = picture(SIDE, SIDE, 5.3, 176.2, 8, 2);
	struct fx_shift s = shift(a, SIDE, SIDE, b, SIDE, SIDE, &how);

	(void)unused;
	near(s, 5.3, 176.2, 0.1);
	assert_true(fabs(s.overlap - 195.0 * 24 / (SIDE * SIDE)) < 0.01);
	s = shift(b, SIDE, SIDE, a, SIDE, SIDE,
		  &(struct fx_phase){ .low = 0.01,
				      .high = 0.2,
				      .taper = 0.05,
				      .overlap = 0.05,
				      .candidates = 8,
				      .expect = { 0, -175 },
				      .limit = { 20, 20 } });
	near(s, -5.3, -176.2, 0.1);
	how.expect[1] = 160;
	how.limit[1] = 5; /* the right one is not allowed */
	s = shift(a, SIDE, SIDE, b, SIDE, SIDE, &how);
	assert_true(fabs(s.by[1] - 160) < 8);
	assert_true(s.confidence < 0.4);
	free(a);
	free(b);
}

static void nothing_in_common(void **unused)
{
	const struct fx_phase how = { .low = 0.01,
				      .high = 0.2,
				      .taper = 0.25,
				      .overlap = 0.1,
				      .candidates = 5,
				      .expect = { 3, 4 } };
	uint8_t *a = picture(SIDE, SIDE, 0, 0, 10, 1), *b = picture(SIDE, SIDE, 5000, 0, 10, 2);
	struct fx_shift s = shift(a, SIDE, SIDE, b, SIDE, SIDE, &how);

	(void)unused;
	if (s.confidence > 0.4)
		fail_msg("sure by %.2f that they are %.0f %.0f apart", s.confidence, s.by[0],
			 s.by[1]);
	memset(b, 77, (size_t)SIDE * SIDE);
	s = shift(a, SIDE, SIDE, b, SIDE, SIDE, &how);
	assert_true(s.confidence == 0 && s.by[0] == 3 && s.by[1] == 4);
	free(a);
	free(b);
}

static void what_is_refused(void **unused)
{
	static const uint8_t v[4] = { 0 };
	const struct fx_plane right = fx_plane_of(v, FX_U8, 2, 2),
			      empty = fx_plane_of(v, FX_U8, 0, 2),
			      other = fx_plane_of(v, FX_U64, 2, 2);
	struct fx_phase how = FX_PHASE_DEFAULT;
	struct fx_shift s;

	(void)unused;
	assert_int_equal(fx_phase_shift(&right, &right, &how, &s), FX_OK);
	assert_int_equal(fx_phase_shift(&right, &empty, &how, &s), FX_EINVAL);
	assert_int_equal(fx_phase_shift(&other, &right, &how, &s), FX_EINVAL);
	how.candidates = 17;
	assert_int_equal(fx_phase_shift(&right, &right, &how, &s), FX_EINVAL);
	how.candidates = 1;
	how.high = 0;
	assert_int_equal(fx_phase_shift(&right, &right, &how, &s), FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(between_voxels),	  cmocka_unit_test(in_noise),
		cmocka_unit_test(sizes_and_types_differ), cmocka_unit_test(small_overlap),
		cmocka_unit_test(nothing_in_common),	  cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
