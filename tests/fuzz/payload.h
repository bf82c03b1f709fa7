// SPDX-License-Identifier: Apache-2.0
/* payload.h: what targets of codecs share: bytes that say how large they become, taken apart twice.
 */
#ifndef FX_TESTS_FUZZ_PAYLOAD_H
#define FX_TESTS_FUZZ_PAYLOAD_H

#include "fuzz/fuzz.h"

#include <string.h>

#include "wire/wire.h"

/** The result; *raw (free()) was filled with @p before. */
static inline int fuzz_decode(enum fx_codec codec, const uint8_t *bytes, size_t size,
			      size_t raw_size, int before, uint8_t **raw)
{
	struct fx_error err = { 0 };
	int result;

	*raw = malloc(raw_size + 1);
	fuzz_must(*raw != NULL);
	memset(*raw, before, raw_size);
	result = fx_codec_decompress(codec, bytes, size, *raw, raw_size, &err);
	fuzz_must_tell(result, &err);
	return result;
}

/** 20 bits of bytes 0 to 2 are the size that is announced, the rest is the payload. What is
 * accepted is written as a whole, and given to @p accepted. */
static inline void fuzz_payload(enum fx_codec codec, const uint8_t *data, size_t size,
				void (*accepted)(const void *raw, size_t size))
{
	size_t raw_size;
	uint8_t *raw, *again, *bytes;
	int result;

	if (size < 3)
		return;
	raw_size = data[0] | (size_t)data[1] << 8 | (size_t)(data[2] & 0xf) << 16;
	bytes = malloc(size - 3 + 1);
	fuzz_must(bytes != NULL);
	memcpy(bytes, data + 3, size - 3);
	result = fuzz_decode(codec, bytes, size - 3, raw_size, 0, &raw);
	fuzz_must(fuzz_decode(codec, bytes, size - 3, raw_size, 0xff, &again) == result);
	if (result == FX_OK) {
		fuzz_must(memcmp(raw, again, raw_size) == 0);
		accepted(raw, raw_size);
	}
	free(bytes);
	free(again);
	free(raw);
}

#endif
