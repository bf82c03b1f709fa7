// SPDX-License-Identifier: Apache-2.0
/* The engine against PyTorch: outputs, gradients and five steps of three optimisers, from the files
 * of tools/dev/make_nn_fixtures.py; and from fresh ones where PyTorch is installed. */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/safetensors.h"
#include "nn/arch.h"
#include "nn/optim.h"
#include "support/images.h"

#define PYTHON "/usr/bin/python3"

/* A network that is built as the script builds it. */
struct subject {
	struct fx_nn *net;
	struct fx_safetensors file;
	int out;
};

static const struct fx_tensor *tensor(const struct subject *s, const char *prefix, const char *name)
{
	char full[80];
	const struct fx_tensor *t;

	snprintf(full, sizeof full, "%s%s", prefix, name);
	t = fx_safetensors_find(&s->file, full);
	if (!t)
		fail_msg("no tensor %s", full);
	return t;
}

/* An input with the shape of tensor "in.NAME". */
static int input(struct subject *s, const char *name, enum fx_nn_layout layout)
{
	const struct fx_tensor *t = tensor(s, "in.", name);

	assert_int_equal(t->rank, 5);
	return fx_nn_input(s->net,
			   (struct fx_nn_shape){ t->shape[0], t->shape[1], t->shape[2], t->shape[3],
						 t->shape[4] },
			   layout);
}

static void put(struct subject *s, int x, const char *name)
{
	const struct fx_tensor *t = tensor(s, "in.", name);
	float *numbers = malloc(t->size);

	assert_non_null(numbers);
	assert_int_equal(fx_tensor_count(t), fx_nn_len(s->net, x));
	assert_int_equal(fx_tensor_floats(t, numbers, NULL), FX_OK);
	fx_nn_put(s->net, x, numbers);
	free(numbers);
}

static void plan(struct subject *s)
{
	struct fx_error err = { 0 };

	if (fx_nn_plan(s->net, FX_NN_TRAIN, &err) < 0)
		fail_msg("%s", err.text);
}

static void mlp(struct subject *s)
{
	const int x = input(s, "x", FX_NN_DENSE), target = input(s, "target", FX_NN_DENSE),
		  weight = input(s, "weight", FX_NN_DENSE),
		  a = fx_nn_relu(s->net, fx_nn_linear(s->net, x, "a", 12, FX_NN_HE)),
		  b = fx_nn_relu(s->net, fx_nn_linear(s->net, a, "b", 10, FX_NN_HE));

	s->out = fx_nn_keep(s->net, fx_nn_linear(s->net, b, "c", 2, FX_NN_HE));
	fx_nn_bce(s->net, s->out, target, weight, 2, 1);
	plan(s);
	put(s, x, "x");
	put(s, target, "target");
	put(s, weight, "weight");
}

static void unet(struct subject *s)
{
	const struct fx_arch arch = { .kind = FX_ARCH_UNET,
				      .in = 1,
				      .width = { 4, 6 },
				      .levels = 2,
				      .head = { 3, 1 },
				      .names = { "affinity", "edt" },
				      .heads = 2 };
	const int target = input(s, "target", FX_NN_PADDED), edt = input(s, "edt", FX_NN_PADDED),
		  weight = input(s, "weight", FX_NN_PADDED);
	struct fx_arch_values v;
	int first;

	fx_arch_build(&arch, s->net, (struct fx_nn_shape){ 2, 4, 6, 8, 1 }, &v);
	s->out = v.heads[0];
	fx_nn_bce(s->net, v.heads[0], target, weight, 1, 1);
	first = input(s, "edt", FX_NN_PADDED); /* channel 0 of the weight */
	fx_nn_mse(s->net, fx_nn_tanh(s->net, v.heads[1]), edt, first, 0.5);
	plan(s);
	put(s, v.in, "x");
	put(s, target, "target");
	put(s, edt, "edt");
	put(s, weight, "weight");
	{
		const size_t n = fx_nn_len(s->net, first);
		float *all = malloc(3 * n * sizeof *all), *one = malloc(n * sizeof *one);

		assert_non_null(all);
		assert_non_null(one);
		fx_nn_get(s->net, weight, all);
		for (size_t i = 0; i < n; i++)
			one[i] = all[3 * i];
		fx_nn_put(s->net, first, one);
		free(all);
		free(one);
	}
}

static void mixed(struct subject *s)
{
	const int x = input(s, "x", FX_NN_PADDED), target = input(s, "target", FX_NN_PADDED);
	int h, low, near;

	h = fx_nn_conv(s->net, x, "a", &(struct fx_nn_conv){ .out = 6, .kernel = 3, .stride = 2 });
	h = fx_nn_elu(s->net, fx_nn_group_norm(s->net, h, "n", 3, 1e-5));
	low = fx_nn_conv(s->net, fx_nn_max_pool(s->net, h, false), "b",
			 &(struct fx_nn_conv){ .out = 6, .kernel = 3, .stride = 1 });
	low = fx_nn_leaky_relu(s->net, low, 0.2);
	near = fx_nn_mean_pool(s->net, low, false);
	near = fx_nn_up_nearest(s->net, fx_nn_up_nearest(s->net, near, false), false);
	h = fx_nn_concat(s->net, fx_nn_add(s->net, fx_nn_up_linear(s->net, low, false), near), h);
	h = fx_nn_conv(s->net, h, "c", &(struct fx_nn_conv){ .out = 2, .kernel = 1, .stride = 1 });
	s->out = fx_nn_keep(s->net, fx_nn_sigmoid(s->net, h));
	fx_nn_dice(s->net, s->out, target, -1, 1);
	fx_nn_l1(s->net, s->out, target, -1, 0.1);
	plan(s);
	put(s, x, "x");
	put(s, target, "target");
}

static void transformer(struct subject *s)
{
	const int x = input(s, "x", FX_NN_DENSE), target = input(s, "target", FX_NN_DENSE);
	int h, y;

	h = fx_nn_linear(s->net, fx_nn_layer_norm(s->net, x, "n1", 1e-6), "qkv", 24, FX_NN_HE);
	h = fx_nn_linear(s->net, fx_nn_attention(s->net, h, 2), "proj", 8, FX_NN_HE);
	y = fx_nn_add(s->net, x, h);
	h = fx_nn_linear(s->net, fx_nn_layer_norm(s->net, y, "n2", 1e-6), "fc1", 16, FX_NN_HE);
	s->out =
		fx_nn_keep(s->net, fx_nn_linear(s->net, fx_nn_gelu(s->net, h), "fc2", 3, FX_NN_HE));
	fx_nn_cross_entropy(s->net, s->out, target, -1, 1);
	plan(s);
	put(s, x, "x");
	put(s, target, "target");
}

/* Largest difference from a tensor of the file, relative to its largest number. */
static double difference(const struct fx_tensor *t, const float *got)
{
	const size_t n = fx_tensor_count(t);
	float *want = malloc(t->size);
	double largest = 0, most = 0;

	assert_non_null(want);
	assert_int_equal(fx_tensor_floats(t, want, NULL), FX_OK);
	for (size_t i = 0; i < n; i++) {
		largest = fmax(largest, (double)fabsf(want[i]));
		most = fmax(most, (double)fabsf(want[i] - got[i]));
		assert_true(isfinite(got[i]));
	}
	free(want);
	return most / largest;
}

/* All tensors PREFIXname against numbers that lie as the weights. */
static void compare_all(const struct subject *s, const char *prefix, const float *numbers,
			double limit)
{
	for (size_t i = 0; i < s->net->params_len; i++) {
		const struct fx_nn_param *p = &s->net->params[i];
		const double off = difference(tensor(s, prefix, p->name), numbers + p->at);

		if (!(off <= limit))
			fail_msg("%s%s is off by %g of its largest, %g is allowed", prefix, p->name,
				 off, limit);
	}
}

static void set_weights(struct subject *s)
{
	for (size_t i = 0; i < s->net->params_len; i++) {
		const struct fx_nn_param *p = &s->net->params[i];
		const struct fx_tensor *t = tensor(s, "w.", p->name);

		assert_int_equal(fx_tensor_count(t), p->len);
		assert_int_equal(fx_tensor_floats(t, s->net->weights + p->at, NULL), FX_OK);
	}
	fx_nn_touch(s->net);
}

static void compare_once(struct subject *s)
{
	const size_t n = fx_nn_len(s->net, s->out);
	float *out = malloc(n * sizeof *out), loss;

	assert_non_null(out);
	set_weights(s);
	loss = (float)fx_nn_forward(s->net);
	fx_nn_get(s->net, s->out, out);
	fx_nn_zero_grads(s->net);
	fx_nn_backward(s->net);
	assert_true(difference(tensor(s, "", "out"), out) <= 1e-5);
	assert_true(difference(tensor(s, "", "loss"), &loss) <= 1e-5);
	compare_all(s, "g.", s->net->grads, 1e-4);
	free(out);
}

static void compare_steps(struct subject *s, const char *prefix, struct fx_optim o, double rate)
{
	set_weights(s);
	assert_int_equal(fx_optim_init(&o, s->net, NULL), FX_OK);
	for (int i = 0; i < 5; i++) {
		fx_nn_zero_grads(s->net);
		fx_nn_forward(s->net);
		fx_nn_backward(s->net);
		fx_optim_step(&o, s->net, rate);
	}
	compare_all(s, prefix, s->net->weights, 1e-4);
	fx_optim_fini(&o);
}

static void compare(const char *folder, const char *name, void (*build)(struct subject *))
{
	struct subject s = { .net = fx_nn_new(1) };
	struct fx_error err = { 0 };
	char path[256];

	assert_non_null(s.net);
	snprintf(path, sizeof path, "%s/%s.safetensors", folder, name);
	if (fx_safetensors_read(&s.file, path, 1 << 20, &err) < 0)
		fail_msg("%s", err.text);
	build(&s);
	compare_once(&s);
	compare_steps(&s, "sgd.", (struct fx_optim){ .kind = FX_OPTIM_SGD, .beta1 = 0.9 }, 0.05);
	compare_steps(&s, "adam.",
		      (struct fx_optim){ .kind = FX_OPTIM_ADAM,
					 .beta1 = 0.9,
					 .beta2 = 0.99,
					 .eps = 1e-4,
					 .decay = 0.01 },
		      0.01);
	compare_steps(&s, "adamw.",
		      (struct fx_optim){ .kind = FX_OPTIM_ADAMW,
					 .beta1 = 0.9,
					 .beta2 = 0.99,
					 .eps = 1e-4,
					 .decay = 0.1 },
		      0.01);
	fx_safetensors_fini(&s.file);
	fx_nn_free(s.net);
}

static void compare_folder(const char *folder)
{
	compare(folder, "mlp", mlp);
	compare(folder, "unet", unet);
	compare(folder, "mixed", mixed);
	compare(folder, "transformer", transformer);
}

static void stored_numbers(void **unused)
{
	(void)unused;
	compare_folder("tests/golden/nn");
}

static void live_numbers(void **unused)
{
	char *folder, command[512];

	(void)unused;
	if (system(PYTHON " -c 'import torch' 2>/dev/null"))
		test_skip("comparison with PyTorch: " PYTHON " cannot import torch");
	folder = test_tmp_dir();
	snprintf(command, sizeof command, PYTHON " tools/dev/make_nn_fixtures.py %s 5", folder);
	assert_int_equal(system(command), 0);
	compare_folder(folder);
	fx_remove_tree(folder, NULL);
	free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stored_numbers),
		cmocka_unit_test(live_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
