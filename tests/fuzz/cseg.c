// SPDX-License-Identifier: Apache-2.0
/* cseg.c: a chunk of compressed_segmentation, of both types and of blocks of several sizes. */
#include "formats/cseg.h"
#include "fuzz/bound.h"
#include "fuzz/fuzz.h"

enum { LEN = 4 * 9 * 17, BASE = 1 << 12, EACH = 1 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t shapes[2][3] = { { 4, 5, 6 }, { 4, 9, 17 } };
	static const size_t blocks[2][3] = { { 8, 8, 8 }, { 1, 3, 4 } };
	uint64_t *out = malloc(LEN * sizeof *out);

	fuzz_must(out != NULL);
	fuzz_bound_begin();
	for (int i = 0; i < 8; i++) {
		struct fx_error err = { 0 };
		const int result = fx_cseg_decode(data, size, shapes[i & 1], blocks[i >> 1 & 1],
						  i & 4 ? FX_U64 : FX_U32, out, &err);

		fuzz_must_tell(result, &err);
	}
	fuzz_bound_end(size, BASE, EACH);
	free(out);
	return 0;
}
