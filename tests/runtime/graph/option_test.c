// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/graph/option.c. */
#include "support/test.h"

#include <string.h>

#include "graph/option.h"

struct state {
	bool flag;
	int count, mode;
	double size;
	const char *path;
	struct fx_vec voxel;
};

static const char *const modes[] = { "section", "window", NULL };

static const struct fx_option options[] = {
	{ FX_FIELD(struct state, flag), .def = 1, .help = "a flag" },
	{ FX_FIELD(struct state, count), .def = 3, .min = 1, .max = 9, .help = "a count" },
	{ FX_FIELD(struct state, mode), .def = 1, .choices = modes, .help = "a choice" },
	{ FX_FIELD(struct state, size), .def = 2.5, .unit = "nm", .max = 1e6, .help = "a length" },
	{ FX_FIELD(struct state, path), .help = "a path" },
	{ FX_FIELD(struct state, voxel), .def_str = "8 8 8", .unit = "nm", .help = "a size" },
	{ 0 },
};

static const struct fx_port no_ports[] = { { 0 } };
static const struct fx_node_type type = { .ports = no_ports, .options = options };

static void defaults_are_stored(void **unused)
{
	struct state s = { 0 };

	(void)unused;
	fx_option_defaults(&type, &s);
	assert_true(s.flag);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.mode, 1);
	assert_true(s.size == 2.5 && s.voxel.v[2] == 8 && !s.path);
}

static void values_units_and_vectors(void **unused)
{
	struct state s = { 0 };
	struct fx_error err = { 0 };

	(void)unused;
	assert_int_equal(fx_option_set(&options[0], "off", &s, &err), FX_OK);
	assert_int_equal(fx_option_set(&options[1], "9", &s, &err), FX_OK);
	assert_int_equal(fx_option_set(&options[2], "section", &s, &err), FX_OK);
	assert_int_equal(fx_option_set(&options[3], "0.12 um", &s, &err), FX_OK);
	assert_int_equal(fx_option_set(&options[5], "40,16,16", &s, &err), FX_OK);
	assert_true(!s.flag && s.count == 9 && s.mode == 0 && s.size == 120);
	assert_true(s.voxel.v[0] == 40 && s.voxel.v[1] == 16);
	assert_int_equal(fx_option_set(&options[5], "8 nm", &s, &err), FX_OK);
	assert_true(s.voxel.v[0] == 8 && s.voxel.v[2] == 8);
}

static void wrong_values_are_named(void **unused)
{
	static const struct {
		int option;
		const char *text, *says;
	} wrong[] = {
		{ 0, "maybe", "not true or false" }, { 1, "10", "not within 1..9" },
		{ 1, "2.5", "whole number" },	     { 1, "x", "not a number" },
		{ 1, "3 nm", "plain number" },	     { 2, "windoe", "section|window" },
		{ 3, "3 px", "this is in nm" },	     { 3, "nan", "not a finite number" },
		{ 5, "8 8", "three numbers" },
	};
	struct state s = { 0 };

	(void)unused;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct fx_error err = { 0 };

		assert_true(fx_option_set(&options[wrong[i].option], wrong[i].text, &s, &err) < 0);
		assert_non_null(strstr(err.text, wrong[i].says));
	}
	assert_int_equal(s.count, 0);
}

static void whole_numbers_are_told_in_full(void **unused)
{
	const struct fx_option o = { .type = FX_OPT_INT, .def = 1234567, .max = 2147483647 };
	char text[64];

	(void)unused;
	fx_option_range_text(&o, text, sizeof text);
	assert_string_equal(text, "0..2147483647");
	fx_option_default_text(&o, text, sizeof text);
	assert_string_equal(text, "1234567");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_stored),
		cmocka_unit_test(values_units_and_vectors),
		cmocka_unit_test(wrong_values_are_named),
		cmocka_unit_test(whole_numbers_are_told_in_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
