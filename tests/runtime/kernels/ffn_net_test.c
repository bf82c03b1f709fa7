// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/ffn_net.c against plain loops in double precision. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/ffn_net.h"

enum { DEPTH = 3, FEATURES = 5, Z = 5, Y = 7, X = 9, LEN = Z * Y * X, LAYERS = 2 * DEPTH + 1 };

static const size_t fov[3] = { Z, Y, X };

struct weights {
	struct fx_ffn_weights w;
	float values[LAYERS][FEATURES * FEATURES * 27], bias[LAYERS][FEATURES];
};

static float random_value(uint64_t *seed)
{
	return (float)(test_random(seed) % 2001) / 1000 - 1;
}

static struct weights *random_weights(void)
{
	struct weights *w = calloc(1, sizeof *w);
	uint64_t seed = 8;

	assert_non_null(w);
	w->w.depth = DEPTH;
	w->w.features = FEATURES;
	for (size_t i = 0; i < LAYERS; i++) {
		assert_true(fx_ffn_net_weights(DEPTH, FEATURES, i) <= FEATURES * FEATURES * 27);
		w->w.weight[i] = w->values[i];
		w->w.bias[i] = w->bias[i];
		for (size_t k = 0; k < FEATURES * FEATURES * 27; k++)
			w->values[i][k] = 0.2F * random_value(&seed);
		for (size_t k = 0; k < FEATURES; k++)
			w->bias[i][k] = random_value(&seed);
	}
	return w;
}

/* out[c] = bias + 3x3x3 convolution of in[c], zeros outside. */
static void plain_conv(double (*out)[LEN], double (*in)[LEN], size_t channels, const float *w,
		       const float *bias)
{
	for (size_t o = 0; o < FEATURES; o++)
		for (int i = 0; i < LEN; i++) {
			double sum = (double)bias[o];

			for (size_t c = 0; c < channels; c++)
				for (int t = 0; t < 27; t++) {
					const int z = i / (Y * X) + t / 9 - 1,
						  y = i / X % Y + t / 3 % 3 - 1,
						  x = i % X + t % 3 - 1;

					if (z >= 0 && z < Z && y >= 0 && y < Y && x >= 0 && x < X)
						sum += in[c][(z * Y + y) * X + x] *
						       (double)w[(o * channels + c) * 27 +
								 (size_t)t];
				}
			out[o][i] = sum;
		}
}

static void rectify(double (*v)[LEN], double (*from)[LEN])
{
	for (size_t c = 0; c < FEATURES; c++)
		for (size_t i = 0; i < LEN; i++)
			v[c][i] = fmax(from[c][i], 0);
}

static void plain_net(const struct weights *w, double *logits, const float *image,
		      const float *seed)
{
	static const size_t size = FEATURES * sizeof(double[LEN]);
	double(*x)[LEN] = calloc(1, size), (*a)[LEN] = calloc(1, size), (*b)[LEN] = calloc(1, size);

	assert_true(x && a && b);
	for (size_t i = 0; i < LEN; i++) {
		b[0][i] = (double)image[i];
		b[1][i] = (double)seed[i];
	}
	for (size_t m = 0; m < DEPTH; m++) {
		if (m)
			rectify(b, x);
		plain_conv(a, b, m ? FEATURES : 2, w->values[2 * m], w->bias[2 * m]);
		rectify(a, a);
		plain_conv(b, a, FEATURES, w->values[2 * m + 1], w->bias[2 * m + 1]);
		for (size_t c = 0; c < FEATURES; c++)
			for (size_t i = 0; i < LEN; i++)
				x[c][i] += b[c][i];
	}
	rectify(x, x);
	for (size_t i = 0; i < LEN; i++) {
		logits[i] = (double)seed[i] + (double)w->bias[2 * DEPTH][0];
		for (size_t c = 0; c < FEATURES; c++)
			logits[i] += x[c][i] * (double)w->values[2 * DEPTH][c];
	}
	free(x);
	free(a);
	free(b);
}

/* Two evaluations, the second after other data: nothing is left of the first. */
static void check_path(enum fx_conv3d_path path)
{
	struct weights *w = random_weights();
	struct fx_error err = { 0 };
	struct fx_ffn_net *net = fx_ffn_net_new(&w->w, fov, path, 0, &err);
	float image[LEN], seed[LEN], out[LEN], again[LEN];
	double want[LEN];
	uint64_t random = 3;

	if (!net)
		fail_msg("%s", err.text);
	for (int n = 0; n < 2; n++) {
		for (size_t i = 0; i < LEN; i++) {
			image[i] = random_value(&random);
			seed[i] = 3 * random_value(&random);
		}
		plain_net(w, want, image, seed);
		fx_ffn_net_run(net, out, image, seed);
		for (size_t i = 0; i < LEN; i++)
			assert_true(fabs((double)out[i] - want[i]) < 1e-4);
	}
	omp_set_num_threads(omp_get_max_threads() == 1 ? 2 : 1);
	fx_ffn_net_run(net, again, image, seed);
	assert_memory_equal(again, out, sizeof out);
	fx_ffn_net_free(net);
	free(w);
}

static void logits_are_those_of_plain_loops(void **unused)
{
	(void)unused;
	check_path(FX_CONV3D_DIRECT);
	check_path(FX_CONV3D_WINOGRAD);
	check_path(FX_CONV3D_PLAIN);
}

static void wrong_sizes_are_refused(void **unused)
{
	struct weights *w = random_weights();
	struct fx_error err = { 0 };
	static const size_t empty[3] = { 5, 0, 5 };

	(void)unused;
	assert_null(fx_ffn_net_new(&w->w, empty, FX_CONV3D_DIRECT, 0, &err));
	w->w.depth = FX_FFN_DEPTH_MAX + 1;
	assert_null(fx_ffn_net_new(&w->w, fov, FX_CONV3D_DIRECT, 0, &err));
	assert_non_null(strstr(err.text, "65 modules"));
	w->w.depth = 0;
	assert_null(fx_ffn_net_new(&w->w, fov, FX_CONV3D_DIRECT, 0, &err));
	fx_ffn_net_free(NULL);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logits_are_those_of_plain_loops),
		cmocka_unit_test(wrong_sizes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
