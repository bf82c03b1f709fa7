// SPDX-License-Identifier: Apache-2.0
/* net.c: the description of a network: values, layers, tensors of weights. */
#include "nn/op.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct fx_nn *fx_nn_new(uint64_t seed)
{
	struct fx_nn *net = fx_calloc(1, sizeof *net);

	if (net)
		net->rng = fx_pcg_seed(seed, 1);
	return net;
}

void fx_nn_free(struct fx_nn *net)
{
	if (!net)
		return;
	for (size_t i = 0; i < net->layers_len; i++)
		free(net->layers[i].own);
	free(net->values);
	free(net->layers);
	free(net->params);
	free(net->weights);
	free(net->arena);
	free(net);
}

int fx_nn_refuse(struct fx_nn *net, const char *fmt, ...)
{
	char text[sizeof net->error.text];
	va_list args;

	if (net->error.code)
		return -1;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	fx_error_set(&net->error, FX_EINVAL, "%s", text);
	return -1;
}

bool fx_nn_have(struct fx_nn *net, const int *values, int n)
{
	for (int i = 0; i < n; i++) {
		if (values[i] >= 0 && (size_t)values[i] < net->values_len)
			continue;
		fx_nn_refuse(net, "layer %zu: value %d does not exist", net->layers_len, values[i]);
		return false;
	}
	if (net->arena)
		fx_nn_refuse(net, "the network is planned already");
	return !net->arena;
}

size_t fx_nn_count(struct fx_nn_shape s)
{
	return s.n * s.z * s.y * s.x * s.c;
}

struct fx_nn_shape fx_nn_shape_of(const struct fx_nn *net, int x)
{
	return x < 0 ? (struct fx_nn_shape){ 0 } : net->values[x].shape;
}

bool fx_nn_same(struct fx_nn_shape a, struct fx_nn_shape b)
{
	return a.n == b.n && a.z == b.z && a.y == b.y && a.x == b.x && a.c == b.c;
}

bool fx_nn_lay_out(struct fx_nn_value *v)
{
	const struct fx_nn_shape *s = &v->shape;
	const size_t zyx[3] = { s->z, s->y, s->x };
	struct fx_layout *at = &v->at;

	if (v->layout == FX_NN_PADDED) {
		if (fx_layout_padded(at, zyx, s->c) < 0)
			return false;
	} else {
		*at = (struct fx_layout){ { s->z, s->y, s->x }, .channels = s->c, .slots = s->c };
		at->stride[2] = s->c;
		if (!fx_mul_size(s->x, s->c, &at->stride[1]) ||
		    !fx_mul_size(s->y, at->stride[1], &at->stride[0]) ||
		    !fx_mul_size(s->z, at->stride[0], &at->len))
			return false;
	}
	v->sample = v->layout == FX_NN_PADDED ?
			    (at->len + FX_NN_ALIGN - 1) / FX_NN_ALIGN * FX_NN_ALIGN :
			    at->len;
	return v->sample >= at->len && fx_mul_size(s->n, v->sample, &v->size) && v->size &&
	       v->size < SIZE_MAX / 64;
}

static int add_value(struct fx_nn *net, const struct fx_nn_value *value)
{
	if (!fx_grow(&net->values, &net->values_cap, net->values_len + 1, sizeof *net->values))
		return fx_nn_refuse(net, "no memory for value %zu", net->values_len);
	net->values[net->values_len] = *value;
	if (!fx_nn_lay_out(&net->values[net->values_len]))
		return fx_nn_refuse(net,
				    "value %zu: %zu x %zu x %zu x %zu x %zu is empty or too large",
				    net->values_len, value->shape.n, value->shape.z, value->shape.y,
				    value->shape.x, value->shape.c);
	return (int)net->values_len++;
}

int fx_nn_input(struct fx_nn *net, struct fx_nn_shape shape, enum fx_nn_layout layout)
{
	return add_value(net,
			 &(struct fx_nn_value){
				 .shape = shape, .layout = layout, .maker = -1, .keep = true });
}

int fx_nn_keep(struct fx_nn *net, int x)
{
	if (!fx_nn_have(net, &x, 1))
		return -1;
	net->values[x].keep = true;
	return x;
}

int fx_nn_learn(struct fx_nn *net, int x)
{
	if (!fx_nn_have(net, &x, 1))
		return -1;
	net->values[x].learns = true;
	return x;
}

int fx_nn_add_layer(struct fx_nn *net, const struct fx_nn_layer *layer, struct fx_nn_shape out)
{
	const struct fx_nn_value *in = &net->values[layer->in[0]];
	struct fx_nn_value value = { .shape = out,
				     .layout = in->layout,
				     .maker = (int)net->layers_len,
				     .learns = layer->param >= 0 };

	for (int i = 0; i < FX_NN_IN_MAX; i++)
		value.learns |= layer->in[i] >= 0 && net->values[layer->in[i]].learns;
	if (!fx_grow(&net->layers, &net->layers_cap, net->layers_len + 1, sizeof *net->layers))
		return fx_nn_refuse(net, "no memory for layer %zu", net->layers_len);
	net->layers[net->layers_len] = *layer;
	net->layers[net->layers_len].out = add_value(net, &value);
	return net->layers[net->layers_len].out < 0 ? -1 : net->layers[net->layers_len++].out;
}

/* Fan-in and fan-out as torch counts them: sides 1 and 0 times the kernel. */
static void param_fans(struct fx_nn_param *p)
{
	size_t kernel = 1;

	for (int i = 2; i < p->rank; i++)
		kernel *= p->dims[i];
	p->fan_in = (p->rank > 1 ? p->dims[1] : 1) * kernel;
	p->fan_out = p->dims[0] * kernel;
}

int fx_nn_add_weights(struct fx_nn *net, const char *name, const char *what, int rank,
		      const size_t *dims, enum fx_nn_start start, double gain, bool decays)
{
	struct fx_nn_param p = {
		.rank = rank, .start = start, .gain = gain, .decays = decays, .len = 1
	};
	const int len =
		snprintf(p.name, sizeof p.name, "%s%s%s", name, what ? "." : "", what ? what : "");

	if (len < 0 || (size_t)len >= sizeof p.name || fx_nn_param(net, p.name))
		return fx_nn_refuse(net, "weights \"%.80s\": the name is too long or taken", name);
	for (int i = 0; i < rank; i++) {
		p.dims[i] = dims[i];
		if (!dims[i] || !fx_mul_size(p.len, dims[i], &p.len))
			return fx_nn_refuse(net, "weights \"%s\" are empty or too large", p.name);
	}
	param_fans(&p);
	p.at = net->weights_len;
	if (p.len > SIZE_MAX / 64 - p.at - FX_NN_ALIGN ||
	    !fx_grow(&net->params, &net->params_cap, net->params_len + 1, sizeof *net->params))
		return fx_nn_refuse(net, "no memory for weights \"%s\"", p.name);
	net->weights_len += (p.len + FX_NN_ALIGN - 1) / FX_NN_ALIGN * FX_NN_ALIGN;
	net->params[net->params_len] = p;
	return (int)net->params_len++;
}

const struct fx_nn_param *fx_nn_param(const struct fx_nn *net, const char *name)
{
	for (size_t i = 0; i < net->params_len; i++)
		if (!strcmp(net->params[i].name, name))
			return &net->params[i];
	return NULL;
}

static double start_value(const struct fx_nn_param *p, struct fx_pcg *rng)
{
	const double even = sqrt(6.0 / (double)(p->fan_in + p->fan_out));

	switch (p->start) {
	case FX_NN_ZEROS:
		return 0;
	case FX_NN_ONES:
		return p->gain;
	case FX_NN_HE:
		return p->gain * sqrt(2.0 / (double)p->fan_in) * fx_pcg_normal(rng);
	case FX_NN_XAVIER:
		return p->gain * fx_pcg_range(rng, -even, even);
	case FX_NN_NORMAL:
		return p->gain * 0.02 * fx_pcg_normal(rng);
	}
	return 0;
}

void fx_nn_start_weights(struct fx_nn *net)
{
	memset(net->weights, 0, net->weights_len * sizeof *net->weights);
	for (size_t i = 0; i < net->params_len; i++)
		for (size_t k = 0; k < net->params[i].len; k++)
			net->weights[net->params[i].at + k] =
				(NN_REAL)start_value(&net->params[i], &net->rng);
	net->stale = true;
}
