// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/encode.c and gunzip.c: what is compressed is inflated to the same. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "formats/codec.h"
#include "formats/encode.h"
#include "formats/gunzip.h"

enum { SIZE = 300000 };

static void *some_bytes(size_t size)
{
	uint64_t seed = 3;
	uint8_t *b = malloc(size);

	assert_non_null(b);
	for (size_t i = 0; i < size; i++)
		b[i] = (uint8_t)(test_random(&seed) % 5);
	return b;
}

static void decoders_take_it(void **unused)
{
	static const struct {
		enum fx_encoding encoding;
		enum fx_codec codec;
	} pairs[] = { { FX_ENCODE_BLOSC, FX_CODEC_BLOSC },
		      { FX_ENCODE_ZSTD, FX_CODEC_ZSTD },
		      { FX_ENCODE_GZIP, FX_CODEC_DEFLATE },
		      { FX_ENCODE_ZLIB, FX_CODEC_DEFLATE } };
	static const size_t sizes[] = { 1, 100, SIZE };
	void *bytes = some_bytes(SIZE), *back = malloc(SIZE), *packed;

	(void)unused;
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 3; k++) {
			size_t size, got;

			assert_int_equal(fx_encode(pairs[i].encoding, 4, bytes, sizes[k], &packed,
						   &size, NULL),
					 FX_OK);
			assert_true(k < 2 || size < SIZE / 2);
			assert_int_equal(fx_codec_decode(pairs[i].codec, 4, packed, size, back,
							 SIZE, &got, NULL),
					 FX_OK);
			assert_int_equal(got, sizes[k]);
			assert_memory_equal(back, bytes, got);
			free(packed);
		}
	assert_int_equal(fx_encode(FX_ENCODE_NONE, 1, bytes, 9, &packed, &(size_t){ 0 }, NULL),
			 FX_OK);
	assert_memory_equal(packed, bytes, 9);
	free(packed);
	assert_int_equal(fx_encode(FX_ENCODE_ZSTD, 1, bytes, 0, &packed, &(size_t){ 0 }, NULL),
			 FX_EINVAL);
	free(bytes);
	free(back);
}

static void inflates_what_is_not_too_much(void **unused)
{
	void *bytes = some_bytes(SIZE), *packed, *out;
	size_t size, got;

	(void)unused;
	assert_int_equal(fx_encode(FX_ENCODE_GZIP, 1, bytes, SIZE, &packed, &size, NULL), FX_OK);
	assert_int_equal(fx_gunzip(packed, size, SIZE, &out, &got, NULL), FX_OK);
	assert_int_equal(got, SIZE);
	assert_memory_equal(out, bytes, SIZE);
	free(out);
	assert_int_equal(fx_gunzip(packed, size, SIZE - 1, &out, &got, NULL), FX_EINVAL);
	assert_int_equal(fx_gunzip(packed, size - 1, SIZE, &out, &got, NULL), FX_EINVAL);
	((uint8_t *)packed)[size / 2] ^= 1;
	assert_int_equal(fx_gunzip(packed, size, SIZE, &out, &got, NULL), FX_EINVAL);
	assert_int_equal(fx_gunzip(packed, 0, SIZE, &out, &got, NULL), FX_EINVAL);
	free(packed);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoders_take_it),
		cmocka_unit_test(inflates_what_is_not_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
