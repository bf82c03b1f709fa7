// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/outplace.c: complete or not there, and nothing else is touched. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "formats/outplace.h"
#include "support/images.h"
#include "support/outputs.h"

static int begin(struct fx_outplace *o, const char *path, bool folder, bool replace,
		 struct fx_error *err)
{
	memset(err, 0, sizeof *err);
	return fx_outplace_begin(o, path, folder, replace, err);
}

static void put(const struct fx_outplace *o, const char *text)
{
	assert_int_equal(fx_pwrite_all(o->lock, text, strlen(text), 0), 0);
}

static void expect_text(const char *path, const char *want)
{
	void *text;
	size_t size;

	assert_int_equal(fx_file_read(path, 100, &text, &size, NULL), FX_OK);
	assert_string_equal(text, want);
	free(text);
}

static void a_file_appears_at_the_commit(void **unused)
{
	char *dir = test_tmp_dir();
	const char *path = test_path(dir, "a/b/x");
	struct fx_outplace o = { 0 }, other = { 0 };
	struct fx_error err;

	(void)unused;
	assert_int_equal(begin(&o, path, false, false, &err), FX_OK);
	put(&o, "one");
	assert_int_equal(begin(&other, path, false, true, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "another run is writing there"));
	fx_outplace_fini(&other);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(fx_outplace_commit(&o, &err), FX_OK);
	fx_outplace_fini(&o);
	expect_text(path, "one");

	assert_int_equal(begin(&o, path, false, false, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "is there already; --force (replace of a node)"));
	fx_outplace_fini(&o);
	assert_int_equal(begin(&o, path, false, true, &err), FX_OK);
	put(&o, "two");
	fx_outplace_fini(&o); /* given up */
	expect_text(path, "one");
	assert_int_equal(begin(&o, path, false, true, &err), FX_OK);
	put(&o, "two");
	assert_int_equal(fx_outplace_commit(&o, &err), FX_OK);
	fx_outplace_fini(&o);
	expect_text(path, "two");
	assert_int_equal(begin(&o, path, true, true, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "is a file, which a folder does not replace"));
	fx_outplace_fini(&o);
	assert_int_equal(test_count_files(dir, ""), 1);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void a_folder_replaces_volumes_alone(void **unused)
{
	char *dir = test_tmp_dir();
	const char *path = test_path(dir, "x");
	struct fx_outplace o = { 0 };
	struct fx_error err;

	(void)unused;
	assert_int_equal(fx_make_dirs(path, NULL), FX_OK);
	test_write_file(test_path(path, "letters.txt"), "a", 1);
	assert_int_equal(begin(&o, path, true, true, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "holds something else than a volume or skeletons"));
	fx_outplace_fini(&o);
	test_write_file(test_path(path, "info"), "{}", 2);
	assert_int_equal(begin(&o, path, true, false, &err), FX_EINVAL);
	fx_outplace_fini(&o);
	assert_int_equal(begin(&o, path, true, true, &err), FX_OK);
	test_write_file(test_path(o.partial, "new"), "b", 1);
	expect_text(test_path(path, "letters.txt"), "a");
	assert_int_equal(fx_outplace_commit(&o, &err), FX_OK);
	fx_outplace_fini(&o);
	expect_text(test_path(path, "new"), "b");
	assert_int_equal(test_count_files(dir, ""), 1);
	fx_remove_tree(dir, NULL);
	free(dir);
}

/* What a killed run left goes, and is no reason to stop. */
static void what_was_left_is_removed(void **unused)
{
	char *dir = test_tmp_dir();
	const char *left = test_path(dir, "x.fornix-partial");
	struct fx_outplace o = { 0 };
	struct fx_error err;

	(void)unused;
	assert_int_equal(fx_make_dirs(left, NULL), FX_OK);
	test_write_file(test_path(left, "old"), "a", 1);
	assert_int_equal(begin(&o, test_path(dir, "x"), false, false, &err), FX_OK);
	put(&o, "x");
	assert_int_equal(fx_outplace_commit(&o, &err), FX_OK);
	fx_outplace_fini(&o);
	test_write_file(left, "a", 1);
	assert_int_equal(begin(&o, test_path(dir, "y/"), true, false, &err), FX_OK);
	assert_int_equal(fx_outplace_commit(&o, &err), FX_OK);
	fx_outplace_fini(&o);
	assert_true(fx_is_dir(test_path(dir, "y")));
	fx_remove_tree(dir, NULL);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_appears_at_the_commit),
		cmocka_unit_test(a_folder_replaces_volumes_alone),
		cmocka_unit_test(what_was_left_is_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
