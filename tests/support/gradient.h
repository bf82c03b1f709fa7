// SPDX-License-Identifier: Apache-2.0
/* gradient.h: compares the derivatives of a network with differences of its loss; for the engine
 * in double precision. Include after support/test.h. */
#ifndef FX_TESTS_GRADIENT_H
#define FX_TESTS_GRADIENT_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "nn/nn.h"

enum { GRADIENT_PICKS = 20 };

/** Fills value @p x with normal numbers times @p size. */
static inline void gradient_fill(struct fx_nn *net, int x, double size, struct fx_pcg *rng)
{
	const size_t n = fx_nn_len(net, x);
	NN_REAL *numbers = malloc(n * sizeof *numbers);

	assert_non_null(numbers);
	for (size_t i = 0; i < n; i++)
		numbers[i] = (NN_REAL)(size * fx_pcg_normal(rng));
	fx_nn_put(net, x, numbers);
	free(numbers);
}

/** forward() from the same random state each time, so that dropout drops the same. */
static inline double gradient_loss(struct fx_nn *net)
{
	const struct fx_pcg rng = net->rng;
	double loss;

	fx_nn_touch(net);
	loss = fx_nn_forward(net);
	net->rng = rng;
	return loss;
}

/** A number by which the loss is derived, and the derivative. */
struct gradient_pick {
	NN_REAL *at;
	double derived;
};

/** |difference - derivative| relative to their size. */
static inline double gradient_error(struct fx_nn *net, const struct gradient_pick *p)
{
	const NN_REAL old = *p->at, h = (NN_REAL)1e-5;
	double up, down, slope;

	*p->at = old + h;
	up = gradient_loss(net);
	*p->at = old - h;
	down = gradient_loss(net);
	*p->at = old;
	slope = (up - down) / (2 * (double)h);
	return fabs(slope - p->derived) / fmax(1e-8, fabs(slope) + fabs(p->derived));
}

/** A random number of input @p v. */
static inline struct gradient_pick gradient_pick(const struct fx_nn_value *v, struct fx_pcg *rng)
{
	const struct fx_nn_shape s = v->shape;
	size_t at = v->at.origin;

	at += fx_pcg_below(rng, (uint32_t)s.n) * v->sample;
	at += fx_pcg_below(rng, (uint32_t)s.z) * v->at.stride[0];
	at += fx_pcg_below(rng, (uint32_t)s.y) * v->at.stride[1];
	at += fx_pcg_below(rng, (uint32_t)s.x) * v->at.stride[2];
	at += fx_pcg_below(rng, (uint32_t)s.c);
	return (struct gradient_pick){ &v->data[at], (double)v->grad[at] };
}

/** 20 numbers of each tensor of weights, and of each input that learns. */
static inline size_t gradient_picks(struct fx_nn *net, struct gradient_pick *to, struct fx_pcg *rng)
{
	size_t n = 0;

	for (size_t i = 0; i < net->params_len * GRADIENT_PICKS; i++) {
		const struct fx_nn_param *p = &net->params[i / GRADIENT_PICKS];
		const size_t at = p->at + fx_pcg_below(rng, (uint32_t)p->len);

		to[n++] = (struct gradient_pick){ &net->weights[at], (double)net->grads[at] };
	}
	for (size_t i = 0; i < net->values_len * GRADIENT_PICKS; i++) {
		const struct fx_nn_value *v = &net->values[i / GRADIENT_PICKS];

		if (v->maker < 0 && v->grad)
			to[n++] = gradient_pick(v, rng);
	}
	return n;
}

/** Largest relative error over them. */
static inline double gradient_worst(struct fx_nn *net, struct fx_pcg *rng)
{
	struct gradient_pick *picks =
		calloc((net->params_len + net->values_len) * GRADIENT_PICKS, sizeof *picks);
	double worst = 0;
	size_t n;

	assert_non_null(picks);
	fx_nn_zero_grads(net);
	gradient_loss(net);
	fx_nn_backward(net);
	n = gradient_picks(net, picks, rng);
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++)
		worst = fmax(worst, gradient_error(net, &picks[i]));
	free(picks);
	return worst;
}

/** Adds sum((x - t)^2 w) as loss, plans, fills all inputs and weights, and checks: relative error
 * below @p most. Frees the net. */
static inline void gradient_check(struct fx_nn *net, int x, double most)
{
	struct fx_pcg rng = fx_pcg_seed(5, 2);
	struct fx_error err = { 0 };
	double worst;

	if (x >= 0) {
		const struct fx_nn_shape s = net->values[x].shape;
		const int t = fx_nn_input(net, s, net->values[x].layout);

		fx_nn_mse(net, x, t, -1, (double)fx_nn_count(s));
	}
	if (fx_nn_plan(net, FX_NN_TRAIN, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t v = 0; v < net->values_len; v++)
		if (net->values[v].maker < 0)
			gradient_fill(net, (int)v, 1, &rng);
	for (size_t p = 0; p < net->params_len; p++) /* biases too */
		for (size_t i = 0; i < net->params[p].len; i++)
			net->weights[net->params[p].at + i] += (NN_REAL)(0.2 * fx_pcg_normal(&rng));
	worst = gradient_worst(net, &rng);
	if (!(worst < most))
		fail_msg("relative error %g", worst);
	fx_nn_free(net);
}

#endif
