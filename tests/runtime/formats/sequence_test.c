// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/sequence.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "formats/sequence.h"
#include "support/images.h"

static void numbers_are_found_in_names(void **unused)
{
	(void)unused;
	assert_int_equal(fx_sequence_number("z012.png", "*"), 12);
	assert_int_equal(fx_sequence_number("iso.2600.TIFF", "*"), 2600);
	assert_int_equal(fx_sequence_number("run3_z7_8nm.tif", "*"), 8);
	assert_int_equal(fx_sequence_number("run3_z7_8nm.tif", "run3_z#_*"), 7);
	assert_int_equal(fx_sequence_number("run3_z7_8nm.tif", "*_#nm.tif"), 8);
	assert_int_equal(fx_sequence_number("run3_z7_8nm.tif", "x#*"), -2);
	assert_int_equal(fx_sequence_number("z012.png", "z*.tif"), -2);
	assert_int_equal(fx_sequence_number(".z012.png", "*"), -2);
	assert_int_equal(fx_sequence_number("z012.txt", "*"), -2);
	assert_int_equal(fx_sequence_number("z012", "*"), -2);
	assert_int_equal(fx_sequence_number("overview.png", "*"), -1);
	assert_int_equal(fx_sequence_number("1234567890123456.png", "*"), -1);
}

static void a_scan_sorts(void **unused)
{
	char *dir = test_tmp_dir();
	struct fx_sequence s = { 0 };
	struct fx_error err = { 0 };

	(void)unused;
	test_write_file(test_path(dir, "z10.png"), "a", 1);
	test_write_file(test_path(dir, "z9.png"), "a", 1);
	test_write_file(test_path(dir, "notes.txt"), "a", 1);
	assert_int_equal(fx_sequence_scan(&s, dir, "*", &err), FX_OK);
	assert_int_equal(s.len, 2);
	assert_string_equal(s.files[0].name, "z9.png");
	assert_ptr_equal(fx_sequence_find(&s, 10), &s.files[1]);
	assert_null(fx_sequence_find(&s, 11));
	test_write_file(test_path(dir, "z009.tif"), "a", 1);
	assert_int_equal(fx_sequence_scan(&s, dir, "*", &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "z009.tif and z9.png both have number 9"));
	fx_remove_tree(dir, NULL);
	assert_int_equal(fx_sequence_scan(&s, dir, "*", &err), FX_ENOENT);
	assert_int_equal(s.len, 2);
	fx_sequence_fini(&s);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_found_in_names),
		cmocka_unit_test(a_scan_sorts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
