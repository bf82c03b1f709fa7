// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/precomputed.c. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/encode.h"
#include "formats/precomputed.h"
#include "support/images.h"

static struct fx_precomputed labels_info(void)
{
	struct fx_precomputed p = {
		.role = FX_LABELS,
		.dtype = FX_U64,
		.size = { 100, 200, 300 },
		.chunk = { 32, 64, 128 },
		.offset = { 1, 2, -3 },
		.voxel_nm = { 40, 8.5, 8 },
		.compressed = true,
		.cseg_block = { 8, 8, 8 },
	};

	fx_precomputed_set_key(&p);
	return p;
}

static void info_is_as_neuroglancer_reads_it(void **unused)
{
	const struct fx_precomputed p = labels_info();
	char *text = fx_precomputed_info(&p, 1, "../skeletons");
	static const char want[] = "{\"@type\":\"neuroglancer_multiscale_volume\","
				   "\"type\":\"segmentation\",\"data_type\":\"uint64\","
				   "\"num_channels\":1,\"scales\":[{\"key\":\"8_8.5_40\","
				   "\"size\":[300,200,100],\"voxel_offset\":[-3,2,1],"
				   "\"chunk_sizes\":[[128,64,32]],\"resolution\":[8,8.5,40],"
				   "\"encoding\":\"compressed_segmentation\","
				   "\"compressed_segmentation_block_size\":[8,8,8]}],"
				   "\"skeletons\":\"../skeletons\"}";
	char tight[1024];
	size_t n = 0;
	struct fx_precomputed back;

	(void)unused;
	assert_non_null(text);
	for (const char *c = text; *c && n + 1 < sizeof tight; c++)
		if (*c != ' ' && *c != '\n')
			tight[n++] = *c;
	tight[n] = 0;
	assert_string_equal(tight, want);
	assert_int_equal(fx_precomputed_parse(text, strlen(text), NULL, &back, NULL), FX_OK);
	assert_memory_equal(back.size, p.size, sizeof p.size);
	assert_memory_equal(back.offset, p.offset, sizeof p.offset);
	assert_memory_equal(back.voxel_nm, p.voxel_nm, sizeof p.voxel_nm);
	assert_string_equal(back.key, p.key);
	assert_true(back.compressed && back.role == FX_LABELS && back.dtype == FX_U64);
	free(text);
}

static void chunks_are_named_and_clipped(void **unused)
{
	const struct fx_precomputed p = labels_info();
	char name[300];

	(void)unused;
	fx_precomputed_chunk_name(&p,
				  fx_precomputed_chunk_region(&p, (const int64_t[3]){ 0, 0, 0 }),
				  name, sizeof name);
	assert_string_equal(name, "8_8.5_40/-3-125_2-66_1-33");
	fx_precomputed_chunk_name(&p,
				  fx_precomputed_chunk_region(&p, (const int64_t[3]){ 3, 3, 2 }),
				  name, sizeof name);
	assert_string_equal(name, "8_8.5_40/253-297_194-202_97-101");
	assert_true(
		fx_region_empty(fx_precomputed_chunk_region(&p, (const int64_t[3]){ 4, 0, 0 })));
	assert_true(
		fx_region_empty(fx_precomputed_chunk_region(&p, (const int64_t[3]){ 0, -1, 0 })));
}

static void a_chunk_of_labels_comes_back(void **unused)
{
	struct fx_precomputed p = labels_info();
	char *dir = test_tmp_dir();
	char name[300];
	const int64_t grid[3] = { 3, 3, 2 };
	const struct fx_region r = fx_precomputed_chunk_region(&p, grid);
	struct fx_block *b = fx_block_new(FX_U64, 4, 8, 44), *back;
	const void *bytes;
	void *owned, *encoded;
	size_t size;
	char *packed;

	(void)unused;
	assert_non_null(b);
	for (size_t i = 0; i < fx_block_len(b); i++)
		((uint64_t *)b->data)[i] = i / 100 * 7;
	assert_int_equal(fx_precomputed_read_chunk(dir, &p, grid, &back, NULL), FX_OK);
	assert_int_equal(((uint64_t *)back->data)[500], 0); /* no file: zeros */
	fx_block_free(back);
	assert_int_equal(fx_precomputed_encode(&p, b, &bytes, &size, &owned, NULL), FX_OK);
	fx_precomputed_chunk_name(&p, r, name, sizeof name);
	assert_int_equal(fx_make_dirs(test_path(dir, p.key), NULL), FX_OK);
	test_write_file(test_path(dir, name), bytes, size);
	encoded = owned;
	assert_int_equal(fx_precomputed_read_chunk(dir, &p, grid, &back, NULL), FX_OK);
	assert_memory_equal(back->data, b->data, fx_block_size(b));
	assert_int_equal(back->origin[2], 253);
	fx_block_free(back);
	packed = fx_asprintf("%s/%s.br", dir, name);
	assert_int_equal(rename(test_path(dir, name), packed), 0);
	assert_int_equal(fx_precomputed_read_chunk(dir, &p, grid, &back, NULL), FX_ETYPE);
	assert_int_equal(unlink(packed), 0);
	free(packed);
	assert_int_equal(fx_encode(FX_ENCODE_GZIP, 8, encoded, size, &owned, &size, NULL), FX_OK);
	packed = fx_asprintf("%s/%s.gz", dir, name);
	test_write_file(packed, owned, size);
	assert_int_equal(fx_precomputed_read_chunk(dir, &p, grid, &back, NULL), FX_OK);
	assert_memory_equal(back->data, b->data, fx_block_size(b));
	fx_block_free(back);
	test_write_file(packed, owned, size - 9);
	assert_int_equal(fx_precomputed_read_chunk(dir, &p, grid, &back, NULL), FX_EINVAL);
	free(owned);
	free(encoded);
	free(packed);
	fx_block_free(b);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void what_is_not_supported_is_said(void **unused)
{
	static const struct {
		const char *from, *to, *says;
	} cases[] = {
		{ "\"image\"", "\"mesh\"", "\"type\" is not image or segmentation" },
		{ "uint8", "int64", "\"data_type\" int64 is not one of" },
		{ "\"raw\"", "\"jpeg\"", "encoding jpeg is not one of" },
		{ "\"raw\"", "\"raw\",\"sharding\":{\"a\":1}", "sharded" },
		{ "\"num_channels\":1", "\"num_channels\":3", "several channels" },
		{ "[7,5,3]", "[7,0,3]", "\"size\"" },
		{ "[7,5,3]", "[7,5]", "\"size\"" },
		{ "[7,5,3]", "[7,5,1e30]", "\"size\"" },
		{ "[[4,5,2]]", "[[99999,99999,2]]", "\"chunk_sizes\"" },
		{ "[4,4,4]", "[4,-4,4]", "\"resolution\"" },
		{ "\"s\"", "\"../../s\"", "\"key\"" },
		{ "\"s\"", "\"/etc\"", "\"key\"" },
		{ "]}", "", "line 1" },
	};
	static const char text[] =
		"{\"type\":\"image\",\"data_type\":\"uint8\",\"num_channels\":1,\"scales\":[{"
		"\"key\":\"s\",\"size\":[7,5,3],\"chunk_sizes\":[[4,5,2]],\"resolution\":"
		"[4,4,4],\"encoding\":\"raw\"}]}";

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *at = strstr(text, cases[i].from);
		struct fx_precomputed p;
		struct fx_error err = { 0 };
		char changed[512];

		assert_non_null(at);
		snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, cases[i].to,
			 at + strlen(cases[i].from));
		assert_true(fx_precomputed_parse(changed, strlen(changed), NULL, &p, &err) < 0);
		if (!strstr(err.text, cases[i].says))
			fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info_is_as_neuroglancer_reads_it),
		cmocka_unit_test(chunks_are_named_and_clipped),
		cmocka_unit_test(a_chunk_of_labels_comes_back),
		cmocka_unit_test(what_is_not_supported_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
