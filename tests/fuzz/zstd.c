// SPDX-License-Identifier: Apache-2.0
/* zstd.c: payloads of codec zstd. 20 bits of bytes 0 to 2 are the size that is announced, the rest
 * is the payload. What is accepted has that size, and comes back the same by every width. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "wire/wire.h"

static void send_on(const void *raw, size_t size, size_t elem)
{
	struct fx_error err = { 0 };
	void *coded, *back;
	size_t coded_size;

	fuzz_must(fx_codec_compress_zstd(raw, size, elem, 7, &coded, &coded_size) == FX_OK);
	if (!coded)
		return;
	back = malloc(size);
	fuzz_must(back != NULL && coded_size <= size - size / 10);
	fuzz_must(coded_size * FX_WIRE_RATIO_MAX >= size);
	fuzz_must(fx_codec_decompress(FX_CODEC_ZSTD, coded, coded_size, back, size, &err) == FX_OK);
	fuzz_must(memcmp(back, raw, size) == 0);
	free(back);
	free(coded);
}

/* The result; *raw (free()) was filled with @p before. */
static int decode(const uint8_t *bytes, size_t size, size_t raw_size, int before, uint8_t **raw)
{
	struct fx_error err = { 0 };
	int result;

	*raw = malloc(raw_size + 1);
	fuzz_must(*raw != NULL);
	memset(*raw, before, raw_size);
	result = fx_codec_decompress(FX_CODEC_ZSTD, bytes, size, *raw, raw_size, &err);
	fuzz_must_tell(result, &err);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t raw_size;
	uint8_t *raw, *again, *bytes;
	int result;

	if (size < 3)
		return 0;
	raw_size = data[0] | (size_t)data[1] << 8 | (size_t)(data[2] & 0xf) << 16;
	bytes = malloc(size - 3 + 1);
	fuzz_must(bytes != NULL);
	memcpy(bytes, data + 3, size - 3);
	result = decode(bytes, size - 3, raw_size, 0, &raw);
	fuzz_must(decode(bytes, size - 3, raw_size, 0xff, &again) == result);
	if (result == FX_OK) {
		fuzz_must(memcmp(raw, again, raw_size) == 0); /* all of it was written */
		for (size_t elem = 0; elem <= 8; elem = elem ? 2 * elem : 1)
			send_on(raw, raw_size, elem);
	}
	free(bytes);
	free(again);
	free(raw);
	return 0;
}
