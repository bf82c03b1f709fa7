// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/shards.c and shards_write.c. */
#include "support/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/shards.h"
#include "support/images.h"
#include "support/outputs.h"

enum { IDS = 500 };

static uint64_t hash(uint64_t id)
{
	const struct fx_sharding s = { .shard_bits = 64, .murmur = true };
	uint64_t shard, minishard;

	fx_sharding_place(&s, id, &shard, &minishard);
	assert_int_equal(minishard, 0);
	return shard;
}

/* Values of tensorstore's test, which has them of pymmh3. */
static void hashes_are_those_of_neuroglancer(void **unused)
{
	(void)unused;
	assert_true(hash(0) == UINT64_C(0x4772b084e028ae41));
	assert_true(hash(1) == UINT64_C(0xe8bd67d616d4ce9a));
	assert_true(hash(42) == UINT64_C(0xc20b94f95119f47a));
}

static void ids_are_cut_as_the_format_says(void **unused)
{
	const struct fx_sharding s = { .preshift = 4, .minishard_bits = 3, .shard_bits = 2 };
	uint64_t shard, minishard;

	(void)unused;
	fx_sharding_place(&s, 0x1B7F, &shard, &minishard);
	assert_int_equal(minishard, 7);
	assert_int_equal(shard, 2);
}

/* Bits of x, y, z in turn, as long as an axis has more. */
static void morton_codes_are_compressed(void **unused)
{
	const size_t cells[3] = { 2, 3, 20 }, corner[3] = { 1, 2, 19 };
	bool seen[256] = { false };

	(void)unused;
	assert_int_equal(fx_morton(corner, cells), 0x9D);
	for (size_t z = 0; z < 2; z++)
		for (size_t y = 0; y < 3; y++)
			for (size_t x = 0; x < 20; x++) {
				const size_t g[3] = { z, y, x };
				const uint64_t code = fx_morton(g, cells);

				assert_true(code < 256 && !seen[code]);
				seen[code] = true;
			}
}

/* Ids of which some are neighbours, each once; the bytes of one. */
static uint64_t id_of(size_t i)
{
	return i % 2 ? i : i * UINT64_C(0x9E3779B97F4A7C15);
}

static size_t bytes_of(uint64_t id, uint8_t bytes[400])
{
	uint64_t seed = id + 1;
	const size_t size = test_random(&seed) % 400;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(test_random(&seed) % 3);
	return size + !size;
}

static void write_all(const char *folder, const struct fx_sharding *s)
{
	struct fx_shard_writer w = { .folder = folder, .sharding = *s };
	struct fx_error err = { 0 };

	for (size_t i = 0; i < IDS; i++) {
		uint8_t bytes[400] = { 0 };
		const size_t size = bytes_of(id_of(i * 7 % IDS), bytes);

		if (fx_shard_writer_put(&w, id_of(i * 7 % IDS), bytes, size, &err) < 0)
			fail_msg("%s", err.text);
	}
	assert_int_equal(fx_shard_writer_finish(&w, &err), FX_OK);
	fx_shard_writer_fini(&w);
	assert_int_equal(test_count_files(folder, ".gathered"), 0);
}

static void read_all(const char *folder, const struct fx_sharding *s)
{
	struct fx_shards r = { .folder = folder, .sharding = *s };
	struct fx_error err = { 0 };
	void *got;
	size_t size;

	for (size_t i = 0; i < IDS; i++) {
		uint8_t bytes[400] = { 0 };
		const size_t want = bytes_of(id_of(i), bytes);

		if (fx_shards_get(&r, id_of(i), 400, &got, &size, &err) < 0)
			fail_msg("%" PRIu64 ": %s", id_of(i), err.text);
		assert_int_equal(size, want);
		assert_memory_equal(got, bytes, size);
		free(got);
	}
	assert_int_equal(fx_shards_get(&r, 123456789, 400, &got, &size, &err), FX_ENOENT);
	assert_int_equal(fx_shards_get(&r, id_of(3), 0, &got, &size, &err), FX_EINVAL);
	fx_shards_fini(&r);
}

/* A shard that another program made: behind a byte that tells its layout to the fuzzer. */
static void reads_what_another_program_made(void **unused)
{
	const struct fx_sharding sharding = { 0, 2, 0, false, true, true };
	char *folder = test_tmp_dir();
	struct fx_shards s = { .folder = folder, .sharding = sharding };
	struct fx_error err = { 0 };
	uint64_t *ids;
	void *bytes;
	size_t size, len;

	(void)unused;
	assert_int_equal(fx_file_read("tests/fuzz/corpus/shards/gzip", 4096, &bytes, &size, &err),
			 FX_OK);
	test_write_file(test_path(folder, "0.shard"), (char *)bytes + 1, size - 1);
	free(bytes);
	assert_int_equal(fx_shards_ids(&s, &ids, &len, &err), FX_OK);
	assert_int_equal(len, 20);
	for (uint64_t id = 0; id < 20; id++) {
		assert_int_equal(ids[id], id);
		assert_int_equal(fx_shards_get(&s, id, 100, &bytes, &size, &err), FX_OK);
		assert_int_equal(size, id % 50 + 1);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(((uint8_t *)bytes)[i], id % 7);
		free(bytes);
	}
	free(ids);
	fx_shards_fini(&s);
	fx_remove_tree(folder, NULL);
	free(folder);
}

static const struct fx_sharding kinds[] = {
	{ 0, 0, 0, false, false, false },
	{ 3, 2, 1, false, false, true },
	{ 0, 4, 3, true, true, true },
	{ 1, 6, 0, true, true, false },
};

static void what_is_put_is_got(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		char *folder = test_tmp_dir();

		write_all(folder, &kinds[i]);
		assert_true(test_count_files(folder, ".shard") == (size_t)1 << kinds[i].shard_bits);
		read_all(folder, &kinds[i]);
		fx_remove_tree(folder, NULL);
		free(folder);
	}
}

static void kinds_go_to_json_and_back(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct fx_sharding back = { 0 };
		json_t *json = fx_sharding_json(&kinds[i]);

		assert_int_equal(fx_sharding_parse(json, &back, NULL), FX_OK);
		assert_true(back.preshift == kinds[i].preshift && back.murmur == kinds[i].murmur &&
			    back.minishard_bits == kinds[i].minishard_bits &&
			    back.shard_bits == kinds[i].shard_bits &&
			    back.gzip_data == kinds[i].gzip_data &&
			    back.gzip_index == kinds[i].gzip_index);
		json_object_set_new(json, "minishard_bits", json_integer(40));
		assert_int_equal(fx_sharding_parse(json, &back, NULL), FX_ETYPE);
		json_decref(json);
	}
}

/* Any change of a shard is an error or other bytes, and no more. */
static void damaged_shards_are_told(void **unused)
{
	const struct fx_sharding s = { 0, 2, 0, true, true, true };
	char *folder = test_tmp_dir();
	const char *path;
	void *whole;
	size_t size, failed = 0;
	uint64_t seed = 4;

	(void)unused;
	write_all(folder, &s);
	path = test_path(folder, "0.shard");
	assert_int_equal(fx_file_read(path, 1 << 20, &whole, &size, NULL), FX_OK);
	for (size_t i = 0; i < 300; i++) {
		struct fx_shards r = { .folder = folder, .sharding = s };
		const size_t at = test_random(&seed) % (i % 2 ? size : 64);
		struct fx_error err = { 0 };
		uint8_t *b = whole, was = b[at];
		void *got = NULL;
		size_t len = 0;
		int result;

		b[at] = (uint8_t)test_random(&seed);
		test_write_file(path, whole, i % 5 ? size : at);
		result = fx_shards_get(&r, id_of(i), 400, &got, &len, &err);
		assert_true(result == FX_OK ? len <= 400 : err.code == result && err.text[0]);
		failed += result < 0;
		if (result == FX_OK)
			free(got);
		fx_shards_fini(&r);
		b[at] = was;
	}
	assert_true(failed > 50);
	free(whole);
	fx_remove_tree(folder, NULL);
	free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_are_those_of_neuroglancer),
		cmocka_unit_test(ids_are_cut_as_the_format_says),
		cmocka_unit_test(morton_codes_are_compressed),
		cmocka_unit_test(what_is_put_is_got),
		cmocka_unit_test(reads_what_another_program_made),
		cmocka_unit_test(kinds_go_to_json_and_back),
		cmocka_unit_test(damaged_shards_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
