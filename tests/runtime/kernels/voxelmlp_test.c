// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/voxelmlp.c against loops in double precision. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "kernels/voxelmlp.h"

enum { MOST = 50, STRIDE = 64 };

/* Layers of the widths given, with random weights; the same ones to w and b. */
static struct fx_voxelmlp make(const size_t *width, size_t layers, float w[3][MOST * MOST],
			       float b[3][MOST])
{
	struct fx_voxelmlp m = { 0 };
	uint64_t seed = 11;

	for (size_t l = 0; l < layers; l++) {
		for (size_t i = 0; i < width[l] * width[l + 1]; i++)
			w[l][i] = (float)((double)(test_random(&seed) % 2001) / 1000 - 1);
		for (size_t i = 0; i < width[l + 1]; i++)
			b[l][i] = (float)((double)(test_random(&seed) % 2001) / 1000 - 1);
		assert_int_equal(fx_voxelmlp_add(&m, w[l], b[l], width[l], width[l + 1]), FX_OK);
	}
	return m;
}

static void by_hand(double *v, const size_t *width, size_t layers, float w[3][MOST * MOST],
		    float b[3][MOST])
{
	double next[MOST];

	for (size_t l = 0; l < layers; l++) {
		for (size_t o = 0; o < width[l + 1]; o++) {
			next[o] = (double)b[l][o];
			for (size_t i = 0; i < width[l]; i++)
				next[o] += (double)w[l][o * width[l] + i] * v[i];
			if (l + 1 < layers)
				next[o] = fmax(next[o], 0);
		}
		memcpy(v, next, sizeof next);
	}
}

static void check(const size_t *width, size_t layers, size_t n)
{
	float w[3][MOST * MOST], b[3][MOST], in[MOST * STRIDE], out[MOST * STRIDE + 8], *scratch;
	struct fx_voxelmlp m = make(width, layers, w, b);
	uint64_t seed = 5;

	for (size_t i = 0; i < MOST * STRIDE; i++)
		in[i] = (float)(test_random(&seed) % 1000) / 1000;
	for (size_t i = 0; i < MOST * STRIDE + 8; i++)
		out[i] = 77;
	scratch = calloc(fx_voxelmlp_scratch(&m), sizeof *scratch);
	assert_non_null(scratch);
	fx_voxelmlp_run(&m, out, in, n, STRIDE, scratch);
	for (size_t x = 0; x < n; x++) {
		double v[MOST] = { 0 };

		for (size_t i = 0; i < width[0]; i++)
			v[i] = (double)in[i * STRIDE + x];
		by_hand(v, width, layers, w, b);
		for (size_t o = 0; o < width[layers]; o++)
			if (!(fabs((double)out[o * STRIDE + x] - v[o]) < 1e-4))
				fail_msg("output %zu of voxel %zu: %g, not %g", o, x,
					 (double)out[o * STRIDE + x], v[o]);
	}
	for (size_t i = width[layers] * STRIDE; i < MOST * STRIDE + 8; i++)
		assert_true(out[i] >= 77 && out[i] <= 77); /* guards */
	free(scratch);
	fx_voxelmlp_fini(&m);
}

static void same_as_by_hand(void **unused)
{
	(void)unused;
	check((const size_t[]){ 20, 48, 48, 1 }, 3, 64);
	check((const size_t[]){ 20, 48, 48, 1 }, 3, 1);
	check((const size_t[]){ 3, 7, 5 }, 2, 33);
	check((const size_t[]){ 1, 1 }, 1, 17);
}

static void refuses_what_does_not_fit(void **unused)
{
	struct fx_voxelmlp m = { 0 };
	struct fx_features f = { 0 };
	const float w[64] = { 0 };
	uint8_t b = 0;

	(void)unused;
	assert_int_equal(fx_voxelmlp_boundary(&m, &f, &b), FX_EINVAL);
	assert_int_equal(fx_voxelmlp_add(&m, w, w, 0, 3), FX_EINVAL);
	assert_int_equal(fx_voxelmlp_add(&m, w, w, 5000, 1), FX_EINVAL);
	assert_int_equal(fx_voxelmlp_add(&m, w, w, 2, 3), FX_OK);
	assert_int_equal(fx_voxelmlp_add(&m, w, w, 2, 3), FX_EINVAL);
	assert_int_equal(fx_voxelmlp_boundary(&m, &f, &b), FX_EINVAL);
	for (int i = 1; i < FX_VOXELMLP_LAYERS_MAX; i++)
		assert_int_equal(fx_voxelmlp_add(&m, w, w, 3, 3), FX_OK);
	assert_int_equal(fx_voxelmlp_add(&m, w, w, 3, 3), FX_EINVAL);
	fx_voxelmlp_fini(&m);
}

/* A network that gives a * brightness of the first scale + b. */
static void boundary_is_the_logistic_function(void **unused)
{
	static const size_t shape[3] = { 3, 5, 21 };
	static const double voxel[3] = { 8, 8, 8 };
	float weight[FX_FEATURES] = { 40 }, image[315];
	const float bias = -20;
	struct fx_voxelmlp m = { 0 };
	struct fx_features f = { 0 };
	uint8_t one[315], three[315];

	(void)unused;
	for (size_t i = 0; i < 315; i++)
		image[i] = (float)(i % 21) / 20;
	assert_int_equal(fx_voxelmlp_add(&m, weight, &bias, FX_FEATURES, 1), FX_OK);
	assert_int_equal(fx_features_init(&f, image, FX_F32, shape, voxel), FX_OK);
	omp_set_num_threads(1);
	assert_int_equal(fx_voxelmlp_boundary(&m, &f, one), FX_OK);
	omp_set_num_threads(3);
	assert_int_equal(fx_voxelmlp_boundary(&m, &f, three), FX_OK);
	omp_set_num_threads(2);
	assert_memory_equal(one, three, sizeof one);
	for (size_t i = 0; i < 315; i++) {
		const double z = 40 * (double)f.smooth[0][i] - 20, want = 255 / (1 + exp(-z));

		assert_true(fabs(one[i] - want) < 0.51);
	}
	assert_true(one[0] == 0 && one[20] == 255);
	fx_features_fini(&f);
	fx_voxelmlp_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_by_hand),
		cmocka_unit_test(refuses_what_does_not_fit),
		cmocka_unit_test(boundary_is_the_logistic_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
