// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/outdir.c. */
#include "support/test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "formats/outdir.h"
#include "support/images.h"

static bool own(const char *name)
{
	return name[0] == 'o';
}

static void write_one(const char *path, const char *kind, const char *name)
{
	struct fx_outdir d = { 0 };
	struct fx_error err = { 0 };

	if (fx_outdir_begin(&d, path, kind, own, &err) < 0 ||
	    fx_outdir_write(&d, name, "x", 1, false, &err) < 0 || fx_outdir_commit(&d, &err) < 0)
		fail_msg("%s", err.text);
	fx_outdir_fini(&d);
}

static bool there(const char *folder, const char *name)
{
	return access(test_path(folder, name), F_OK) == 0;
}

static void refuse(const char *path, const char *kind, const char *text)
{
	struct fx_outdir d = { 0 };
	struct fx_error err = { 0 };

	assert_true(fx_outdir_begin(&d, path, kind, own, &err) < 0);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
	fx_outdir_fini(&d);
}

static void appears_only_when_complete(void **folder)
{
	const char *path = test_path(*folder, "a/b");
	struct fx_outdir d = { 0 };

	assert_int_equal(fx_outdir_begin(&d, path, "k", own, NULL), FX_OK);
	assert_int_equal(fx_outdir_folder(&d, "o", NULL), FX_OK);
	assert_int_equal(fx_outdir_write(&d, "o/1", "x", 1, false, NULL), FX_OK);
	assert_int_equal(fx_outdir_write(&d, "o/1", "x", 1, false, NULL), FX_EINVAL);
	assert_int_equal(fx_outdir_write(&d, "o/1", "y", 1, true, NULL), FX_OK);
	assert_false(there(*folder, "a/b"));
	fx_outdir_fini(&d);
	assert_false(there(*folder, "a/b.fornix-partial"));
	write_one(path, "k", "o1");
	assert_true(there(path, "o1") && there(path, "provenance"));
	assert_false(there(*folder, "a/b.fornix-partial"));
}

static void replaces_its_own_and_nothing_else(void **folder)
{
	const char *path = test_path(*folder, "c");

	write_one(path, "k", "o1");
	write_one(path, "k", "o2");
	assert_true(there(path, "o2") && !there(path, "o1") && !there(*folder, "c.fornix-old"));
	refuse(path, "other", "an earlier output of kind k, and this is other");
	test_write_file(test_path(path, "notes.txt"), "n", 1);
	refuse(path, "k", "holds other files, such as notes.txt");
	assert_true(there(path, "notes.txt") && there(path, "o2"));
	unlink(test_path(path, "notes.txt"));
	unlink(test_path(path, "provenance"));
	refuse(path, "k", "holds other files");
	assert_true(there(path, "o2"));
	fx_remove_tree(path, NULL);
	assert_int_equal(fx_make_dirs(path, NULL), FX_OK);
	write_one(path, "k", "o3");
	assert_true(there(path, "o3"));
}

static void two_cannot_write_to_one_folder(void **folder)
{
	const char *path = test_path(*folder, "d"), *left = test_path(*folder, "d.fornix-partial");
	struct fx_outdir d = { 0 };

	/* what a killed run left is in nobody's way */
	assert_int_equal(fx_make_dirs(left, NULL), FX_OK);
	test_write_file(test_path(left, "o9"), "x", 1);
	assert_int_equal(fx_outdir_begin(&d, path, "k", own, NULL), FX_OK);
	assert_false(there(left, "o9"));
	assert_int_equal(fx_outdir_write(&d, "o1", "x", 1, false, NULL), FX_OK);
	refuse(path, "k", "another node or run is writing there");
	assert_int_equal(fx_outdir_commit(&d, NULL), FX_OK);
	fx_outdir_fini(&d);
	assert_true(there(path, "o1"));
	write_one(path, "k", "o2");
}

static void what_cannot_be_a_folder_is_said(void **folder)
{
	test_write_file(test_path(*folder, "file"), "n", 1);
	refuse(test_path(*folder, "file"), "k", "cannot use as output folder: Not a directory");
	refuse(test_path(*folder, "file/x"), "k", "Not a directory");
	refuse("", "k", "no usable output folder");
}

static void a_full_disk_is_said(void **folder)
{
	const char *path = test_path(*folder, "full");
	const char bytes[100] = { 0 };
	struct fx_outdir d = { 0 };
	struct fx_error err = { 0 };
	struct rlimit before, small;

	assert_int_equal(fx_outdir_begin(&d, path, "k", own, NULL), FX_OK);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 10;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(fx_outdir_write(&d, "o1", bytes, sizeof bytes, false, &err), FX_EIO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_non_null(strstr(err.text, "full: cannot write o1: File too large"));
	fx_outdir_fini(&d);
	assert_false(there(*folder, "full"));
}

static void a_link_to_a_folder_stays(void **folder)
{
	const char *real = test_path(*folder, "real"), *to = test_path(*folder, "link");

	assert_int_equal(fx_make_dirs(real, NULL), FX_OK);
	assert_int_equal(symlink(real, to), 0);
	write_one(to, "k", "o1");
	write_one(to, "k", "o2");
	assert_true(there(real, "o2"));
	assert_true(there(to, "o2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appears_only_when_complete),
		cmocka_unit_test(replaces_its_own_and_nothing_else),
		cmocka_unit_test(two_cannot_write_to_one_folder),
		cmocka_unit_test(what_cannot_be_a_folder_is_said),
		cmocka_unit_test(a_full_disk_is_said),
		cmocka_unit_test(a_link_to_a_folder_stays),
	};

	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
