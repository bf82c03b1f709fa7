// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/acquire/volume.c. */
#include "support/test.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "support/images.h"
#include "support/node_test.h"

extern const struct fx_node_type fx_node_acquire_volume;

enum { Z = 3, Y = 30, X = 40 };

static const int64_t PATIENCE_NS = 60000000000;

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

/* Of float64, once, and not while all is exact. */
static void what_is_rounded_is_told(void **folder)
{
	const char *path = test_path(*folder, "d.tif");
	const double voxels[3][4] = { { 1, 2, 3, 0.5 }, { 0.1, 2, 3, 4 }, { 0.2, 2, 3, 4 } };
	struct node_test *t;

	test_write_tiff(path, 3, 2, 2, 64, SAMPLEFORMAT_IEEEFP, 0, voxels);
	t = start(path, "role=probability", NULL);
	for (int i = 0; i < 2; i++)
		assert_int_equal(node_test_step(t), FX_OK);
	assert_string_equal(node_test_warning(t), "");
	assert_int_equal(node_test_step(t), FX_OK);
	assert_non_null(strstr(node_test_warning(t), "d.tif: voxels of float64 become"));
	assert_int_equal(node_test_count(t, "out", FX_BLOCK), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct fx_block *b = node_test_get(t, "out", FX_BLOCK, i)->message;

		assert_true(b->dtype == FX_F32 && b->role == FX_PROBABILITY);
		for (size_t k = 0; k < 4; k++)
			assert_true(((const float *)b->data)[k] == (float)voxels[i][k]);
	}
	node_test_free(t);
}

/* A volume of 4 sections of 4 x 4 in chunks of 2 x 4 x 2, that grows. */
static void put_meta(const char *folder, int sections, int complete)
{
	char text[400];

	snprintf(
		text, sizeof text,
		"{\"zarr_format\":3,\"node_type\":\"array\",\"shape\":[%d,4,4],\"data_type\":"
		"\"uint8\",\"chunk_grid\":{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":"
		"[2,4,2]}},\"chunk_key_encoding\":{\"name\":\"v2\"},\"fill_value\":7,\"codecs\":[{"
		"\"name\":\"bytes\"}],\"attributes\":{\"done\":%d}}",
		sections, complete);
	assert_int_equal(fx_make_dirs(folder, NULL), FX_OK);
	test_write_file(test_path(folder, "zarr.json"), text, strlen(text));
}

/* Chunk z, 0, x: every voxel of section s is 10 s + x. */
static void put_chunk(const char *folder, int z, int x)
{
	uint8_t voxels[16];
	char name[32];

	for (int i = 0; i < 16; i++)
		voxels[i] = (uint8_t)(10 * (2 * z + i / 8) + x);
	snprintf(name, sizeof name, "%d.0.%d", z, x);
	test_write_file(test_path(folder, name), voxels, sizeof voxels);
}

/* Steps for some time, and nothing comes. */
static void idle(struct node_test *t)
{
	const size_t before = node_test_sent_len(t);

	for (int i = 0; i < 20; i++) {
		assert_int_equal(node_test_step(t), FX_IDLE);
		fx_sleep_ms(10);
	}
	assert_int_equal(node_test_sent_len(t), before);
}

static size_t marks(struct node_test *t, enum fx_mark_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < node_test_count(t, "out", FX_NOTHING); i++)
		n += node_test_get(t, "out", FX_NOTHING, i)->mark.kind == kind;
	return n;
}

/* Steps until it knows of the volume. */
static void await_open(struct node_test *t)
{
	const int64_t until = fx_now_ns() + PATIENCE_NS;

	while (!node_test_sent_len(t)) {
		assert_true(node_test_step(t) >= 0 && fx_now_ns() < until);
		fx_sleep_ms(10);
	}
}

/* Steps until so many sections are done. */
static void await(struct node_test *t, size_t done)
{
	const int64_t until = fx_now_ns() + PATIENCE_NS;

	while (marks(t, FX_MARK_DONE) < done) {
		const int result = node_test_step(t);

		if (result < 0 || result == FX_END || fx_now_ns() > until)
			fail_msg("%zu sections are done, then %d: %s", marks(t, FX_MARK_DONE),
				 result, node_test_error(t));
		if (result == FX_IDLE)
			fx_sleep_ms(10);
	}
	assert_int_equal(marks(t, FX_MARK_DONE), done);
}

/* Steps until it ends. */
static void finish(struct node_test *t)
{
	const int64_t until = fx_now_ns() + PATIENCE_NS;
	int result = FX_OK;

	while (result >= 0 && result != FX_END && fx_now_ns() < until) {
		result = node_test_step(t);
		if (result == FX_IDLE)
			fx_sleep_ms(10);
	}
	if (result != FX_END)
		fail_msg("%d: %s", result, node_test_error(t));
}

static struct node_test *grow(const char *path, const char *a, const char *b, const char *c)
{
	char option[600];

	snprintf(option, sizeof option, "path=%s", path);
	return node_test_new(&fx_node_acquire_volume,
			     (const char *const[]){ option, "grows=true", a, b, c, NULL });
}

static void expect_sections(struct node_test *t, const char *story)
{
	size_t tile = 0, mark = 1;

	for (int64_t z = 0; story[z]; z++, mark++) {
		const struct fx_mark *m = &node_test_get(t, "out", FX_NOTHING, mark)->mark;
		const struct fx_block *b;

		assert_int_equal(m->region.lo[0], z);
		assert_int_equal(m->kind, story[z] == 'M' ? FX_MARK_MISSING : FX_MARK_DONE);
		if (story[z] == 'M')
			continue;
		b = node_test_get(t, "out", FX_BLOCK, tile++)->message;
		assert_int_equal(b->origin[0], z);
		for (int i = 0; i < 16; i++)
			assert_int_equal(((uint8_t *)b->data)[i],
					 i % 4 >= 2 && story[z] == 'F' ? 7 : 10 * z + i % 4 / 2);
	}
	assert_int_equal(node_test_count(t, "out", FX_NOTHING), mark);
}

static void sections_flow_when_their_chunks_are_there(void **folder)
{
	const char *path = test_path(*folder, "grows.zarr");
	struct node_test *t = grow(path, "settle=0.1", "marker=done", NULL);
	int64_t start;

	idle(t); /* there is no volume */
	assert_non_null(strstr(node_test_warning(t), "waits for a volume"));
	put_meta(path, 4, 0);
	put_chunk(path, 0, 0);
	await_open(t);
	idle(t); /* half a section */
	start = fx_now_ns();
	put_chunk(path, 0, 1);
	await(t, 2);
	assert_true(fx_now_ns() - start >= 100000000); /* before that it may still change */
	put_meta(path, 6, 0);			       /* it has become longer */
	put_chunk(path, 1, 0);
	put_chunk(path, 1, 1);
	put_chunk(path, 2, 1); /* and one that stays alone */
	await(t, 4);
	test_write_file(test_path(path, "done"), "", 0);
	finish(t);
	assert_int_equal(node_test_sent(t, 0)->mark.region.hi[0], 0);
	expect_sections(t, "DDDDMM");
	node_test_free(t);
}

/* Its chunk will be written again when the volume becomes longer. */
static void a_section_waits_for_those_that_share_its_chunks(void **folder)
{
	const char *path = test_path(*folder, "shared.zarr");
	struct node_test *t = grow(path, "settle=0.02", "marker=done", NULL);

	put_meta(path, 1, 0);
	test_write_file(test_path(path, "0.0.0"), "________________", 16);
	test_write_file(test_path(path, "0.0.1"), "________________", 16);
	await_open(t);
	idle(t);
	put_chunk(path, 0, 0);
	put_chunk(path, 0, 1);
	put_meta(path, 2, 0);
	await(t, 2);
	put_meta(path, 3, 0);
	put_chunk(path, 1, 0);
	put_chunk(path, 1, 1);
	idle(t);
	test_write_file(test_path(path, "done"), "", 0);
	finish(t);
	expect_sections(t, "DDD");
	node_test_free(t);
}

static void what_does_not_come_is_missing_or_filled(void **folder)
{
	const char *path = test_path(*folder, "holes.zarr");
	struct node_test *t;

	put_meta(path, 6, 0);
	put_chunk(path, 0, 0);
	put_chunk(path, 1, 0);
	put_chunk(path, 1, 1);
	put_chunk(path, 2, 0);
	t = grow(path, "settle=0.02", "late=0.05", "silence=0.3");
	finish(t);
	assert_non_null(strstr(node_test_get(t, "out", FX_NOTHING, 1)->mark.reason,
			       "1 of its 2 chunks did not come"));
	expect_sections(t, "MMDDMM");
	node_test_free(t);
	t = grow(path, "settle=0.02", "silence=0.2", "fill=true");
	finish(t);
	expect_sections(t, "FFDDFF");
	node_test_free(t);
}

/* What came since it last looked ends the silence. */
static void silence_is_looked_into(void **folder)
{
	const char *path = test_path(*folder, "silent.zarr");
	struct node_test *t = grow(path, "settle=0", "silence=0.3", NULL);

	put_meta(path, 2, 0);
	put_chunk(path, 0, 0);
	put_chunk(path, 0, 1);
	await(t, 2);
	assert_int_equal(node_test_step(t), FX_IDLE); /* the silence begins */
	put_meta(path, 4, 0);
	put_chunk(path, 1, 0);
	fx_sleep_ms(400);
	assert_int_equal(node_test_step(t), FX_IDLE);
	put_chunk(path, 1, 1);
	finish(t);
	expect_sections(t, "DDDD");
	node_test_free(t);
}

static void an_attribute_may_count_sections(void **folder)
{
	const char *path = test_path(*folder, "counted.zarr");
	struct node_test *t = grow(path, "complete=done", "count=4", NULL);

	put_meta(path, 4, 1);
	put_chunk(path, 0, 0);
	put_chunk(path, 0, 1);
	await(t, 1);
	idle(t);
	put_chunk(path, 1, 0); /* the other one is all fill: it is not written */
	put_meta(path, 4, 4);
	finish(t);
	expect_sections(t, "DDFF");
	node_test_free(t);
}

/* What was told to be missing stays so, and what comes behind the end does not count. */
static void later_lives_decide_the_same(void **folder)
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };
	const char *path = test_path(*folder, "lives.zarr");
	struct node_test *t[3];

	put_meta(path, 4, 0);
	put_chunk(path, 0, 0);
	put_chunk(path, 1, 0);
	put_chunk(path, 1, 1);
	test_write_file(test_path(path, "done"), "", 0);
	for (int i = 0; i < 3; i++) {
		t[i] = grow(path, "settle=0", "marker=done", lives[i]);
		finish(t[i]);
		node_test_drain(t[i]);
	}
	put_chunk(path, 0, 1);
	expect_sections(t[0], "MMDD");
	node_test_again(t[0], false);
	finish(t[0]);
	for (int i = 1; i < 3; i++) {
		node_test_same(t[0], t[i]);
		node_test_free(t[i]);
	}
	node_test_hostile(t[0]);
	node_test_free(t[0]);
}

static void a_tiff_may_grow(void **folder)
{
	const char *path = test_path(*folder, "grows.tif");
	uint16_t voxels[4 * 6];
	struct node_test *t = grow(path, "settle=0.05", "marker=tiff.done", "count=0");

	for (size_t i = 0; i < 24; i++)
		voxels[i] = (uint16_t)i;
	test_write_tiff(path, 2, 2, 3, 16, SAMPLEFORMAT_UINT, 0, voxels);
	await(t, 2);
	test_write_tiff(path, 4, 2, 3, 16, SAMPLEFORMAT_UINT, 0, voxels);
	await(t, 4);
	test_write_file(test_path(*folder, "tiff.done"), "", 0);
	finish(t);
	assert_int_equal(marks(t, FX_MARK_DONE), 4);
	assert_int_equal(node_test_count(t, "out", FX_BLOCK), 4);
	node_test_free(t);
}

/* Two sections more at the end of a data set in chunks of two. */
static void append(const char *path, bool first)
{
	const hsize_t none[3] = { 0, 4, 4 }, most[3] = { H5S_UNLIMITED, 4, 4 };
	const hsize_t chunk[3] = { 2, 4, 4 };
	const hid_t file = first ? H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT) :
				   H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
	const hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(3, none, most);
	hsize_t size[3] = { 0 }, from[3] = { 0 };
	uint8_t voxels[32];
	hid_t data, all, part;

	H5Pset_chunk(plist, 3, chunk);
	data = first ? H5Dcreate2(file, "v", H5T_STD_U8LE, space, H5P_DEFAULT, plist, H5P_DEFAULT) :
		       H5Dopen2(file, "v", H5P_DEFAULT);
	all = H5Dget_space(data);
	H5Sget_simple_extent_dims(all, size, NULL);
	H5Sclose(all);
	from[0] = size[0];
	size[0] += 2;
	for (size_t i = 0; i < 32; i++)
		voxels[i] = (uint8_t)(10 * (from[0] + i / 16) + i % 4 / 2);
	assert_true(H5Dset_extent(data, size) >= 0);
	all = H5Dget_space(data);
	part = H5Screate_simple(3, chunk, NULL);
	H5Sselect_hyperslab(all, H5S_SELECT_SET, from, NULL, chunk, NULL);
	assert_true(H5Dwrite(data, H5T_NATIVE_UINT8, part, all, H5P_DEFAULT, voxels) >= 0);
	H5Sclose(part);
	H5Sclose(all);
	H5Dclose(data);
	H5Sclose(space);
	H5Pclose(plist);
	H5Fclose(file);
}

static void a_data_set_may_grow(void **folder)
{
	const char *path = test_path(*folder, "grows.h5"), *next = test_path(*folder, "next.h5");
	struct node_test *t = grow(path, "settle=0.02", "marker=h5.done", NULL);

	append(path, true);
	append(next, true);
	append(next, false);
	await(t, 2);
	assert_int_equal(rename(next, path), 0); /* the library knows of one process alone */
	await(t, 4);
	test_write_file(test_path(*folder, "h5.done"), "", 0);
	finish(t);
	expect_sections(t, "DDDD");
	node_test_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_sections_as_tiles),
		cmocka_unit_test(another_life_goes_on_where_the_last_was),
		cmocka_unit_test(a_broken_section_is_missing),
		cmocka_unit_test(what_cannot_be_read_fails_at_once),
		cmocka_unit_test(what_is_rounded_is_told),
		cmocka_unit_test(sections_flow_when_their_chunks_are_there),
		cmocka_unit_test(a_section_waits_for_those_that_share_its_chunks),
		cmocka_unit_test(what_does_not_come_is_missing_or_filled),
		cmocka_unit_test(silence_is_looked_into),
		cmocka_unit_test(an_attribute_may_count_sections),
		cmocka_unit_test(later_lives_decide_the_same),
		cmocka_unit_test(a_tiff_may_grow),
		cmocka_unit_test(a_data_set_may_grow),
	};

	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
