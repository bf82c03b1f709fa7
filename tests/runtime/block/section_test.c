// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/block/section.c. */
#include "support/test.h"

#include "block/section.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static struct fx_block *tile(int64_t z, int64_t y, int64_t x, size_t h, size_t w, uint8_t value)
{
	struct fx_block *b = fx_block_new(FX_U8, 1, h, w);

	assert_non_null(b);
	b->origin[0] = z;
	b->origin[1] = y;
	b->origin[2] = x;
	b->role = FX_MASK;
	memset(b->data, value, h * w);
	return b;
}

static int put(struct fx_sections *s, struct fx_block *b, struct fx_error *err)
{
	const int result = fx_sections_put(s, b, 0, err);

	fx_block_free(b);
	return result;
}

/* Sections of 4 x 6 voxels whose corner is y 10 x 20. */
static struct fx_sections stream(double memory, size_t max)
{
	const struct fx_mark open = { .kind = FX_MARK_OPEN,
				      .region = { { 0, 10, 20 }, { 0, 14, 26 } },
				      .dtype = FX_U8 };
	struct fx_sections s;

	assert_int_equal(fx_sections_init(&s, &open, memory, max, NULL), FX_OK);
	return s;
}

static void puts_tiles_together(void **unused)
{
	static const uint8_t expected[] = { 1, 1, 2, 2, 2, 2, 1, 1, 2, 2, 2, 2,
					    1, 1, 3, 3, 3, 3, 1, 1, 3, 3, 3, 3 };
	struct fx_sections s = stream(1000, 9);
	struct fx_section *section;

	(void)unused;
	put(&s, tile(7, 12, 22, 2, 4, 3), NULL);
	put(&s, tile(7, 10, 22, 2, 4, 2), NULL);
	assert_null(fx_sections_whole(&s, 7, NULL));
	put(&s, tile(7, 10, 20, 4, 2, 1), NULL);
	section = fx_sections_whole(&s, 7, NULL);
	assert_non_null(section);
	assert_int_equal(s.len, 0);
	assert_memory_equal(section->voxels.data, expected, sizeof expected);
	assert_int_equal(section->role, FX_MASK);
	assert_int_equal(section->tiles_len, 3); /* in raster order */
	assert_true(section->tiles[0].y == 0 && section->tiles[0].x == 0);
	assert_true(section->tiles[1].y == 0 && section->tiles[1].x == 2);
	assert_true(section->tiles[2].y == 2 && section->tiles[2].x == 2);
	assert_int_equal(*(const uint8_t *)fx_section_row(&s, section, &section->tiles[2], 1), 3);
	fx_sections_drop(&s, section);
	put(&s, tile(8, 10, 20, 4, 6, 9), NULL); /* in the memory of the last */
	section = fx_sections_whole(&s, 8, NULL);
	assert_non_null(section);
	assert_int_equal(section->tiles_len, 1);
	fx_sections_drop(&s, section);
	fx_sections_drop(&s, NULL);
	fx_sections_fini(&s);
}

static void spills_to_files(void **unused)
{
	struct fx_sections s = stream(50, 9); /* two sections of 24 bytes */
	char *folder = test_tmp_dir();

	(void)unused;
	put(&s, tile(0, 10, 20, 1, 1, 1), NULL);
	assert_false(fx_sections_spill(&s));
	put(&s, tile(1, 10, 20, 1, 1, 1), NULL);
	assert_true(fx_sections_spill(&s));
	s.folder = folder;
	put(&s, tile(2, 10, 20, 1, 1, 1), NULL);
	assert_false(s.held[1]->voxels.mapped);
	assert_true(s.held[2]->voxels.mapped);
	fx_sections_lose(&s, 0, 2);
	assert_int_equal(s.len, 1);
	assert_int_equal(s.held[0]->z, 2);
	assert_false(fx_sections_spill(&s));
	fx_sections_fini(&s);
	fx_remove_tree(folder, NULL);
	free(folder);
}

static void refuses(struct fx_block *b, int code, const char *text)
{
	struct fx_sections s = stream(1000, 1);
	struct fx_error err = { 0 };

	put(&s, tile(0, 10, 20, 4, 6, 1), NULL);
	assert_int_equal(put(&s, b, &err), code);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" lacks \"%s\"", err.text, text);
	fx_sections_fini(&s);
}

static void says_what_is_wrong(void **unused)
{
	struct fx_mark open = { .region = { { 0 }, { 0, 1, 1 } } };
	struct fx_error err = { 0 };
	struct fx_sections s;

	(void)unused;
	refuses(tile(0, 10, 20, 1, 1, 1), FX_EINVAL, "section 0 got more voxels than its 4 x 6");
	refuses(tile(0, 9, 20, 1, 1, 1), FX_EINVAL, "1 x 1 at y 9 x 20 of section 0 is outside");
	refuses(tile(0, 10, 25, 1, 2, 1), FX_EINVAL, "outside");
	refuses(tile(0, 10, 20, 5, 1, 1), FX_EINVAL, "outside");
	refuses(tile(3, 10, 20, 1, 1, 1), FX_ENOMEM, "section 3 comes while 1 sections are held");
	refuses(fx_block_new(FX_U8, 2, 1, 1), FX_ETYPE, "a tile has one section");
	refuses(fx_block_new(FX_F32, 1, 1, 1), FX_ETYPE, "a tile of f32 in a stream of u8");
	assert_int_equal(fx_sections_init(&s, &open, 1, 1, &err), FX_EINVAL);
	open.dtype = FX_U8;
	open.region.hi[2] = 0;
	assert_int_equal(fx_sections_init(&s, &open, 1, 1, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "axis x, 0..0"));
	open.region.hi[1] = open.region.hi[2] = (int64_t)1 << 40;
	assert_int_equal(fx_sections_init(&s, &open, 1, 1, &err), FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_tiles_together),
		cmocka_unit_test(spills_to_files),
		cmocka_unit_test(says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
