// SPDX-License-Identifier: Apache-2.0
/* zstd.c: payloads of codec zstd. 20 bits of bytes 0 to 2 are the size that is announced, the rest
 * is the payload. What is accepted has that size, and comes back the same by every width. */
#include "fuzz/payload.h"

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

static void all_widths(const void *raw, size_t size)
{
	for (size_t elem = 0; elem <= 8; elem = elem ? 2 * elem : 1)
		send_on(raw, size, elem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_payload(FX_CODEC_ZSTD, data, size, all_widths);
	return 0;
}
