// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/sectionname.c. */
#include "support/test.h"

#include <string.h>

#include <fornix/error.h>

#include "formats/sectionname.h"

static void check(const char *path, const char *pattern, int64_t section, int64_t tile,
		  int64_t version)
{
	struct fx_section_name n;

	if (fx_section_name(path, pattern, &n) != FX_OK)
		fail_msg("%s is not of \"%s\"", path, pattern);
	if (n.section != section || n.tile != tile || n.version != version)
		fail_msg("%s by \"%s\": %lld %lld %lld", path, pattern, (long long)n.section,
			 (long long)n.tile, (long long)n.version);
}

static void refuse(const char *path, const char *pattern, int why)
{
	struct fx_section_name n;

	if (fx_section_name(path, pattern, &n) != why)
		fail_msg("%s by \"%s\"", path, pattern);
}

static void usual_names_are_read(void **state)
{
	(void)state;
	check("z000.png", "", 0, 0, 1);
	check("7.TIF", "", 7, 0, 1);
	check("run3/2026-01-02_sl_045.tiff", "", 45, 0, 1);
	check("section-000012.png", "", 12, 0, 1);
	check("section-000012-v2.png", "", 12, 0, 2);
	check("section-000012-tile-003.png", "", 12, 3, 1);
	check("section-000012-tile-003-v10.png", "", 12, 3, 10);
	check("section_12_tile_3_v4.tif", "", 12, 3, 4);
	check("wafer-v2.png", "", 2, 0, 1); /* there is no other number */
}

static void names_that_are_no_sections(void **state)
{
	(void)state;
	refuse("plan.png", "", FX_NAME_NONE);
	refuse("z0000000000000001.png", "", FX_NAME_NONE);
	refuse("z1.jpg", "", FX_NAME_OTHER);
	refuse(".z1.png", "", FX_NAME_OTHER);
	refuse(".z1.png.part", "", FX_NAME_OTHER);
	refuse("z1.png.done", "", FX_NAME_OTHER);
	refuse("old/.trash/z1.png", "", FX_NAME_OTHER);
	refuse("z1.png", "a*", FX_NAME_OTHER);
}

static void patterns_name_the_numbers(void **state)
{
	(void)state;
	check("wafer2_sec0012_t07_r3.tif", "wafer?_sec#_t%_r@.tif", 12, 7, 3);
	check("s0012/t07.png", "s#/t%.png", 12, 7, 1);
	check("a/b/z5_nm8.png", "z#_*", 5, 0, 1);
	check("img123.png", "img*#.png", 123, 0, 1);
	check("x1y22.png", "*y#*", 22, 0, 1);
	check("scan_9.png", "scan*", 9, 0, 1);
	refuse("img123.png", "img1#.png", FX_NAME_OTHER);
	refuse("a/s12/t07.png", "s#/t%.png", FX_NAME_OTHER);
	refuse("s12/x/t07.png", "s#*/t%.png", FX_NAME_OTHER);
	refuse("z5.png", "z#", FX_NAME_OTHER);
	refuse("z9999999999999999.png", "z#.png", FX_NAME_OTHER);
}

/* Patterns with many stars take no more than length times length steps. */
static void stars_take_no_time(void **state)
{
	char name[4001], pattern[301];

	(void)state;
	memset(name, 'a', sizeof name - 1);
	memcpy(name + sizeof name - 5, ".png", 5);
	for (size_t i = 0; i < sizeof pattern - 1; i++)
		pattern[i] = i % 2 ? 'a' : '*';
	memcpy(pattern + sizeof pattern - 4, "#.b", 4);
	refuse(name, pattern, FX_NAME_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_names_are_read),
		cmocka_unit_test(names_that_are_no_sections),
		cmocka_unit_test(patterns_name_the_numbers),
		cmocka_unit_test(stars_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
