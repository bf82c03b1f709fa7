// SPDX-License-Identifier: Apache-2.0
/* codec_zstd.c: bytes by Zstandard; grey values as differences from what their neighbours let
 * expect.
 *
 * A head of five bytes: of how many bytes the integers are whose differences are coded, 0 for none;
 * then, u32, how many of them make a row. Then one frame of Zstandard, which tells the size of its
 * content: the bytes; or, of integers of one byte, their differences modulo 256; or, of n wider
 * ones, the lowest byte of all n differences, then the next of all: differences modulo 2 to the
 * width, of which 0, -1, 1, -2, ... are written as 0, 1, 2, 3, ... Expected is the integer before,
 * and from the second row on the mean, rounded down, of that and the one a row before. */
#include "wire/codec_zstd.h"

#include <stdlib.h>
#include <zstd.h>

enum { LEVEL = 1, HEAD = 5 };

static uint64_t get(const uint8_t *raw, size_t i, size_t elem)
{
	uint64_t v = 0;

	for (size_t k = elem; k-- > 0;)
		v = v << 8 | raw[i * elem + k];
	return v;
}

static void put(uint8_t *raw, size_t i, size_t elem, uint64_t v)
{
	for (size_t k = 0; k < elem; k++)
		raw[i * elem + k] = (uint8_t)(v >> 8 * k);
}

/* The mean of two, rounded down, also where their sum would overflow. */
static uint64_t mean(uint64_t a, uint64_t b)
{
	return (a & b) + ((a ^ b) >> 1);
}

/* What integer @p i is expected to be. */
static uint64_t expected(const uint8_t *raw, size_t i, size_t elem, size_t row)
{
	const uint64_t left = i ? get(raw, i - 1, elem) : 0;

	return i >= row ? mean(left, get(raw, i - row, elem)) : left;
}

static void differ_bytes(const uint8_t *raw, size_t n, size_t row, uint8_t *out)
{
	const size_t first = row < n ? row : n;

	for (size_t i = 0; i < first; i++)
		out[i] = (uint8_t)(raw[i] - (i ? raw[i - 1] : 0));
	for (size_t i = first; i < n; i++)
		out[i] = (uint8_t)(raw[i] - ((raw[i - 1] + raw[i - row]) >> 1));
}

/* Differences near to 0, of both signs, as small numbers, and back. */
static uint64_t fold(uint64_t d, size_t elem)
{
	const uint64_t sign = d >> (8 * elem - 1) & 1;

	return d << 1 ^ (0 - sign);
}

static uint64_t unfold(uint64_t f)
{
	return f >> 1 ^ (0 - (f & 1));
}

/* The bytes of the differences, plane by plane. */
static void differ(const uint8_t *raw, size_t n, size_t elem, size_t row, uint8_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint64_t d = fold(get(raw, i, elem) - expected(raw, i, elem, row), elem);

		for (size_t k = 0; k < elem; k++)
			out[k * n + i] = (uint8_t)(d >> 8 * k);
	}
}

/* Undoes it, in place. */
static void add_up_bytes(uint8_t *raw, size_t n, size_t row)
{
	const size_t first = row < n ? row : n;

	for (size_t i = 1; i < first; i++)
		raw[i] = (uint8_t)(raw[i] + raw[i - 1]);
	for (size_t i = first; i < n; i++)
		raw[i] = (uint8_t)(raw[i] + ((raw[i - 1] + raw[i - row]) >> 1));
}

static void add_up(const uint8_t *planes, size_t n, size_t elem, size_t row, uint8_t *raw)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t d = 0;

		for (size_t k = elem; k-- > 0;)
			d = d << 8 | planes[k * n + i];
		put(raw, i, elem, expected(raw, i, elem, row) + unfold(d));
	}
}

static bool is_width(size_t elem)
{
	return elem == 1 || elem == 2 || elem == 4 || elem == 8;
}

/* What zstd is given instead of @p raw (free()); NULL without memory. */
static uint8_t *differences(const uint8_t *raw, size_t size, size_t elem, size_t row)
{
	uint8_t *out = malloc(size);

	if (out && elem == 1)
		differ_bytes(raw, size, row, out);
	else if (out)
		differ(raw, size / elem, elem, row, out);
	return out;
}

int fx_codec_compress_zstd(const void *raw, size_t size, size_t elem, size_t row, void **out,
			   size_t *out_size)
{
	const size_t limit = size - size / 10;
	const bool differ = is_width(elem) && size % elem == 0 && row && row <= size / elem;
	uint8_t *coded, *other = NULL;
	size_t n;

	*out = NULL;
	*out_size = 0;
	if (size < 64 || size > FX_WIRE_PAYLOAD_MAX)
		return FX_OK;
	coded = malloc(limit);
	if (coded && differ)
		other = differences(raw, size, elem, row);
	if (!coded || (differ && !other)) {
		free(coded);
		return FX_ENOMEM;
	}
	coded[0] = (uint8_t)(differ ? elem : 0);
	put(coded + 1, 0, HEAD - 1, differ ? row : 0);
	n = ZSTD_compress(coded + HEAD, limit - HEAD, differ ? other : raw, size, LEVEL);
	free(other);
	if (ZSTD_isError(n) || size > FX_WIRE_RATIO_MAX * (n + HEAD)) {
		free(coded);
		return FX_OK;
	}
	*out = coded;
	*out_size = n + HEAD;
	return FX_OK;
}

/* Exactly one frame, which tells that it becomes @p raw_size bytes. */
static bool inflate(const uint8_t *frame, size_t size, void *raw, size_t raw_size)
{
	return ZSTD_getFrameContentSize(frame, size) == raw_size &&
	       ZSTD_findFrameCompressedSize(frame, size) == size &&
	       ZSTD_decompress(raw, raw_size, frame, size) == raw_size;
}

int fx__codec_decompress_zstd(const void *bytes, size_t size, void *raw, size_t raw_size)
{
	const uint8_t *head = bytes;
	const size_t elem = size > HEAD ? head[0] : 0;
	const size_t row = size > HEAD ? (size_t)get(head + 1, 0, HEAD - 1) : 0;
	uint8_t *planes;
	bool ok;

	if (size <= HEAD || (!elem && row) ||
	    (elem && (!is_width(elem) || raw_size % elem || !row || row > raw_size / elem)))
		return FX_ETYPE;
	if (elem <= 1) {
		ok = inflate(head + HEAD, size - HEAD, raw, raw_size);
		if (ok && elem)
			add_up_bytes(raw, raw_size, row);
		return ok ? FX_OK : FX_ETYPE;
	}
	planes = malloc(raw_size);
	if (!planes)
		return FX_ENOMEM;
	ok = inflate(head + HEAD, size - HEAD, planes, raw_size);
	if (ok)
		add_up(planes, raw_size / elem, elem, row, raw);
	free(planes);
	return ok ? FX_OK : FX_ETYPE;
}
