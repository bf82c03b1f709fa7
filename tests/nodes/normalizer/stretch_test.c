// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/normalizer/stretch.c. */
#include "support/test.h"

#include "support/sections.h"

extern const struct fx_node_type fx_node_normalizer_stretch;

static const struct cut bands = { 8, 1000, false };

static struct fx_block *run(const char *const *options, const struct fx_block *v)
{
	return sections_run(&fx_node_normalizer_stretch, options, v, FX_U8, bands);
}

static void tiles_do_not_matter(void **unused)
{
	const char *const options[] = { "window=2", NULL };
	const char *const in_file[] = { "window=2", "memory=0", NULL };
	struct fx_block *v = sections_volume(FX_U16, 3, 20, 17, 4000);

	(void)unused;
	sections_check_cuts(&fx_node_normalizer_stretch, options, in_file, v, FX_U8);
	fx_block_free(v);
}

static void uses_the_whole_range(void **unused)
{
	const char *const options[] = { "low=5", "high=95", NULL };
	struct fx_block *v = sections_volume(FX_U8, 1, 30, 30, 90), *out = run(options, v);
	const uint8_t *from = v->data, *to = out->data;
	size_t black = 0, white = 0;

	(void)unused;
	for (size_t i = 0; i < 900; i++) {
		black += to[i] == 0;
		white += to[i] == 255;
		for (size_t j = 0; j < i; j += 17) /* monotone */
			assert_true(from[j] <= from[i] ? to[j] <= to[i] : to[j] >= to[i]);
	}
	assert_in_range(black, 45, 90);
	assert_in_range(white, 45, 90);
	fx_block_free(v);
	fx_block_free(out);
}

static void brightness_and_contrast_do_not_matter(void **unused)
{
	struct fx_block *v = sections_volume(FX_U16, 2, 20, 20, 200), *plain = run(NULL, v), *out;

	(void)unused;
	for (size_t i = 0; i < fx_block_len(v); i++)
		((uint16_t *)v->data)[i] = (uint16_t)(((uint16_t *)v->data)[i] * 37 + 911);
	out = run(NULL, v);
	sections_equal(plain, out);
	fx_block_free(v);
	fx_block_free(plain);
	fx_block_free(out);
}

static void off_clip_leaves_room(void **unused)
{
	const char *const options[] = { "low=10", "high=90", "clip=false", NULL };
	struct fx_block *v = fx_block_new(FX_U8, 1, 1, 10), *out;

	(void)unused;
	for (size_t i = 0; i < 10; i++)
		((uint8_t *)v->data)[i] = (uint8_t)(100 + i);
	out = run(options, v); /* 10 % is 100, 90 % is 108 */
	assert_int_equal(((uint8_t *)out->data)[0], 26);
	assert_int_equal(((uint8_t *)out->data)[8], 230);
	assert_int_equal(((uint8_t *)out->data)[9], 255);
	fx_block_free(v);
	fx_block_free(out);
}

static void constant_sections_are_grey(void **unused)
{
	struct fx_block *v = fx_block_new(FX_U8, 1, 4, 4), *out;

	(void)unused;
	memset(v->data, 77, 16);
	out = run(NULL, v);
	assert_int_equal(((uint8_t *)out->data)[5], 128);
	fx_block_free(v);
	fx_block_free(out);
}

static void padding_is_left_out(void **unused)
{
	const char *const options[] = { "ignore_zero=true", "low=0", "high=100", NULL };
	struct fx_block *v = fx_block_new(FX_U8, 1, 1, 4), *out;
	static const uint8_t values[] = { 0, 100, 150, 200 }, expected[] = { 0, 0, 128, 255 };

	(void)unused;
	memcpy(v->data, values, 4);
	out = run(options, v);
	assert_memory_equal(out->data, expected, 4);
	fx_block_free(v);
	fx_block_free(out);
}

/* Section 2 of 0..9, 10..19, ...: with a window its values lie in the upper part of the range. */
static uint8_t lowest_of_section_2(const char *window, bool miss)
{
	const char *const options[] = { "low=0", "high=100", window, NULL };
	struct node_test *t = node_test_new(&fx_node_normalizer_stretch, options);
	struct fx_block *v = fx_block_new(FX_U8, 3, 1, 10), *out;
	const struct fx_mark gone = sections_mark(v, FX_MARK_MISSING, 1);
	uint8_t lowest;
	size_t i;

	for (i = 0; i < 30; i++)
		((uint8_t *)v->data)[i] = (uint8_t)i;
	sections_open(t, "image", v);
	sections_give(t, "image", v, 0, bands);
	if (miss) {
		sections_tiles(t, "image", v, 1, bands);
		assert_int_equal(node_test_mark(t, "image", &gone), FX_OK);
		assert_int_equal(node_test_sent(t, node_test_sent_len(t) - 1)->mark.kind,
				 FX_MARK_MISSING);
	} else {
		sections_give(t, "image", v, 1, bands);
	}
	sections_give(t, "image", v, 2, bands);
	i = node_test_sent_len(t);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_sent_len(t), i); /* nothing was left behind */
	out = sections_sent(t, v, FX_U8);
	lowest = ((uint8_t *)out->data)[20];
	fx_block_free(v);
	fx_block_free(out);
	node_test_free(t);
	return lowest;
}

static void a_window_looks_back(void **unused)
{
	(void)unused;
	assert_int_equal(lowest_of_section_2("window=1", false), 0);
	assert_int_equal(lowest_of_section_2("window=2", false), 134); /* 10 of 10..29 */
	assert_int_equal(lowest_of_section_2("window=3", false), 176); /* 20 of 0..29 */
	assert_int_equal(lowest_of_section_2("window=2", true), 176);  /* section 1 is missing */
}

static void says_what_is_wrong(void **unused)
{
	const char *const options[] = { "low=60", "high=40", NULL };
	struct node_test *t = node_test_new(&fx_node_normalizer_stretch, options);
	struct fx_block *v = sections_volume(FX_U8, 3, 4, 5, 9);
	struct fx_mark done = sections_mark(v, FX_MARK_DONE, 0);
	const char *const one[] = { "hold=1", NULL };

	(void)unused;
	assert_string_equal(node_test_error(t), "low 60 must be below high 40");
	node_test_free(t);
	t = node_test_new(&fx_node_normalizer_stretch, one);
	assert_true(node_test_block(t, "image", fx_block_new(FX_U8, 1, 1, 1)) < 0);
	sections_open(t, "image", v);
	assert_true(node_test_mark(t, "image", &done) < 0);
	assert_string_equal(node_test_error(t),
			    "section 0 is called done with 0 of its 4 x 5 voxels");
	sections_tiles(t, "image", v, 0, bands);
	assert_true(node_test_block(t, "image", fx_block_new(FX_U8, 1, 1, 1)) < 0);
	assert_non_null(strstr(node_test_error(t), "section 0 got more voxels"));
	assert_true(node_test_block(t, "image", fx_block_new(FX_U8, 1, 5, 1)) < 0);
	assert_non_null(strstr(node_test_error(t), "is outside of the volume"));
	assert_true(node_test_block(t, "image", fx_block_new(FX_U16, 1, 1, 1)) < 0);
	assert_string_equal(node_test_error(t), "a tile of u16 in a stream of u8");
	assert_true(node_test_block(
			    t, "image",
			    fx_block_crop(v, (struct fx_region){ { 1, 0, 0 }, { 2, 1, 1 } })) < 0);
	assert_non_null(strstr(node_test_error(t), "while 1 sections are held"));
	fx_block_free(v);
	node_test_free(t);
}

static void an_unfinished_section_is_missing_at_the_end(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_normalizer_stretch, NULL);
	struct fx_block *v = sections_volume(FX_U8, 3, 4, 5, 9);
	const struct sent *last;

	(void)unused;
	sections_open(t, "image", v);
	sections_tiles(t, "image", v, 1, bands);
	assert_int_equal(node_test_drain(t), FX_OK);
	last = node_test_sent(t, node_test_sent_len(t) - 1);
	assert_int_equal(last->mark.kind, FX_MARK_MISSING);
	assert_int_equal(last->mark.region.lo[0], 1);
	assert_int_equal(node_test_count(t, "out", FX_BLOCK), 0);
	fx_block_free(v);
	node_test_free(t);
}

static void another_life_sends_the_same(void **unused)
{
	const char *const options[] = { "window=3", "low=10", "memory=0", NULL };
	struct fx_block *v = sections_volume(FX_U16, 6, 20, 17, 200);

	(void)unused;
	sections_check_lives(&fx_node_normalizer_stretch, options, v);
	fx_block_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_life_sends_the_same),
		cmocka_unit_test(tiles_do_not_matter),
		cmocka_unit_test(uses_the_whole_range),
		cmocka_unit_test(brightness_and_contrast_do_not_matter),
		cmocka_unit_test(off_clip_leaves_room),
		cmocka_unit_test(constant_sections_are_grey),
		cmocka_unit_test(padding_is_left_out),
		cmocka_unit_test(a_window_looks_back),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(an_unfinished_section_is_missing_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
