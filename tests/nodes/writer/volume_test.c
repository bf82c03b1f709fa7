// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/writer/volume.c with runtime/formats/voxelstore.c. */
#include "support/test.h"

#include <stdio.h>

#include "base/file.h"
#include "formats/volume_copy.h"
#include "support/images.h"
#include "support/node_test.h"
#include "support/outputs.h"
#include "support/volumes.h"

extern const struct fx_node_type fx_node_writer_volume;

static const size_t shape[3] = { 20, 25, 30 }; /* cells have 16, or are tiles, with a halo of 2 */

static int make_folder(void **folder)
{
	*folder = volumes_dir();
	return 0;
}

/* What a node is given. */
struct given {
	const char *port, *name; /* of what it writes; its folder is the test's */
	enum fx_dtype dtype;
	bool tiles, unknown_end, bare; /* bare: the format has no place for a voxel size */
	uint64_t add;		       /* to the ids, by records; 0: none come */
	const char *options[4];
};

static const struct given sorts[] = {
	{ "image", "a.zarr", FX_U8, .options = { "chunk=8 16 10" } },
	{ "image", "b", FX_U16, .tiles = true,
	  .options = { "format=zarr3", "levels=2", "shard=128 64 64" } },
	{ "image", "c.h5", FX_F32, .options = { "dataset=volumes/raw", "chunk=7 9 11" } },
	{ "image", "d.tif", FX_U16, .options = { "codec=lzw" } },
	{ "image", "e.npy", FX_U8, .tiles = true, .unknown_end = true, .bare = true },
	{ "image", "f", FX_U8, .bare = true, .options = { "format=png", "memory=1" } },
	{ "image", "g", FX_U8, .options = { "format=precomputed", "chunk=8 8 8", "sharded=true" } },
	{ "labels", "h.zarr", FX_U64, .add = 5, .unknown_end = true, .options = { "dtype=u32" } },
	{ "labels", "i", FX_U64, .add = 7, .options = { "format=precomputed", "chunk=16 16 16" } },
	{ "labels", "j.tif", FX_U32, .tiles = true, .options = { "dtype=u16" } },
	{ "labels", "k.h5", FX_U16, .add = 70000 },
	{ "labels", "l", FX_U8, .bare = true, .options = { "format=png" } },
};

static const char *const no_lives[2];

enum { SORTS = sizeof sorts / sizeof sorts[0] };

static struct node_test *start(const char *folder, const struct given *g,
			       const char *const lives[2])
{
	const char *const *o = g->options;
	const char *all[9] = { NULL, strcmp(g->port, "image") == 0 ? "-labels" : "-image" };
	char path[600];
	size_t n = 2;

	snprintf(path, sizeof path, "path=%s/%s", folder, g->name);
	all[0] = path;
	for (size_t i = 0; i < 4 && o[i]; i++)
		all[n++] = o[i];
	for (size_t i = 0; i < 2 && lives[i]; i++)
		all[n++] = lives[i];
	return node_test_new(&fx_node_writer_volume, all);
}

/* What flows, whole; few labels, so that each has a record. */
static struct fx_block *whole(const struct given *g)
{
	struct fx_block *b = volumes_make(g->dtype, shape, 3);

	for (size_t i = 0; i < fx_block_len(b) && strcmp(g->port, "labels") == 0; i++) {
		if (g->dtype == FX_U64)
			((uint64_t *)b->data)[i] %= 100;
		else if (g->dtype == FX_U32)
			((uint32_t *)b->data)[i] %= 100;
		else if (g->dtype == FX_U16)
			((uint16_t *)b->data)[i] %= 100;
	}
	return b;
}

/* A cell of it, with its halo. */
static struct fx_block *cell(const struct given *g, const struct fx_block *all, const int64_t lo[3])
{
	struct fx_region r;
	struct fx_block *b;
	uint32_t halo[2][3];

	for (int a = 0; a < 3; a++) {
		const int64_t n = (int64_t)shape[a], len = g->tiles && a == 0 ? 1 : 16;
		const int64_t hi = lo[a] + len < n ? lo[a] + len : n, h = g->tiles ? 0 : 2;

		r.lo[a] = lo[a] > h ? lo[a] - h : 0;
		r.hi[a] = hi + h < n ? hi + h : n;
		halo[0][a] = (uint32_t)(lo[a] - r.lo[a]);
		halo[1][a] = (uint32_t)(r.hi[a] - hi);
	}
	b = fx_block_crop(all, r);
	assert_non_null(b);
	memcpy(b->halo_lo, halo[0], sizeof halo[0]);
	memcpy(b->halo_hi, halo[1], sizeof halo[1]);
	b->role = strcmp(g->port, "image") == 0 ? FX_IMAGE : FX_LABELS;
	for (int a = 0; a < 3; a++)
		b->voxel_nm[a] = a ? 8 : 40;
	return b;
}

static void give(struct node_test *t, const struct given *g, int64_t depth)
{
	const struct fx_mark open = { .kind = FX_MARK_OPEN,
				      .region.hi = { g->unknown_end ? 0 : 20, 25, 30 } };
	const int64_t step = g->tiles ? 1 : 16;
	struct fx_block *all = whole(g);

	assert_int_equal(node_test_mark(t, g->port, &open), FX_OK);
	for (int64_t z = 0; z < depth; z += step)
		for (int64_t y = 0; y < 25; y += 16)
			for (int64_t x = 0; x < 30; x += 16) {
				struct fx_block *b = cell(g, all, (int64_t[]){ z, y, x });

				if (node_test_block(t, g->port, b) != FX_OK)
					fail_msg("%s: %s", g->name, node_test_error(t));
			}
	fx_block_free(all);
}

static void give_ids(struct node_test *t, const struct given *g)
{
	for (uint64_t first = 0; g->add && first < 100; first += 50) {
		struct fx_record *r = fx_record_new("final-ids");

		assert_int_equal(fx_record_table(r, 50, 2), FX_OK);
		for (uint64_t i = 0; i < 50; i++) {
			r->table[2 * i] = first + i;
			r->table[2 * i + 1] = first + i + g->add;
		}
		assert_int_equal(node_test_record(t, "labels", r), FX_OK);
	}
}

/* Writes FOLDER/NAME. */
static void live(const char *folder, const struct given *g, const char *const lives[2])
{
	struct node_test *t = start(folder, g, lives);

	give(t, g, (int64_t)shape[0]);
	give_ids(t, g);
	if (node_test_drain(t) != FX_OK)
		fail_msg("%s: %s", g->name, node_test_error(t));
	node_test_free(t);
}

/* What the file at @p path has is what was given. */
static void expect(const char *path, const struct given *g)
{
	struct fx_error err = { 0 };
	struct fx_volume about;
	struct fx_block *got = volumes_read(path, &about), *want = whole(g);
	const bool other = got->dtype != want->dtype;

	assert_memory_equal(got->shape, want->shape, sizeof want->shape);
	if (!g->bare) {
		assert_true(about.voxel_nm[0] == 40 && about.voxel_nm[2] == 8);
		assert_int_equal(about.labels, strcmp(g->port, "labels") == 0);
	}
	if (other &&
	    (fx_volume_cast(&got, FX_U64, &err) < 0 || fx_volume_cast(&want, FX_U64, &err) < 0))
		fail_msg("%s", err.text);
	for (size_t i = 0; g->add && i < fx_block_len(want); i++) {
		uint64_t *v = (uint64_t *)want->data + i;

		*v += *v ? g->add : 0;
	}
	volumes_same(want, got);
	fx_block_free(want);
	fx_block_free(got);
}

static void all_formats_come_back(void **folder)
{
	for (size_t i = 0; i < SORTS; i++) {
		live(*folder, &sorts[i], no_lives);
		expect(test_path(*folder, sorts[i].name), &sorts[i]);
	}
	assert_int_equal(test_count_files(*folder, "fornix-partial"), 0);
	assert_true(test_is_there(*folder, "b/1/zarr.json"));
}

/* Also when it has been killed behind its drain(), with what it wrote in place. */
static void another_life_writes_the_same(void **folder)
{
	static const char *const lives[][2] = {
		{ NULL }, { "+saved" }, { "+killed" }, { "+saved", "+killed" }
	};
	static const char *const names[] = { "one", "saved", "killed", "both" };

	for (size_t k = 0; k < 4; k++) {
		assert_int_equal(fx_make_dirs(test_path(*folder, names[k]), NULL), FX_OK);
		for (size_t i = 0; i < SORTS; i++)
			live(test_path(*folder, names[k]), &sorts[i], lives[k]);
		if (k)
			test_same_folders(test_path(*folder, "one"), test_path(*folder, names[k]));
	}
}

static void a_damaged_save_is_refused(void **folder)
{
	struct node_test *t = start(*folder, &sorts[7], no_lives);

	give(t, &sorts[7], (int64_t)shape[0]);
	give_ids(t, &sorts[7]);
	node_test_hostile(t);
	node_test_free(t);
}

/* Some of a stream is a volume, as far as it came; what nobody sent is zeros. */
static void a_stream_may_end_early(void **folder)
{
	const struct given g = { "image", "x.zarr", FX_U8, .tiles = true };
	struct node_test *t = start(*folder, &g, no_lives);
	struct fx_block *all = whole(&g), *got;
	size_t zeros = 0;

	give(t, &g, 7);
	assert_int_equal(node_test_block(t, "image", cell(&g, all, (int64_t[]){ 9, 16, 16 })), 0);
	assert_int_equal(node_test_block(t, "image", cell(&g, all, (int64_t[]){ 9, 16, 16 })), 0);
	assert_int_equal(node_test_drain(t), FX_OK);
	node_test_free(t);
	got = volumes_read(test_path(*folder, "x.zarr"), NULL);
	assert_int_equal(got->shape[0], 10);
	assert_memory_equal(got->data, all->data, 7 * 25 * 30);
	for (size_t i = 7 * 25 * 30; i < fx_block_len(got); i++)
		zeros += ((uint8_t *)got->data)[i] == 0;
	assert_in_range(zeros, 3 * 25 * 30 - 9 * 14, 3 * 25 * 30 - 1);
	fx_block_free(all);
	fx_block_free(got);
}

/* A block whose voxels are asked for as another place or size. */
static void refuse(const char *folder, int64_t z, int64_t x, size_t depth, size_t width)
{
	const struct given g = { "image", "x.zarr", FX_U8, .unknown_end = true };
	struct node_test *t = start(folder, &g, no_lives);
	struct fx_block *b = fx_block_new(FX_U8, depth, 9, width);

	give(t, &g, 20);
	b->origin[0] = z;
	b->origin[1] = 16;
	b->origin[2] = x;
	node_test_block(t, "image", b);
	node_test_fails(t, "is not on the grid of blocks of 16 voxels");
}

static void blocks_off_the_grid_are_refused(void **folder)
{
	refuse(*folder, 0, 15, 16, 15);	 /* begins */
	refuse(*folder, 0, 0, 16, 30);	 /* too large */
	refuse(*folder, 0, 0, 16, 15);	 /* ends */
	refuse(*folder, 0, 16, 16, 16);	 /* beyond */
	refuse(*folder, 0, 0, 15, 16);	 /* thinner than its layer */
	refuse(*folder, 16, 16, 3, 14);	 /* thinner than the last layer */
	refuse(*folder, 32, 16, 16, 14); /* behind the end */
}

static void what_cannot_be_written_is_said(void **folder)
{
	static const struct {
		struct given g;
		const char *text;
	} wrong[] = {
		{ { "image", "x", .dtype = FX_U8 },
		  "x tells no format: set path to a name that ends in" },
		{ { "image", "x.tif", FX_U8, .options = { "codec=jpeg" } },
		  "jpeg is no way to compress tiff" },
		{ { "image", "x.npy", FX_U8, .options = { "levels=3" } }, "npy has no levels" },
		{ { "labels", "x", FX_U64, .options = { "format=png", "dtype=u32" } },
		  "png does not hold voxels of u32" },
		{ { "image", "no/x.tif", .dtype = FX_U8 }, "no/x.tif" },
	};
	struct node_test *t;

	test_write_file(test_path(*folder, "no"), "x", 1);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		node_test_fails(start(*folder, &wrong[i].g, no_lives), wrong[i].text);
	t = start(*folder, &(struct given){ "labels", "x", FX_U64, .options = { "format=png" } },
		  no_lives);
	node_test_block(t, "labels", fx_block_new(FX_U64, 1, 1, 1));
	node_test_fails(t, "png does not hold voxels of u64");
	assert_int_equal(test_count_files(*folder, ""), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_formats_come_back, make_folder,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(another_life_writes_the_same, make_folder,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(a_damaged_save_is_refused, make_folder,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(a_stream_may_end_early, make_folder,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(blocks_off_the_grid_are_refused, make_folder,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_is_said, make_folder,
						test_folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
