// SPDX-License-Identifier: Apache-2.0
/* Tests fornix score. */
#include "support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "base/file.h"
#include "support/images.h"

/* Runs "fornix score ARGUMENTS" in @p dir; what it prints on stdout, and with @p both on stderr. */
static char *run(const char *dir, const char *arguments, bool both, int code)
{
	const char *program = getenv("FORNIX_BIN");
	char *command =
		fx_asprintf("cd '%s' && '%s' score %s %s", dir, program ? program : "fornix",
			    arguments, both ? "2>&1" : "2>/dev/null");
	FILE *out = command ? popen(command, "r") : NULL;
	char *text = fx_calloc(65536, 1);
	int status;

	assert_non_null(out);
	assert_non_null(text);
	text[fread(text, 1, 65535, out)] = 0;
	status = pclose(out);
	free(command);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
		fail_msg("score %s: ended with %d, said: %s", arguments, status, text);
	return text;
}

static void expect(const char *dir, const char *arguments, int code, const char *says)
{
	char *text = run(dir, arguments, true, code);

	if (!strstr(text, says))
		fail_msg("score %s said: %s", arguments, text);
	free(text);
}

static void write_text(const char *dir, const char *name, const char *text)
{
	struct fx_error err = { 0 };

	if (fx_file_write(test_path(dir, name), text, strlen(text), &err) < 0)
		fail_msg("%s", err.text);
}

static char *folder_with_lines(void)
{
	char *dir = test_tmp_dir();

	write_text(dir, "a.swc", "1 1 0 0 0 1 -1\n2 3 10 0 0 1 1\n3 3 20 0 0 1 2\n");
	write_text(dir, "b.swc", "1 1 0 3 0 1 -1\n2 3 10 3 0 1 1\n3 3 20 3 0 1 2\n");
	return dir;
}

/* Scripts take the numbers of Vaa3D by their lines: counted from 0, 4 is ESA, 5 DSA, 8 PDS. */
static void the_lines_of_neuron_distance(void **unused)
{
	char *dir = folder_with_lines(), *text = run(dir, "a.swc b.swc --text", false, 0);

	(void)unused;
	assert_string_equal(text, "input1 = a.swc\n"
				  "intput2 = b.swc\n"
				  "entire-structure-average (from neuron 1 to 2) = 3\n"
				  "entire-structure-average (from neuron 2 to 1) = 3\n"
				  "average of bi-directional entire-structure-averages = 3\n"
				  "differen-structure-average = 3\n"
				  "percent of different-structure (from neuron 1 to 2) = 1\n"
				  "percent of different-structure (from neuron 2 to 1) = 1\n"
				  "percent of different-structure (average)= 1\n");
	free(text);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void trees_as_json(void **unused)
{
	char *dir = folder_with_lines();
	char *text = run(dir, "a.swc b.swc --json --voxel 1,3,2 --far 0.5", false, 0);
	json_t *root = json_loads(text, 0, NULL);

	(void)unused;
	assert_non_null(root);
	assert_true(json_number_value(json_object_get(json_object_get(root, "distance"), "esa")) ==
		    1);
	assert_true(json_number_value(json_object_get(json_object_get(root, "distance"), "pds")) ==
		    1);
	assert_true(json_number_value(json_object_get(json_object_get(root, "test"), "length")) ==
		    10);
	assert_true(json_number_value(json_object_get(json_object_get(root, "nodes"), "f1")) == 1);
	json_decref(root);
	free(text);
	expect(dir, "a.swc", 0, "length                                           20");
	fx_remove_tree(dir, NULL);
	free(dir);
}

static double number(const json_t *root, const char *a, const char *b, const char *c)
{
	const json_t *v = json_object_get(root, a);

	v = b ? json_object_get(v, b) : v;
	v = c ? json_object_get(v, c) : v;
	assert_true(json_is_number(v));
	return json_number_value(v);
}

/* Two sections of 2 x 8: upper rows body 1, lower rows body 2; segments 3, 4 and 5, 5. */
static char *folder_with_volumes(void)
{
	char *dir = test_tmp_dir();
	uint8_t labels[32], truth[32], values[32];

	for (int i = 0; i < 32; i++) {
		const int y = i / 8 % 2, x = i % 8;

		truth[i] = (uint8_t)(1 + y);
		labels[i] = (uint8_t)(y ? 5 : x < 5 ? 3 : 4);
		values[i] = (uint8_t)(i < 16 ? 200 : x < 4 ? 100 : 0);
	}
	test_write_tiff(test_path(dir, "labels.tif"), 2, 2, 8, 8, 1, 0, labels);
	test_write_tiff(test_path(dir, "truth.tif"), 2, 2, 8, 8, 1, 0, truth);
	test_write_tiff(test_path(dir, "values.tif"), 2, 2, 8, 8, 1, 0, values);
	write_text(
		dir, "1.swc",
		"1 0 0 0 0 1 -1\n2 0 32 0 0 1 1\n3 0 40 0 0 1 2\n4 0 56 0 0 1 3\n5 0 32 0 8 1 2\n");
	return dir;
}

static void labels_and_where_they_are_wrong(void **unused)
{
	char *dir = folder_with_volumes();
	char *text = run(dir,
			 "labels.tif truth.tif --json --skeletons . --voxel 8,8,8 --tolerance 1 "
			 "--link-labels precomputed://x",
			 false, 0);
	json_t *root = json_loads(text, 0, NULL), *split;

	(void)unused;
	assert_non_null(root);
	assert_true(number(root, "truth_nonzero", "voi_merge", NULL) == 0);
	assert_true(number(root, "truth_nonzero", "objects", "matched_50") == 2);
	assert_true(number(root, "erl", "split_edges", NULL) == 1);
	assert_true(number(root, "erl", "omitted_edges", NULL) == 0);
	assert_int_equal(json_array_size(json_object_get(root, "mergers")), 0);
	assert_int_equal(json_array_size(json_object_get(root, "neurons")), 1);
	split = json_array_get(json_object_get(root, "splits"), 0);
	assert_true(number(split, "id", NULL, NULL) == 1);
	assert_true(number(split, "part_2", "id", NULL) == 4);
	assert_true(number(split, "part_2", "x", NULL) >= 5);
	assert_true(number(split, "part_2", "y", NULL) == 0);
	assert_non_null(strstr(json_string_value(json_object_get(split, "link")), "#!%7B"));
	json_decref(root);
	free(text);
	expect(dir, "labels.tif truth.tif", 0, "body 1, 0.4772 bit, in 2 segments: 3 (10 voxels");
	expect(dir, "labels.tif truth.tif --skeletons .", 2, "needs the voxel size");
	expect(dir, "labels.tif truth.tif --skeletons truth.tif --voxel 1,1,1", 2, "ID.swc");
	fx_remove_tree(dir, NULL);
	free(dir);
}

/* 2 x 2 x 8 floats: a quarter 0.75, the others 0.5. */
static void write_npy(const char *dir, const char *name)
{
	struct {
		char head[128];
		float values[32];
	} file;
	const char *dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 8), }";

	memset(file.head, ' ', sizeof file.head);
	memcpy(file.head, "\x93NUMPY\x01\x00\x76\x00", 10);
	memcpy(file.head + 10, dict, strlen(dict));
	file.head[127] = '\n';
	for (int i = 0; i < 32; i++)
		file.values[i] = i % 4 ? 0.5F : 0.75F;
	test_write_file(test_path(dir, name), &file, sizeof file);
}

static void masks_by_section_and_pooled(void **unused)
{
	char *dir = folder_with_volumes(), *text;
	json_t *root;

	(void)unused;
	text = run(dir, "--mask values.tif truth.tif --json --threshold 0.5", false, 0);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	assert_true(number(root, "pooled", "iou", NULL) == 0.5);
	assert_true(number(root, "mean", "iou", NULL) == 0.5);
	assert_int_equal(json_array_size(json_object_get(root, "sections")), 2);
	json_decref(root);
	free(text);
	expect(dir, "--mask values.tif truth.tif", 0, "iou                                   0.75");
	write_npy(dir, "probability.npy");
	expect(dir, "--mask probability.npy truth.tif", 0,
	       "recall                                0.25");
	expect(dir, "--mask probability.npy truth.tif --threshold 0.4", 0,
	       "recall                                   1");
	expect(dir, "probability.npy truth.tif", 2, "--mask scores probabilities");
	expect(dir, "labels.tif truth.tif --threshold 0.5", 2, "--threshold is for --mask");
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void what_is_wrong_is_said(void **unused)
{
	char *dir = folder_with_lines();

	(void)unused;
	write_text(dir, "bad.swc", "1 1 x 0 0 1 -1\n");
	expect(dir, "a.swc b.tif", 2, "two volumes or two SWC files can be compared");
	expect(dir, "a.swc bad.swc", 2, "bad.swc: line 1: not \"id type x y z radius parent\"");
	expect(dir, "a.swc b.swc --far 0", 2, "--far 0: must be a number above 0");
	expect(dir, "a.swc b.swc --voxel 1,2", 2, "three numbers z,y,x above 0");
	expect(dir, "a.swc --text", 2, "--text needs two SWC files");
	expect(dir, "a.swc b.swc --sections 0:1", 2, "are for volumes");
	expect(dir, "a.tif", 2, "the truth is missing");
	expect(dir, "a.tif b.tif --far 1", 2, "are for SWC files");
	fx_remove_tree(dir, NULL);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lines_of_neuron_distance),
		cmocka_unit_test(trees_as_json),
		cmocka_unit_test(labels_and_where_they_are_wrong),
		cmocka_unit_test(masks_by_section_and_pooled),
		cmocka_unit_test(what_is_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
