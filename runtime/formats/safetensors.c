// SPDX-License-Identifier: Apache-2.0
/* safetensors.c: reader of safetensors files, for any bytes. */
#include "formats/safetensors.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/safetensors_dtype.h"

static const char meta_key[] = "__metadata__";

static int dtype_of(const char *name)
{
	for (int i = 0; i < FX_TENSOR_DTYPES; i++)
		if (!strcmp(fx_tensor_dtypes[i].name, name))
			return i;
	return -1;
}

/* Shape and type of one entry; *size the bytes that they take. */
static int entry_shape(struct fx_tensor *t, const json_t *shape, size_t *size, struct fx_error *err)
{
	size_t bytes = fx_tensor_dtypes[t->dtype].size;

	if (!json_is_array(shape) || json_array_size(shape) > FX_SAFETENSORS_RANK_MAX)
		return fx_error_set(err, FX_EINVAL,
				    "tensor \"%.80s\": shape is not a list of at most %d", t->name,
				    FX_SAFETENSORS_RANK_MAX);
	t->rank = (int)json_array_size(shape);
	for (int i = 0; i < t->rank; i++) {
		const json_t *side = json_array_get(shape, (size_t)i);

		if (!json_is_integer(side) || json_integer_value(side) < 0 ||
		    !fx_mul_size(bytes, (size_t)json_integer_value(side), &bytes))
			return fx_error_set(err, FX_EINVAL,
					    "tensor \"%.80s\": side %d is no size or too large",
					    t->name, i);
		t->shape[i] = (size_t)json_integer_value(side);
	}
	*size = bytes;
	return FX_OK;
}

static int entry_data(struct fx_tensor *t, const json_t *offsets, const char *data,
		      size_t data_size, struct fx_error *err)
{
	const json_t *lo = json_array_get(offsets, 0), *hi = json_array_get(offsets, 1);
	json_int_t begin, end;

	if (json_array_size(offsets) != 2 || !json_is_integer(lo) || !json_is_integer(hi))
		return fx_error_set(err, FX_EINVAL,
				    "tensor \"%.80s\": data_offsets are not two numbers", t->name);
	begin = json_integer_value(lo);
	end = json_integer_value(hi);
	if (begin < 0 || end < begin || (uint64_t)end > data_size)
		return fx_error_set(
			err, FX_EINVAL,
			"tensor \"%.80s\": data_offsets %lld to %lld are not within the file's %zu",
			t->name, (long long)begin, (long long)end, data_size);
	if ((uint64_t)(end - begin) != t->size)
		return fx_error_set(err, FX_EINVAL,
				    "tensor \"%.80s\": %lld bytes of data, but its shape takes %zu",
				    t->name, (long long)(end - begin), t->size);
	t->data = data + begin;
	return FX_OK;
}

static int entry_read(struct fx_tensor *t, const char *name, const json_t *entry, const char *data,
		      size_t data_size, struct fx_error *err)
{
	const json_t *dtype = json_object_get(entry, "dtype");
	const int type = json_is_string(dtype) ? dtype_of(json_string_value(dtype)) : -1;
	int result;

	t->name = name;
	if (type < 0)
		return fx_error_set(err, FX_EINVAL, "tensor \"%.80s\": dtype is missing or unknown",
				    name);
	t->dtype = (enum fx_tensor_dtype)type;
	result = entry_shape(t, json_object_get(entry, "shape"), &t->size, err);
	if (result < 0)
		return result;
	return entry_data(t, json_object_get(entry, "data_offsets"), data, data_size, err);
}

static int by_data(const void *a, const void *b)
{
	const struct fx_tensor *const *x = a, *const *y = b;

	if ((*x)->data != (*y)->data)
		return (const char *)(*x)->data < (const char *)(*y)->data ? -1 : 1;
	return ((*x)->size > (*y)->size) - ((*x)->size < (*y)->size);
}

/* The tensors must lie end to end and fill the data. */
static int check_cover(const struct fx_safetensors *s, const char *data, size_t size,
		       struct fx_error *err)
{
	const struct fx_tensor **order = fx_calloc(s->len, sizeof *order);
	const char *at = data;
	int result = FX_OK;

	if (!order)
		return fx_error_set(err, FX_ENOMEM, "no memory for %zu tensors", s->len);
	for (size_t i = 0; i < s->len; i++)
		order[i] = &s->tensors[i];
	qsort(order, s->len, sizeof *order, by_data);
	for (size_t i = 0; i < s->len && result == FX_OK; i++) {
		if ((const char *)order[i]->data != at)
			result = fx_error_set(err, FX_EINVAL, "tensor \"%.80s\" %s", order[i]->name,
					      (const char *)order[i]->data < at ?
						      "overlaps another" :
						      "leaves a gap before it");
		at = (const char *)order[i]->data + order[i]->size;
	}
	if (result == FX_OK && at != data + size)
		result = fx_error_set(err, FX_EINVAL, "%zu bytes after the last tensor",
				      (size_t)(data + size - at));
	free(order);
	return result;
}

static int meta_read(struct fx_safetensors *s, json_t *meta, struct fx_error *err)
{
	const char *key;
	json_t *value;

	s->meta = fx_calloc(json_object_size(meta), sizeof *s->meta);
	if (!s->meta)
		return fx_error_set(err, FX_ENOMEM, "no memory for the metadata");
	if (!json_is_object(meta))
		return fx_error_set(err, FX_EINVAL, "__metadata__ is not an object");
	json_object_foreach(meta, key, value)
	{
		if (!json_is_string(value))
			return fx_error_set(err, FX_EINVAL, "metadata \"%.80s\" is not a text",
					    key);
		s->meta[s->meta_len++] =
			(struct fx_tensor_meta){ .key = key, .value = json_string_value(value) };
	}
	return FX_OK;
}

static int header_read(struct fx_safetensors *s, const char *data, size_t data_size,
		       struct fx_error *err)
{
	const char *key;
	json_t *value;
	int result = FX_OK;

	s->tensors = fx_calloc(json_object_size(s->document), sizeof *s->tensors);
	if (!s->tensors)
		return fx_error_set(err, FX_ENOMEM, "no memory for the table of tensors");
	json_object_foreach(s->document, key, value)
	{
		if (!strcmp(key, meta_key))
			result = meta_read(s, value, err);
		else
			result =
				entry_read(&s->tensors[s->len++], key, value, data, data_size, err);
		if (result < 0)
			return result;
	}
	return check_cover(s, data, data_size, err);
}

int fx_safetensors_parse(struct fx_safetensors *s, const void *bytes, size_t size,
			 struct fx_error *err)
{
	const unsigned char *b = bytes;
	uint64_t header = 0;
	json_error_t why;

	if (size < 8)
		return fx_error_set(err, FX_EINVAL, "%zu bytes are no safetensors file", size);
	for (int i = 0; i < 8; i++)
		header |= (uint64_t)b[i] << (8 * i);
	if (header > FX_SAFETENSORS_HEADER_MAX || header > size - 8)
		return fx_error_set(
			err, FX_EINVAL,
			"a header of %llu bytes, at most %d and the file's %zu are valid",
			(unsigned long long)header, FX_SAFETENSORS_HEADER_MAX, size - 8);
	s->document = json_loadb((const char *)b + 8, (size_t)header, JSON_REJECT_DUPLICATES, &why);
	if (!s->document)
		return fx_error_set(err, FX_EINVAL, "header: %s", why.text);
	if (!json_is_object((json_t *)s->document))
		return fx_error_set(err, FX_EINVAL, "header: not an object");
	return header_read(s, (const char *)b + 8 + header, size - 8 - (size_t)header, err);
}

int fx_safetensors_read(struct fx_safetensors *s, const char *path, size_t max,
			struct fx_error *err)
{
	size_t size;
	int result = fx_file_read(path, max, &s->bytes, &size, err);

	if (result < 0)
		return result;
	result = fx_safetensors_parse(s, s->bytes, size, err);
	return result < 0 ? fx_error_prefix(err, "%s", path) : FX_OK;
}

void fx_safetensors_fini(struct fx_safetensors *s)
{
	free(s->tensors);
	free(s->meta);
	free(s->bytes);
	json_decref(s->document);
	*s = (struct fx_safetensors){ 0 };
}

const struct fx_tensor *fx_safetensors_find(const struct fx_safetensors *s, const char *name)
{
	for (size_t i = 0; i < s->len; i++)
		if (!strcmp(s->tensors[i].name, name))
			return &s->tensors[i];
	return NULL;
}

const char *fx_safetensors_meta(const struct fx_safetensors *s, const char *key)
{
	for (size_t i = 0; i < s->meta_len; i++)
		if (!strcmp(s->meta[i].key, key))
			return s->meta[i].value;
	return NULL;
}

size_t fx_tensor_count(const struct fx_tensor *t)
{
	return t->size / fx_tensor_dtypes[t->dtype].size;
}

static double from_bits32(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof value);
	return (double)value;
}

static double from_half(uint16_t bits)
{
	const uint32_t sign = (uint32_t)(bits & 0x8000) << 16, rest = bits & 0x7fff;

	if (rest >= 0x7c00) /* infinite or NaN */
		return from_bits32(sign | 0x7f800000 | (rest & 0x3ff) << 13);
	if (rest >= 0x400)
		return from_bits32(sign | ((rest << 13) + (112u << 23)));
	return (sign ? -1 : 1) * (double)rest * 0x1p-24;
}

static double value_at(const struct fx_tensor *t, size_t i)
{
	const char *at = (const char *)t->data + i * fx_tensor_dtypes[t->dtype].size;
	uint16_t half;
	float single;
	double value;

	switch (t->dtype) {
	case FX_TENSOR_F64:
		memcpy(&value, at, sizeof value);
		return value;
	case FX_TENSOR_F32:
		memcpy(&single, at, sizeof single);
		return (double)single;
	default:
		memcpy(&half, at, sizeof half);
		return t->dtype == FX_TENSOR_F16 ? from_half(half) :
						   from_bits32((uint32_t)half << 16);
	}
}

static int check_floats(const struct fx_tensor *t, struct fx_error *err)
{
	if (t->dtype <= FX_TENSOR_BF16)
		return FX_OK;
	return fx_error_set(err, FX_ETYPE, "tensor \"%.80s\": %s, F32, F64, F16 or BF16 is valid",
			    t->name, fx_tensor_dtypes[t->dtype].name);
}

int fx_tensor_floats(const struct fx_tensor *t, float *to, struct fx_error *err)
{
	const size_t n = fx_tensor_count(t);

	if (t->dtype == FX_TENSOR_F32 && n)
		memcpy(to, t->data, t->size);
	else if (check_floats(t, err) < 0)
		return FX_ETYPE;
	else
		for (size_t i = 0; i < n; i++)
			to[i] = (float)value_at(t, i);
	return FX_OK;
}

int fx_tensor_doubles(const struct fx_tensor *t, double *to, struct fx_error *err)
{
	const size_t n = fx_tensor_count(t);

	if (check_floats(t, err) < 0)
		return FX_ETYPE;
	for (size_t i = 0; i < n; i++)
		to[i] = value_at(t, i);
	return FX_OK;
}
