// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/adapter/histogram.c. */
#include "support/test.h"

#include "support/sections.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

extern const struct fx_node_type fx_node_adapter_histogram;

static const struct cut bands = { 8, 1000, false };

/* Each value of 0..255 once a section, divided by @p by, plus @p add. */
static struct fx_block *ramp(size_t sections, uint8_t by, uint8_t add)
{
	struct fx_block *v = fx_block_new(FX_U8, sections, 16, 16);

	assert_non_null(v);
	for (size_t i = 0; i < sections * 256; i++)
		((uint8_t *)v->data)[i] = (uint8_t)(i % 256 / by + add);
	return v;
}

static void file_write(const char *path, uint8_t low, uint8_t high)
{
	char text[4096] = "{\"counts\": [";
	size_t used = strlen(text);

	for (int v = 0; v < 256; v++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%d%s",
					 v >= low && v <= high, v < 255 ? "," : "]}");
	assert_int_equal(fx_file_write(path, text, used, NULL), FX_OK);
}

static void tiles_do_not_matter(void **unused)
{
	char *dir = test_tmp_dir(), *path = fx_path_join(dir, "h.json"), option[512];
	const char *const options[] = { option, "-reference", NULL };
	const char *const in_file[] = { option, "-reference", "memory=0", NULL };
	struct fx_block *v = sections_volume(FX_U8, 3, 20, 17, 150);

	(void)unused;
	file_write(path, 100, 200);
	snprintf(option, sizeof option, "reference=%s", path);
	sections_check_cuts(&fx_node_adapter_histogram, options, in_file, v, FX_U8);
	fx_remove_tree(dir, NULL);
	fx_block_free(v);
	free(path);
	free(dir);
}

static void takes_the_range_of_the_reference(void **unused)
{
	char *dir = test_tmp_dir(), *path = fx_path_join(dir, "h.json"), option[512];
	const char *const options[] = { option, "-reference", NULL };
	struct fx_block *v = ramp(1, 2, 0), *out; /* 0..127; 0 is padding */
	const uint8_t *to;

	(void)unused;
	file_write(path, 128, 254);
	snprintf(option, sizeof option, "reference=%s", path);
	out = sections_run(&fx_node_adapter_histogram, options, v, FX_U8, bands);
	to = out->data;
	assert_int_equal(to[0], 0); /* padding stays */
	for (size_t i = 2; i < 256; i++)
		assert_int_equal(to[i], 127 + i / 2);
	fx_remove_tree(dir, NULL);
	fx_block_free(v);
	fx_block_free(out);
	free(path);
	free(dir);
}

static void waits_for_the_reference(void **unused)
{
	static const char *const options[] = { "half_life=0", NULL };
	struct node_test *t = node_test_new(&fx_node_adapter_histogram, options);
	struct fx_block *v = ramp(3, 2, 1), *model = ramp(2, 4, 100), *out;
	const struct fx_mark gone = sections_mark(v, FX_MARK_MISSING, 1);

	(void)unused;
	sections_open(t, "image", v);
	sections_open(t, "reference", model);
	sections_give(t, "image", v, 0, bands);
	assert_int_equal(node_test_mark(t, "image", &gone), FX_OK);
	sections_give(t, "reference", model, 0, bands);
	assert_int_equal(node_test_sent_len(t), 1); /* OPEN */
	sections_give(t, "reference", model, 1, bands);
	assert_int_equal(node_test_count(t, "out", FX_BLOCK), 1 + 1);
	assert_int_equal(node_test_sent(t, 4)->mark.kind, FX_MARK_MISSING); /* in its place */
	sections_give(t, "image", v, 2, bands);
	assert_int_equal(node_test_drain(t), FX_OK);
	out = sections_sent(t, v, FX_U8);
	for (size_t i = 0; i < 256; i++) {
		/* 1..128 over 100..163: the upper value of a pair is exact, the lower half-way */
		assert_in_range(((uint8_t *)out->data)[i], 100 + i / 4 - (i / 4 > 0 && i % 4 < 2),
				100 + i / 4);
		assert_int_equal(((uint8_t *)out->data)[512 + i], ((uint8_t *)out->data)[i]);
	}
	fx_block_free(v);
	fx_block_free(model);
	fx_block_free(out);
	node_test_free(t);
}

/* What value 100 becomes in the last section, when the one before was brighter by 50. */
static uint8_t after_a_bright_section(const char *half_life)
{
	const char *const options[] = { half_life, NULL };
	struct node_test *t = node_test_new(&fx_node_adapter_histogram, options);
	struct fx_block *v = fx_block_new(FX_U8, 2, 16, 16), *model = ramp(1, 2, 1), *out;
	uint8_t value;

	for (size_t i = 0; i < 512; i++)
		((uint8_t *)v->data)[i] = (uint8_t)(i < 256 ? 150 + i % 2 : 100 + i % 2);
	sections_open(t, "reference", model);
	sections_give(t, "reference", model, 0, bands);
	sections_open(t, "image", v);
	sections_give(t, "image", v, 0, bands);
	sections_give(t, "image", v, 1, bands);
	out = sections_sent(t, v, FX_U8);
	value = ((uint8_t *)out->data)[257];
	fx_block_free(v);
	fx_block_free(model);
	fx_block_free(out);
	node_test_free(t);
	return value;
}

static void forgets_by_half(void **unused)
{
	(void)unused;
	assert_int_equal(after_a_bright_section("half_life=0"), 128);
	assert_in_range(after_a_bright_section("half_life=1"), 84, 86); /* 1 / 1.5 of 128 */
	assert_in_range(after_a_bright_section("half_life=1e6"), 63, 65);
}

static void a_number_of_sections_is_enough(void **unused)
{
	const char *const options[] = { "reference_sections=1", NULL };
	struct node_test *t = node_test_new(&fx_node_adapter_histogram, options);
	struct fx_block *v = ramp(1, 2, 1), *model = ramp(4, 4, 100);

	(void)unused;
	sections_open(t, "image", v);
	sections_open(t, "reference", model);
	sections_give(t, "image", v, 0, bands);
	sections_give(t, "reference", model, 0, bands);
	assert_int_equal(node_test_count(t, "out", FX_BLOCK), 2);
	sections_give(t, "reference", model, 1, bands); /* more does no harm */
	fx_block_free(v);
	fx_block_free(model);
	node_test_free(t);
}

static void a_missing_reference_section_is_no_obstacle(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_adapter_histogram, NULL);
	struct fx_block *v = ramp(1, 2, 1), *model = ramp(2, 4, 100);
	const struct fx_mark gone = sections_mark(model, FX_MARK_MISSING, 1);

	(void)unused;
	sections_open(t, "image", v);
	sections_open(t, "reference", model);
	sections_give(t, "image", v, 0, bands);
	sections_give(t, "reference", model, 0, bands);
	assert_int_equal(node_test_count(t, "out", FX_BLOCK), 0);
	sections_tiles(t, "reference", model, 1, bands);
	assert_int_equal(node_test_mark(t, "reference", &gone), FX_OK);
	assert_int_equal(node_test_count(t, "out", FX_BLOCK), 2);
	fx_block_free(v);
	fx_block_free(model);
	node_test_free(t);
}

static void says_what_is_wrong(void **unused)
{
	const char *const none[] = { "-reference", NULL };
	const char *const absent[] = { "-reference", "reference=/nonexistent/h.json", NULL };
	const char *const both[] = { "reference=h.json", NULL };
	const char *const one[] = { "hold=1", NULL };
	struct node_test *t = node_test_new(&fx_node_adapter_histogram, none);
	struct fx_block *v = ramp(2, 2, 1);

	(void)unused;
	assert_non_null(strstr(node_test_error(t), "no reference"));
	node_test_free(t);
	t = node_test_new(&fx_node_adapter_histogram, absent);
	assert_non_null(strstr(node_test_error(t), "/nonexistent/h.json"));
	node_test_free(t);
	t = node_test_new(&fx_node_adapter_histogram, both);
	assert_non_null(strstr(node_test_error(t), "leave one out"));
	node_test_free(t);
	t = node_test_new(&fx_node_adapter_histogram, one);
	sections_open(t, "image", v);
	sections_give(t, "image", v, 0, bands);
	assert_true(node_test_block(
			    t, "image",
			    fx_block_crop(v, (struct fx_region){ { 1, 0, 0 }, { 2, 1, 1 } })) < 0);
	assert_string_equal(node_test_error(t),
			    "1 sections are held while 0 of the reference have come: raise hold "
			    "(1), or set reference_sections");
	assert_true(node_test_drain(t) < 0);
	assert_string_equal(node_test_error(t), "no section of the reference came");
	fx_block_free(v);
	node_test_free(t);
}

/* Sections of both inputs are held when it dies, and marks wait. */
static struct node_test *live(const char *lives)
{
	const char *const options[] = { "half_life=2", "memory=0", lives, NULL };
	struct node_test *t = node_test_new(&fx_node_adapter_histogram, options);
	struct fx_block *v = ramp(5, 2, 1), *model = ramp(2, 4, 100);
	const struct fx_mark gone = sections_mark(v, FX_MARK_MISSING, 1);

	sections_open(t, "image", v);
	sections_open(t, "reference", model);
	sections_give(t, "image", v, 0, bands);
	assert_int_equal(node_test_mark(t, "image", &gone), FX_OK);
	sections_give(t, "reference", model, 0, bands);
	sections_tiles(t, "image", v, 3, bands);
	sections_give(t, "image", v, 2, bands);
	if (lives)
		node_test_again(t, true);
	sections_give(t, "reference", model, 1, bands);
	sections_give(t, "image", v, 4, bands);
	fx_block_free(v);
	fx_block_free(model);
	return t;
}

static void another_life_sends_the_same(void **unused)
{
	struct node_test *t[3];

	(void)unused;
	node_test_lives(live, t);
	assert_int_equal(node_test_count(t[0], "out", FX_BLOCK), 6);
	node_test_hostile(t[1]);
	for (size_t i = 0; i < 3; i++)
		node_test_free(t[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tiles_do_not_matter),
		cmocka_unit_test(takes_the_range_of_the_reference),
		cmocka_unit_test(waits_for_the_reference),
		cmocka_unit_test(forgets_by_half),
		cmocka_unit_test(a_number_of_sections_is_enough),
		cmocka_unit_test(a_missing_reference_section_is_no_obstacle),
		cmocka_unit_test(another_life_sends_the_same),
		cmocka_unit_test(says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
