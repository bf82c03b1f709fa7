// SPDX-License-Identifier: Apache-2.0
/* encode.c: bytes to compressed bytes. */
#include "formats/encode.h"

#define ZLIB_CONST /* next_in */
#include <blosc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { LEVEL = 5, WINDOW = 15, GZIP = 16, MEMORY = 8 };

static size_t room_for(enum fx_encoding encoding, size_t size)
{
	switch (encoding) {
	case FX_ENCODE_BLOSC:
		return size + BLOSC_MAX_OVERHEAD;
	case FX_ENCODE_ZSTD:
		return ZSTD_compressBound(size);
	case FX_ENCODE_GZIP:
	case FX_ENCODE_ZLIB:
		return compressBound((uLong)size) + 32;
	case FX_ENCODE_NONE:
		break;
	}
	return size;
}

/* Bytes written; 0 when it did not go. */
static size_t deflate_all(bool gzip, const void *bytes, size_t size, void *out, size_t cap)
{
	z_stream s = { .next_in = bytes, .next_out = out };
	int result;

	s.avail_in = (uInt)size;
	s.avail_out = (uInt)cap;
	if (deflateInit2(&s, LEVEL, Z_DEFLATED, WINDOW + (gzip ? GZIP : 0), MEMORY,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	result = deflate(&s, Z_FINISH);
	deflateEnd(&s);
	return result == Z_STREAM_END ? cap - s.avail_out : 0;
}

static size_t encode_into(enum fx_encoding encoding, size_t elem, const void *bytes, size_t size,
			  void *out, size_t cap)
{
	size_t n = 0;
	int got;

	switch (encoding) {
	case FX_ENCODE_BLOSC:
		got = blosc_compress_ctx(LEVEL, BLOSC_SHUFFLE, elem, size, bytes, out, cap, "zstd",
					 0, 1);
		return got > 0 ? (size_t)got : 0;
	case FX_ENCODE_ZSTD:
		n = ZSTD_compress(out, cap, bytes, size, LEVEL);
		return ZSTD_isError(n) ? 0 : n;
	case FX_ENCODE_GZIP:
	case FX_ENCODE_ZLIB:
		return deflate_all(encoding == FX_ENCODE_GZIP, bytes, size, out, cap);
	case FX_ENCODE_NONE:
		memcpy(out, bytes, size);
		return size;
	}
	return 0;
}

int fx_encode(enum fx_encoding encoding, size_t elem, const void *bytes, size_t size, void **out,
	      size_t *out_size, struct fx_error *err)
{
	const size_t cap = size && size <= INT32_MAX ? room_for(encoding, size) : 0;
	void *to;

	if (!cap)
		return fx_error_set(err, FX_EINVAL, "a chunk of %zu bytes cannot be compressed",
				    size);
	to = malloc(cap);
	if (!to)
		return fx_error_set(err, FX_ENOMEM, "no memory to compress a chunk");
	*out_size = encode_into(encoding, elem, bytes, size, to, cap);
	if (!*out_size) {
		free(to);
		return fx_error_set(err, FX_EINVAL, "a chunk of %zu bytes cannot be compressed",
				    size);
	}
	*out = to;
	return FX_OK;
}
