// SPDX-License-Identifier: Apache-2.0
/* Training: it learns, does not depend on threads, goes on after a checkpoint to the same bits. */
#include "support/test.h"

#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "nn/checkpoint.h"
#include "support/images.h"
#include "support/train.h"

static void overfit(struct train t, int steps, double rate)
{
	const double start = train_step(&t, rate);
	double loss = start;

	for (int i = 1; i < steps; i++)
		loss = train_step(&t, rate);
	if (!(loss < 0.01 * start))
		fail_msg("loss went from %g to %g", start, loss);
	train_free(&t);
}

static void mlp_learns_by_heart(void **unused)
{
	(void)unused;
	overfit(train_mlp(0), 400, 0.02);
}

static void unet_learns_by_heart(void **unused)
{
	(void)unused;
	omp_set_num_threads(1);
	overfit(train_unet(4), 200, 0.02);
}

/* Weights after three steps with that many threads. */
static float *after_steps(int threads, bool unet, size_t *len)
{
	struct train t;
	float *w;

	omp_set_num_threads(threads);
	t = unet ? train_unet(8) : train_mlp(0.3);
	for (int i = 0; i < 3; i++)
		train_step(&t, 0.01);
	*len = t.net->weights_len;
	w = malloc(*len * sizeof *w);
	assert_non_null(w);
	memcpy(w, t.net->weights, *len * sizeof *w);
	train_free(&t);
	return w;
}

static void threads_do_not_matter(void **unused)
{
	(void)unused;
	for (int unet = 0; unet < 2; unet++) {
		size_t len, again;
		float *one = after_steps(1, unet, &len), *two = after_steps(2, unet, &again),
		      *three = after_steps(3, unet, &again);

		assert_int_equal(len, again);
		assert_memory_equal(one, two, len * sizeof *one);
		assert_memory_equal(one, three, len * sizeof *one);
		free(one);
		free(two);
		free(three);
	}
	omp_set_num_threads(2);
}

static void resume(struct train *t, const char *path)
{
	struct fx_safetensors s = { 0 };
	struct fx_error err = { 0 };
	int result = fx_safetensors_read(&s, path, 1 << 24, &err);

	if (result == FX_OK)
		result = fx_nn_load(t->net, &s, &err);
	if (result == FX_OK)
		result = fx_nn_resume(t->net, &t->optim, NULL, &s, &err);
	if (result < 0)
		fail_msg("%s", err.text);
	fx_safetensors_fini(&s);
}

static void checkpoint_goes_on(void **unused)
{
	char *folder = test_tmp_dir();
	const char *path = test_path(folder, "half.safetensors");
	struct train whole = train_mlp(0.3), half = train_mlp(0.3), rest = train_mlp(0.3);
	struct fx_error err = { 0 };

	(void)unused;
	for (int i = 0; i < 6; i++)
		train_step(&whole, 0.01);
	for (int i = 0; i < 3; i++)
		train_step(&half, 0.01);
	if (fx_nn_save(half.net, &half.optim, NULL, NULL, 0, path, &err) < 0)
		fail_msg("%s", err.text);
	train_step(&rest, 0.5);
	assert_memory_not_equal(whole.net->weights, rest.net->weights,
				whole.net->weights_len * sizeof(float));
	resume(&rest, path);
	assert_int_equal(rest.optim.step, 3);
	for (int i = 0; i < 3; i++)
		train_step(&rest, 0.01);
	assert_memory_equal(whole.net->weights, rest.net->weights,
			    whole.net->weights_len * sizeof(float));
	train_free(&whole);
	train_free(&half);
	train_free(&rest);
	fx_remove_tree(folder, NULL);
	free(folder);
}

/* Planned without training: the same output from less memory. */
static void inference_is_smaller(void **unused)
{
	struct train t = train_unet(16);
	const struct fx_arch a = train_unet_arch();
	struct fx_nn *net = fx_nn_new(7);
	struct fx_arch_values v;
	float *want = malloc(3 * 4096 * sizeof *want), *got = malloc(3 * 4096 * sizeof *got);

	(void)unused;
	assert_non_null(want);
	assert_non_null(got);
	fx_arch_build(&a, net, (struct fx_nn_shape){ 1, 16, 16, 16, 1 }, &v);
	assert_int_equal(fx_nn_plan(net, FX_NN_INFER, NULL), FX_OK);
	assert_null(net->grads);
	train_fill(net, v.in, 1, false);
	fx_nn_forward(t.net);
	for (int again = 0; again < 2; again++)
		fx_nn_forward(net);
	fx_nn_get(t.net, v.heads[0], want);
	fx_nn_get(net, v.heads[0], got);
	assert_memory_equal(want, got, 3 * 4096 * sizeof *want);
	assert_true(net->arena_len * 2 < t.net->arena_len);
	free(want);
	free(got);
	fx_nn_free(net);
	train_free(&t);
}

/* Loads what was saved with tensor 0 changed by @p change; gives the result and its text. */
static int load_changed(const struct train *t, void (*change)(struct fx_tensor *, float *),
			size_t skip, struct fx_error *err)
{
	struct fx_tensor tensors[8];
	float copy[5 * 24];
	struct fx_safetensors s = { 0 };
	size_t n = 0, size;
	void *bytes;
	int result;

	for (size_t i = 0; i < t->net->params_len; i++) {
		const struct fx_nn_param *p = &t->net->params[i];

		if (i == skip)
			continue;
		tensors[n] = (struct fx_tensor){ .name = p->name,
						 .dtype = FX_TENSOR_F32,
						 .rank = p->rank,
						 .data = t->net->weights + p->at };
		memcpy(tensors[n++].shape, p->dims, sizeof p->dims);
	}
	memcpy(copy, tensors[0].data, sizeof copy);
	if (skip)
		tensors[0].data = copy;
	if (change)
		change(&tensors[0], copy);
	assert_int_equal(fx_safetensors_encode(tensors, n, NULL, 0, &bytes, &size, NULL), FX_OK);
	assert_int_equal(fx_safetensors_parse(&s, bytes, size, NULL), FX_OK);
	result = fx_nn_load(t->net, &s, err);
	fx_safetensors_fini(&s);
	free(bytes);
	return result;
}

static void turn(struct fx_tensor *t, float *copy)
{
	(void)copy;
	t->shape[0] = 5;
	t->shape[1] = 24;
}

static void poison(struct fx_tensor *t, float *copy)
{
	(void)t;
	copy[7] = NAN;
}

static void rename_it(struct fx_tensor *t, float *copy)
{
	(void)copy;
	t->name = "z.weight";
}

static void wrong_models(void **unused)
{
	struct train t = train_mlp(0);
	struct fx_error err = { 0 };

	(void)unused;
	assert_int_equal(load_changed(&t, NULL, 99, &err), FX_OK);
	assert_int_equal(load_changed(&t, NULL, 0, &err), FX_ENOENT);
	assert_non_null(strstr(err.text, "\"a.weight\" is missing"));
	assert_int_equal(load_changed(&t, turn, 99, &err), FX_ETYPE);
	assert_non_null(strstr(err.text, "a.weight"));
	assert_int_equal(load_changed(&t, poison, 99, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "not finite"));
	assert_int_equal(load_changed(&t, rename_it, 99, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "z.weight"));
	train_free(&t);
}

/* What a description gets wrong is told by the plan, the first of it. */
static void wrong_descriptions(void **unused)
{
	struct fx_error err = { 0 };
	struct fx_nn *net = fx_nn_new(1);
	const int x = fx_nn_input(net, (struct fx_nn_shape){ 1, 4, 4, 4, 2 }, FX_NN_PADDED),
		  y = fx_nn_input(net, (struct fx_nn_shape){ 1, 4, 4, 4, 3 }, FX_NN_PADDED);

	(void)unused;
	assert_int_equal(fx_nn_add(net, x, y), -1);
	assert_int_equal(fx_nn_relu(net, fx_nn_add(net, x, y)), -1);
	assert_int_equal(fx_nn_plan(net, FX_NN_INFER, &err), FX_EINVAL);
	assert_string_equal(err.text, "add: values 0 and 1 differ in shape or layout");
	fx_nn_free(net);
}

static void schedules(void **unused)
{
	const struct fx_schedule s = { .rate = 2, .warmup = 4, .total = 104, .floor = 0.5 },
				 constant = { .rate = 3 };

	(void)unused;
	assert_true(fx_schedule_rate(&s, 0) == 0.5 && fx_schedule_rate(&s, 3) == 2);
	assert_true(fx_schedule_rate(&s, 4) == 2 && fabs(fx_schedule_rate(&s, 54) - 1.25) < 1e-12);
	assert_true(fx_schedule_rate(&s, 104) == 0.5 && fx_schedule_rate(&s, 1000) == 0.5);
	assert_true(fx_schedule_rate(&constant, 0) == 3 && fx_schedule_rate(&constant, 99) == 3);
}

/* A gradient that is not finite changes nothing; clipping holds the norm. */
static void clipping(void **unused)
{
	struct train t = train_mlp(0);
	const float before = t.net->weights[0];
	double norm = 0;

	(void)unused;
	t.net->grads[3] = INFINITY;
	assert_true(isinf(fx_optim_step(&t.optim, t.net, 0.1)));
	assert_true(t.net->weights[0] == before && t.optim.step == 0);
	fx_nn_zero_grads(t.net);
	t.net->grads[0] = 30;
	t.net->grads[1] = -40;
	assert_true(fx_optim_step(&t.optim, t.net, 0.1) == 50);
	for (size_t i = 0; i < t.net->weights_len; i++)
		norm += (double)(t.net->grads[i] * t.net->grads[i]);
	assert_true(fabs(norm - 1) < 1e-5);
	t.optim.clip_norm = 0;
	t.optim.clip_each = 0.5;
	t.net->grads[0] = 30;
	fx_optim_step(&t.optim, t.net, 0.1);
	assert_true(t.net->grads[0] == 0.5F && t.net->grads[1] == -0.5F);
	train_free(&t);
}

static void arch_round_trip(void **unused)
{
	const struct fx_arch a = train_unet_arch();
	struct fx_arch b;
	char text[FX_ARCH_TEXT_MAX];
	struct fx_error err = { 0 };

	(void)unused;
	assert_int_equal(fx_arch_print(&a, text, &err), FX_OK);
	assert_string_equal(text,
			    "{\"in\":1,\"width\":[8,16],\"heads\":{\"affinity\":3},\"flat\":0}");
	assert_int_equal(fx_arch_parse(&b, "unet", text, &err), FX_OK);
	assert_memory_equal(&a, &b, sizeof a);
	assert_int_equal(fx_arch_parse(&b, "ffn", text, &err), FX_EINVAL);
	assert_int_equal(fx_arch_parse(&b, "mlp", "{}", &err), FX_EINVAL);
	assert_int_equal(
		fx_arch_parse(&b, "mlp", "{\"in\":1,\"width\":[0],\"heads\":{\"p\":1}}", &err),
		FX_EINVAL);
	assert_int_equal(fx_arch_parse(&b, "mlp", "{\"in\":1,\"width\":[9],\"heads\":{}}", &err),
			 FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mlp_learns_by_heart),
		cmocka_unit_test(unet_learns_by_heart),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(checkpoint_goes_on),
		cmocka_unit_test(inference_is_smaller),
		cmocka_unit_test(wrong_models),
		cmocka_unit_test(wrong_descriptions),
		cmocka_unit_test(schedules),
		cmocka_unit_test(clipping),
		cmocka_unit_test(arch_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
