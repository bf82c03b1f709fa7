// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/wire/codec_zstd.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

/* Smooth values of @p elem bytes each. */
static void smooth(uint8_t *raw, size_t n, size_t elem)
{
	uint64_t seed = 5, v = 1u << 20;

	for (size_t i = 0; i < n; i++) {
		v += test_random(&seed) % 5 - 2;
		memcpy(raw + i * elem, &v, elem);
	}
}

static void zstd_keeps_bytes_of_every_width(void **unused)
{
	enum { N = 10000, SIZE = 8 * N };
	static const size_t widths[] = { 0, 1, 2, 4, 8 }, rows[] = { N, N - 1, 100, 1 };
	uint8_t *raw = calloc(SIZE, 1), *back = calloc(SIZE, 1);

	(void)unused;
	for (size_t i = 0; i < 20; i++) {
		const size_t width = widths[i % 5], row = rows[i / 5], elem = width ? width : 2,
			     bytes = N * elem;
		void *coded;
		size_t size;

		smooth(raw, N, elem);
		assert_int_equal(fx_codec_compress_zstd(raw, bytes, width, row, &coded, &size),
				 FX_OK);
		assert_non_null(coded);
		assert_int_equal(*(uint8_t *)coded, width);
		if (width && row == N) /* less than three bits a value are noise */
			assert_in_range(size, 1, N / 2);
		memset(back, 0xff, SIZE);
		assert_int_equal(fx_codec_decompress(FX_CODEC_ZSTD, coded, size, back, bytes, NULL),
				 FX_OK);
		assert_memory_equal(raw, back, bytes);
		free(coded);
	}
	free(raw);
	free(back);
}

/* Everything but one whole frame of just that content. */
static void zstd_that_is_wrong_is_refused(void **unused)
{
	enum { SIZE = 8192 };
	uint8_t raw[SIZE], back[2 * SIZE], bad[SIZE + 16];
	struct fx_error err = { 0 };
	uint8_t *coded;
	size_t size;
	void *out;

	(void)unused;
	smooth(raw, SIZE / 2, 2);
	assert_int_equal(fx_codec_compress_zstd(raw, SIZE, 2, 64, &out, &size), FX_OK);
	coded = out;
	assert_int_equal(fx_codec_decompress(FX_CODEC_ZSTD, coded, size, back, SIZE, &err), FX_OK);
	for (size_t n = 0; n < size; n++) /* cut short */
		assert_true(fx_codec_decompress(FX_CODEC_ZSTD, coded, n, back, SIZE, &err) < 0);
	assert_true(err.text[0]);
	/* of another size than is announced */
	assert_true(fx_codec_decompress(FX_CODEC_ZSTD, coded, size, back, 2 * SIZE, &err) < 0);
	assert_true(fx_codec_decompress(FX_CODEC_ZSTD, coded, size, back, SIZE / 2, &err) < 0);
	assert_true(fx_codec_decompress(FX_CODEC_ZSTD, coded, size, back, SIZE - 1, &err) < 0);
	/* something behind it: bytes, and what the library would pass over */
	memcpy(bad, coded, size);
	memcpy(bad + size, "\x50\x2a\x4d\x18\0\0\0\0", 8);
	assert_true(fx_codec_decompress(FX_CODEC_ZSTD, bad, size + 8, back, SIZE, &err) < 0);
	assert_true(fx_codec_decompress(FX_CODEC_ZSTD, bad, size + 1, back, SIZE, &err) < 0);
	for (int width = 0; width < 256; width++) /* of no such width */
		if (width != 0 && width != 1 && width != 2 && width != 4 && width != 8) {
			bad[0] = (uint8_t)width;
			assert_true(fx_codec_decompress(FX_CODEC_ZSTD, bad, size, back, SIZE,
							&err) < 0);
		}
	memcpy(bad, coded, size); /* a row of none, or of more than there are */
	memset(bad + 1, 0, 4);
	assert_true(fx_codec_decompress(FX_CODEC_ZSTD, bad, size, back, SIZE, &err) < 0);
	bad[3] = 1;
	assert_true(fx_codec_decompress(FX_CODEC_ZSTD, bad, size, back, SIZE, &err) < 0);
	free(coded);
}

/* What would become more than 255 times as much is not sent so: it would be refused as a bomb. */
static void zstd_makes_no_bombs(void **unused)
{
	enum { SIZE = 1 << 20 };
	uint8_t *raw = calloc(SIZE, 1);
	void *coded;
	size_t size;

	(void)unused;
	assert_int_equal(fx_codec_compress_zstd(raw, SIZE, 1, 1024, &coded, &size), FX_OK);
	assert_null(coded);
	for (int i = 0; i < SIZE; i += 256)
		raw[i] = (uint8_t)(i >> 8 | 1);
	assert_int_equal(fx_codec_compress_zstd(raw, SIZE, 1, 1024, &coded, &size), FX_OK);
	assert_true(!coded || size * FX_WIRE_RATIO_MAX >= SIZE);
	free(coded);
	free(raw);
}

/* The bytes of the format, made by hand: Zstandard may code as it likes, this may not change. */
static void it_is_what_the_protocol_says(void **unused)
{
	static const uint8_t bytes[] = { 0x01, 0x04, 0x00, 0x00, 0x00, 0x28, 0xb5, 0x2f, 0xfd,
					 0x20, 0x0c, 0x61, 0x00, 0x00, 0x0a, 0x02, 0xff, 0x02,
					 0x09, 0x05, 0x03, 0xea, 0x79, 0xf5, 0x78, 0x85 },
			     values[] = { 10, 12, 11, 13, 20, 21, 19, 250, 0, 255, 1, 2 };
	static const uint8_t wide_bytes[] = { 0x02, 0x03, 0x00, 0x00, 0x00, 0x28, 0xb5, 0x2f, 0xfd,
					      0x20, 0x0c, 0x61, 0x00, 0x00, 0xd0, 0x06, 0x09, 0xcf,
					      0x16, 0x1a, 0x07, 0x00, 0x00, 0x07, 0xfc, 0xfc };
	static const uint16_t wide[] = { 1000, 1003, 998, 65535, 0, 32768 };
	uint8_t back[sizeof values];
	uint16_t wide_back[6];
	struct fx_error err = { 0 };

	(void)unused;
	assert_int_equal(
		fx_codec_decompress(FX_CODEC_ZSTD, bytes, sizeof bytes, back, sizeof back, &err),
		FX_OK);
	assert_memory_equal(back, values, sizeof values);
	assert_int_equal(fx_codec_decompress(FX_CODEC_ZSTD, wide_bytes, sizeof wide_bytes,
					     wide_back, sizeof wide_back, &err),
			 FX_OK);
	assert_memory_equal(wide_back, wide, sizeof wide);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_what_the_protocol_says),
		cmocka_unit_test(zstd_keeps_bytes_of_every_width),
		cmocka_unit_test(zstd_that_is_wrong_is_refused),
		cmocka_unit_test(zstd_makes_no_bombs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
