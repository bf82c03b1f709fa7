// SPDX-License-Identifier: Apache-2.0
/* safetensors.h: files of named tensors: a JSON header, then raw little-endian values. */
#ifndef FX_FORMATS_SAFETENSORS_H
#define FX_FORMATS_SAFETENSORS_H

#include <stddef.h>

#include <fornix/error.h>

enum { FX_SAFETENSORS_RANK_MAX = 8, FX_SAFETENSORS_HEADER_MAX = 16 << 20 };

/** Types of values, in the order of their names in the source. */
enum fx_tensor_dtype {
	FX_TENSOR_F64,
	FX_TENSOR_F32,
	FX_TENSOR_F16,
	FX_TENSOR_BF16,
	FX_TENSOR_I64,
	FX_TENSOR_I32,
	FX_TENSOR_I16,
	FX_TENSOR_I8,
	FX_TENSOR_U64,
	FX_TENSOR_U32,
	FX_TENSOR_U16,
	FX_TENSOR_U8,
	FX_TENSOR_BOOL,
	FX_TENSOR_DTYPES
};

/** One tensor: C order, rank 0 is one value. */
struct fx_tensor {
	const char *name;
	enum fx_tensor_dtype dtype;
	int rank;
	size_t shape[FX_SAFETENSORS_RANK_MAX];
	const void *data; /**< not aligned when read from a file */
	size_t size;	  /**< bytes; the writer takes them from shape and dtype */
};

/** A pair of texts of the file's __metadata__. */
struct fx_tensor_meta {
	const char *key, *value;
};

/** A file in memory. Zero-initialise; fx_safetensors_fini() when done. */
struct fx_safetensors {
	struct fx_tensor *tensors; /**< owned, as are their names; by name in the file's order */
	size_t len;
	struct fx_tensor_meta *meta; /**< owned */
	size_t meta_len;
	void *bytes;	/**< owned; NULL when parsed from borrowed bytes */
	void *document; /**< owned: the parsed header */
};

/** Reads @p size bytes, any bytes, that must outlive @p s. Refused: a header over 16 MiB or over
 * the file, JSON that is not such a header, names given twice, unknown types, more than 8 axes,
 * sizes that overflow or differ from shape and type, offsets that overlap or leave bytes out
 * (huggingface/safetensors, format). FX_EINVAL, FX_ENOMEM. */
int fx_safetensors_parse(struct fx_safetensors *s, const void *bytes, size_t size,
			 struct fx_error *err);
/** The same of a file of at most @p max bytes; errors name it. */
int fx_safetensors_read(struct fx_safetensors *s, const char *path, size_t max,
			struct fx_error *err);
/** Takes a zeroed one too. */
void fx_safetensors_fini(struct fx_safetensors *s);
/** The tensor of that name, or NULL. */
const struct fx_tensor *fx_safetensors_find(const struct fx_safetensors *s, const char *name);
/** The metadata of that key, or NULL. */
const char *fx_safetensors_meta(const struct fx_safetensors *s, const char *key);
/** Values in a tensor. */
size_t fx_tensor_count(const struct fx_tensor *t);
/** Copies all values of an F32, F64, F16 or BF16 tensor into @p to as floats (doubles). FX_ETYPE
 * for other types. */
int fx_tensor_floats(const struct fx_tensor *t, float *to, struct fx_error *err);
int fx_tensor_doubles(const struct fx_tensor *t, double *to, struct fx_error *err);

/** Bytes of a file of @p len tensors, the data in their order and the header padded so that the
 * data begin at a multiple of 64. *bytes is the caller's (free()). Names must differ, be valid
 * UTF-8 and not "__metadata__". */
int fx_safetensors_encode(const struct fx_tensor *tensors, size_t len,
			  const struct fx_tensor_meta *meta, size_t meta_len, void **bytes,
			  size_t *size, struct fx_error *err);
/** Writes such a file; it appears complete or not at all. */
int fx_safetensors_write(const char *path, const struct fx_tensor *tensors, size_t len,
			 const struct fx_tensor_meta *meta, size_t meta_len, struct fx_error *err);

#endif
