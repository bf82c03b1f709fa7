// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/nn/pixelmodel.c: models run as they were trained, and wrong ones are refused. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/file.h"
#include "nn/modelmeta.h"
#include "support/images.h"
#include "support/pixels.h"

static void runs_as_trained(void **unused)
{
	char *folder = test_tmp_dir();
	const char *path = test_path(folder, "model");
	static float rows[2][PIXELS_ROWS * FX_FEATURES];
	static const double voxel[3] = { 40, 8.5, 8 }, twice[3] = { 20, 8.5, 8 };
	const struct fx_pixelfit_spec spec = pixels_spec(pixels_data(rows, 1));
	const struct fx_pixelfit_data one = { { rows[0], rows[1] }, { 1, 1 } };
	struct fx_pixelfit f = { 0 };
	struct fx_pixelfit_score score;
	struct fx_pixelmodel m = { 0 };
	float in[FX_FEATURES * 16] = { 0 }, out[16], scratch[1024];

	(void)unused;
	assert_int_equal(fx_pixelfit_init(&f, &spec, NULL), FX_OK);
	fx_pixelfit_run(&f, 100);
	assert_int_equal(fx_pixelfit_save(&f, path, true, voxel, "", NULL), FX_OK);
	assert_int_equal(fx_pixelmodel_read(&m, path, NULL), FX_OK);
	assert_true(fx_model_scale(m.voxel_nm, voxel) <= 1);
	assert_true(fabs(fx_model_scale(m.voxel_nm, twice) - 2) < 1e-9);
	for (size_t i = 0; i < FX_FEATURES; i++) {
		in[i * 16] = rows[0][i];
		in[i * 16 + 1] = rows[1][i];
	}
	assert_true(fx_voxelmlp_scratch(&m.mlp) <= 1024);
	fx_voxelmlp_run(&m.mlp, out, in, 2, 16, scratch);
	assert_int_equal(fx_pixelfit_rate(&f, &one, &score, NULL), FX_OK);
	/* the mean loss of both rows tells their logits */
	assert_true(fabs(score.loss -
			 (log1p(exp((double)out[0])) + log1p(exp(-(double)out[1]))) / 2) < 1e-4);
	fx_pixelmodel_fini(&m);
	fx_pixelfit_fini(&f);
	fx_remove_tree(folder, NULL);
	free(folder);
}

/* What to change in a model. */
struct change {
	const char *key, *value; /* metadata; value NULL takes it away */
	const char *drop;	 /* tensor that is left out */
	bool poison;
	int result;
	const char *says;
};

static int read_changed(const struct fx_safetensors *s, const struct change *c, const char *path,
			struct fx_error *err)
{
	struct fx_tensor tensors[8];
	struct fx_tensor_meta meta[16];
	struct fx_pixelmodel m = { 0 };
	float poisoned[8 * FX_FEATURES];
	size_t n = 0, k = 0;
	int result;

	for (size_t i = 0; i < s->len; i++) {
		tensors[n] = s->tensors[i];
		if (c->poison && tensors[n].size == sizeof poisoned) {
			memcpy(poisoned, tensors[n].data, sizeof poisoned);
			poisoned[13] = NAN;
			tensors[n].data = poisoned;
		}
		n += !c->drop || strcmp(tensors[n].name, c->drop);
	}
	for (size_t i = 0; i < s->meta_len; i++) {
		meta[k] = s->meta[i];
		if (c->key && !strcmp(meta[k].key, c->key))
			meta[k].value = c->value;
		k += meta[k].value != NULL;
	}
	assert_int_equal(fx_safetensors_write(path, tensors, n, meta, k, NULL), FX_OK);
	result = fx_pixelmodel_read(&m, path, err);
	fx_pixelmodel_fini(&m);
	return result;
}

static void wrong_models_are_refused(void **unused)
{
	static const struct change changes[] = {
		{ .result = FX_OK },
		{ "arch", "unet", .result = FX_ETYPE,
		  .says = "\"unet\", but an \"mlp\" is wanted" },
		{ "arch", "ffn", .result = FX_EINVAL, .says = "\"ffn\"" },
		{ "arch", NULL, .result = FX_EINVAL, .says = "arch and arch_args are missing" },
		{ "arch_args", "{\"in\":19,\"width\":[8,8],\"heads\":{\"boundary\":1}}",
		  .result = FX_ETYPE, .says = "takes 19 numbers" },
		{ "arch_args", "{\"in\":20,\"width\":[8,8],\"heads\":{\"boundary\":2}}",
		  .result = FX_ETYPE, .says = "1 outputs of 2" },
		{ "arch_args", "{\"in\":20,\"width\":[8,9],\"heads\":{\"boundary\":1}}",
		  .result = FX_ETYPE, .says = "hidden1.weight" },
		{ "features", "colours", .result = FX_ETYPE, .says = "\"colours\"" },
		{ "features", NULL, .result = FX_ETYPE, .says = "unknown features" },
		{ "voxel_nm", "8 8", .result = FX_EINVAL, .says = "voxel_nm" },
		{ "voxel_nm", "8 0 8", .result = FX_EINVAL, .says = "voxel_nm" },
		{ "input_norm", NULL, .result = FX_EINVAL, .says = "input_norm" },
		{ "input_norm", "{\"mean\":[1],\"sd\":[1]}", .result = FX_EINVAL,
		  .says = "20 numbers each" },
		{ .drop = "hidden0.bias",
		  .result = FX_ENOENT,
		  .says = "\"hidden0.bias\" is missing" },
		{ .poison = true, .result = FX_EINVAL, .says = "hidden0.weight" },
	};
	char *folder = test_tmp_dir();
	const char *path = test_path(folder, "model"), *changed = test_path(folder, "changed");
	struct fx_safetensors s = { 0 };

	(void)unused;
	pixels_model(path, 1);
	assert_int_equal(fx_safetensors_read(&s, path, 1 << 20, NULL), FX_OK);
	assert_int_equal(s.len, 6);
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		struct fx_error err = { 0 };

		assert_int_equal(read_changed(&s, &changes[i], changed, &err), changes[i].result);
		if (changes[i].result < 0 &&
		    (!strstr(err.text, changes[i].says) || !strstr(err.text, changed)))
			fail_msg("\"%s\" does not say \"%s\"", err.text, changes[i].says);
	}
	fx_safetensors_fini(&s);
	fx_remove_tree(folder, NULL);
	free(folder);
}

static void norms_survive_print_and_parse(void **unused)
{
	struct fx_pixelmodel_norm a, b;
	char text[FX_PIXELMODEL_TEXT_MAX];

	(void)unused;
	for (int i = 0; i < FX_FEATURES; i++) {
		a.mean[i] = -1.0 / (i + 3);
		a.sd[i] = exp(i - 15);
	}
	assert_int_equal(fx_pixelmodel_norm_print(&a, text), FX_OK);
	assert_int_equal(fx_pixelmodel_norm_parse(&b, text, NULL), FX_OK);
	assert_memory_equal(&a, &b, sizeof a);
	a.sd[4] = 0;
	assert_int_equal(fx_pixelmodel_norm_print(&a, text), FX_OK);
	assert_int_equal(fx_pixelmodel_norm_parse(&b, text, NULL), FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_as_trained),
		cmocka_unit_test(wrong_models_are_refused),
		cmocka_unit_test(norms_survive_print_and_parse),
	};

	omp_set_num_threads(1); /* more would wait for each other most of the time */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
