// SPDX-License-Identifier: Apache-2.0
/* codec.c: compressed bytes to bytes. */
#include "formats/codec.h"

#define ZLIB_CONST /* next_in */
#include <blosc.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/checksum.h"
#include "formats/codec_lz4.h"

enum { BLOSC_HEAD = 16 };

static const struct {
	const char *name;
	enum fx_codec codec;
} names[] = {
	{ "blosc", FX_CODEC_BLOSC },  { "zstd", FX_CODEC_ZSTD }, { "zlib", FX_CODEC_DEFLATE },
	{ "gzip", FX_CODEC_DEFLATE }, { "lz4", FX_CODEC_LZ4 },	 { "crc32c", FX_CODEC_CRC32C },
	{ "crc32", FX_CODEC_CRC32 },
};

enum fx_codec fx_codec_named(const char *name)
{
	for (size_t i = 0; name && i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].codec;
	return FX_CODEC_NONE;
}

static int damaged(struct fx_error *err, const char *what)
{
	return fx_error_set(err, FX_EINVAL, "its %s data are damaged, or more than a chunk has",
			    what);
}

static int decode_blosc(const void *in, size_t in_size, void *out, size_t cap, size_t *size,
			struct fx_error *err)
{
	size_t n = 0;
	int got;

	/* not more than one frame that is all there: the library trusts what it says itself */
	if (in_size < BLOSC_HEAD || in_size > INT32_MAX ||
	    blosc_cbuffer_validate(in, in_size, &n) < 0 || n > cap)
		return damaged(err, "blosc");
	got = n ? blosc_decompress_ctx(in, out, cap, 1) : 0;
	if (got < 0 || (size_t)got != n)
		return damaged(err, "blosc");
	*size = n;
	return FX_OK;
}

static int decode_zstd(const void *in, size_t in_size, void *out, size_t cap, size_t *size,
		       struct fx_error *err)
{
	const size_t n = ZSTD_decompress(out, cap, in, in_size);

	if (ZSTD_isError(n))
		return damaged(err, "zstd");
	*size = n;
	return FX_OK;
}

static int decode_deflate(const void *in, size_t in_size, void *out, size_t cap, size_t *size,
			  struct fx_error *err)
{
	z_stream s = { .next_in = in, .next_out = out };
	int result = Z_BUF_ERROR;

	if (in_size > UINT32_MAX || cap > UINT32_MAX)
		return damaged(err, "deflated");
	s.avail_in = (uInt)in_size;
	s.avail_out = (uInt)cap;
	if (inflateInit2(&s, 15 + 32) != Z_OK)
		return fx_error_set(err, FX_ENOMEM, "no memory to inflate");
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	(void)inflateValidate(&s, 0);
#endif
	result = inflate(&s, Z_FINISH);
	inflateEnd(&s);
	if (result != Z_STREAM_END)
		return damaged(err, "deflated");
	*size = cap - s.avail_out;
	return FX_OK;
}

uint32_t fx_crc32c(const void *bytes, size_t size)
{
	const unsigned char *b = bytes;
	uint32_t table[256], crc = UINT32_MAX;

	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int k = 0; k < 8; k++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82F63B78 : 0);
	}
	for (size_t i = 0; i < size; i++)
		crc = crc >> 8 ^ table[(crc ^ b[i]) & 255];
	return ~crc;
}

static uint32_t u32le(const unsigned char *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* The sum lies behind the bytes or, with numcodecs, before. */
static int decode_crc(bool behind, const unsigned char *in, size_t in_size, void *out, size_t cap,
		      size_t *size, struct fx_error *err)
{
	const size_t n = in_size < 4 ? 0 : in_size - 4;
	const unsigned char *body = behind ? in : in + 4, *sum = behind ? in + n : in;

	if (in_size < 4 || n > cap || n > UINT32_MAX ||
	    !fx_sum_matches(u32le(sum),
			    behind ? fx_crc32c(body, n) : (uint32_t)crc32(0, body, (uInt)n)))
		return damaged(err, "checksummed");
	memcpy(out, body, n);
	*size = n;
	return FX_OK;
}

int fx_codec_decode(enum fx_codec codec, size_t elem, const void *in, size_t in_size, void *out,
		    size_t cap, size_t *size, struct fx_error *err)
{
	switch (codec) {
	case FX_CODEC_BLOSC:
		return decode_blosc(in, in_size, out, cap, size, err);
	case FX_CODEC_ZSTD:
		return decode_zstd(in, in_size, out, cap, size, err);
	case FX_CODEC_DEFLATE:
		return decode_deflate(in, in_size, out, cap, size, err);
	case FX_CODEC_CRC32C:
	case FX_CODEC_CRC32:
		return decode_crc(codec == FX_CODEC_CRC32C, in, in_size, out, cap, size, err);
	case FX_CODEC_LZ4:
	case FX_CODEC_LZ4_RAW:
	case FX_CODEC_LZ4_JAVA:
	case FX_CODEC_BSLZ4:
	case FX_CODEC_LZ4_HDF5:
		if (fx__lz4_decode(codec, elem, in, in_size, out, cap, size) < 0)
			return damaged(err, "LZ4");
		return FX_OK;
	case FX_CODEC_NONE:
		break;
	}
	return fx_error_set(err, FX_EINVAL, "no such codec");
}

int fx_codecs_decode(const struct fx_codecs *c, const void *in, size_t in_size, size_t size,
		     const void **out, size_t *out_size, void **owned, struct fx_error *err)
{
	int result = FX_OK;

	*owned = NULL;
	for (size_t i = c->len; i-- > 0 && result == FX_OK;) {
		const size_t cap = i ? size + size / 128 + FX_CODEC_EXPAND : size;
		void *to = malloc(cap ? cap : 1);

		if (!to)
			result = fx_error_set(err, FX_ENOMEM, "no memory for a chunk");
		else
			result = fx_codec_decode(c->list[i], c->elem, in, in_size, to, cap,
						 &in_size, err);
		free(*owned);
		*owned = to;
		in = to;
	}
	*out = in;
	*out_size = in_size;
	if (result == FX_OK && in_size > size)
		result = fx_error_set(err, FX_EINVAL, "more bytes than a chunk has");
	if (result < 0) {
		free(*owned);
		*owned = NULL;
	}
	return result;
}
