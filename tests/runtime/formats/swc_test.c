// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/swc.c and swc_read.c. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/swc.h"

static struct fx_tree *parse(const char *text, double unit_nm, size_t *repairs)
{
	struct fx_tree *t = NULL;
	struct fx_error err = { 0 };

	if (fx_swc_parse(text, strlen(text), unit_nm, &t, repairs, &err) < 0)
		fail_msg("%s", err.text);
	return t;
}

static void refuse(const char *text, const char *says)
{
	struct fx_tree *t;
	struct fx_error err = { 0 };

	assert_int_equal(fx_swc_parse(text, strlen(text), 1, &t, NULL, &err), FX_EINVAL);
	if (!strstr(err.text, says))
		fail_msg("\"%s\" does not say \"%s\"", err.text, says);
}

static void golden_text(void **unused)
{
	static const double voxel_nm[3] = { 40, 8, 4 };
	static const char nm[] = "# written by fornix\n# segment 9\n# unit nm\n"
				 "# id type x y z radius parent\n"
				 "1 1 4.000000 16.000000 120.000000 2.500000 -1\n"
				 "2 3 8.000000 16.000000 80.000000 1.000000 1\n"
				 "3 0 0.000000 0.000000 0.000000 0.000000 -1\n";
	static const char voxel[] = "# written by fornix\n# segment 9\n# unit voxel\n"
				    "# voxel_nm 40 8 4\n# id type x y z radius parent\n"
				    "1 1 1.000000 2.000000 3.000000 0.625000 -1\n"
				    "2 3 2.000000 2.000000 2.000000 0.250000 1\n"
				    "3 0 0.000000 0.000000 0.000000 0.000000 -1\n";
	struct fx_tree *t = fx_tree_new(9, 3), *back;
	char *text;
	size_t size, repairs = 9;

	(void)unused;
	t->nodes[0] = (struct fx_tree_node){ { 120, 16, 4 }, 2.5, -1, 1 };
	t->nodes[1] = (struct fx_tree_node){ { 80, 16, 8 }, 1, 0, 3 };
	t->nodes[2] = (struct fx_tree_node){ { -0.0, 0, 0 }, 0, -1, 0 };
	assert_int_equal(fx_swc_format(t, FX_SWC_NM, NULL, &text, &size, NULL), FX_OK);
	assert_string_equal(text, nm);
	assert_int_equal(size, sizeof nm - 1);
	free(text);
	for (int unit = FX_SWC_NM; unit <= FX_SWC_VOXEL; unit++) {
		assert_int_equal(
			fx_swc_format(t, (enum fx_swc_unit)unit, voxel_nm, &text, &size, NULL),
			FX_OK);
		if (unit == FX_SWC_VOXEL)
			assert_string_equal(text, voxel);
		back = parse(text, 77, &repairs); /* the header tells the unit */
		assert_int_equal(repairs, 0);
		assert_int_equal(back->len, 3);
		assert_true(back->nodes[1].pos_nm[0] == 80 && back->nodes[1].pos_nm[2] == 8);
		assert_true(back->nodes[0].radius_nm == 2.5 && back->nodes[1].parent == 0);
		fx_tree_free(back);
		free(text);
	}
	t->nodes[1].parent = 1;
	assert_int_equal(fx_swc_format(t, FX_SWC_NM, NULL, &text, &size, NULL), FX_EINVAL);
	t->nodes[1].parent = 0;
	t->nodes[1].pos_nm[1] = strtod("nan", NULL);
	assert_int_equal(fx_swc_format(t, FX_SWC_NM, NULL, &text, &size, NULL), FX_EINVAL);
	fx_tree_free(t);
}

static void dialects_are_read(void **unused)
{
	size_t repairs;
	struct fx_tree *t = parse("# comment\r\n\n 3 5 0 0 2 1 2\r\n2\t1.0\t0 0 1 1 0 # behind\n"
				  "0,3,0,1,0,NA,-1\n",
				  1000, &repairs);

	(void)unused;
	/* ids 0, 2, 3 in reverse order; radius NA */
	assert_int_equal(t->len, 3);
	assert_int_equal(repairs, 1);
	assert_true(t->nodes[0].pos_nm[1] == 1000 && t->nodes[0].parent == -1);
	assert_true(t->nodes[0].radius_nm == 0);
	assert_true(t->nodes[1].parent == 0 && t->nodes[2].parent == 1 && t->nodes[2].type == 5);
	fx_tree_free(t);
	/* parent 0 or unknown or itself, no parent column, 12 columns, repeated id, odd types */
	t = parse("1 144 0 0 0 1 0\n2 0 0 0 0 1 9\n3 0 0 0 0 1 3\n4 0 0 0 0 1\n"
		  "5 x 0 0 0 1 4 1 2 3 4 5\n5 0 7 7 7 1 1\n6 2.5 0 0 0 1 -5\n",
		  1, &repairs);
	assert_int_equal(t->len, 6);
	assert_int_equal(repairs, 8);
	assert_int_equal(t->nodes[0].type, 144);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(t->nodes[i].parent, i == 4 ? 3 : -1);
	fx_tree_free(t);
	t = parse("\xef\xbb\xbf"
		  "1 1 0 0 0 1 -1",
		  1, &repairs);
	assert_int_equal(t->len, 1);
	fx_tree_free(t);
}

static void broken_rows_are_told_by_line(void **unused)
{
	(void)unused;
	refuse("", "holds no row");
	refuse("# only\n", "holds no row");
	refuse("1 1 0 0 0 1 -1\n2 1 0 zero 0 1 1\n", "line 2: not \"id type");
	refuse("1 1 0 0 nan 1 -1\n", "line 1");
	refuse("1 1 0 0 0\n", "line 1");
	refuse("1.5 1 0 0 0 1 -1\n", "1.5 is not an id");
	refuse("-3 1 0 0 0 1 -1\n", "-3 is not an id");
	refuse("1 1 0 0 0 1 x\n", "the parent is not an id");
	refuse("1 1 0 0 0 1 1e300\n", "the parent is not an id");
	refuse("1 1 0 0 0 1 2\n2 1 0 0 0 1 3\n3 1 0 0 0 1 1\n", "form a loop");
	refuse("hello world\n", "line 1");
}

static void any_bytes_do_no_harm(void **unused)
{
	static const char text[] = "# unit voxel\n# voxel_nm 40 8 8\n1 1 0.5 -2 1e3 1 -1\n"
				   "2 3 1 1 1 0.5 1\n3 3 2 2 2 0.5 2\n4 3 3 3 3 NA 1\n";
	uint64_t seed = 6;

	(void)unused;
	for (int i = 0; i < 3000; i++) {
		const size_t len = i < 1000 ? (size_t)i % sizeof text : sizeof text - 1;
		char *copy = malloc(len + 1);
		struct fx_tree *t;

		assert_non_null(copy);
		memcpy(copy, text, len);
		for (int k = 0; k < 4 && i >= 1000; k++)
			copy[test_random(&seed) % len] = (char)test_random(&seed);
		if (fx_swc_parse(copy, len, 1, &t, NULL, NULL) == FX_OK) {
			for (size_t n = 0; n < t->len; n++)
				assert_true(t->nodes[n].parent < (int32_t)n);
			fx_tree_free(t);
		}
		free(copy);
	}
}

static void files_of_neurom_are_read(void **unused)
{
	static const struct {
		const char *name;
		size_t len, roots;
	} files[] = {
		{ "ordering/sample.swc", 53, 1 },
		{ "ordering/sample_disordered.swc", 53, 1 },
		{ "repeated_id.swc", 5, 1 },
		{ "empty_segments.swc", 4, 1 },
		{ "Neuron_missing_ids.swc", 0, 0 },
		{ "dangling_axon.swc", 0, 0 },
		{ "Neuron_disconnected_components.swc", 0, 0 },
		{ "soma_zero_radius.swc", 0, 0 },
		{ "simple_reversed.swc", 0, 0 },
		{ "multiple_somata.swc", 0, 0 },
	};
	double sorted = 0;

	(void)unused;
	if (!test_data_dir())
		test_skip("SWC files of NeuroM");
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct fx_error err = { 0 };
		struct fx_tree *t;
		char path[512];
		size_t roots = 0;

		snprintf(path, sizeof path, "%s/swc/neurom/%s", test_data_dir(), files[i].name);
		if (fx_swc_read(path, 1000, &t, NULL, &err) < 0)
			fail_msg("%s", err.text);
		for (size_t n = 0; n < t->len; n++)
			roots += t->nodes[n].parent < 0;
		assert_true(t->len > 1 && roots >= 1);
		if (files[i].len) {
			assert_int_equal(t->len, files[i].len);
			assert_int_equal(roots, files[i].roots);
		}
		if (i == 0)
			sorted = fx_tree_length_nm(t);
		if (i == 1)
			assert_true(fx_tree_length_nm(t) == sorted);
		fx_tree_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_text),
		cmocka_unit_test(dialects_are_read),
		cmocka_unit_test(broken_rows_are_told_by_line),
		cmocka_unit_test(any_bytes_do_no_harm),
		cmocka_unit_test(files_of_neurom_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
