// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/ffn*.c against the published segmentation of FIB-25. */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "formats/safetensors.h"
#include "support/fib25.h"

/* A floating-point tensor of the golden evaluations as doubles; free(). */
static double *golden(const struct fx_safetensors *s, const char *name)
{
	const struct fx_tensor *t = fx_safetensors_find(s, name);
	double *v = malloc(33 * 33 * 33 * sizeof *v);

	assert_non_null(t);
	assert_non_null(v);
	assert_int_equal(fx_tensor_count(t), 33 * 33 * 33);
	assert_int_equal(fx_tensor_doubles(t, v, NULL), FX_OK);
	return v;
}

/* Three evaluations in place, each within @p limit of the reference in double precision. */
static void check_golden(const char *data, enum fx_conv3d_path path, double limit)
{
	enum { LEN = 33 * 33 * 33 };
	struct fx_ffn_net *net = fib25_net(data, path);
	const struct fx_ffn_logits logit = fx_ffn_logits(&fib25_config);
	float *image = malloc(LEN * sizeof *image), *seed = malloc(LEN * sizeof *seed);
	float *logits = malloc(LEN * sizeof *logits);
	struct fx_safetensors s = { 0 };
	double *v;
	char file[4096];

	assert_true(image && seed && logits);
	snprintf(file, sizeof file, "%s/fib25/ffn-golden-fov.safetensors", data);
	assert_int_equal(fx_safetensors_read(&s, file, 1 << 26, NULL), FX_OK);
	v = golden(&s, "image");
	for (size_t i = 0; i < LEN; i++) {
		image[i] = (float)v[i];
		seed[i] = i == LEN / 2 ? logit.init : logit.pad;
	}
	free(v);
	v = golden(&s, "seed0");
	for (size_t i = 0; i < LEN; i++)
		assert_true(seed[i] == (float)v[i]);
	free(v);
	for (int n = 0; n < 3; n++) {
		char name[32];
		double worst = 0;

		fx_ffn_net_run(net, logits, image, seed);
		snprintf(name, sizeof name, "logits%d_f64", n);
		v = golden(&s, name);
		for (size_t i = 0; i < LEN; i++)
			worst = fmax(worst, fabs((double)logits[i] - v[i]));
		free(v);
		print_message("evaluation %d: largest error %.2g\n", n, worst);
		assert_true(worst <= limit);
		memcpy(seed, logits, LEN * sizeof *seed);
	}
	fx_safetensors_fini(&s);
	fx_ffn_net_free(net);
	free(image);
	free(seed);
	free(logits);
}

static void one_field_is_the_golden_one(void **unused)
{
	const char *data = test_data_dir();

	(void)unused;
	if (!data)
		test_skip("golden field of view of FIB-25");
	check_golden(data, FX_CONV3D_DIRECT, 1e-5);
	check_golden(data, FX_CONV3D_WINOGRAD, 1e-4);
}

static void seeds_are_the_published_ones(void **unused)
{
	const double voxel[3] = { 8, 8, 8 };
	const size_t margin[3] = { 16, 16, 16 };
	const char *data = test_data_dir();
	struct fx_ffn_pos *seeds = NULL, *want;
	size_t len = 0, want_len;
	float *image;

	(void)unused;
	if (!data)
		test_skip("seeds of FIB-25");
	image = fib25_image(data);
	want = fib25_seeds(data, &want_len);
	assert_int_equal(want_len, 12464);
	assert_int_equal(
		fx_ffn_seeds(&seeds, &len, image, fib25_shape, voxel, margin, &fib25_seeding),
		FX_OK);
	assert_int_equal(len, want_len);
	assert_memory_equal(seeds, want, len * sizeof *want);
	free(seeds);
	free(want);
	free(image);
}

/* Replays the objects of @p ids, 0 at the end; returns the number of evaluations. */
static size_t replay(const char *data, enum fx_conv3d_path path, const int *ids)
{
	struct fx_ffn_net *net = fib25_net(data, path);
	float *image = fib25_image(data);
	int32_t *published = fib25_published(data);
	size_t len, total = 0;
	struct fib25_object *objects = fib25_objects(data, &len);

	for (; *ids; ids++) {
		const struct fib25_object *o = objects + *ids - 1;
		const int64_t start = fx_now_ns();
		size_t evaluations;

		assert_int_equal(o->id, *ids);
		assert_int_equal(fib25_replay(o, net, image, published, &evaluations), 0);
		assert_int_equal(evaluations, o->evaluations);
		print_message("object %d: %zu evaluations, %zu voxels, %.0f ms each\n", o->id,
			      evaluations, o->voxels,
			      (double)(fx_now_ns() - start) / 1e6 / (double)evaluations);
		total += evaluations;
	}
	free(objects);
	free(published);
	free(image);
	fx_ffn_net_free(net);
	return total;
}

/* Few evaluations each: floor division, order of the queue, the disconnect rule (7, 49 differ
 * without it), objects beside others. */
static void objects_are_the_published_ones(void **unused)
{
	static const int winograd[] = { 2, 3, 7, 49, 85, 100, 130, 175, 225, 238, 250, 0 };
	static const int direct[] = { 3, 7, 0 };
	const char *data = test_data_dir();

	(void)unused;
	if (!data)
		test_skip("replay of published objects of FIB-25");
	assert_true(replay(data, FX_CONV3D_WINOGRAD, winograd) >= 100);
	assert_int_equal(replay(data, FX_CONV3D_DIRECT, direct), 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_field_is_the_golden_one),
		cmocka_unit_test(seeds_are_the_published_ones),
		cmocka_unit_test(objects_are_the_published_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
