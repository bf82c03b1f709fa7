// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/volume_chunks.c: Zarr and N5 that other libraries wrote. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "formats/volume.h"
#include "support/golden_pack.h"
#include "support/images.h"

enum { Z = 5, Y = 6, X = 7 };

static int make_folder(void **folder)
{
	*folder = test_tmp_dir();
	golden_unpack(*folder);
	return 0;
}

/* What a voxel should be; @p hole is where a chunk is not there, and its fill. */
static uint64_t voxel(size_t z, size_t y, size_t x, const size_t hole[4])
{
	if (hole && z >= hole[0] && y >= hole[1] && x >= hole[2])
		return hole[3];
	return (z * 42 + y * 7 + x) % 251;
}

static uint64_t value(const struct fx_block *b, size_t i)
{
	uint64_t v = 0;
	float f;

	if (b->dtype == FX_F32) {
		memcpy(&f, (const float *)b->data + i, sizeof f);
		return (uint64_t)f;
	}
	memcpy(&v, (const char *)b->data + i * fx_dtype_size(b->dtype), fx_dtype_size(b->dtype));
	return v;
}

static void expect_block(const struct fx_block *b, const size_t hole[4])
{
	size_t i = 0;

	for (size_t z = 0; z < b->shape[0]; z++)
		for (size_t y = 0; y < b->shape[1]; y++)
			for (size_t x = 0; x < b->shape[2]; x++, i++) {
				const uint64_t want =
					voxel(z + (size_t)b->origin[0], y + (size_t)b->origin[1],
					      x + (size_t)b->origin[2], hole);

				if (value(b, i) != want)
					fail_msg("voxel %zu %zu %zu is %llu, not %llu", z, y, x,
						 (unsigned long long)value(b, i),
						 (unsigned long long)want);
			}
}

static struct fx_block *read_part(struct fx_volume *v, struct fx_region r)
{
	struct fx_error err = { 0 };
	struct fx_block *b = NULL;

	if (fx_volume_read(v, r, &b, &err) < 0)
		fail_msg("%s", err.text);
	return b;
}

static void open_volume(const char *path, struct fx_volume *v)
{
	struct fx_error err = { 0 };

	if (fx_volume_open(path, v, &err) < 0)
		fail_msg("%s", err.text);
}

static void expect(void *folder, const char *name, enum fx_dtype dtype, const size_t hole[4])
{
	const struct fx_region parts[] = {
		{ { 1, 2, 3 }, { 4, 5, 6 } }, { { 0, 0, 0 }, { 5, 6, 7 } },
		{ { 4, 5, 6 }, { 5, 6, 7 } }, { { 3, 0, 0 }, { 4, 6, 7 } },
		{ { 0, 3, 0 }, { 3, 4, 7 } },
	};
	struct fx_volume v;

	open_volume(test_path(folder, name), &v);
	assert_true(v.shape[0] == Z && v.shape[1] == Y && v.shape[2] == X);
	assert_int_equal(v.dtype, dtype);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		struct fx_block *b = read_part(&v, parts[i]);

		expect_block(b, hole);
		fx_block_free(b);
	}
	fx_volume_close(&v);
}

static void reads_zarr_2(void **folder)
{
	expect(*folder, "v2-blosc", FX_U16, NULL);
	expect(*folder, "v2-zstd-be-f", FX_U32, NULL);
	expect(*folder, "v2-zlib", FX_U8, NULL);
	expect(*folder, "v2-gzip", FX_F32, NULL);
	expect(*folder, "v2-lz4", FX_U64, NULL);
}

static void a_bool_is_0_or_1(void **folder)
{
	struct fx_volume v;
	struct fx_block *b;

	open_volume(test_path(*folder, "v2-raw"), &v);
	assert_int_equal(v.dtype, FX_U8);
	b = read_part(&v, (struct fx_region){ { 0, 0, 0 }, { Z, Y, X } });
	for (size_t i = 0; i < Z * Y * X; i++)
		assert_int_equal(((const uint8_t *)b->data)[i], i % 3 == 0);
	fx_block_free(b);
	fx_volume_close(&v);
}

static void reads_zarr_3(void **folder)
{
	expect(*folder, "v3-zstd", FX_U16, (const size_t[4]){ 4, 4, 4, 9 });
	expect(*folder, "ome3.zarr", FX_U16, NULL);
	expect(*folder, "ome3.zarr/s0", FX_U16, NULL);
}

static void reads_shards(void **folder)
{
	struct fx_volume v;
	struct fx_block *b;

	open_volume(test_path(*folder, "v3-shard"), &v);
	b = read_part(&v, (struct fx_region){ { 0, 0, 0 }, { Z, Y, X } });
	for (size_t i = 0; i < Z * Y * X; i++) {
		const size_t z = i / (Y * X), y = i / X % Y, x = i % X;
		const bool hole = z >= 2 && z < 4 && y >= 2 && y < 4 && x >= 4;

		assert_int_equal(((const uint8_t *)b->data)[i], hole ? 3 : i % 251);
	}
	fx_block_free(b);
	fx_volume_close(&v);
}

static void reads_n5(void **folder)
{
	expect(*folder, "v.n5/gzip", FX_U16, NULL);
	expect(*folder, "v.n5/raw", FX_F32, NULL);
	expect(*folder, "v.n5/blosc", FX_U64, NULL);
	expect(*folder, "java.n5", FX_U16, NULL);
}

static void takes_the_finest_level_and_its_voxel_size(void **folder)
{
	struct fx_volume v;

	expect(*folder, "ome.zarr", FX_U8, NULL);
	open_volume(test_path(*folder, "ome.zarr"), &v);
	assert_true(v.voxel_nm[0] == 30 && v.voxel_nm[1] == 4 && v.voxel_nm[2] == 5);
	fx_volume_close(&v);
	open_volume(test_path(*folder, "ome3.zarr"), &v);
	assert_true(v.voxel_nm[0] == 6 && v.voxel_nm[1] == 4 && v.voxel_nm[2] == 5);
	fx_volume_close(&v);
	open_volume(test_path(*folder, "java.n5"), &v);
	assert_true(v.voxel_nm[0] == 6000 && v.voxel_nm[1] == 5000 && v.voxel_nm[2] == 4000);
	fx_volume_close(&v);
	open_volume(test_path(*folder, "v3-zstd"), &v);
	assert_true(v.voxel_nm[0] == 30 && v.voxel_nm[2] == 4);
	fx_volume_close(&v);
}

static void tells_what_is_there(void **folder)
{
	const char *path = test_path(*folder, "v3-zstd");
	struct fx_volume_there t, again;
	struct fx_error err = { 0 };
	struct fx_volume v;
	double done = 0;

	open_volume(path, &v);
	assert_int_equal(fx_volume_there(&v, 0, &t, &err), FX_OK);
	assert_true(t.parts == 4 && t.there == 4);
	assert_int_equal(fx_volume_there(&v, 4, &t, &err), FX_OK);
	assert_true(t.parts == 4 && t.there == 3);
	test_write_file(test_path(path, "c/2/1/1"), "abc", 3);
	assert_int_equal(fx_volume_there(&v, 4, &again, &err), FX_OK);
	assert_true(again.there == 4 && again.state != t.state);
	assert_int_equal(unlink(test_path(path, "c/2/1/1")), 0);
	assert_int_equal(fx_volume_there(&v, 4, &again, &err), FX_OK);
	assert_true(again.there == 3 && again.state == t.state);
	assert_int_equal(fx_volume_attribute(&v, "done", &done, &err), FX_OK);
	assert_true(done == 3);
	assert_int_equal(fx_volume_attribute(&v, "nothing", &done, &err), FX_ENOENT);
	fx_volume_close(&v);
}

static void a_damaged_chunk_is_told(void **folder)
{
	const char *path = test_path(*folder, "v2-blosc");
	struct fx_error err = { 0 };
	struct fx_volume v;
	struct fx_block *b;

	open_volume(path, &v);
	test_write_file(test_path(path, "0.0.0"), "\2\1\41\2\200\0\0\0\200\0\0\0\30\0\0\0abcdefgh",
			24);
	assert_int_equal(
		fx_volume_read(&v, (struct fx_region){ { 0, 0, 0 }, { 1, 1, 1 } }, &b, &err),
		FX_EINVAL);
	assert_non_null(strstr(err.text, "chunk 0 0 0: its blosc data are damaged"));
	b = read_part(&v, (struct fx_region){ { 2, 0, 0 }, { 3, 6, 7 } });
	expect_block(b, NULL);
	fx_block_free(b);
	fx_volume_close(&v);
}

static void refuses(void *folder, const char *text, const char *why)
{
	const char *path = test_path(folder, "refused");
	struct fx_error err = { 0 };
	struct fx_volume v;

	assert_int_equal(fx_make_dirs(path, NULL), FX_OK);
	test_write_file(test_path(path, ".zarray"), text, strlen(text));
	assert_true(fx_volume_open(path, &v, &err) < 0);
	if (!strstr(err.text, why))
		fail_msg("not \"%s\" but \"%s\"", why, err.text);
}

static void what_is_not_accepted_is_told(void **folder)
{
#define META(shape, chunks, dtype, rest)                                                           \
	"{\"zarr_format\":2,\"shape\":" shape ",\"chunks\":" chunks ",\"dtype\":\"" dtype          \
	"\",\"order\":\"C\",\"fill_value\":0," rest "}"
#define NONE "\"compressor\":null,\"filters\":null"
	refuses(*folder, META("[2,2,2]", "[1,1,1]", "<c8", NONE), "type c8");
	refuses(*folder, META("[3,2,2,2]", "[1,1,1,1]", "<u2", NONE), "has 3 entries");
	refuses(*folder, META("[2,2,2]", "[1,1]", "<u2", NONE), "axes");
	refuses(*folder, META("[2,2,2]", "[0,1,1]", "<u2", NONE), "empty");
	refuses(*folder, META("[2,2,2]", "[65536,65536,65536]", "<u2", NONE), "256 MiB");
	refuses(*folder, META("[2,2,0]", "[1,1,1]", "<u2", NONE), "shape");
	refuses(*folder, META("[2,2,2]", "[1,1,1]", "<u2", "\"filters\":[{\"id\":\"delta\"}]"),
		"filter \"delta\"");
	refuses(*folder, META("[2,2,2]", "[1,1,1]", "<u2", "\"compressor\":{\"id\":\"bz2\"}"),
		"\"bz2\" is not supported");
	refuses(*folder, "{\"shape\":1", "not a JSON object");
}

static void an_array_has_to_be_named_where_there_are_several(void **folder)
{
	struct fx_error err = { 0 };
	struct fx_volume v;

	assert_true(fx_volume_open(test_path(*folder, "v.n5"), &v, &err) < 0);
	assert_non_null(strstr(err.text, "holds several arrays"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_zarr_2),
		cmocka_unit_test(a_bool_is_0_or_1),
		cmocka_unit_test(reads_zarr_3),
		cmocka_unit_test(reads_shards),
		cmocka_unit_test(reads_n5),
		cmocka_unit_test(takes_the_finest_level_and_its_voxel_size),
		cmocka_unit_test(tells_what_is_there),
		cmocka_unit_test(a_damaged_chunk_is_told),
		cmocka_unit_test(what_is_not_accepted_is_told),
		cmocka_unit_test(an_array_has_to_be_named_where_there_are_several),
	};

	return cmocka_run_group_tests(tests, make_folder, test_folder_remove);
}
