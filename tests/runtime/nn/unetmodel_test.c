// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/nn/unetmodel.c: nets run as they are, in one tile or several, and wrong files are
 * refused. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "nn/modelmeta.h"
#include "support/images.h"
#include "support/unet.h"

static const struct fx_unet_tiles whole = { { 512, 512, 512 }, { 0, 0, 0 } };

/* A model file in a folder of its own. */
struct fixture {
	char *folder, *path;
};

static struct fixture fixture(const char *args)
{
	struct fixture f = { .folder = test_tmp_dir() };

	f.path = strdup(test_path(f.folder, "model.safetensors"));
	assert_non_null(f.path);
	if (args)
		unet_random(f.path, args, 3);
	else
		unet_bright(f.path);
	return f;
}

static void fixture_fini(struct fixture *f)
{
	fx_remove_tree(f->folder, NULL);
	free(f->folder);
	free(f->path);
}

static uint8_t *noise(size_t len)
{
	uint8_t *v = malloc(len);
	uint64_t seed = 11;

	assert_non_null(v);
	for (size_t i = 0; i < len; i++)
		v[i] = (uint8_t)test_random(&seed);
	return v;
}

/* Logits of all channels of a u8 block, one behind the other; free(). */
static float *run(const char *path, const uint8_t *data, const size_t n[3],
		  const struct fx_unet_tiles *tiles)
{
	const struct fx_unet_image image = { data, FX_U8, { n[0], n[1], n[2] } };
	const size_t len = n[0] * n[1] * n[2];
	struct fx_unet_logits logits = { { NULL } };
	struct fx_unetmodel m = { 0 };
	struct fx_error err = { 0 };
	float *out;

	if (fx_unetmodel_read(&m, path, &err) < 0)
		fail_msg("%s", err.text);
	out = malloc(m.arch.head[0] * len * sizeof *out);
	assert_non_null(out);
	for (size_t c = 0; c < m.arch.head[0]; c++)
		logits.out[c] = out + c * len;
	if (fx_unetmodel_run(&m, &image, tiles, &logits, &err) < 0)
		fail_msg("%s", err.text);
	fx_unetmodel_fini(&m);
	return out;
}

/* The same by the engine itself as it learns: with all heads, no Winograd, and no value written
 * over another one; n fits the net. */
static void assert_as_engine(const char *path, const uint8_t *data, const size_t n[3],
			     const float *got, size_t got_channels)
{
	static const char *const names[] = { "affinity", "distance", "eroded" };
	const size_t len = n[0] * n[1] * n[2];
	struct fx_safetensors s = { 0 };
	struct fx_arch_values values;
	struct fx_nn *net = fx_nn_new(0);
	float *in = malloc(len * sizeof *in), *out = malloc(6 * len * sizeof *out);
	struct fx_arch arch;

	assert_non_null(net);
	assert_non_null(in);
	assert_non_null(out);
	assert_int_equal(fx_safetensors_read(&s, path, 1 << 20, NULL), FX_OK);
	assert_int_equal(fx_arch_of(&arch, &s, NULL), FX_OK);
	fx_arch_build(&arch, net, (struct fx_nn_shape){ 1, n[0], n[1], n[2], 1 }, &values);
	assert_int_equal(fx_nn_plan(net, FX_NN_TRAIN, NULL), FX_OK);
	assert_int_equal(fx_nn_load(net, &s, NULL), FX_OK);
	for (size_t i = 0; i < len; i++)
		in[i] = ((float)data[i] / 255 - 0.5F) / 0.25F;
	fx_nn_put(net, values.in, in);
	fx_nn_forward(net);
	for (size_t k = 0, c = 0; c < got_channels; k++) {
		size_t h = 0;

		while (strcmp(arch.names[h], names[k]))
			h++;
		fx_nn_get(net, values.heads[h], out);
		for (size_t j = 0; j < arch.head[h]; j++, c++)
			for (size_t i = 0; i < len; i++)
				assert_true(fabsf(out[i * arch.head[h] + j] - got[c * len + i]) <
					    1e-3F);
	}
	free(in);
	free(out);
	fx_nn_free(net);
	fx_safetensors_fini(&s);
}

static void runs_as_the_engine_does(void **unused)
{
	static const char *const args[] = { UNET_ARGS, UNET_FLAT_ARGS };
	static const size_t shapes[][3] = { { 8, 12, 16 }, { 3, 8, 10 } };

	(void)unused;
	for (int i = 0; i < 2; i++) {
		struct fixture f = fixture(args[i]);
		const size_t *n = shapes[i];
		uint8_t *data = noise(n[0] * n[1] * n[2]);
		float *got = run(f.path, data, n, &whole);

		assert_as_engine(f.path, data, n, got, i ? 4 : 7);
		free(got);
		free(data);
		fixture_fini(&f);
	}
}

/* Voxels that no rim of a tile can reach are equal but for rounding: a net of two levels sees 13
 * voxels far, and the outer quarter of an overlap of 64 is wider. */
static void tiles_agree_with_the_whole(void **unused)
{
	static const size_t n[3] = { 5, 20, 203 };
	static const struct fx_unet_tiles tiles = { { 512, 512, 192 }, { 0, 0, 64 } };
	const size_t len = n[0] * n[1] * n[2];
	struct fixture f = fixture(UNET_FLAT_ARGS);
	uint8_t *data = noise(len);
	float *one = run(f.path, data, n, &whole), *many = run(f.path, data, n, &tiles);
	bool differ = false;

	(void)unused;
	for (size_t i = 0; i < 4 * len; i++) {
		assert_true(fabsf(one[i] - many[i]) < 1e-4F);
		differ |= one[i] < many[i] || one[i] > many[i];
	}
	assert_true(differ); /* it did run in tiles */
	free(one);
	free(many);
	free(data);
	fixture_fini(&f);
}

static void any_shape_and_type_is_run(void **unused)
{
	static const size_t shapes[][3] = { { 1, 1, 1 }, { 3, 5, 7 }, { 1, 1, 40 }, { 9, 1, 2 } };
	static const struct fx_unet_tiles small = { { 1, 1, 1 }, { 9, 9, 9 } };
	struct fixture f = fixture(UNET_ARGS);

	(void)unused;
	for (size_t k = 0; k < 4; k++) {
		const size_t *n = shapes[k], len = n[0] * n[1] * n[2];
		uint8_t *data = noise(len);
		float *one = run(f.path, data, n, &whole), *many = run(f.path, data, n, &small);

		for (size_t i = 0; i < 7 * len; i++)
			assert_true(isfinite(one[i]) && isfinite(many[i]));
		free(one);
		free(many);
		free(data);
	}
	fixture_fini(&f);
}

static void brightness_counts_in_any_type(void **unused)
{
	static const uint8_t u8[4] = { 0, 128, 200, 255 };
	static const uint16_t u16[4] = { 0, 128 * 257, 200 * 257, 65535 };
	static const float f32[4] = { -0.5F, 128 / 255.0F, 200 / 255.0F, 1 },
			   wild[4] = { -INFINITY, NAN, 1e30F, 2 };
	static const struct {
		const void *data;
		enum fx_dtype dtype;
		float want[4];
	} cases[] = {
		{ u8, FX_U8, { 0, 2 / 255.0F, 1.1372549F, 2 } },
		{ u16, FX_U16, { 0, 2 / 255.0F, 1.1372549F, 2 } },
		{ f32, FX_F32, { 0, 2 / 255.0F, 1.1372549F, 2 } },
		{ wild, FX_F32, { 0, 0, 6, 6 } },
	};
	struct fixture f = fixture(NULL);
	struct fx_unetmodel m = { 0 };
	float out[4];
	const struct fx_unet_logits logits = { { [3] = out } };

	(void)unused;
	assert_int_equal(fx_unetmodel_read(&m, f.path, NULL), FX_OK);
	assert_false(m.eroded);
	assert_true(fx_model_scale(m.voxel_nm, (const double[]){ 8, 8, 8 }) <= 1);
	for (size_t k = 0; k < 4; k++) {
		const struct fx_unet_image image = { cases[k].data, cases[k].dtype, { 1, 1, 4 } };

		assert_int_equal(fx_unetmodel_run(&m, &image, &whole, &logits, NULL), FX_OK);
		for (int i = 0; i < 4; i++)
			assert_true(fabsf(out[i] - cases[k].want[i]) < 1e-4F);
	}
	assert_int_equal(fx_unetmodel_run(&m, &(struct fx_unet_image){ u8, FX_U8, { 1, 0, 4 } },
					  &whole, &logits, NULL),
			 FX_EINVAL);
	assert_int_equal(fx_unetmodel_run(&m, &(struct fx_unet_image){ u8, FX_U64, { 1, 1, 1 } },
					  &whole, &logits, NULL),
			 FX_EINVAL);
	fx_unetmodel_fini(&m);
	fixture_fini(&f);
}

static void threads_do_not_matter(void **unused)
{
	static const size_t n[3] = { 8, 16, 30 };
	static const struct fx_unet_tiles tiles = { { 512, 512, 24 }, { 0, 0, 8 } };
	struct fixture f = fixture(UNET_ARGS);
	uint8_t *data = noise(n[0] * n[1] * n[2]);
	float *one, *two;

	(void)unused;
	omp_set_num_threads(1);
	one = run(f.path, data, n, &tiles);
	omp_set_num_threads(2);
	two = run(f.path, data, n, &tiles);
	omp_set_num_threads(1);
	assert_memory_equal(one, two, 7 * n[0] * n[1] * n[2] * sizeof *one);
	free(one);
	free(two);
	free(data);
	fixture_fini(&f);
}

/* What to change in a model. */
struct change {
	const char *key, *value; /* metadata; value NULL takes it away */
	const char *drop;	 /* tensor that is left out */
	const char *poison;	 /* tensor that gets a NaN */
	const char *extra;	 /* name of a tensor that is added */
	int result;
	const char *says;
};

static int read_changed(const struct fx_safetensors *s, const struct change *c, const char *path,
			struct fx_error *err)
{
	struct fx_tensor tensors[64];
	struct fx_tensor_meta meta[UNET_META + 1];
	struct fx_unetmodel m = { 0 };
	const float one = 1;
	void *poisoned = NULL;
	size_t n = 0, k = 0;
	int result;

	assert_true(s->len < 64);
	for (size_t i = 0; i < s->len; i++) {
		tensors[n] = s->tensors[i];
		if (c->poison && !strcmp(tensors[n].name, c->poison)) {
			poisoned = malloc(tensors[n].size);
			assert_non_null(poisoned);
			memset(poisoned, 0xff, tensors[n].size);
			tensors[n].data = poisoned;
		}
		n += !c->drop || strcmp(tensors[n].name, c->drop);
	}
	if (c->extra)
		tensors[n++] = (struct fx_tensor){ c->extra, FX_TENSOR_F32, 1, { 1 }, &one, 4 };
	for (size_t i = 0; i < s->meta_len; i++) {
		meta[k] = s->meta[i];
		if (c->key && !strcmp(meta[k].key, c->key))
			meta[k].value = c->value;
		k += meta[k].value != NULL;
	}
	if (fx_safetensors_write(path, tensors, n, meta, k, err) < 0)
		fail_msg("%s", err->text);
	result = fx_unetmodel_read(&m, path, err);
	fx_unetmodel_fini(&m);
	free(poisoned);
	return result;
}

static const struct change changes[] = {
	{ .result = FX_OK },
	{ .extra = "opt.step", .result = FX_OK },
	{ "arch", "mlp", NULL, NULL, NULL, FX_ETYPE, "\"mlp\", but a \"unet\"" },
	{ "arch", NULL, NULL, NULL, NULL, FX_EINVAL, "arch" },
	{ "features", "hue", NULL, NULL, NULL, FX_ETYPE, "1 channels of \"hue\"" },
	{ "features", NULL, NULL, NULL, NULL, FX_ETYPE, "unknown features" },
	{ "input_norm", "{\"mean\": 0}", NULL, NULL, NULL, FX_EINVAL, "input_norm" },
	{ "input_norm", "{\"mean\": 0, \"sd\": 0}", NULL, NULL, NULL, FX_EINVAL, "input_norm" },
	{ "input_norm", NULL, NULL, NULL, NULL, FX_EINVAL, "input_norm" },
	{ "voxel_nm", "8 8", NULL, NULL, NULL, FX_EINVAL, "voxel_nm" },
	{ "arch_args",
	  "{\"in\":1,\"width\":[8,9,12],\"heads\":{\"affinity\":3,\"distance\":1,\"depth\":1}}",
	  NULL, NULL, NULL, FX_ETYPE, "a head \"depth\"" },
	{ "arch_args", "{\"in\":1,\"width\":[8,9,12],\"heads\":{\"affinity\":3,\"eroded\":3}}",
	  NULL, NULL, NULL, FX_ETYPE, "no head \"distance\"" },
	{ "arch_args", "{\"in\":1,\"width\":[8,9,12],\"heads\":{\"affinity\":1,\"distance\":1}}",
	  NULL, NULL, NULL, FX_ETYPE, "has 1 channels, but 3" },
	{ "arch_args", "{\"in\":2,\"width\":[8,9,12],\"heads\":{\"affinity\":3,\"distance\":1}}",
	  NULL, NULL, NULL, FX_ETYPE, "takes 2 channels" },
	{ "arch_args",
	  "{\"in\":1,\"width\":[4096,4096,4096,4096,4096,4096],\"heads\":{\"affinity\":3,"
	  "\"distance\":1}}",
	  NULL, NULL, NULL, FX_EINVAL, "tensors are missing" },
	{ NULL, NULL, "stem.bias", NULL, NULL, FX_ENOENT, "\"stem.bias\" is missing" },
	{ NULL, NULL, "long.weight", NULL, NULL, FX_ENOENT, "\"long.weight\" is missing" },
	{ NULL, NULL, NULL, "enc1.a.weight", NULL, FX_EINVAL, "\"enc1.a.weight\" holds" },
	{ NULL, NULL, NULL, NULL, "other.weight", FX_EINVAL, "\"other.weight\" has no place" },
};

static void wrong_models_are_refused(void **unused)
{
	struct fixture f = fixture(UNET_ARGS);
	const char *path = test_path(f.folder, "changed");
	struct fx_safetensors s = { 0 };
	struct fx_unetmodel m = { 0 };
	struct fx_error err = { 0 };

	(void)unused;
	assert_int_equal(fx_safetensors_read(&s, f.path, 1 << 20, NULL), FX_OK);
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		const struct change *c = &changes[i];
		const int result = read_changed(&s, c, path, &err);

		if (result != c->result || (c->says && !strstr(err.text, c->says)))
			fail_msg("change %zu gives %d: %s", i, result, err.text);
		if (c->says)
			assert_non_null(strstr(err.text, path));
	}
	assert_true(fx_unetmodel_read(&m, f.folder, &err) < 0);
	fx_safetensors_fini(&s);
	fixture_fini(&f);
}

static void counts_what_a_voxel_costs(void **unused)
{
	struct fx_arch a;

	(void)unused;
	assert_int_equal(fx_arch_parse(&a, "unet", UNET_PLAIN_ARGS, NULL), FX_OK);
	/* stem, two convolutions of 8 channels, 4 outputs */
	assert_true(fabs(fx_unetmodel_flop(&a) - 2.0 * (27 * 8 + 2 * 27 * 64 + 32)) < 1e-9);
	assert_int_equal(fx_arch_parse(&a, "unet", UNET_FLAT_ARGS, NULL), FX_OK);
	/* 9 taps above; 4 taps at a quarter down, one tap up */
	assert_true(fabs(fx_unetmodel_flop(&a) -
			 2.0 * (9 * 8 + 4 * 9 * 64 + 64 + 2 * 27 * 16 + 64 + 32)) < 1e-9);
}

/* A model that training starts is the net that the engine starts. */
static void starts_as_training_does(void **unused)
{
	const struct fx_unet_image image = { (const uint8_t[]){ 9, 99, 199 }, FX_U8, { 1, 1, 3 } };
	struct fixture f = fixture(UNET_FLAT_ARGS);
	struct fx_unetmodel a = { 0 }, b = { 0 };
	struct fx_arch arch;
	float v[2][4][3];
	struct fx_unet_logits logits = { { NULL } };

	(void)unused;
	assert_int_equal(fx_arch_parse(&arch, "unet", UNET_FLAT_ARGS, NULL), FX_OK);
	assert_int_equal(fx_unetmodel_start(&a, &arch, 3, NULL), FX_OK);
	assert_int_equal(fx_unetmodel_read(&b, f.path, NULL), FX_OK);
	for (int i = 0; i < 2; i++) {
		for (int c = 0; c < 4; c++)
			logits.out[c] = v[i][c];
		assert_int_equal(fx_unetmodel_run(i ? &b : &a, &image, &whole, &logits, NULL),
				 FX_OK);
	}
	assert_memory_equal(v[0], v[1], sizeof v[0]);
	assert_true(v[0][0][0] < 0 || v[0][0][0] > 0);
	arch.kind = FX_ARCH_MLP;
	assert_int_equal(fx_unetmodel_start(&a, &arch, 3, NULL), FX_ETYPE);
	fx_unetmodel_fini(&a);
	fx_unetmodel_fini(&b);
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_as_the_engine_does),
		cmocka_unit_test(tiles_agree_with_the_whole),
		cmocka_unit_test(any_shape_and_type_is_run),
		cmocka_unit_test(brightness_counts_in_any_type),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(wrong_models_are_refused),
		cmocka_unit_test(counts_what_a_voxel_costs),
		cmocka_unit_test(starts_as_training_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
