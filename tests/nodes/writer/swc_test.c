// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/writer/swc.c. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "formats/swc.h"
#include "support/images.h"
#include "support/node_test.h"
#include "support/outputs.h"

extern const struct fx_node_type fx_node_writer_swc;

static struct node_test *start(const char *folder, const char *option)
{
	char path[600];

	snprintf(path, sizeof path, "path=%s/out", folder);
	return node_test_new(&fx_node_writer_swc, (const char *const[]){ path, option, NULL });
}

static struct fx_tree *line_of(uint64_t segment)
{
	struct fx_tree *t = fx_tree_new(segment, 2);

	assert_non_null(t);
	t->nodes[0].parent = -1;
	t->nodes[1].pos_nm[0] = 80;
	return t;
}

static void one_file_a_segment(void **folder)
{
	struct node_test *t = start(*folder, NULL);
	struct fx_tree *back;
	struct fx_error err = { 0 };

	assert_int_equal(node_test_tree(t, "trees", line_of(12)), FX_OK);
	assert_int_equal(node_test_tree(t, "trees", line_of(3)), FX_OK);
	assert_int_not_equal(access(test_path(*folder, "out"), F_OK), 0);
	assert_int_equal(node_test_drain(t), FX_OK);
	node_test_free(t);
	assert_int_equal(access(test_path(*folder, "out/3.swc"), F_OK), 0);
	if (fx_swc_read(test_path(*folder, "out/12.swc"), 5, &back, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(back->len == 2 && back->nodes[1].pos_nm[0] == 80);
	fx_tree_free(back);
}

static void another_life_writes_the_same(void **folder)
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };
	static const char *const names[] = { "one", "two", "three" };

	for (size_t i = 0; i < 3; i++) {
		char *place = fx_path_join(*folder, names[i]);
		struct node_test *t = start(place, lives[i]);

		for (uint64_t k = 0; k < 8; k++)
			assert_int_equal(node_test_tree(t, "trees", line_of(7 * k)), FX_OK);
		assert_int_equal(node_test_drain(t), FX_OK);
		node_test_free(t);
		test_same_folders(test_path(*folder, "one"), place);
		free(place);
	}
	assert_int_equal(test_count_files(test_path(*folder, "three"), ".swc"), 8);
}

/* A number that was written before its death counts in its next life. */
static void a_segment_comes_twice_over_two_lives(void **folder)
{
	struct node_test *t = start(*folder, NULL);

	node_test_tree(t, "trees", line_of(5));
	node_test_again(t, true);
	assert_int_equal(node_test_tree(t, "trees", line_of(6)), FX_OK);
	assert_int_equal(node_test_tree(t, "trees", line_of(5)), FX_EINVAL);
	node_test_free(t);
	t = start(*folder, NULL);
	node_test_tree(t, "trees", line_of(5));
	node_test_hostile(t);
	node_test_free(t);
}

static void units_are_stated(void **folder)
{
	const struct fx_mark open = { .kind = FX_MARK_OPEN, .voxel_nm = { 40, 8, 8 } };
	struct node_test *t = start(*folder, "unit=voxel");
	void *text;
	size_t size;

	assert_int_equal(node_test_tree(t, "trees", line_of(1)), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "unit voxel needs a voxel size"));
	assert_int_equal(node_test_mark(t, "trees", &open), FX_OK);
	assert_int_equal(node_test_tree(t, "trees", line_of(1)), FX_OK);
	assert_int_equal(node_test_drain(t), FX_OK);
	node_test_free(t);
	assert_int_equal(fx_file_read(test_path(*folder, "out/1.swc"), 4096, &text, &size, NULL),
			 FX_OK);
	assert_non_null(strstr(text, "# unit voxel\n"));
	assert_non_null(strstr(text, "2 0 0.000000 0.000000 2.000000 0.000000 1\n"));
	free(text);
}

static void failures_are_one_sentence(void **folder)
{
	struct node_test *t = start(*folder, NULL);

	assert_int_equal(node_test_tree(t, "trees", line_of(1)), FX_OK);
	assert_int_equal(node_test_tree(t, "trees", line_of(1)), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "1.swc came twice"));
	node_test_free(t);
	assert_int_equal(fx_make_dirs(test_path(*folder, "out"), NULL), FX_OK);
	test_write_file(test_path(*folder, "out/5.swc"), "mine", 4);
	t = start(*folder, NULL);
	assert_int_equal(node_test_result(t), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "holds other files"));
	node_test_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(another_life_writes_the_same, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(a_segment_comes_twice_over_two_lives,
						test_folder_make, test_folder_remove),
		cmocka_unit_test_setup_teardown(one_file_a_segment, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(units_are_stated, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(failures_are_one_sentence, test_folder_make,
						test_folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
