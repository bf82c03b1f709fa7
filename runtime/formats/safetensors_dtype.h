// SPDX-License-Identifier: Apache-2.0
/* safetensors_dtype.h: names and sizes of the types of values, shared by reader and writer. */
#ifndef FX_FORMATS_SAFETENSORS_DTYPE_H
#define FX_FORMATS_SAFETENSORS_DTYPE_H

#include "formats/safetensors.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "values are copied as they lie in memory");

/** What a file calls a type, and the bytes of one value. */
struct fx_tensor_dtype_info {
	const char *name;
	size_t size;
};

/** By enum fx_tensor_dtype. */
extern const struct fx_tensor_dtype_info fx_tensor_dtypes[FX_TENSOR_DTYPES];

#endif
