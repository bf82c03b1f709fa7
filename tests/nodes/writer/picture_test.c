// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/writer/picture.c. */
#include "support/test.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "kernels/render.h"
#include "support/images.h"
#include "support/node_test.h"

extern const struct fx_node_type fx_node_writer_picture;

enum { SIDE = 24, SCALE = 4 }; /* voxels; pixels per voxel with side=100 */

struct run {
	struct node_test *t;
	char *dir, *path;
	png_image png;
	uint8_t *rgb;
};

static struct run start(const char *more, const char *without)
{
	struct run r = { .dir = test_tmp_dir(), .png = { .version = PNG_IMAGE_VERSION } };
	char path[256];
	const char *const options[] = { path, "side=100", more ? more : "section=-1", without,
					NULL };

	r.path = fx_path_join(r.dir, "a.png");
	snprintf(path, sizeof path, "path=%s", r.path);
	r.t = node_test_new(&fx_node_writer_picture, options);
	assert_int_equal(node_test_result(r.t), FX_OK);
	return r;
}

static void finish(struct run *r)
{
	node_test_free(r->t);
	fx_remove_tree(r->dir, NULL);
	free(r->rgb);
	free(r->path);
	free(r->dir);
}

static void open_stream(struct run *r, const char *port, int64_t sections)
{
	const struct fx_mark m = { .kind = FX_MARK_OPEN,
				   .region = { { 0, 0, 0 }, { sections, SIDE, SIDE } },
				   .voxel_nm = { 8, 8, 8 } };

	assert_int_equal(node_test_mark(r->t, port, &m), FX_OK);
}

static void give_image(struct run *r, int64_t z, uint8_t grey)
{
	struct fx_block *b = fx_block_new(FX_U8, 1, SIDE, SIDE);

	b->origin[0] = z;
	memset(b->data, grey, fx_block_size(b));
	assert_int_equal(node_test_block(r->t, "image", b), FX_OK);
}

/* Left half @p left, right half @p right. */
static void give_labels(struct run *r, int64_t z, uint64_t left, uint64_t right)
{
	struct fx_block *b = fx_block_new(FX_U64, 1, SIDE, SIDE);
	uint64_t *v = b->data;

	b->role = FX_LABELS;
	b->origin[0] = z;
	for (size_t i = 0; i < SIDE * SIDE; i++)
		v[i] = i % SIDE < SIDE / 2 ? left : right;
	assert_int_equal(node_test_block(r->t, "labels", b), FX_OK);
}

static void give_final_ids(struct run *r, uint64_t from, uint64_t to)
{
	struct fx_record *ids = fx_record_new("final-ids");

	assert_int_equal(fx_record_table(ids, 1, 2), FX_OK);
	ids->table[0] = from;
	ids->table[1] = to;
	assert_int_equal(node_test_record(r->t, "labels", ids), FX_OK);
}

static void give_tree(struct run *r, uint64_t segment)
{
	struct fx_tree *t = fx_tree_new(segment, 2);

	for (int i = 0; i < 2; i++)
		t->nodes[i] = (struct fx_tree_node){ { 8, 96, 40.0 + 100 * i }, 40, i - 1, 0 };
	assert_int_equal(node_test_tree(r->t, "trees", t), FX_OK);
}

static void read_picture(struct run *r)
{
	assert_true(png_image_begin_read_from_file(&r->png, r->path));
	r->rgb = malloc(PNG_IMAGE_SIZE(r->png));
	assert_non_null(r->rgb);
	assert_true(png_image_finish_read(&r->png, NULL, r->rgb, 0, NULL));
}

static const uint8_t *pixel(const struct run *r, size_t y, size_t x)
{
	return r->rgb + (y * r->png.width + x) * 3;
}

/* The order of the three channels: the hue, roughly. */
static int hue(const uint8_t *p)
{
	return (p[0] > p[1]) | (p[1] > p[2]) << 1 | (p[0] > p[2]) << 2;
}

static int hue_of(uint64_t id)
{
	const uint32_t c = fx_render_colour(id);
	const uint8_t p[3] = { (uint8_t)(c >> 16), (uint8_t)(c >> 8), (uint8_t)c };

	return hue(p);
}

static void three_panels_of_the_middle_section(void **unused)
{
	struct run r = start(NULL, NULL);
	const size_t panel = SIDE * SCALE;

	(void)unused;
	open_stream(&r, "image", 5);
	open_stream(&r, "labels", 5);
	for (int64_t z = 0; z < 5; z++) {
		give_image(&r, z, (uint8_t)(100 + z));
		give_labels(&r, z, 2, 3);
	}
	give_final_ids(&r, 3, 2); /* ids change places: none is renamed twice */
	give_final_ids(&r, 2, 5);
	give_tree(&r, 5);
	assert_int_equal(node_test_drain(r.t), FX_OK);
	assert_string_equal(node_test_warning(r.t), "");
	read_picture(&r);
	assert_int_equal(r.png.height, panel);
	assert_int_equal(r.png.width, 3 * panel + 24);
	assert_int_equal(pixel(&r, 10, 10)[0], 102);
	assert_int_equal(hue(pixel(&r, 40, panel + 12 + 10)), hue_of(5));
	assert_int_equal(hue(pixel(&r, 40, panel + 12 + 80)), hue_of(2));
	assert_int_not_equal(hue_of(5), hue_of(2));
	assert_int_equal(hue(pixel(&r, 50, 2 * panel + 24 + 50)), hue_of(5));
	assert_true(pixel(&r, 90, 2 * panel + 24 + 50)[0] < 30);
	finish(&r);
}

static void a_section_can_be_asked_for(void **unused)
{
	struct run r = start("section=4", "-trees");

	(void)unused;
	open_stream(&r, "image", 0);
	for (int64_t z = 0; z < 5; z++)
		give_image(&r, z, (uint8_t)(100 + z));
	give_labels(&r, 3, 1, 1);
	assert_int_equal(node_test_drain(r.t), FX_OK);
	assert_non_null(strstr(node_test_warning(r.t), "section 4"));
	read_picture(&r);
	assert_int_equal(r.png.width, 2 * SIDE * SCALE + 12);
	assert_int_equal(pixel(&r, 10, 10)[0], 104);
	finish(&r);
}

static void an_unknown_end_still_gives_a_picture(void **unused)
{
	struct run r = start(NULL, "-trees");

	(void)unused;
	open_stream(&r, "image", 0);
	for (int64_t z = 0; z < 7; z++) {
		give_image(&r, z, (uint8_t)(100 + z));
		give_labels(&r, z, 1, 2);
	}
	assert_int_equal(node_test_drain(r.t), FX_OK);
	assert_string_equal(node_test_warning(r.t), "");
	read_picture(&r);
	assert_int_equal(pixel(&r, 10, 10)[0], 103);
	finish(&r);
}

static struct run live(const char *lives)
{
	struct run r = start("section=1", lives);

	open_stream(&r, "labels", 3);
	open_stream(&r, "image", 3);
	open_stream(&r, "trees", 3);
	for (int64_t z = 0; z < 3; z++) {
		give_image(&r, z, (uint8_t)(60 + 10 * z));
		give_labels(&r, z, 1, 2);
	}
	give_final_ids(&r, 1, 7);
	give_tree(&r, 7);
	give_final_ids(&r, 2, 9);
	give_tree(&r, 9);
	return r;
}

static void another_life_draws_the_same(void **unused)
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };
	struct run r[3];

	(void)unused;
	for (size_t i = 0; i < 3; i++) {
		r[i] = live(lives[i]);
		assert_int_equal(node_test_drain(r[i].t), FX_OK);
		test_same_files(r[0].path, r[i].path);
	}
	node_test_hostile(r[0].t);
	for (size_t i = 0; i < 3; i++)
		finish(&r[i]);
}

static void nothing_gives_no_picture(void **unused)
{
	struct run r = start("section=9", NULL);

	(void)unused;
	open_stream(&r, "image", 5);
	give_image(&r, 1, 100);
	assert_int_equal(node_test_drain(r.t), FX_OK);
	assert_non_null(strstr(node_test_warning(r.t), "section 9"));
	assert_false(png_image_begin_read_from_file(&r.png, r.path));
	png_image_free(&r.png);
	finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_life_draws_the_same),
		cmocka_unit_test(three_panels_of_the_middle_section),
		cmocka_unit_test(a_section_can_be_asked_for),
		cmocka_unit_test(an_unknown_end_still_gives_a_picture),
		cmocka_unit_test(nothing_gives_no_picture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
