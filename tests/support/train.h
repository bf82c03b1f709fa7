// SPDX-License-Identifier: Apache-2.0
/* train.h: small networks with data, for tests of training. Include after support/test.h. */
#ifndef FX_TESTS_TRAIN_H
#define FX_TESTS_TRAIN_H

#include <stdlib.h>

#include "nn/arch.h"
#include "nn/optim.h"

/** A planned network, its inputs, and an optimiser. */
struct train {
	struct fx_nn *net;
	struct fx_optim optim;
	int in, target;
};

/** Fills a value with numbers made from @p seed: normal, or 0 and 1. */
static inline void train_fill(struct fx_nn *net, int x, uint64_t seed, bool binary)
{
	struct fx_pcg rng = fx_pcg_seed(seed, 3);
	const size_t n = fx_nn_len(net, x);
	NN_REAL *numbers = malloc(n * sizeof *numbers);

	assert_non_null(numbers);
	for (size_t i = 0; i < n; i++) {
		const double v = fx_pcg_normal(&rng);

		numbers[i] = (NN_REAL)(binary ? v > 0 : v);
	}
	fx_nn_put(net, x, numbers);
	free(numbers);
}

static inline void train_finish(struct train *t, enum fx_optim_kind kind)
{
	struct fx_error err = { 0 };

	if (fx_nn_plan(t->net, FX_NN_TRAIN, &err) < 0)
		fail_msg("%s", err.text);
	t->optim = (struct fx_optim){
		.kind = kind, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .clip_norm = 1
	};
	assert_int_equal(fx_optim_init(&t->optim, t->net, &err), FX_OK);
	train_fill(t->net, t->in, 1, false);
	train_fill(t->net, t->target, 2, true);
}

/** 5-24-24-1 over 64 voxels, with dropout of @p drop. */
static inline struct train train_mlp(double drop)
{
	struct train t = { .net = fx_nn_new(7) };
	int x;

	assert_non_null(t.net);
	t.in = fx_nn_input(t.net, (struct fx_nn_shape){ 1, 1, 1, 64, 5 }, FX_NN_DENSE);
	x = fx_nn_relu(t.net, fx_nn_linear(t.net, t.in, "a", 24, FX_NN_HE));
	x = fx_nn_relu(t.net, fx_nn_linear(t.net, x, "b", 24, FX_NN_HE));
	x = drop > 0 ? fx_nn_dropout(t.net, x, drop, false) : x;
	x = fx_nn_linear(t.net, x, "c", 1, FX_NN_XAVIER);
	t.target = fx_nn_input(t.net, (struct fx_nn_shape){ 1, 1, 1, 64, 1 }, FX_NN_DENSE);
	fx_nn_bce(t.net, x, t.target, -1, 1, 1);
	train_finish(&t, FX_OPTIM_ADAM);
	return t;
}

static inline struct fx_arch train_unet_arch(void)
{
	return (struct fx_arch){ .kind = FX_ARCH_UNET,
				 .in = 1,
				 .width = { 8, 16 },
				 .levels = 2,
				 .head = { 3 },
				 .names = { "affinity" },
				 .heads = 1 };
}

/** A U-Net of 8 and 16 channels over @p side^3. */
static inline struct train train_unet(size_t side)
{
	struct train t = { .net = fx_nn_new(7) };
	const struct fx_arch a = train_unet_arch();
	struct fx_arch_values v;

	assert_non_null(t.net);
	fx_arch_build(&a, t.net, (struct fx_nn_shape){ 1, side, side, side, 1 }, &v);
	t.in = v.in;
	t.target = fx_nn_input(t.net, (struct fx_nn_shape){ 1, side, side, side, 3 }, FX_NN_PADDED);
	fx_nn_bce(t.net, v.heads[0], t.target, -1, 1, 1);
	train_finish(&t, FX_OPTIM_ADAM);
	return t;
}

static inline double train_step(struct train *t, double rate)
{
	double loss;

	fx_nn_zero_grads(t->net);
	loss = fx_nn_forward(t->net);
	fx_nn_backward(t->net);
	fx_optim_step(&t->optim, t->net, rate);
	return loss;
}

static inline void train_free(struct train *t)
{
	fx_optim_fini(&t->optim);
	fx_nn_free(t->net);
}

#endif
