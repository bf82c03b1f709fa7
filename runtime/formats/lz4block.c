// SPDX-License-Identifier: Apache-2.0
/* lz4block.c: one buffer of known size as one LZ4 block. */
#include "formats/lz4block.h"

#include <limits.h>
#include <lz4.h>
#include <stdlib.h>

int fx_lz4_pack(const void *data, size_t size, void **out, size_t *out_size, struct fx_error *err)
{
	void *packed, *fitted;
	int bound, n;

	if (size > LZ4_MAX_INPUT_SIZE)
		return fx_error_set(err, FX_EINVAL, "%zu bytes to compress: LZ4 takes at most %d",
				    size, LZ4_MAX_INPUT_SIZE);
	bound = LZ4_compressBound((int)size);
	packed = malloc((size_t)bound);
	if (!packed)
		return fx_error_set(err, FX_ENOMEM, "no memory to compress %zu bytes", size);
	n = LZ4_compress_default(data, packed, (int)size, bound);
	if (n <= 0) {
		free(packed);
		return fx_error_set(err, FX_EINVAL, "LZ4 cannot compress %zu bytes", size);
	}
	fitted = realloc(packed, (size_t)n);
	*out = fitted ? fitted : packed;
	*out_size = (size_t)n;
	return FX_OK;
}

int fx_lz4_unpack(const void *packed, size_t packed_size, void *data, size_t size,
		  struct fx_error *err)
{
	int n = -1;

	if (packed_size <= INT_MAX && size <= INT_MAX)
		n = LZ4_decompress_safe(packed, data, (int)packed_size, (int)size);
	if (n < 0 || (size_t)n != size)
		return fx_error_set(err, FX_EINVAL,
				    "a packed buffer of %zu bytes does not hold %zu bytes",
				    packed_size, size);
	return FX_OK;
}
