// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/elastic.c and resample.c. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "kernels/resample.h"
#include "support/texture.h"

enum { H = 90, W = 110 };

static double wave(int axis, double y, double x)
{
	return axis ? 2.5 * cos(x / 25 + y / 40) : 3 * sin(y / 30 - x / 50);
}

static void fits_what_is_smooth(void **unused)
{
	struct fx_bend seen[200];
	struct fx_mesh m;
	uint64_t seed = 3;
	double worst = 0;

	(void)unused;
	for (int i = 0; i < 200; i++) {
		struct fx_bend *b = &seen[i];

		b->at[0] = (H - 1) * texture_chance(&seed);
		b->at[1] = (W - 1) * texture_chance(&seed);
		b->weight = 1;
		for (int a = 0; a < 2; a++)
			b->by[a] = wave(a, b->at[0], b->at[1]);
	}
	assert_int_equal(fx_mesh_init(&m, H, W, 16), FX_OK);
	assert_int_equal(fx_mesh_fit(&m, seen, 200, 0.01, 0), FX_OK);
	for (int y = 10; y < H - 10; y += 5)
		for (int x = 10; x < W - 10; x += 5) {
			const double p[2] = { y, x };
			double by[2];

			fx_mesh_at(&m, p, by);
			worst = fmax(worst, hypot(by[0] - wave(0, y, x), by[1] - wave(1, y, x)));
		}
	assert_true(worst < 0.4);
	assert_int_equal(fx_mesh_fit(&m, seen, 200, 1e9, 0), FX_OK); /* stiff: a plane */
	for (size_t i = 0; i < m.width - 2; i++)
		assert_true(fabs(m.by[2 * i] - 2 * m.by[2 * i + 2] + m.by[2 * i + 4]) < 1e-3);
	assert_int_equal(fx_mesh_fit(&m, seen, 200, 0, 1e9), FX_OK); /* held */
	assert_true(fabs(m.by[0]) < 1e-5);
	assert_int_equal(fx_mesh_fit(&m, seen, 0, 1, 0.1), FX_OK);
	for (size_t i = 0; i < 2 * m.height * m.width; i++)
		assert_true(m.by[i] == 0);
	fx_mesh_fini(&m);
	assert_int_equal(fx_mesh_init(&m, H, W, 0.5), FX_EINVAL);
	fx_mesh_fini(&m);
}

/* What is found is a minimum: whatever node is moved, on either axis, the sum grows. */
static double bending(const struct fx_mesh *m, const struct fx_bend *seen, size_t len)
{
	const size_t h = m->height, w = m->width;
	double sum = 0;

	for (size_t k = 0; k < len; k++) {
		double by[2];

		fx_mesh_at(m, seen[k].at, by);
		for (int a = 0; a < 2; a++)
			sum += seen[k].weight * (by[a] - seen[k].by[a]) * (by[a] - seen[k].by[a]);
	}
	for (size_t i = 0; i < 2 * h * w; i++) {
		const size_t j = i / 2 / w, x = i / 2 % w;
		const double *v = m->by + i;

		sum += 0.02 * *v * *v;
		if (j > 0 && j + 1 < h)
			sum += 0.3 * pow(*(v - 2 * w) - 2 * *v + v[2 * w], 2);
		if (x > 0 && x + 1 < w)
			sum += 0.3 * pow(*(v - 2) - 2 * *v + v[2], 2);
		if (j + 1 < h && x + 1 < w)
			sum += 0.6 * pow(*v - v[2] - v[2 * w] + v[2 * w + 2], 2);
	}
	return sum;
}

static void it_is_the_least(void **unused)
{
	struct fx_bend seen[60];
	struct fx_mesh m;
	uint64_t seed = 8;
	double least;

	(void)unused;
	for (int i = 0; i < 60; i++)
		seen[i] =
			(struct fx_bend){ { (H - 1) * texture_chance(&seed),
					    (W - 1) * texture_chance(&seed) },
					  { 4 * texture_chance(&seed), -6 * texture_chance(&seed) },
					  texture_chance(&seed) };
	assert_int_equal(fx_mesh_init(&m, H, W, 16), FX_OK);
	assert_int_equal(fx_mesh_fit(&m, seen, 60, 0.3, 0.02), FX_OK);
	least = bending(&m, seen, 60);
	for (size_t i = 0; i < 2 * m.height * m.width; i++) {
		const double was = m.by[i];

		for (int side = -1; side <= 1; side += 2) {
			m.by[i] = was + 1e-4 * side;
			assert_true(bending(&m, seen, 60) > least);
		}
		m.by[i] = was;
	}
	fx_mesh_fini(&m);
}

static void there_and_back(void **unused)
{
	struct fx_mesh m, back;

	(void)unused;
	assert_int_equal(fx_mesh_init(&m, H, W, 20), FX_OK);
	assert_int_equal(fx_mesh_init(&back, H, W, 4), FX_OK);
	for (size_t i = 0; i < m.height * m.width; i++)
		for (int a = 0; a < 2; a++)
			m.by[2 * i + (size_t)a] =
				wave(a, (double)(i / m.width) * 20, (double)(i % m.width) * 20);
	fx_mesh_invert(&m, &back);
	for (int y = 8; y < H - 8; y += 3)
		for (int x = 8; x < W - 8; x += 3) {
			const double q[2] = { y, x };
			double p[2], by[2];

			fx_mesh_at(&back, q, by);
			p[0] = q[0] + by[0];
			p[1] = q[1] + by[1];
			fx_mesh_at(&m, p, by);
			assert_true(hypot(p[0] + by[0] - q[0], p[1] + by[1] - q[1]) < 0.1);
		}
	fx_mesh_fini(&m);
	fx_mesh_fini(&back);
}

/* The result of whole, of parts and of two threads is one; inside it is the texture itself. */
static void resampled_once(void **unused)
{
	const struct fx_affine2 back = { { { 1.01, 0.06, -7.3 }, { -0.05, 0.99, 5.6 } } };
	const double still[2][3] = { { 1, 0, 0 }, { 0, 1, 0 } };
	static uint8_t from[H * W], whole[H * W], part[H * W], out[H * W], left[H * W];
	const struct fx_plane plane = fx_plane_of(from, FX_U8, H, W);
	size_t lost = 0;

	(void)unused;
	texture_fill(4, from, H, W, still, 0, 1);
	fx_resample(&plane, &back, NULL, 0, 0, H, W, whole, out);
	omp_set_num_threads(2);
	fx_resample(&plane, &back, NULL, 0, 0, 40, W, part, left);
	fx_resample(&plane, &back, NULL, 40, 0, H - 40, W, part + 40 * W, left + 40 * W);
	omp_set_num_threads(1);
	assert_memory_equal(whole, part, sizeof whole);
	assert_memory_equal(out, left, sizeof out);
	for (int i = 0; i < H * W; i++) {
		const double p[2] = { i / W, i % W };
		double q[2];

		fx_affine2_apply(&back, p, q);
		assert_int_equal(out[i],
				 q[0] < -0.5 || q[1] < -0.5 || q[0] > H - 0.5 || q[1] > W - 0.5);
		lost += out[i];
		if (out[i])
			assert_int_equal(whole[i], 0);
		else if (q[0] > 2 && q[1] > 2 && q[0] < H - 3 && q[1] < W - 3)
			assert_true(fabs(whole[i] - texture_at(4, q[0], q[1])) < 4);
	}
	assert_in_range(lost, 500, 3000);
}

/* Whole types are rounded to the nearest, and clipped. */
static void bytes_are_rounded(void **unused)
{
	static const uint8_t from[16] = { 10, 11, 13, 16, 10, 11, 13, 16,
					  10, 11, 13, 16, 10, 11, 13, 16 },
			     steep[16] = { 0, 0, 255, 255, 0, 0, 255, 255,
					   0, 0, 255, 255, 0, 0, 255, 255 };
	const struct fx_plane f = fx_plane_of(from, FX_U8, 4, 4),
			      s = fx_plane_of(steep, FX_U8, 4, 4);
	const struct fx_affine2 little = fx_affine2_shift(0, 0.2), more = fx_affine2_shift(0, 0.4),
				half = fx_affine2_shift(0, 0.5);
	uint8_t to[16];

	(void)unused;
	fx_resample(&f, &little, NULL, 0, 0, 4, 4, to, NULL);
	assert_int_equal(to[1], 11); /* 11.32 */
	fx_resample(&f, &more, NULL, 0, 0, 4, 4, to, NULL);
	assert_int_equal(to[1], 12); /* 11.68 */
	fx_resample(&s, &half, NULL, 0, 0, 4, 4, to, NULL);
	assert_int_equal(to[0], 0); /* undershoots */
	assert_int_equal(to[1], 128);
	assert_int_equal(to[2], 255); /* overshoots */
}

static void types_keep_their_range(void **unused)
{
	static const uint16_t wide[16] = { 0, 0, 65535, 65535, 0, 0, 65535, 65535,
					   0, 0, 65535, 65535, 0, 0, 65535, 65535 };
	static const float real[4] = { -2, 1e6F, -2, 1e6F };
	const struct fx_plane w = fx_plane_of(wide, FX_U16, 4, 4),
			      r = fx_plane_of(real, FX_F32, 2, 2);
	const struct fx_affine2 still = fx_affine2_shift(0, 0), half = fx_affine2_shift(0, 0.5);
	uint16_t to[16];
	float f[4];

	(void)unused;
	fx_resample(&w, &still, NULL, 0, 0, 4, 4, to, NULL);
	assert_memory_equal(to, wide, sizeof to);
	fx_resample(&w, &half, NULL, 0, 0, 4, 4, to, NULL);
	assert_int_equal(to[0], 0); /* undershoots: clipped */
	assert_int_equal(to[1], 32768);
	assert_int_equal(to[2], 65535);
	fx_resample(&r, &still, NULL, 0, 0, 2, 2, f, NULL);
	assert_memory_equal(f, real, sizeof f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits_what_is_smooth), cmocka_unit_test(it_is_the_least),
		cmocka_unit_test(there_and_back),      cmocka_unit_test(resampled_once),
		cmocka_unit_test(bytes_are_rounded),   cmocka_unit_test(types_keep_their_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
