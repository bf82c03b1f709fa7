// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/writer/precomputed.c with runtime/formats/chunkwriter.c. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "formats/skeleton.h"
#include "formats/volume.h"
#include "support/images.h"
#include "support/node_test.h"
#include "support/outputs.h"
#include "support/segments.h"

extern const struct fx_node_type fx_node_writer_precomputed;

enum { Z = 20, Y = 25, X = 30 }; /* of the whole volume; blocks have 16 and a halo of 2 */

static struct node_test *start(const char *folder, const char *a, const char *b, const char *more)
{
	char path[600];

	snprintf(path, sizeof path, "path=%s/out", folder);
	return node_test_new(&fx_node_writer_precomputed,
			     (const char *const[]){ path, a, b, more, NULL });
}

static uint64_t voxel(int64_t z, int64_t y, int64_t x)
{
	return (uint64_t)((z / 5 * 7 + y / 6) * 11 + x / 7) % 200;
}

/* A block with core lo..lo+16 (clipped), and a halo of 2 inside the volume. */
static struct fx_block *cell(enum fx_dtype dtype, int64_t z, int64_t y, int64_t x)
{
	const int64_t all[3] = { Z, Y, X }, lo[3] = { z, y, x };
	size_t shape[3];
	int64_t begin[3], end[3];
	struct fx_block *b;

	for (int a = 0; a < 3; a++) {
		begin[a] = lo[a] ? lo[a] - 2 : 0;
		end[a] = lo[a] + 18 < all[a] ? lo[a] + 18 : all[a];
		shape[a] = (size_t)(end[a] - begin[a]);
	}
	b = fx_block_new(dtype, shape[0], shape[1], shape[2]);
	assert_non_null(b);
	for (int a = 0; a < 3; a++) {
		b->origin[a] = begin[a];
		b->halo_lo[a] = lo[a] ? 2 : 0;
		b->halo_hi[a] = lo[a] + 16 < all[a] ? (uint32_t)(end[a] - lo[a] - 16) : 0;
		b->voxel_nm[a] = a ? 8 : 40;
	}
	for (size_t i = 0; i < fx_block_len(b); i++) {
		const uint64_t v = voxel(begin[0] + (int64_t)(i / (shape[1] * shape[2])),
					 begin[1] + (int64_t)(i / shape[2] % shape[1]),
					 begin[2] + (int64_t)(i % shape[2]));

		if (dtype == FX_U8)
			((uint8_t *)b->data)[i] = (uint8_t)v;
		else
			((uint64_t *)b->data)[i] = v ? v + 1000 : 0;
	}
	return b;
}

static void open_stream(struct node_test *t, const char *port, int64_t z)
{
	const struct fx_mark m = { .kind = FX_MARK_OPEN, .region.hi = { z, Y, X } };

	assert_int_equal(node_test_mark(t, port, &m), FX_OK);
}

static void give_all(struct node_test *t, const char *port, enum fx_dtype dtype)
{
	for (int64_t z = 0; z < Z; z += 16)
		for (int64_t y = 0; y < Y; y += 16)
			for (int64_t x = 0; x < X; x += 16) {
				struct fx_block *b = cell(dtype, z, y, x);

				b->role = dtype == FX_U8 ? FX_IMAGE : FX_LABELS;
				if (node_test_block(t, port, b) != FX_OK)
					fail_msg("%s", node_test_error(t));
			}
}

/* Compares the volume with voxel(), nonzero ones changed by `add`. */
static void expect(const char *folder, uint64_t add)
{
	struct fx_volume v;
	struct fx_error err = { 0 };
	struct fx_block *b;

	if (fx_volume_open(test_path(folder, "out"), &v, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(v.shape[0] == Z && v.shape[1] == Y && v.shape[2] == X);
	assert_true(v.voxel_nm[0] == 40 && v.voxel_nm[2] == 8);
	assert_int_equal(
		fx_volume_read(&v, (struct fx_region){ { 0, 0, 0 }, { Z, Y, X } }, &b, &err),
		FX_OK);
	for (size_t i = 0; i < fx_block_len(b); i++) {
		const uint64_t want =
			voxel((int64_t)(i / (Y * X)), (int64_t)(i / X % Y), (int64_t)(i % X));
		const uint64_t got =
			v.dtype == FX_U8 ? ((uint8_t *)b->data)[i] : ((uint64_t *)b->data)[i];

		if (got != (want ? want + add : 0))
			fail_msg("voxel %zu is %llu", i, (unsigned long long)got);
	}
	fx_block_free(b);
	fx_volume_close(&v);
}

static void an_image_comes_back(void **folder)
{
	/* 8 divides the blocks of 16, 10 does not: then chunks are blocks */
	static const char *const chunks[] = { "chunk=8 8 8", "chunk=16 8 10", "chunk=64 64 64" };
	static const char *const names[] = { "out/8_8_40/0-8_0-8_0-8", "out/8_8_40/0-16_0-8_0-16",
					     "out/8_8_40/0-16_0-16_0-16" };

	for (size_t i = 0; i < 6; i++) {
		struct node_test *t = start(*folder, "-labels", "-trees", chunks[i / 2]);

		open_stream(t, "image", i % 2 ? Z : 0); /* with z not known beforehand, and known */
		give_all(t, "image", FX_U8);
		assert_int_not_equal(access(test_path(*folder, "out.fornix-partial"), F_OK), -1);
		if (node_test_drain(t) != FX_OK)
			fail_msg("%s", node_test_error(t));
		node_test_free(t);
		expect(*folder, 0);
		assert_int_equal(access(test_path(*folder, names[i / 2]), F_OK), 0);
	}
}

/* Of blocks with a mask as channel 2, as tiler/blocks sends them, the image is written. */
static void a_mask_is_left_out(void **folder)
{
	struct node_test *t = start(*folder, "-labels", "-trees", "chunk=8 8 8");

	open_stream(t, "image", Z);
	for (int64_t z = 0; z < Z; z += 16)
		for (int64_t y = 0; y < Y; y += 16)
			for (int64_t x = 0; x < X; x += 16)
				assert_int_equal(
					node_test_block(t, "image",
							segments_mask(cell(FX_U8, z, y, x), 0, 3)),
					FX_OK);
	assert_int_equal(node_test_drain(t), FX_OK);
	node_test_free(t);
	expect(*folder, 0);
}

static struct fx_record *ids(uint64_t first, uint64_t last)
{
	struct fx_record *r = fx_record_new("final-ids");

	assert_non_null(r);
	assert_int_equal(fx_record_table(r, last - first + 1, 2), FX_OK);
	for (uint64_t i = first; i <= last; i++) {
		r->table[2 * (i - first)] = i + 1000;
		r->table[2 * (i - first) + 1] = i + 5;
	}
	return r;
}

static void labels_get_their_final_ids(void **folder)
{
	struct node_test *t = start(*folder, "-image", "-trees", "chunk=16 16 8");
	struct fx_record *same = fx_record_new("equivalence");

	open_stream(t, "labels", Z);
	give_all(t, "labels", FX_U64);
	assert_int_equal(fx_record_table(same, 1, 2), FX_OK);
	assert_int_equal(node_test_record(t, "labels", same), FX_OK);
	assert_int_equal(node_test_record(t, "labels", ids(1, 90)), FX_OK);
	assert_int_equal(node_test_record(t, "labels", ids(91, 200)), FX_OK);
	if (node_test_drain(t) != FX_OK)
		fail_msg("%s", node_test_error(t));
	node_test_free(t);
	expect(*folder, 5);
	/* without such records ids are final */
	t = start(*folder, "-image", "-trees", NULL);
	open_stream(t, "labels", 0);
	give_all(t, "labels", FX_U64);
	assert_int_equal(node_test_drain(t), FX_OK);
	node_test_free(t);
	expect(*folder, 1000);
}

static void a_label_without_final_id_fails(void **folder)
{
	struct node_test *t = start(*folder, "-image", "-trees", NULL);

	open_stream(t, "labels", Z);
	give_all(t, "labels", FX_U64);
	node_test_record(t, "labels", ids(1, 3));
	node_test_drain(t);
	node_test_fails(t, "has no final id");
	assert_int_not_equal(access(test_path(*folder, "out"), F_OK), 0);
	assert_int_not_equal(access(test_path(*folder, "out.fornix-partial"), F_OK), 0);
}

static void skeletons_are_written(void **folder)
{
	struct node_test *t = start(*folder, "-image", "-labels", NULL);
	struct fx_tree *tree = fx_tree_new(17, 2), *back;
	void *bytes;
	size_t size;

	tree->nodes[0].parent = -1;
	tree->nodes[1].pos_nm[0] = 80;
	assert_int_equal(node_test_tree(t, "trees", tree), FX_OK);
	assert_int_equal(node_test_drain(t), FX_OK);
	node_test_free(t);
	assert_int_equal(fx_file_read(test_path(*folder, "out/17"), 4096, &bytes, &size, NULL),
			 FX_OK);
	assert_int_equal(fx_skeleton_decode(bytes, size, &back, NULL), FX_OK);
	assert_true(back->len == 2 && back->nodes[1].pos_nm[0] == 80);
	free(bytes);
	fx_tree_free(back);
	assert_int_equal(access(test_path(*folder, "out/info"), F_OK), 0);
	t = start(*folder, "-image", "-labels", NULL);
	node_test_tree(t, "trees", fx_tree_new(17, 0));
	node_test_tree(t, "trees", fx_tree_new(17, 0));
	node_test_fails(t, "17 came twice");
}

/* One output of each kind to FOLDER/NAME. */
static void live(const char *folder, const char *name, const char *lives, bool hostile)
{
	const char *const inputs[][3] = { { "labels", "-image", "-trees" },
					  { "image", "-labels", "-trees" },
					  { "trees", "-image", "-labels" } };

	for (size_t i = 0; i < 3; i++) {
		char path[600];
		struct node_test *t;

		snprintf(path, sizeof path, "path=%s/%s/%s", folder, name, inputs[i][0]);
		t = node_test_new(&fx_node_writer_precomputed,
				  (const char *const[]){ path, inputs[i][1], inputs[i][2],
							 "chunk=16 16 8", lives, NULL });
		if (i < 2) {
			open_stream(t, inputs[i][0], Z);
			give_all(t, inputs[i][0], i ? FX_U8 : FX_U64);
		}
		for (uint64_t k = 1; k <= 200 && i == 0; k += 100)
			assert_int_equal(node_test_record(t, "labels", ids(k, k + 99)), FX_OK);
		for (uint64_t k = 0; k < 8 && i == 2; k++) {
			struct fx_tree *tree = fx_tree_new(7 * k, 1);

			tree->nodes[0].parent = -1;
			assert_int_equal(node_test_tree(t, "trees", tree), FX_OK);
		}
		if (hostile)
			node_test_hostile(t);
		else
			assert_int_equal(node_test_drain(t), FX_OK);
		node_test_free(t);
	}
}

static void another_life_writes_the_same(void **folder)
{
	live(*folder, "one", NULL, false);
	live(*folder, "saved", "+saved", false);
	live(*folder, "killed", "+killed", false);
	test_same_folders(test_path(*folder, "one"), test_path(*folder, "saved"));
	test_same_folders(test_path(*folder, "one"), test_path(*folder, "killed"));
	assert_int_equal(test_count_files(test_path(*folder, "killed"), "info"), 3);
	live(*folder, "hostile", NULL, true);
}

/* Gives two blocks with chunks of 8 along x; the second must be refused. */
static void refuse_second(const char *folder, int64_t extent_x, int64_t lo[2], size_t len[2])
{
	struct node_test *t = start(folder, "-labels", "-trees", "chunk=4 4 8");
	const struct fx_mark m = { .kind = FX_MARK_OPEN, .region.hi = { 4, 4, extent_x } };

	assert_int_equal(node_test_mark(t, "image", &m), FX_OK);
	for (int i = 0; i < 2; i++) {
		struct fx_block *b = fx_block_new(FX_U8, 4, 4, len[i]);

		assert_non_null(b);
		b->origin[2] = lo[i];
		assert_int_equal(node_test_block(t, "image", b), i ? FX_EINVAL : FX_OK);
	}
	node_test_fails(t, "not on the grid of chunks of 8 voxels");
}

static void blocks_off_the_grid_are_refused(void **folder)
{
	refuse_second(*folder, 32, (int64_t[]){ 0, 17 }, (size_t[]){ 16, 15 }); /* begin */
	refuse_second(*folder, 32, (int64_t[]){ 0, 16 }, (size_t[]){ 16, 15 }); /* end */
	refuse_second(*folder, 32, (int64_t[]){ 0, 16 }, (size_t[]){ 16, 24 }); /* beyond */
	refuse_second(*folder, 0, (int64_t[]){ 16, 0 }, (size_t[]){ 16, 15 });	/* odd inside */
	refuse_second(*folder, 0, (int64_t[]){ 0, 8 }, (size_t[]){ 16, 16 });	/* overlap */
}

/* A stream that was stopped ends off the grid, before its extent: nothing may come behind. */
static void a_stream_may_end_early(void **folder)
{
	struct node_test *t = start(*folder, "-labels", "-trees", "chunk=8 4 4");
	const struct fx_mark m = { .kind = FX_MARK_OPEN, .region.hi = { 64, 4, 4 } };
	const int64_t lo[] = { 0, 16, 32 };
	const size_t len[] = { 16, 15, 16 };

	assert_int_equal(node_test_mark(t, "image", &m), FX_OK);
	for (int i = 0; i < 3; i++) {
		struct fx_block *b = fx_block_new(FX_U8, len[i], 4, 4);

		assert_non_null(b);
		b->origin[0] = lo[i];
		assert_int_equal(node_test_block(t, "image", b), i == 2 ? FX_EINVAL : FX_OK);
	}
	node_test_fails(t, "not on the grid of chunks of 8 voxels");
}

static void what_cannot_be_written_is_said(void **folder)
{
	struct node_test *t = start(*folder, "-labels", NULL, NULL);
	struct fx_block *b;

	node_test_fails(t, "2 of the inputs image, labels, trees are connected");
	node_test_fails(node_test_new(&fx_node_writer_precomputed,
				      (const char *const[]){ "-labels", "-image",
							     "path=/proc/no/out", NULL }),
			"cannot make folder");
	test_write_file(test_path(*folder, "scan.png"), "x", 1);
	{
		char path[600];

		snprintf(path, sizeof path, "path=%s", (const char *)*folder);
		node_test_fails(
			node_test_new(&fx_node_writer_precomputed,
				      (const char *const[]){ "-labels", "-trees", path, NULL }),
			"holds other files, such as scan.png");
	}
	t = start(*folder, "-labels", "-trees", NULL);
	open_stream(t, "image", Z);
	node_test_block(t, "image", cell(FX_U8, 0, 0, 0));
	b = cell(FX_U8, 0, 0, 16);
	b->origin[2]++;
	node_test_block(t, "image", b);
	node_test_fails(t, "not on the grid of chunks");
	t = start(*folder, "-labels", "-trees", NULL);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_non_null(strstr(node_test_warning(t), "no block came"));
	node_test_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(another_life_writes_the_same, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(an_image_comes_back, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(a_mask_is_left_out, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(labels_get_their_final_ids, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(a_label_without_final_id_fails, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(skeletons_are_written, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(a_stream_may_end_early, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(blocks_off_the_grid_are_refused, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_is_said, test_folder_make,
						test_folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
