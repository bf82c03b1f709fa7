// SPDX-License-Identifier: Apache-2.0
/* codec.c: LZ4 where it pays, stored where it does not. */
#include "wire/codec_zstd.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>

int fx_codec_compress(const void *raw, size_t size, void **out, size_t *out_size)
{
	const size_t limit = size - size / 10;
	char *coded;
	int n;

	*out = NULL;
	*out_size = 0;
	if (size < 64 || size > FX_WIRE_PAYLOAD_MAX)
		return FX_OK;
	coded = malloc(limit);
	if (!coded)
		return FX_ENOMEM;
	n = LZ4_compress_default(raw, coded, (int)size, (int)limit);
	if (n <= 0) {
		free(coded);
		return FX_OK;
	}
	*out = coded;
	*out_size = (size_t)n;
	return FX_OK;
}

int fx_codec_decompress(enum fx_codec codec, const void *bytes, size_t size, void *raw,
			size_t raw_size, struct fx_error *err)
{
	if (size > FX_WIRE_PAYLOAD_MAX || raw_size > FX_WIRE_PAYLOAD_MAX)
		return fx_error_set(err, FX_EINVAL, "a payload of %zu bytes is over the limit",
				    size);
	if (codec == FX_CODEC_STORED) {
		if (size != raw_size)
			return fx_error_set(err, FX_ETYPE, "a payload of %zu bytes, %zu expected",
					    size, raw_size);
		if (size)
			memcpy(raw, bytes, size);
		return FX_OK;
	}
	if (codec == FX_CODEC_ZSTD) {
		const int result = fx__codec_decompress_zstd(bytes, size, raw, raw_size);

		return result == FX_OK ?
			       FX_OK :
			       fx_error_set(err, result, "%s",
					    result == FX_ENOMEM ? "no memory to decode a payload" :
								  "a payload that is not what its "
								  "codec, zstd, says");
	}
	if (codec != FX_CODEC_LZ4 ||
	    LZ4_decompress_safe(bytes, raw, (int)size, (int)raw_size) != (int)raw_size)
		return fx_error_set(err, FX_ETYPE, "a payload that does not decode (codec %d)",
				    (int)codec);
	return FX_OK;
}
