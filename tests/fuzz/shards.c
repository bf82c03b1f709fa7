// SPDX-License-Identifier: Apache-2.0
/* shards.c: a file of a shard; the bits of the first byte say how it is laid out. All ids are
 * listed and the first of them read. */
#include "formats/shards.h"

#include "fuzz/bound.h"
#include "fuzz/fuzz.h"

enum { STRING_MAX = 1 << 16, READ = 8, BASE = 4 << 20, EACH = 8192 }; /* deflate, and what grows */

static void read_some(const char *folder, const struct fx_sharding *sharding)
{
	struct fx_shards s = { .folder = folder, .sharding = *sharding };
	struct fx_error err = { 0 };
	uint64_t *ids = NULL;
	size_t len = 0, size;
	void *bytes;
	int result = fx_shards_ids(&s, &ids, &len, &err);

	fuzz_must_tell(result, &err);
	for (size_t i = 0; i < len && i < READ && result == FX_OK; i++) {
		const int got = fx_shards_get(&s, ids[i], STRING_MAX, &bytes, &size, &err);

		fuzz_must_tell(got, &err);
		fuzz_must(got < 0 || size <= STRING_MAX);
		if (got == FX_OK)
			free(bytes);
	}
	free(ids);
	fx_shards_fini(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char folder[64], path[96];
	const struct fx_sharding s = { .preshift = size ? data[0] >> 5 : 0,
				       .minishard_bits = size ? data[0] & 3 : 0,
				       .murmur = size && data[0] & 4,
				       .gzip_index = size && data[0] & 8,
				       .gzip_data = size && data[0] & 16 };
	uint64_t *entries;
	size_t len;

	if (size < 2)
		return 0;
	fuzz_folder(data + 1, size - 1, "0.shard", folder, path);
	fuzz_bound_begin();
	if (fx_minishard_parse(data + 1, size - 1, &entries, &len, NULL) == FX_OK)
		free(entries);
	read_some(folder, &s);
	fuzz_bound_end(size, BASE, EACH);
	fuzz_folder_end(folder, path);
	return 0;
}
