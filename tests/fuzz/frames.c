// SPDX-License-Identifier: Apache-2.0
/* frames.c: messages of detectors: parts behind each other, each a byte for its length. */
#include "fuzz/fuzz.h"

#include "formats/frameheader.h"

enum { PARTS = 4, SMALL = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct iovec parts[PARTS];
	struct fx_frameheader h;
	struct fx_error err = { 0 };
	uint8_t *bytes = malloc(size + 1); /* iovec is not const */
	size_t len = 0, at = 0;
	int result;

	fuzz_must(bytes != NULL);
	for (size_t i = 0; i < size; i++)
		bytes[i] = data[i];
	while (len < PARTS && at < size) {
		const size_t left = size - at - 1, most = bytes[at] * (size_t)2;

		parts[len].iov_base = bytes + at + 1;
		parts[len].iov_len = most < left && len + 1 < PARTS ? most : left;
		at += 1 + parts[len++].iov_len;
	}
	result = fx_frameheader_parse(parts, len, &h, &err);
	fuzz_must_tell(result, &err);
	if (result == FX_OK && h.kind == FX_FRAME_IMAGE) {
		fuzz_must(h.part < len && h.height && h.width && h.frame >= 0 && h.section >= 0);
		if (fx_frameheader_size(&h) <= SMALL) {
			void *to = malloc(fx_frameheader_size(&h));

			fuzz_must(to != NULL);
			result = fx_frame_decode(&h, parts[h.part].iov_base, parts[h.part].iov_len,
						 to, &err);
			fuzz_must_tell(result, &err);
			free(to);
		}
	}
	free(bytes);
	return 0;
}
