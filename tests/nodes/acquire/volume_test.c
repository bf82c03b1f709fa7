// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/acquire/volume.c. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include "base/file.h"
#include "support/images.h"
#include "support/node_test.h"

extern const struct fx_node_type fx_node_acquire_volume;

enum { Z = 3, Y = 30, X = 40 };

static int make_folder(void **folder)
{
	*folder = test_tmp_dir();
	return 0;
}

static int remove_folder(void **folder)
{
	fx_remove_tree(*folder, NULL);
	free(*folder);
	return 0;
}

static struct node_test *start(const char *path, const char *a, const char *b)
{
	char option[600];

	snprintf(option, sizeof option, "path=%s", path);
	return node_test_new(&fx_node_acquire_volume, (const char *const[]){ option, a, b, NULL });
}

static void sends_sections_as_tiles(void **folder)
{
	const char *path = test_path(*folder, "a.tif");
	uint16_t voxels[Z * Y * X];
	struct node_test *t;
	size_t at = 0;

	for (size_t i = 0; i < Z * Y * X; i++)
		voxels[i] = (uint16_t)(i * 7);
	test_write_tiff(path, Z, Y, X, 16, SAMPLEFORMAT_UINT, 0, voxels);
	t = start(path, "role=labels", "tile=0.001"); /* 13 rows of 80 bytes */
	while (node_test_step(t) == FX_OK)
		;
	assert_int_equal(node_test_result(t), FX_END);
	assert_int_equal(node_test_count(t, "out", FX_BLOCK), 3 * Z);
	for (size_t i = 0; i < 3 * Z; i++) {
		const struct fx_block *b = node_test_get(t, "out", FX_BLOCK, i)->message;

		assert_int_equal(b->origin[0], i / 3);
		assert_int_equal(b->origin[1], i % 3 * 13);
		assert_true(b->role == FX_LABELS && b->voxel_nm[0] == 8);
		assert_memory_equal(b->data, voxels + at, fx_block_size(b));
		at += fx_block_len(b);
	}
	assert_int_equal(at, Z * Y * X);
	assert_int_equal(node_test_sent(t, 0)->mark.kind, FX_MARK_OPEN);
	assert_int_equal(node_test_sent(t, 0)->mark.region.hi[0], Z);
	assert_int_equal(node_test_get(t, "out", FX_NOTHING, Z)->mark.kind, FX_MARK_DONE);
	assert_int_equal(node_test_get(t, "out", FX_NOTHING, Z)->mark.region.lo[0], Z - 1);
	node_test_free(t);
}

static void another_life_goes_on_where_the_last_was(void **folder)
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };
	const char *path = test_path(*folder, "b.tif");
	uint16_t voxels[2 * Z * Y * X];
	struct node_test *t[3];

	for (size_t i = 0; i < 2 * Z * Y * X; i++)
		voxels[i] = (uint16_t)(i * 7);
	test_write_tiff(path, 2 * Z, Y, X, 16, SAMPLEFORMAT_UINT, 0, voxels);
	for (size_t i = 0; i < 3; i++) {
		t[i] = start(path, "tile=0.001", lives[i]);
		while (node_test_step(t[i]) == FX_OK)
			;
		assert_int_equal(node_test_result(t[i]), FX_END);
		node_test_same(t[0], t[i]);
	}
	node_test_hostile(t[0]);
	for (size_t i = 0; i < 3; i++)
		node_test_free(t[i]);
}

static void a_broken_section_is_missing(void **folder)
{
	static const char info[] =
		"{\"type\":\"image\",\"data_type\":\"uint8\",\"num_channels\":1,\"scales\":[{"
		"\"key\":\"s\",\"size\":[2,2,2],\"chunk_sizes\":[[2,2,1]],\"resolution\":"
		"[4,5,6],\"encoding\":\"raw\"}]}";
	struct node_test *t;
	const struct fx_mark *m;

	assert_int_equal(fx_make_dirs(test_path(*folder, "s"), NULL), FX_OK);
	test_write_file(test_path(*folder, "info"), info, sizeof info - 1);
	test_write_file(test_path(*folder, "s/0-2_0-2_0-1"), "abc", 3);
	test_write_file(test_path(*folder, "s/0-2_0-2_1-2"), "abcd", 4);
	t = start(*folder, "voxel=7 7 7", NULL);
	while (node_test_step(t) == FX_OK)
		;
	assert_int_equal(node_test_result(t), FX_END);
	assert_int_equal(node_test_count(t, "out", FX_BLOCK), 1);
	m = &node_test_get(t, "out", FX_NOTHING, 1)->mark;
	assert_int_equal(m->kind, FX_MARK_MISSING);
	assert_non_null(strstr(m->reason, "3 bytes"));
	assert_true(m->voxel_nm[0] == 6 && m->voxel_nm[2] == 4);
	node_test_free(t);
}

static void what_cannot_be_read_fails_at_once(void **folder)
{
	const char *path = test_path(*folder, "f.tif");
	const float voxels[4] = { 0 };
	struct node_test *t = start("/nonexistent.tif", NULL, NULL);

	assert_int_equal(node_test_result(t), FX_ENOENT);
	assert_non_null(strstr(node_test_error(t), "/nonexistent.tif: cannot open"));
	node_test_free(t);
	test_write_tiff(path, 1, 2, 2, 32, SAMPLEFORMAT_IEEEFP, 0, voxels);
	t = start(path, "role=labels", NULL);
	assert_int_equal(node_test_result(t), FX_ETYPE);
	node_test_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_sections_as_tiles),
		cmocka_unit_test(another_life_goes_on_where_the_last_was),
		cmocka_unit_test(a_broken_section_is_missing),
		cmocka_unit_test(what_cannot_be_read_fails_at_once),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
