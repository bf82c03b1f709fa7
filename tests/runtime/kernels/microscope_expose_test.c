// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/microscope_expose.c: the image is what the shot says. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/microscope.h"
#include "kernels/phantom_noise.h"

enum { H = 190, W = 170, N = H * W };

static const struct fx_microscope_shot plain = {
	.version = 1, .affine = { { 1, 0, 0 }, { 0, 1, 0 } }, .gain = 1, .key = 77
};

static double tissue(double y, double x)
{
	return 120 + 50 * sin(0.21 * y + 0.4) * cos(0.17 * x) + 30 * sin(0.3 * x - 0.15 * y);
}

static uint8_t *section(void)
{
	uint8_t *v = malloc(N);

	assert_non_null(v);
	for (size_t i = 0; i < N; i++)
		v[i] = (uint8_t)(tissue((double)(i / W), (double)(i % W)) + 0.5);
	return v;
}

static void expose(const struct fx_microscope_shot *shot, const uint8_t *from, const double at[2],
		   const size_t size[2], unsigned tile, uint8_t *out)
{
	struct fx_specimen s = { .voxels = from, .dtype = FX_U8, .height = H, .width = W };
	struct fx_error err = { 0 };

	if (fx_microscope_expose(shot, &s, at, size, tile, out, &err) != FX_OK)
		fail_msg("%s", err.text);
	fx_specimen_fini(&s);
}

/* The whole section; free(). */
static uint8_t *whole(const struct fx_microscope_shot *shot, const uint8_t *from)
{
	const size_t size[2] = { H, W };
	const double at[2] = { 0, 0 };
	uint8_t *out = malloc(N);

	assert_non_null(out);
	expose(shot, from, at, size, 0, out);
	return out;
}

static void nothing_happens_nothing_changes(void **unused)
{
	struct fx_microscope_shot moved = plain;
	uint8_t *a = section(), *b = whole(&plain, a), *c;
	uint16_t deep[12], seen[12];
	struct fx_specimen s = { .voxels = deep, .dtype = FX_U16, .height = 3, .width = 4 };
	const size_t size[2] = { 3, 4 };
	const double at[2] = { 0, 0 };

	(void)unused;
	assert_memory_equal(a, b, N);
	moved.affine[0][2] = 5;
	moved.affine[1][2] = 7;
	c = whole(&moved, a);
	for (size_t y = 0; y < H - 5; y++)
		assert_memory_equal(c + y * W, a + (y + 5) * W + 7, W - 7);
	for (size_t i = 0; i < 12; i++)
		deep[i] = (uint16_t)(i * 5957 + 3);
	moved = plain;
	moved.offset = 1e-9; /* through the whole of it */
	assert_int_equal(fx_microscope_expose(&moved, &s, at, size, 0, seen, NULL), FX_OK);
	assert_memory_equal(deep, seen, sizeof deep);
	free(a);
	free(b);
	free(c);
}

/* Voxel (y, x) shows the place that the affine says, to a part of a grey level. */
static void affine_is_the_place(void **unused)
{
	struct fx_microscope_shot shot = plain;
	const double m[2][3] = { { 0.99, 0.03, 4.3 }, { -0.02, 1.015, -3.7 } };
	uint8_t *a = section(), *b;
	double most = 0, error = 0;
	size_t n = 0;

	(void)unused;
	memcpy(shot.affine, m, sizeof m);
	b = whole(&shot, a);
	for (size_t i = 0; i < N; i++) {
		const double y = (double)(i / W), x = (double)(i % W);
		const double v = m[0][0] * y + m[0][1] * x + m[0][2];
		const double u = m[1][0] * y + m[1][1] * x + m[1][2];
		const double wrong = fabs((double)b[i] - tissue(v, u));

		if (v < 3 || u < 3 || v > H - 4 || u > W - 4)
			continue;
		most = fmax(most, wrong);
		error += wrong;
		n++;
	}
	assert_true(n > N / 2);
	assert_true(most < 1.6 && error / (double)n < 0.45);
	free(a);
	free(b);
}

/* A tile shows what the whole shows at its place, but for the noise, which is its own. */
static void tiles_are_parts(void **unused)
{
	struct fx_microscope_shot shot = plain;
	const size_t size[2] = { 70, 60 };
	const double at[2] = { 40, 33 };
	uint8_t *a = section(), *b, part[70 * 60], other[70 * 60];
	int differ = 0;

	(void)unused;
	shot.affine[0][1] = 0.04;
	shot.affine[1][2] = 2.3;
	shot.charging = 40;
	shot.folded = true;
	shot.fold = (struct fx_microscope_fold){ .through = { 90, 80 },
						 .normal = { 0.8, 0.6 },
						 .width = 4,
						 .shift = 6,
						 .reach = 40,
						 .bend = 5,
						 .bend_length = 50,
						 .key = 3 };
	b = whole(&shot, a);
	expose(&shot, a, at, size, 4, part);
	for (size_t y = 0; y < size[0]; y++)
		for (size_t x = 0; x < size[1]; x++)
			assert_true(abs(part[y * size[1] + x] - b[(40 + y) * W + 33 + x]) <= 1);
	shot.noise = 5;
	expose(&shot, a, at, size, 4, part);
	expose(&shot, a, at, size, 5, other);
	for (size_t i = 0; i < sizeof part; i++)
		differ += part[i] != other[i];
	assert_true(differ > (int)sizeof part / 2);
	free(a);
	free(b);
}

/* Mean square of the differences of neighbours: how sharp rows y0 to y1 are. */
static double sharpness(const uint8_t *v, size_t y0, size_t y1)
{
	double sum = 0;

	for (size_t y = y0; y < y1; y++)
		for (size_t x = 1; x < W; x++)
			sum += pow((double)v[y * W + x] - (double)v[y * W + x - 1], 2);
	return sum / (double)((y1 - y0) * (W - 1));
}

static void defocus_blurs_all_or_a_part(void **unused)
{
	struct fx_microscope_shot shot = plain;
	uint8_t *a = section(), *b, *c;

	(void)unused;
	shot.defocus = 4;
	b = whole(&shot, a);
	assert_true(sharpness(b, 5, H - 5) < 0.8 * sharpness(a, 5, H - 5));
	shot.partly = true;
	shot.edge[0] = H / 2.0;
	shot.outward[0] = 1;
	c = whole(&shot, a);
	assert_memory_equal(c, a, (size_t)(H / 2 - 30) * W);
	assert_memory_equal(c + (H / 2 + 30) * W, b + (H / 2 + 30) * W,
			    (size_t)(H - H / 2 - 30) * W);
	free(a);
	free(b);
	free(c);
}

static void charging_is_bright_rows_that_fade(void **unused)
{
	struct fx_microscope_shot shot = plain;
	uint8_t *a = section(), *b;
	double inside = 0, across = 0;
	int less = 0;

	(void)unused;
	shot.charging = 60;
	b = whole(&shot, a);
	for (size_t i = 0; i < N; i++)
		less += b[i] < a[i];
	assert_int_equal(less, 0);
	for (size_t y = 1; y < H; y++)
		for (size_t x = 1; x < W; x++) {
			const double here = b[y * W + x] - a[y * W + x];

			inside += fabs(here - (b[y * W + x - 1] - a[y * W + x - 1]));
			across += fabs(here - (b[(y - 1) * W + x] - a[(y - 1) * W + x]));
		}
	assert_true(across > 4 * inside && across / N > 1);
	free(a);
	free(b);
}

/* Dark in the middle; tissue on both sides comes from further out; nothing beyond the reach. */
static void a_fold_is_dark_and_pulls(void **unused)
{
	struct fx_microscope_shot shot = plain;
	uint8_t *a = section(), *b;

	(void)unused;
	shot.folded = true;
	shot.fold = (struct fx_microscope_fold){ .through = { H / 2.0, W / 2.0 },
						 .normal = { 1, 0 },
						 .width = 4,
						 .shift = 6,
						 .reach = 40,
						 .bend_length = 50 };
	b = whole(&shot, a);
	for (size_t x = 0; x < W; x++) {
		const double below = H / 2.0 + 10 + 6 * 0.75 * 0.75;
		const double above = H / 2.0 - 10 - 6 * 0.75 * 0.75;

		assert_true(b[H / 2 * W + x] < a[H / 2 * W + x] * 0.7 + 20);
		assert_true(fabs(b[(H / 2 + 10) * W + x] - tissue(below, (double)x)) < 1.6);
		assert_true(fabs(b[(H / 2 - 10) * W + x] - tissue(above, (double)x)) < 1.6);
	}
	for (size_t i = 0; i < (size_t)(H / 2 - 41) * W; i++)
		assert_true(abs(b[i] - a[i]) <= 1);
	free(a);
	free(b);
}

/* Where it bends, each place has its distance from the bent line. */
static void a_fold_bends(void **unused)
{
	struct fx_microscope_shot shot = plain;
	uint8_t *a = section(), *b;
	const struct fx_microscope_fold f = { .through = { 80, 90 },
					      .normal = { 0.8, 0.6 },
					      .width = 4,
					      .shift = 6,
					      .reach = 40,
					      .bend = 12,
					      .bend_length = 30,
					      .key = 8 };

	(void)unused;
	shot.folded = true;
	shot.fold = f;
	b = whole(&shot, a);
	for (size_t i = 0; i < N; i++) {
		const double y = (double)(i / W) - 80, x = (double)(i % W) - 90;
		const double d =
			0.8 * y + 0.6 * x - 12 * (double)fx_noise_line(8, (0.6 * y - 0.8 * x) / 30);
		const double rest = fabs(d) < 40 ? 1 - fabs(d) / 40 : 0;
		const double pull = (d < 0 ? -6 : 6) * rest * rest;
		const double v = 80 + y + 0.8 * pull, u = 90 + x + 0.6 * pull;

		if (fabs(d) > 4 && v > 3 && u > 3 && v < H - 4 && u < W - 4)
			assert_true(fabs(b[i] - tissue(v, u)) < 1.6);
	}
	free(a);
	free(b);
}

static void blank_shows_no_tissue_and_noise_is_as_asked_for(void **unused)
{
	struct fx_microscope_shot shot = plain;
	uint8_t *a = section(), *b, *c;
	double sum = 0, square = 0, with = 0;

	(void)unused;
	shot.blank = true;
	shot.noise = 4;
	b = whole(&shot, a);
	memset(a, 128, N);
	shot.blank = false;
	c = whole(&shot, a);
	for (size_t i = 0; i < N; i++) {
		const double v = c[i] - 128.0;

		sum += v;
		square += v * v;
		with += ((double)b[i] - 200) * (tissue((double)(i / W), (double)(i % W)) - 120);
	}
	assert_true(fabs(sum / N) < 0.1);
	assert_true(fabs(sqrt(square / N) - 4) < 0.1);
	assert_true(fabs(with / N) < 20);
	shot.gain = 1.1;
	shot.offset = -10;
	shot.noise = 0;
	free(c);
	c = whole(&shot, a);
	assert_int_equal(c[5], 131); /* 128 * 1.1 - 10 */
	free(a);
	free(b);
	free(c);
}

static void same_bytes_for_any_threads_and_empty_is_refused(void **unused)
{
	struct fx_microscope m = { .spec = { .seed = 3,
					     .height = H,
					     .width = W,
					     .drift = 2,
					     .rotation = 2,
					     .noise = 5,
					     .defocus = 1,
					     .charging = 1,
					     .folds = 1 } };
	const int threads = omp_get_max_threads();
	const size_t nothing[2] = { 0, 4 };
	struct fx_specimen s = { .voxels = "", .dtype = FX_U8, .height = 1, .width = 1 };
	struct fx_microscope_shot shot;
	uint8_t *a = section(), *b, *c;

	(void)unused;
	fx_microscope_shoot(&m, 9, 1, &shot);
	omp_set_num_threads(1);
	b = whole(&shot, a);
	omp_set_num_threads(3);
	c = whole(&shot, a);
	omp_set_num_threads(threads);
	assert_memory_equal(b, c, N);
	assert_int_equal(fx_microscope_expose(&plain, &s, m.at, nothing, 0, b, NULL), FX_EINVAL);
	s.dtype = FX_F32;
	assert_int_equal(
		fx_microscope_expose(&plain, &s, m.at, (const size_t[]){ 1, 1 }, 0, b, NULL),
		FX_EINVAL);
	free(a);
	free(b);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_happens_nothing_changes),
		cmocka_unit_test(affine_is_the_place),
		cmocka_unit_test(tiles_are_parts),
		cmocka_unit_test(defocus_blurs_all_or_a_part),
		cmocka_unit_test(charging_is_bright_rows_that_fade),
		cmocka_unit_test(a_fold_is_dark_and_pulls),
		cmocka_unit_test(a_fold_bends),
		cmocka_unit_test(blank_shows_no_tissue_and_noise_is_as_asked_for),
		cmocka_unit_test(same_bytes_for_any_threads_and_empty_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
