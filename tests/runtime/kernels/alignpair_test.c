// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/alignpair.c and regimage.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "kernels/alignpair.h"
#include "support/texture.h"

static const double still[2][3] = { { 1, 0, 0 }, { 0, 1, 0 } };

struct prepared {
	void *memory;
	struct fx_regimage image;
};

static struct prepared prepare(const uint8_t *v, size_t h, size_t w)
{
	const struct fx_plane plane = fx_plane_of(v, FX_U8, h, w);
	struct prepared p;
	size_t size;

	assert_true(fx_regimage_size(h, w, &size));
	p.memory = malloc(size);
	assert_non_null(p.memory);
	fx_regimage_place(&p.image, h, w, p.memory);
	assert_int_equal(fx_regimage_fill(&p.image, &plane), FX_OK);
	return p;
}

static double corner(const struct fx_affine2 *map, const double truth[2][3], size_t h, size_t w)
{
	double worst = 0;

	for (int k = 0; k < 4; k++) {
		const double p[2] = { k & 1 ? (double)h - 1 : 0, k & 2 ? (double)w - 1 : 0 };
		double to[2], e;

		fx_affine2_apply(map, p, to);
		e = hypot(to[0] - (truth[0][0] * p[0] + truth[0][1] * p[1] + truth[0][2]),
			  to[1] - (truth[1][0] * p[0] + truth[1][1] * p[1] + truth[1][2]));
		worst = e > worst ? e : worst;
	}
	return worst;
}

/* Registers h x w voxels, moved by @p map, with another brightness at one side. */
static struct fx_pair run(size_t h, size_t w, const double map[2][3], enum fx_motion motion,
			  double noise)
{
	const struct fx_pair_how how = { .motion = motion, .half = 24, .grid = 6, .within = 1.5 };
	uint8_t *v = malloc(h * w);
	struct fx_pair pair = { 0 };
	struct prepared a, b;

	assert_non_null(v);
	texture_fill(8, v, h, w, still, noise, 1);
	a = prepare(v, h, w);
	texture_fill(8, v, h, w, map, noise, 2);
	for (size_t i = 0; i < h * w; i++)
		v[i] = (uint8_t)(v[i] / 2 + 100 * (i % w) / w);
	b = prepare(v, h, w);
	assert_int_equal(fx_pair_find(&a.image, &b.image, &how, &pair), FX_OK);
	free(v);
	free(a.memory);
	free(b.memory);
	return pair;
}

static void affine(void **unused)
{
	const double map[2][3] = { { 1.004, 0.03, -6.7 }, { -0.03, 0.997, 9.1 } };
	struct fx_pair p = run(200, 180, map, FX_MOTION_AFFINE, 12);

	(void)unused;
	assert_true(corner(&p.map, map, 200, 180) < 0.3);
	if (!(p.confidence > 0.8 && p.len > 12))
		fail_msg("confidence %.3f, %zu matches", p.confidence, p.len);
	fx_pair_fini(&p);
}

static void shift(void **unused)
{
	const double map[2][3] = { { 1, 0, 14.3 }, { 0, 1, -20.8 } };
	struct fx_pair p = run(160, 150, map, FX_MOTION_SHIFT, 12);

	(void)unused;
	assert_true(corner(&p.map, map, 160, 150) < 0.1);
	assert_true(p.map.m[0][0] == 1 && p.map.m[0][1] == 0 && p.confidence > 0.8);
	fx_pair_fini(&p);
}

/* More than FX_REGIMAGE_TOP: two levels. */
static void from_coarse_to_fine(void **unused)
{
	const double map[2][3] = { { 1.002, 0.02, -11.7 }, { -0.02, 1.001, 23.1 } };
	struct fx_pair p = run(300, 560, map, FX_MOTION_AFFINE, 12);

	(void)unused;
	assert_true(corner(&p.map, map, 300, 560) < 0.3);
	assert_true(p.confidence > 0.8);
	fx_pair_fini(&p);
}

static void another_place_fits_nothing(void **unused)
{
	const double map[2][3] = { { 1, 0, 5000 }, { 0, 1, 0 } };
	struct fx_pair p = run(160, 150, map, FX_MOTION_AFFINE, 12);

	(void)unused;
	assert_true(p.confidence < 0.25);
	fx_pair_fini(&p);
}

static void levels(void **unused)
{
	struct fx_regimage r;
	const struct fx_affine2 up = fx_regimage_up(3), down = fx_regimage_down(3),
				both = fx_affine2_after(&down, &up);
	const double corner_place[2] = { 0, 0 };
	double to[2];
	size_t size;

	(void)unused;
	assert_false(fx_regimage_size(0, 5, &size));
	assert_false(fx_regimage_size(SIZE_MAX / 2, 8, &size));
	assert_true(fx_regimage_size(1025, 100, &size));
	assert_int_equal(size, 1025 * 100 + 513 * 50 + 257 * 25);
	fx_regimage_place(&r, 1025, 100, NULL);
	assert_int_equal(r.levels, 3);
	fx_affine2_apply(&up, corner_place, to);
	assert_true(to[0] == 3.5 && to[1] == 3.5); /* the middle of 8 voxels */
	assert_true(both.m[0][0] == 1 && both.m[0][2] == 0 && both.m[1][2] == 0);
}

/* Strips of rows do not show: turned upside down, where they begin at other rows, a section gives
 * the same, turned. It is quiet around
 * the seam and loud beyond, so that what lies beyond counts. */
static void strips_do_not_show(void **unused)
{
	enum { H = 1000, W = 12 };
	uint8_t *v = malloc(H * W), *turned = malloc(H * W);
	struct prepared a, b;

	(void)unused;
	assert_non_null(v);
	assert_non_null(turned);
	texture_fill(3, v, H, W, still, 5, 1);
	for (size_t i = 0; i < (size_t)H * W; i++) {
		const double loud = (i / W + 32) / 64 % 2 ? 1.2 : 0.06,
			     to = 128 + loud * ((double)v[i] - 128);

		v[i] = (uint8_t)(to < 0 ? 0 : to > 255 ? 255 : to);
		turned[(H - 1 - i / W) * W + i % W] = v[i];
	}
	a = prepare(v, H, W);
	b = prepare(turned, H, W);
	for (size_t i = 0; i < (size_t)H * W; i++)
		assert_int_equal(b.image.voxels[0][(H - 1 - i / W) * W + i % W],
				 a.image.voxels[0][i]);
	free(a.memory);
	free(b.memory);
	free(v);
	free(turned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(affine),
		cmocka_unit_test(shift),
		cmocka_unit_test(from_coarse_to_fine),
		cmocka_unit_test(another_place_fits_nothing),
		cmocka_unit_test(levels),
		cmocka_unit_test(strips_do_not_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
