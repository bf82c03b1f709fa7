// SPDX-License-Identifier: Apache-2.0
/* chunks.c: metadata of Zarr and N5, a line break of two, then the bytes of a chunk, which is
 * decoded and pasted; a codec alone where the metadata are one digit. */
#include "fuzz/bound.h"
#include "fuzz/fuzz.h"

#include <string.h>

#include "formats/chunkmeta.h"

enum { SMALL = 1 << 20 };
enum { BASE = 4 << 20, EACH = 600 }; /* a chunk of SMALL, decoded codec by codec; JSON */

static void chunk(const struct fx_chunkmeta *m, const uint8_t *bytes, size_t size)
{
	struct fx_block *b = fx_block_new(m->dtype, 3, 4, 5);
	struct fx_error err = { 0 };
	struct fx_chunk c;
	int result;

	fuzz_must(b != NULL);
	if (fx_chunkmeta_bytes(m) > SMALL) {
		fx_block_free(b);
		return;
	}
	result = fx_chunk_decode(m, bytes, size, &c, &err);
	fuzz_must_tell(result, &err);
	if (result == FX_OK) {
		for (int64_t z = -2; z < 3; z += 2)
			fx_chunk_paste(m, &c, (const int64_t[3]){ z, 1, -1 }, b, &err);
		free(c.owned);
	}
	fx_block_free(b);
}

static void codec(int which, const uint8_t *bytes, size_t size)
{
	uint8_t *out = malloc(SMALL);
	struct fx_error err = { 0 };
	size_t got = 0;

	fuzz_must(out != NULL);
	for (size_t elem = 1; elem <= 8; elem *= 2) {
		const int result = fx_codec_decode((enum fx_codec)((int)FX_CODEC_BLOSC + which),
						   elem, bytes, size, out, SMALL, &got, &err);

		fuzz_must_tell(result, &err);
		fuzz_must(result < 0 || got <= SMALL);
	}
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const parse[])(const char *, size_t, struct fx_chunkmeta *,
				    struct fx_error *) = { fx_zarr2_parse, fx_zarr3_parse,
							   fx_n5_parse };
	const uint8_t *cut = memmem(data, size, "\n\n", 2);
	const size_t text = cut ? (size_t)(cut - data) : size;
	struct fx_multiscale scale;
	double number;

	fuzz_bound_begin();
	if (cut && text == 1 && data[0] >= '0' && data[0] <= '9')
		codec(data[0] - '0', cut + 2, size - text - 2);
	for (size_t i = 0; i < 3; i++) {
		struct fx_error err = { 0 };
		struct fx_chunkmeta m;
		char name[128];
		const int result = parse[i]((const char *)data, text, &m, &err);

		fuzz_must_tell(result, &err);
		if (result < 0)
			continue;
		fx_chunkmeta_name(&m, (const size_t[3]){ SIZE_MAX, 7, SIZE_MAX }, name,
				  sizeof name);
		if (cut)
			chunk(&m, cut + 2, size - text - 2);
	}
	fx_multiscale_parse((const char *)data, text, &scale, NULL);
	fx_attribute_parse((const char *)data, text, "done", &number, NULL);
	fuzz_bound_end(size, BASE, EACH);
	return 0;
}
