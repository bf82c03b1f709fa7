// SPDX-License-Identifier: Apache-2.0
/* lz4.c: payloads. Byte 0 is the codec, 20 bits of bytes 1 to 3 are the size that is announced, the
 * rest is the payload. What is accepted has that size, and comes back the same. */
#include "fuzz/payload.h"

static void send_on(const void *raw, size_t size)
{
	struct fx_error err = { 0 };
	void *coded, *back;
	size_t coded_size;

	fuzz_must(fx_codec_compress(raw, size, &coded, &coded_size) == FX_OK);
	if (!coded)
		return;
	back = malloc(size);
	fuzz_must(back != NULL && coded_size <= size - size / 10);
	fuzz_must(fx_codec_decompress(FX_CODEC_LZ4, coded, coded_size, back, size, &err) == FX_OK);
	fuzz_must(memcmp(back, raw, size) == 0);
	free(back);
	free(coded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size)
		fuzz_payload((enum fx_codec)(data[0] % 4), data + 1, size - 1, send_on);
	return 0;
}
