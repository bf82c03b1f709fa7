// SPDX-License-Identifier: Apache-2.0
/* run.c: plans, fills, runs and derives a network. */
#include "nn/op.h"

#include <string.h>

#include <cblas.h>

int fx_nn_plan(struct fx_nn *net, enum fx_nn_purpose purpose, struct fx_error *err)
{
	int result;

	if (net->error.code)
		return fx_error_set(err, net->error.code, "%s", net->error.text);
	if (net->arena || !net->layers_len)
		return fx_error_set(err, FX_EINVAL,
				    "the network is planned already or has no layer");
	net->train = net->dropping = purpose == FX_NN_TRAIN;
	result = fx_nn_plan_memory(net, err);
	if (result < 0)
		return result;
	openblas_set_num_threads(1);
	fx_nn_start_weights(net);
	return FX_OK;
}

size_t fx_nn_len(const struct fx_nn *net, int x)
{
	return fx_nn_count(net->values[x].shape);
}

/* Between dense numbers and @p array, which lies as @p v. */
static void copy_in(const struct fx_nn_value *v, NN_REAL *array, const NN_REAL *from)
{
	const size_t c = v->shape.c, step = nn_step(v);

	for (size_t i = 0; i < nn_spans(v); i++) {
		const struct nn_span s = nn_span(v, i);

		for (size_t x = 0; x < s.voxels; x++, from += c) {
			memcpy(array + s.at + x * step, from, c * sizeof *from);
			for (size_t k = c; k < step; k++)
				array[s.at + x * step + k] = 0;
		}
	}
}

static void copy_out(const struct fx_nn_value *v, const NN_REAL *array, NN_REAL *to)
{
	const size_t c = v->shape.c, step = nn_step(v);

	for (size_t i = 0; i < nn_spans(v); i++) {
		const struct nn_span s = nn_span(v, i);

		for (size_t x = 0; x < s.voxels; x++, to += c)
			memcpy(to, array + s.at + x * step, c * sizeof *to);
	}
}

void fx_nn_put(struct fx_nn *net, int x, const NN_REAL *from)
{
	copy_in(&net->values[x], net->values[x].data, from);
}

void fx_nn_get(const struct fx_nn *net, int x, NN_REAL *to)
{
	copy_out(&net->values[x], net->values[x].data, to);
}

void fx_nn_get_grad(const struct fx_nn *net, int x, NN_REAL *to)
{
	copy_out(&net->values[x], net->values[x].grad, to);
}

static void zero(NN_REAL *array, size_t n)
{
	enum { CHUNK = 1 << 16 };

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < (n + CHUNK - 1) / CHUNK; i++)
		memset(array + i * CHUNK, 0,
		       (n - i * CHUNK < CHUNK ? n - i * CHUNK : CHUNK) * sizeof *array);
}

double fx_nn_forward(struct fx_nn *net)
{
	net->loss = 0;
	for (size_t i = 0; i < net->layers_len; i++) {
		struct fx_nn_layer *l = &net->layers[i];
		struct fx_nn_value *out = nn_out(net, l);

		if (net->stale && l->op->pack)
			l->op->pack(net, l);
		if (out->layout == FX_NN_PADDED && out->shared)
			fx_nn_zero_pads(out, out->data);
		l->op->forward(net, l);
	}
	net->stale = false;
	return net->loss;
}

static void back_layer(struct fx_nn *net, struct fx_nn_layer *l)
{
	for (int k = 0; k < FX_NN_IN_MAX; k++) {
		struct fx_nn_value *in = nn_maybe(net, l, k);

		if (!in || !in->grad || !l->first[k])
			continue;
		if (!l->op->writes || k)
			zero(in->grad, in->size);
		else if (in->layout == FX_NN_PADDED)
			fx_nn_zero_pads(in, in->grad);
	}
	l->op->backward(net, l);
}

void fx_nn_backward(struct fx_nn *net)
{
	for (size_t i = net->layers_len; i-- > 0;)
		if (net->values[net->layers[i].out].learns)
			back_layer(net, &net->layers[i]);
}

void fx_nn_zero_grads(struct fx_nn *net)
{
	zero(net->grads, net->weights_len);
}

void fx_nn_touch(struct fx_nn *net)
{
	net->stale = true;
}
