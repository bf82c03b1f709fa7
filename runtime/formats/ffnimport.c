// SPDX-License-Identifier: Apache-2.0
/* ffnimport.c: takes the tensors of convstack_3d out of a TensorFlow checkpoint. */
#include "formats/ffnimport.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char first_layer[] = "conv0_a/weights";

/* Writes "SCOPE/LAYER/KIND", where @p first is the name of the first layer's weights. */
static void tensor_name(char *name, size_t size, const char *first, const char *layer,
			const char *kind)
{
	const int scope = (int)(strlen(first) - strlen(first_layer));

	snprintf(name, size, "%.*s%s/%s", scope, first, layer, kind);
}

/* The first layer's weights, whatever their scope: tells the number of features. */
static const struct fx_tf_tensor *find_first(const struct fx_tf_checkpoint *c)
{
	for (size_t i = 0; i < c->len; i++) {
		const char *name = c->tensors[i].name;
		const size_t len = strlen(name), end = strlen(first_layer);

		if (len >= end && strcmp(name + len - end, first_layer) == 0 &&
		    (len == end || name[len - end - 1] == '/'))
			return c->tensors + i;
	}
	return NULL;
}

static size_t count_modules(const struct fx_tf_checkpoint *c, const char *first)
{
	size_t depth = 0;

	while (depth <= FX_FFN_MODEL_DEPTH_MAX) {
		char layer[16], name[FX_TF_NAME_MAX + 32];

		fx_ffn_model_layer(layer, FX_FFN_MODEL_DEPTH_MAX + 1, 2 * depth);
		tensor_name(name, sizeof name, first, layer, "weights");
		if (!fx_tf_find(c, name))
			break;
		depth++;
	}
	return depth;
}

/* z, y, x, in, out to out, in, z, y, x; @p shape is the latter. */
static void permute(float *to, const float *from, const size_t shape[5])
{
	const size_t taps = shape[2] * shape[3] * shape[4];

	for (size_t o = 0; o < shape[0]; o++)
		for (size_t i = 0; i < shape[1]; i++)
			for (size_t t = 0; t < taps; t++)
				to[(o * shape[1] + i) * taps + t] =
					from[(t * shape[1] + i) * shape[0] + o];
}

/* Reads one tensor that must have @p rank axes of @p want. */
static int read_tensor(const struct fx_tf_checkpoint *c, const char *name, const size_t *want,
		       int rank, float **values, struct fx_error *err)
{
	const struct fx_tf_tensor *t = fx_tf_find(c, name);
	size_t len;

	if (!t)
		return fx_error_set(err, FX_EINVAL, "the checkpoint has no tensor %s", name);
	if (t->rank != rank || memcmp(t->shape, want, (size_t)rank * sizeof *want) != 0)
		return fx_error_set(err, FX_EINVAL,
				    "tensor %s has not the shape that a flood-filling network of "
				    "3x3x3 convolutions has",
				    name);
	return fx_tf_floats(c, t, values, &len, err);
}

static int read_layer(struct fx_ffn_model *m, const struct fx_tf_checkpoint *c, const char *first,
		      size_t i, float *to, struct fx_error *err)
{
	char layer[16], name[FX_TF_NAME_MAX + 32];
	float *weights = NULL, *biases = NULL;
	size_t shape[5];
	const size_t count = fx_ffn_model_shape(shape, m->depth, m->features, i);
	const size_t stored[5] = { shape[2], shape[3], shape[4], shape[1], shape[0] };
	int result;

	fx_ffn_model_layer(layer, m->depth, i);
	tensor_name(name, sizeof name, first, layer, "weights");
	result = read_tensor(c, name, stored, 5, &weights, err);
	tensor_name(name, sizeof name, first, layer, "biases");
	if (!result)
		result = read_tensor(c, name, shape, 1, &biases, err);
	if (!result) {
		permute(to, weights, shape);
		memcpy(to + count, biases, shape[0] * sizeof *to);
		m->weight[i] = to;
		m->bias[i] = to + count;
	}
	free(weights);
	free(biases);
	return result;
}

int fx_ffn_import(struct fx_ffn_model *m, const struct fx_tf_checkpoint *c, struct fx_error *err)
{
	const struct fx_tf_tensor *first = find_first(c);
	size_t len = 0, shape[5];
	float *at;
	int result = FX_OK;

	if (!first || first->rank != 5)
		return fx_error_set(err, FX_EINVAL,
				    "the checkpoint has no tensor */%s of 5 axes: it is not of a "
				    "flood-filling network (convstack_3d)",
				    first_layer);
	m->features = first->shape[4];
	m->depth = count_modules(c, first->name);
	if (m->depth > FX_FFN_MODEL_DEPTH_MAX || !m->features ||
	    m->features > FX_FFN_MODEL_FEATURES_MAX)
		return fx_error_set(err, FX_EINVAL,
				    "a network of %zu modules of %zu features: up to %d of up to "
				    "%d are possible",
				    m->depth, m->features, FX_FFN_MODEL_DEPTH_MAX,
				    FX_FFN_MODEL_FEATURES_MAX);
	for (size_t i = 0; i < 2 * m->depth + 1; i++)
		len += fx_ffn_model_shape(shape, m->depth, m->features, i) + shape[0];
	m->values = at = fx_calloc(len, sizeof *at);
	if (!at)
		return fx_error_set(err, FX_ENOMEM, "no memory for the weights");
	for (size_t i = 0; i < 2 * m->depth + 1 && !result; i++) {
		result = read_layer(m, c, first->name, i, at, err);
		at += fx_ffn_model_shape(shape, m->depth, m->features, i) + shape[0];
	}
	if (result)
		fx_ffn_model_fini(m);
	return result;
}
