// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/acquire/sections.c. */
#include "support/test.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include "base/file.h"
#include "support/images.h"
#include "support/node_test.h"

extern const struct fx_node_type fx_node_acquire_sections;

enum { H = 6, W = 5 };

static void put(const char *folder, const char *name, unsigned char value)
{
	unsigned char pixels[H * W];

	memset(pixels, value, sizeof pixels);
	test_write_png(test_path(folder, name), H, W, 8, PNG_COLOR_TYPE_GRAY, 0, pixels);
}

static struct node_test *start(const char *folder, const char *const *more)
{
	char path[600];
	const char *options[8] = { path };

	snprintf(path, sizeof path, "path=%s", folder);
	for (size_t i = 0; more && more[i] && i < 6; i++)
		options[i + 1] = more[i];
	return node_test_new(&fx_node_acquire_sections, options);
}

static void run(struct node_test *t)
{
	int steps = 0;

	while (node_test_step(t) == FX_OK && steps++ < 100)
		;
}

static const struct fx_mark *mark(struct node_test *t, size_t i)
{
	return &node_test_get(t, "image", FX_NOTHING, i)->mark;
}

static void sends_tiles_and_marks_in_order(void **folder)
{
	const char *const options[] = { "tile=0.001", "voxel=40 16 8", NULL };
	struct node_test *t;
	const struct fx_block *b;

	put(*folder, "z2.png", 2);
	put(*folder, "z10.png", 10);
	put(*folder, "z3.png", 3);
	put(*folder, "plan.png", 9);
	t = start(*folder, (const char *const[]){ "count=2", options[0], options[1], NULL });
	assert_non_null(strstr(node_test_warning(t), "plan.png"));
	run(t);
	assert_int_equal(node_test_result(t), FX_END);
	assert_int_equal(mark(t, 0)->kind, FX_MARK_OPEN);
	assert_int_equal(mark(t, 0)->region.hi[0], 2);
	assert_int_equal(mark(t, 0)->region.hi[1], H);
	assert_int_equal(mark(t, 0)->region.hi[2], W);
	assert_true(mark(t, 0)->voxel_nm[0] == 40 && mark(t, 0)->dtype == FX_U8);
	assert_int_equal(node_test_count(t, "image", FX_BLOCK), 2);
	b = node_test_get(t, "image", FX_BLOCK, 1)->message;
	assert_int_equal(b->origin[0], 1);
	assert_int_equal(((unsigned char *)b->data)[H * W - 1], 3);
	assert_true(b->voxel_nm[2] == 8);
	assert_int_equal(mark(t, 2)->kind, FX_MARK_DONE);
	assert_int_equal(mark(t, 2)->region.lo[0], 1);
	node_test_free(t);
}

static void large_sections_are_cut_into_bands(void **folder)
{
	uint16_t *pixels = calloc(300 * 301, sizeof *pixels);
	struct node_test *t;
	const struct fx_block *b;
	size_t rows = 0;

	assert_non_null(pixels);
	for (size_t i = 0; i < 300 * 301; i++)
		pixels[i] = (uint16_t)i;
	test_write_tiff(test_path(*folder, "a0.tif"), 1, 300, 301, 16, SAMPLEFORMAT_UINT, 0,
			pixels);
	t = start(*folder, (const char *const[]){ "tile=0.1", NULL });
	run(t);
	assert_int_equal(node_test_count(t, "image", FX_BLOCK), 2);
	for (size_t i = 0; i < 2; i++) {
		b = node_test_get(t, "image", FX_BLOCK, i)->message;
		assert_int_equal(b->origin[1], rows);
		assert_memory_equal(b->data, pixels + rows * 301, fx_block_size(b));
		rows += b->shape[1];
	}
	assert_int_equal(rows, 300);
	node_test_free(t);
	free(pixels);
}

static void broken_sections_are_missing_with_a_reason(void **folder)
{
	static const unsigned char pixels[128] = { 0 };
	struct node_test *t;
	static const char *const reasons[] = {
		"z0.png: neither",	"z2.png: broken PNG",
		"z3.png: is RGB",	"z4.png: is 6 x 4 u8, the first section 6 x 5 u8",
		"z5.png: is 6 x 5 u16", "no file with number 6 in /tmp"
	};
	static const int numbers[] = { 0, 2, 3, 4, 5, 6 };
	void *bytes;
	size_t size;

	put(*folder, "z1.png", 1);
	put(*folder, "z7.png", 7);
	assert_int_equal(fx_file_read(test_path(*folder, "z1.png"), 4096, &bytes, &size, NULL),
			 FX_OK);
	test_write_file(test_path(*folder, "z2.png"), bytes, size - 15);
	free(bytes);
	test_write_file(test_path(*folder, "z0.png"), "hello", 5);
	test_write_png(test_path(*folder, "z3.png"), H, W, 8, PNG_COLOR_TYPE_RGB, 0, pixels);
	test_write_png(test_path(*folder, "z4.png"), H, W - 1, 8, PNG_COLOR_TYPE_GRAY, 0, pixels);
	test_write_png(test_path(*folder, "z5.png"), H, W, 16, PNG_COLOR_TYPE_GRAY, 0, pixels);
	t = start(*folder, NULL);
	run(t);
	assert_int_equal(node_test_result(t), FX_END);
	assert_int_equal(node_test_count(t, "image", FX_BLOCK), 2);
	for (size_t i = 0; i < 6; i++) {
		const struct fx_mark *m = mark(t, 1 + (size_t)numbers[i]);

		assert_int_equal(m->kind, FX_MARK_MISSING);
		assert_int_equal(m->region.lo[0], numbers[i]);
		assert_int_equal(m->region.hi[2], W);
		if (!strstr(m->reason, reasons[i]))
			fail_msg("\"%s\" does not say \"%s\"", m->reason, reasons[i]);
	}
	node_test_free(t);
}

static void bad_folders_are_one_sentence(void **folder)
{
	struct node_test *t;

	node_test_fails(start("/nonexistent", NULL), "/nonexistent is not a folder");
	node_test_fails(start(*folder, NULL), "holds no numbered .png");
	put(*folder, "z7.png", 1);
	node_test_fails(start(*folder, (const char *const[]){ "first=8", NULL }),
			"no section from number 8");
	put(*folder, "z99999999.png", 1);
	node_test_fails(start(*folder, NULL), "from 7 to 99999999");
	unlink(test_path(*folder, "z99999999.png"));
	put(*folder, "z007.tif", 1);
	node_test_fails(start(*folder, NULL), "z007.tif and z7.png both have number 7");
	unlink(test_path(*folder, "z007.tif"));
	test_write_file(test_path(*folder, "z7.png"), "x", 1);
	t = start(*folder, NULL);
	run(t);
	node_test_fails(t, "no section can be read; z7.png: neither PNG nor TIFF");
}

static void a_folder_that_vanishes_is_an_error(void **folder)
{
	struct node_test *t;

	put(*folder, "z0.png", 1);
	put(*folder, "z1.png", 1);
	t = start(*folder, NULL);
	assert_int_equal(node_test_step(t), FX_OK);
	fx_remove_tree(*folder, NULL);
	node_test_step(t);
	node_test_fails(t, "the folder has vanished");
}

static void another_life_sends_the_same(void **folder)
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };
	struct node_test *t[3];

	for (int i = 0; i < 9; i++)
		if (i != 4)
			put(*folder, (char[]){ 'z', (char)('0' + i), '.', 'p', 'n', 'g', 0 },
			    (unsigned char)i);
	test_write_file(test_path(*folder, "z6.png"), "x", 1);
	for (size_t i = 0; i < 3; i++) {
		t[i] = start(*folder, (const char *const[]){ "tile=0.001", lives[i], NULL });
		run(t[i]);
		assert_int_equal(node_test_result(t[i]), FX_END);
		node_test_same(t[0], t[i]);
	}
	node_test_hostile(t[0]);
	for (size_t i = 0; i < 3; i++)
		node_test_free(t[i]);
}

/* What it told others holds, whatever the folder has become since: it is killed without a save. */
static void decisions_of_a_former_life_hold(void **folder)
{
	struct node_test *t;

	put(*folder, "z5.png", 5);
	put(*folder, "z7.png", 7);
	t = start(*folder, NULL);
	assert_int_equal(node_test_step(t), FX_OK);
	assert_int_equal(node_test_step(t), FX_OK);
	put(*folder, "z6.png", 6); /* was told to be missing */
	put(*folder, "z3.png", 3); /* sections are counted from 5 on */
	put(*folder, "z8.png", 8); /* to 7 */
	for (int life = 0; life < 2; life++) {
		node_test_again(t, false);
		run(t);
		assert_int_equal(node_test_result(t), FX_END);
		assert_int_equal(node_test_drain(t), FX_OK);
		assert_int_equal(node_test_count(t, "image", FX_BLOCK), 2);
		assert_int_equal(node_test_count(t, "image", FX_NOTHING), 4);
		assert_int_equal(mark(t, 0)->region.hi[0], 3);
		assert_int_equal(mark(t, 2)->kind, FX_MARK_MISSING);
		assert_int_equal(mark(t, 2)->region.lo[0], 1);
		assert_non_null(strstr(mark(t, 2)->reason, "number 6"));
	}
	node_test_free(t);
}

static void it_stops_when_told(void **folder)
{
	struct node_test *t;

	put(*folder, "z5.png", 5);
	t = start(*folder, NULL);
	node_test_stop(t);
	assert_int_equal(node_test_step(t), FX_END);
	node_test_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sends_tiles_and_marks_in_order, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(large_sections_are_cut_into_bands, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(broken_sections_are_missing_with_a_reason,
						test_folder_make, test_folder_remove),
		cmocka_unit_test_setup_teardown(bad_folders_are_one_sentence, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(a_folder_that_vanishes_is_an_error,
						test_folder_make, test_folder_remove),
		cmocka_unit_test_setup_teardown(another_life_sends_the_same, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(decisions_of_a_former_life_hold, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(it_stops_when_told, test_folder_make,
						test_folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
