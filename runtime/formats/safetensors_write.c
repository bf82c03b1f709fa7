// SPDX-License-Identifier: Apache-2.0
/* safetensors_write.c: writer of safetensors files. */
#include "formats/safetensors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/safetensors_dtype.h"

enum { ALIGN = 64 };

const struct fx_tensor_dtype_info fx_tensor_dtypes[FX_TENSOR_DTYPES] = {
	[FX_TENSOR_F64] = { "F64", 8 },	  [FX_TENSOR_F32] = { "F32", 4 },
	[FX_TENSOR_F16] = { "F16", 2 },	  [FX_TENSOR_BF16] = { "BF16", 2 },
	[FX_TENSOR_I64] = { "I64", 8 },	  [FX_TENSOR_I32] = { "I32", 4 },
	[FX_TENSOR_I16] = { "I16", 2 },	  [FX_TENSOR_I8] = { "I8", 1 },
	[FX_TENSOR_U64] = { "U64", 8 },	  [FX_TENSOR_U32] = { "U32", 4 },
	[FX_TENSOR_U16] = { "U16", 2 },	  [FX_TENSOR_U8] = { "U8", 1 },
	[FX_TENSOR_BOOL] = { "BOOL", 1 },
};

/* Bytes of a tensor; false when they overflow or the tensor is none. */
static int tensor_bytes(const struct fx_tensor *t, size_t *size, struct fx_error *err)
{
	size_t bytes = fx_tensor_dtypes[t->dtype].size;

	if (t->rank < 0 || t->rank > FX_SAFETENSORS_RANK_MAX)
		return fx_error_set(err, FX_EINVAL, "tensor \"%.80s\": %d axes", t->name, t->rank);
	for (int i = 0; i < t->rank; i++)
		if (!fx_mul_size(bytes, t->shape[i], &bytes))
			return fx_error_set(err, FX_EINVAL, "tensor \"%.80s\" is too large",
					    t->name);
	*size = bytes;
	return FX_OK;
}

static json_t *entry_json(const struct fx_tensor *t, size_t begin, size_t end)
{
	json_t *shape = json_array();

	for (int i = 0; i < t->rank; i++)
		json_array_append_new(shape, json_integer((json_int_t)t->shape[i]));
	return json_pack("{s:s, s:o, s:[I, I]}", "dtype", fx_tensor_dtypes[t->dtype].name, "shape",
			 shape, "data_offsets", (json_int_t)begin, (json_int_t)end);
}

static int header_add(json_t *header, const struct fx_tensor *t, size_t *at, struct fx_error *err)
{
	size_t size;

	if (tensor_bytes(t, &size, err) < 0)
		return FX_EINVAL;
	if (*at + size < *at || *at + size > PTRDIFF_MAX - FX_SAFETENSORS_HEADER_MAX - ALIGN)
		return fx_error_set(err, FX_EINVAL, "tensor \"%.80s\" makes the file too large",
				    t->name);
	if (json_object_get(header, t->name) || !strcmp(t->name, "__metadata__"))
		return fx_error_set(err, FX_EINVAL, "two tensors are named \"%.80s\"", t->name);
	if (json_object_set_new(header, t->name, entry_json(t, *at, *at + size)) < 0)
		return fx_error_set(err, FX_EINVAL, "tensor \"%.80s\": not a valid name", t->name);
	*at += size;
	return FX_OK;
}

static int meta_add(json_t *header, const struct fx_tensor_meta *meta, size_t len,
		    struct fx_error *err)
{
	json_t *pairs = json_object();
	int bad = 0;

	for (size_t i = 0; i < len; i++)
		bad |= json_object_set_new(pairs, meta[i].key, json_string(meta[i].value));
	bad |= json_object_set_new(header, "__metadata__", pairs);
	return bad ? fx_error_set(err, FX_EINVAL, "metadata are not valid text") : FX_OK;
}

/* The text of the header, padded with blanks so that 8 + its length is a multiple of ALIGN. */
static int header_text(json_t *header, char **text, size_t *size, struct fx_error *err)
{
	char *plain = json_dumps(header, JSON_COMPACT);
	const size_t len = plain ? strlen(plain) : 0,
		     padded = (len + 8 + ALIGN - 1) / ALIGN * ALIGN;

	if (!plain || len > FX_SAFETENSORS_HEADER_MAX - ALIGN || !(*text = malloc(padded))) {
		free(plain);
		return fx_error_set(err, FX_ENOMEM, "no memory or room for the header");
	}
	memset(*text, ' ', padded);
	for (int i = 0; i < 8; i++)
		(*text)[i] = (char)((padded - 8) >> (8 * i) & 0xff);
	memcpy(*text + 8, plain, len);
	*size = padded;
	free(plain);
	return FX_OK;
}

static int header_build(const struct fx_tensor *tensors, size_t len,
			const struct fx_tensor_meta *meta, size_t meta_len, char **text,
			size_t *size, size_t *data_size, struct fx_error *err)
{
	json_t *header = json_object();
	int result = header ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory for the header");

	*data_size = 0;
	if (result == FX_OK && meta_len)
		result = meta_add(header, meta, meta_len, err);
	for (size_t i = 0; i < len && result == FX_OK; i++)
		result = header_add(header, &tensors[i], data_size, err);
	if (result == FX_OK)
		result = header_text(header, text, size, err);
	json_decref(header);
	return result;
}

int fx_safetensors_encode(const struct fx_tensor *tensors, size_t len,
			  const struct fx_tensor_meta *meta, size_t meta_len, void **bytes,
			  size_t *size, struct fx_error *err)
{
	char *text = NULL, *all;
	size_t head = 0, data = 0;
	int result = header_build(tensors, len, meta, meta_len, &text, &head, &data, err);

	if (result < 0)
		return result;
	all = realloc(text, head + data);
	if (!all) {
		free(text);
		return fx_error_set(err, FX_ENOMEM, "no memory for a file of %zu bytes",
				    head + data);
	}
	*bytes = all;
	*size = head + data;
	for (size_t i = 0, part; i < len; i++) {
		tensor_bytes(&tensors[i], &part, NULL);
		if (part)
			memcpy(all + head, tensors[i].data, part);
		head += part;
	}
	return FX_OK;
}

int fx_safetensors_write(const char *path, const struct fx_tensor *tensors, size_t len,
			 const struct fx_tensor_meta *meta, size_t meta_len, struct fx_error *err)
{
	void *bytes;
	size_t size;
	int result = fx_safetensors_encode(tensors, len, meta, meta_len, &bytes, &size, err);

	if (result < 0)
		return fx_error_prefix(err, "%s", path);
	result = fx_file_write(path, bytes, size, err);
	free(bytes);
	return result;
}
