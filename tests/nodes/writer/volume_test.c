// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/writer/volume.c with runtime/formats/voxelstore.c. */
#include "support/test.h"

#include <stdio.h>

#include "base/file.h"
#include "formats/volume_copy.h"
#include "support/images.h"
#include "support/node_test.h"
#include "support/outputs.h"
#include "support/segments.h"
#include "support/volumes.h"

extern const struct fx_node_type fx_node_writer_volume;

static const size_t shape[3] = { 20, 25, 30 }; /* cells have 16, or are tiles, with a halo of 2 */

static int make_folder(void **folder)
{
	*folder = volumes_dir();
	return 0;
}

static int remove_folder(void **folder)
{
	fx_remove_tree(*folder, NULL);
	free(*folder);
	return 0;
}

/* What a node is given. */
struct given {
	const char *port, *name; /* of what it writes; its folder is the test's */
	enum fx_dtype dtype;
	bool tiles, unknown_end;
	uint64_t add; /* to the ids, by records; 0: none come */
	const char *options[4];
};

static const struct given sorts[] = {
	{ "image", "a.zarr", FX_U8, .options = { "chunk=8 16 10" } },
	{ "image", "b", FX_U16, .tiles = true, .options = { "format=zarr3", "levels=2" } },
	{ "image", "c.h5", FX_F32, .options = { "dataset=volumes/raw", "chunk=7 9 11" } },
	{ "image", "d.tif", FX_U16, .options = { "codec=lzw" } },
	{ "image", "e.npy", FX_U8, .tiles = true, .unknown_end = true },
	{ "image", "f", FX_U8, .options = { "format=png", "memory=1" } },
	{ "image", "g", FX_U8, .options = { "format=precomputed", "chunk=8 8 8", "sharded=true" } },
	{ "labels", "h.zarr", FX_U64, .add = 5, .unknown_end = true, .options = { "dtype=u32" } },
	{ "labels", "i", FX_U64, .add = 7, .options = { "format=precomputed", "chunk=16 16 16" } },
	{ "labels", "j.tif", FX_U32, .tiles = true, .options = { "dtype=u16" } },
	{ "labels", "k.h5", FX_U16, .add = 70000 },
};

enum { SORTS = sizeof sorts / sizeof sorts[0] };

static struct node_test *start(const char *folder, const struct given *g, const char *lives)
{
	const char *const *o = g->options;
	const char *all[7] = { NULL, strcmp(g->port, "image") == 0 ? "-labels" : "-image" };
	char path[600];
	size_t n = 2;

	snprintf(path, sizeof path, "path=%s/%s", folder, g->name);
	all[0] = path;
	for (size_t i = 0; i < 4 && o[i]; i++)
		all[n++] = o[i];
	all[n] = lives;
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
		else
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
static void live(const char *folder, const struct given *g, const char *lives)
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
	if (strcmp(g->name, "e.npy") != 0 && strcmp(g->name, "f") != 0) {
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
		live(*folder, &sorts[i], NULL);
		expect(test_path(*folder, sorts[i].name), &sorts[i]);
	}
	assert_int_equal(test_count_files(*folder, "fornix-partial"), 0);
	assert_true(test_is_there(*folder, "b/1/zarr.json"));
}

static void another_life_writes_the_same(void **folder)
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };
	static const char *const names[] = { "one", "saved", "killed" };

	for (size_t k = 0; k < 3; k++) {
		assert_int_equal(fx_make_dirs(test_path(*folder, names[k]), NULL), FX_OK);
		for (size_t i = 0; i < SORTS; i++)
			live(test_path(*folder, names[k]), &sorts[i], lives[k]);
	}
	test_same_folders(test_path(*folder, "one"), test_path(*folder, "saved"));
	test_same_folders(test_path(*folder, "one"), test_path(*folder, "killed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_formats_come_back, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(another_life_writes_the_same, make_folder,
						remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
