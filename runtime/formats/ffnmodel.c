// SPDX-License-Identifier: Apache-2.0
/* ffnmodel.c: reads and writes flood-filling networks. */
#include "formats/ffnmodel.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "formats/safetensors.h"

enum { FILE_MAX = 1 << 30, FOV_MAX = 255 };

void fx_ffn_model_layer(char name[16], size_t depth, size_t layer)
{
	if (layer >= 2 * depth)
		snprintf(name, 16, "conv_lom");
	else
		snprintf(name, 16, "conv%u_%c", (unsigned)(layer / 2) % 1000U,
			 layer % 2 ? 'b' : 'a');
}

size_t fx_ffn_model_shape(size_t shape[5], size_t depth, size_t features, size_t layer)
{
	const bool last = layer >= 2 * depth;

	shape[0] = last ? 1 : features;
	shape[1] = layer ? features : 2;
	shape[2] = shape[3] = shape[4] = last ? 1 : 3;
	return shape[0] * shape[1] * shape[2] * shape[3] * shape[4];
}

/* Up to three numbers of the metadata @p key, separated by commas, each in low..high. */
static int read_numbers(const struct fx_safetensors *s, const char *key, double *out, int len,
			double low, double high, struct fx_error *err)
{
	const char *text = fx_safetensors_meta(s, key), *at = text;

	if (!text)
		return fx_error_set(err, FX_EINVAL, "has no metadata %s", key);
	for (int i = 0; i < len; i++) {
		char *end;

		out[i] = strtod(at, &end);
		if (end == at || !(out[i] >= low && out[i] <= high) ||
		    *end != (i + 1 < len ? ',' : '\0'))
			return fx_error_set(
				err, FX_EINVAL, "metadata %s is \"%.40s\": %s of %g to %g expected",
				key, text, len == 1 ? "a number" : "three numbers", low, high);
		at = end + 1;
	}
	return FX_OK;
}

/* The same for whole numbers. */
static int read_sizes(const struct fx_safetensors *s, const char *key, size_t *out, int len,
		      double low, double high, struct fx_error *err)
{
	double v[3] = { 0 };
	const int result = read_numbers(s, key, v, len, low, high, err);

	if (result)
		return result;
	for (int i = 0; i < len; i++) {
		out[i] = (size_t)v[i];
		if ((double)out[i] < v[i])
			return fx_error_set(err, FX_EINVAL, "metadata %s has %g: not whole", key,
					    v[i]);
	}
	return FX_OK;
}

static int read_constants(struct fx_ffn_model *m, const struct fx_safetensors *s,
			  struct fx_error *err)
{
	const char *arch = fx_safetensors_meta(s, "arch");
	int result;

	if (!arch || strcmp(arch, FX_FFN_MODEL_ARCH) != 0)
		return fx_error_set(err, FX_EINVAL,
				    "its architecture is %.60s: only " FX_FFN_MODEL_ARCH
				    " can flood; fornix convert makes such a file of a TensorFlow "
				    "checkpoint",
				    arch ? arch : "not told");
	result = read_sizes(s, "depth", &m->depth, 1, 1, FX_FFN_MODEL_DEPTH_MAX, err);
	if (!result)
		result = read_sizes(s, "features", &m->features, 1, 1, FX_FFN_MODEL_FEATURES_MAX,
				    err);
	if (!result)
		result = read_sizes(s, "fov_zyx", m->fov, 3, 1, FOV_MAX, err);
	if (!result)
		result = read_sizes(s, "deltas_zyx", m->deltas, 3, 0, FOV_MAX / 2, err);
	if (!result)
		result = read_numbers(s, "image_mean", &m->mean, 1, -1e6, 1e6, err);
	if (!result)
		result = read_numbers(s, "image_stddev", &m->stddev, 1, 1e-6, 1e6, err);
	if (!result && fx_safetensors_meta(s, "voxel_nm"))
		result = read_numbers(s, "voxel_nm", m->voxel_nm, 3, 0, 1e9, err);
	for (int i = 0; i < 3 && !result; i++)
		if (m->fov[i] % 2 == 0 || m->deltas[i] > m->fov[i] / 2)
			result = fx_error_set(
				err, FX_EINVAL,
				"its field of view of %zu moves by %zu: it must be odd, "
				"and a move at most half of it",
				m->fov[i], m->deltas[i]);
	return result;
}

/* Copies the tensor "LAYER.KIND" of @p rank axes of @p shape to @p to. */
static int read_tensor(const struct fx_safetensors *s, const char *layer, const char *kind,
		       const size_t *shape, int rank, float *to, struct fx_error *err)
{
	const struct fx_tensor *t;
	char name[32];
	size_t count = 1;
	int result;

	snprintf(name, sizeof name, "%s.%s", layer, kind);
	t = fx_safetensors_find(s, name);
	if (!t)
		return fx_error_set(err, FX_EINVAL, "has no tensor %s", name);
	if (t->dtype != FX_TENSOR_F32 || t->rank != rank ||
	    memcmp(t->shape, shape, (size_t)rank * sizeof *shape) != 0)
		return fx_error_set(err, FX_EINVAL,
				    "tensor %s has another type or shape than F32 of %zu%s", name,
				    shape[0], rank == 1 ? "" : " outputs (out,in,z,y,x)");
	result = fx_tensor_floats(t, to, err);
	for (int i = 0; i < rank; i++)
		count *= shape[i];
	for (size_t i = 0; i < count && !result; i++)
		if (!isfinite(to[i]))
			result = fx_error_set(
				err, FX_EINVAL,
				"tensor %s has values that are not finite numbers: the "
				"file is damaged or its training failed",
				name);
	return result;
}

static int read_tensors(struct fx_ffn_model *m, const struct fx_safetensors *s,
			struct fx_error *err)
{
	const size_t layers = 2 * m->depth + 1;
	size_t len = 0, shape[5];
	float *at;

	for (size_t i = 0; i < layers; i++)
		len += fx_ffn_model_shape(shape, m->depth, m->features, i) + shape[0];
	m->values = at = fx_calloc(len, sizeof *m->values);
	if (!at)
		return fx_error_set(err, FX_ENOMEM, "no memory for its weights");
	for (size_t i = 0; i < layers; i++) {
		const size_t count = fx_ffn_model_shape(shape, m->depth, m->features, i);
		char layer[16];
		int result;

		fx_ffn_model_layer(layer, m->depth, i);
		m->weight[i] = at;
		m->bias[i] = at + count;
		result = read_tensor(s, layer, "weight", shape, 5, at, err);
		if (!result)
			result = read_tensor(s, layer, "bias", shape, 1, at + count, err);
		if (result)
			return result;
		at += count + shape[0];
	}
	return FX_OK;
}

static uint64_t hash_bytes(uint64_t h, const void *data, size_t size)
{
	const uint8_t *b = data;

	for (size_t i = 0; i < size; i++)
		h = (h ^ b[i]) * 0x100000001b3U;
	return h;
}

static uint64_t hash_model(const struct fx_ffn_model *m)
{
	uint64_t h = 0xcbf29ce484222325U;
	size_t shape[5];

	h = hash_bytes(h, &m->depth, sizeof m->depth);
	h = hash_bytes(h, &m->features, sizeof m->features);
	h = hash_bytes(h, m->fov, sizeof m->fov);
	h = hash_bytes(h, m->deltas, sizeof m->deltas);
	h = hash_bytes(h, &m->mean, sizeof m->mean);
	h = hash_bytes(h, &m->stddev, sizeof m->stddev);
	for (size_t i = 0; i < 2 * m->depth + 1; i++) {
		const size_t count = fx_ffn_model_shape(shape, m->depth, m->features, i);

		h = hash_bytes(h, m->weight[i], count * sizeof(float));
		h = hash_bytes(h, m->bias[i], shape[0] * sizeof(float));
	}
	return h;
}

int fx_ffn_model_read(struct fx_ffn_model *m, const char *path, struct fx_error *err)
{
	struct fx_safetensors s = { 0 };
	struct fx_error own = { 0 };
	int result = fx_safetensors_read(&s, path, FILE_MAX, err);

	if (result) {
		fx_safetensors_fini(&s);
		return result;
	}
	*m = (struct fx_ffn_model){ 0 };
	result = read_constants(m, &s, &own);
	if (!result)
		result = read_tensors(m, &s, &own);
	fx_safetensors_fini(&s);
	if (result) {
		fx_ffn_model_fini(m);
		return fx_error_set(err, result, "model %s: %s", path, own.text);
	}
	m->hash = hash_model(m);
	return FX_OK;
}

void fx_ffn_model_fini(struct fx_ffn_model *m)
{
	free(m->values);
	*m = (struct fx_ffn_model){ 0 };
}

enum { META = 11 };

/* Tensors of the model; names are in @p names, 32 bytes each. */
static void list_tensors(const struct fx_ffn_model *m, struct fx_tensor *tensors, char *names)
{
	for (size_t i = 0; i < 2 * m->depth + 1; i++) {
		struct fx_tensor *w = tensors + 2 * i, *b = w + 1;
		char layer[16];

		fx_ffn_model_layer(layer, m->depth, i);
		snprintf(names + 64 * i, 32, "%s.weight", layer);
		snprintf(names + 64 * i + 32, 32, "%s.bias", layer);
		*w = (struct fx_tensor){ .name = names + 64 * i,
					 .dtype = FX_TENSOR_F32,
					 .rank = 5,
					 .data = m->weight[i] };
		fx_ffn_model_shape(w->shape, m->depth, m->features, i);
		*b = (struct fx_tensor){ .name = names + 64 * i + 32,
					 .dtype = FX_TENSOR_F32,
					 .rank = 1,
					 .data = m->bias[i] };
		b->shape[0] = w->shape[0];
	}
}

int fx_ffn_model_write(const struct fx_ffn_model *m, const char *path, const char *source,
		       struct fx_error *err)
{
	const size_t layers = 2 * m->depth + 1;
	struct fx_tensor *tensors = fx_calloc(2 * layers, sizeof *tensors);
	char *names = fx_calloc(layers, 64), text[8][64];
	struct fx_tensor_meta meta[META] = {
		{ "arch", FX_FFN_MODEL_ARCH },
		{ "depth", text[0] },
		{ "features", text[1] },
		{ "fov_zyx", text[2] },
		{ "deltas_zyx", text[3] },
		{ "image_mean", text[4] },
		{ "image_stddev", text[5] },
		{ "weight_layout", "OIDHW" },
		{ "input_channels", "image,logits" },
		{ "source", source },
		{ "voxel_nm", text[6] },
	};
	int result = FX_ENOMEM;

	snprintf(text[0], 64, "%zu", m->depth);
	snprintf(text[1], 64, "%zu", m->features);
	snprintf(text[2], 64, "%zu,%zu,%zu", m->fov[0], m->fov[1], m->fov[2]);
	snprintf(text[3], 64, "%zu,%zu,%zu", m->deltas[0], m->deltas[1], m->deltas[2]);
	snprintf(text[4], 64, "%.17g", m->mean);
	snprintf(text[5], 64, "%.17g", m->stddev);
	snprintf(text[6], 64, "%.12g,%.12g,%.12g", m->voxel_nm[0], m->voxel_nm[1], m->voxel_nm[2]);
	if (tensors && names) {
		list_tensors(m, tensors, names);
		result = fx_safetensors_write(path, tensors, 2 * layers, meta,
					      m->voxel_nm[0] > 0 ? META : META - 1, err);
	} else {
		fx_error_set(err, FX_ENOMEM, "no memory to write %s", path);
	}
	free(tensors);
	free(names);
	return result;
}
