// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/folder.c. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "formats/folder.h"
#include "support/images.h"

enum { LOOKS = 30000 }; /* a minute */

/* What was told, as a line of "path:news" with a space behind each, in the order of the alphabet
 * when it was told in one look. */
struct heard {
	char lines[40][64];
	size_t len;
};

static int hear(void *context, const struct fx_folder_file *f)
{
	struct heard *h = context;

	assert_true(h->len < 40);
	snprintf(h->lines[h->len++], sizeof h->lines[0], "%s:%c", f->path, "fcg"[f->news]);
	return FX_OK;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Looks until something is told that ends with @p last, and checks all that was told, without
 * repeats. */
static void expect(struct fx_folder *f, const char *all)
{
	struct heard h = { 0 };
	const struct fx_folder_reader r = { hear, &h };
	struct fx_error err = { 0 };
	char text[400] = "";
	size_t at = 0;

	for (int i = 0; i < LOOKS && !h.len; i++) {
		if (fx_folder_look(f, &r, &err) < 0)
			fail_msg("%s", err.text);
		if (!h.len && *all)
			fx_sleep_ms(2);
		else
			break;
	}
	qsort(h.lines, h.len, sizeof h.lines[0], by_text);
	for (size_t i = 0; i < h.len; i++)
		if (!i || strcmp(h.lines[i - 1], h.lines[i]) != 0)
			at += (size_t)snprintf(text + at, sizeof text - at, "%s ", h.lines[i]);
	assert_string_equal(text, all);
}

static void put(const char *folder, const char *name)
{
	test_write_file(test_path(folder, name), "x", 1);
}

static void the_kernel_tells(void **folder)
{
	struct fx_folder f = { 0 };

	put(*folder, "a");
	put(*folder, ".hidden");
	fx_make_dirs(test_path(*folder, "sub/deep"), NULL);
	put(*folder, "sub/deep/b");
	assert_int_equal(fx_folder_open(&f, *folder, FX_FOLDER_INOTIFY, 1, NULL), FX_OK);
	expect(&f, "a:f sub/deep/b:f ");
	assert_int_equal(f.scans, 1);
	expect(&f, "");
	put(*folder, "c"); /* created, written and closed */
	expect(&f, "c:c c:f ");
	put(*folder, ".d.part");
	assert_int_equal(rename(test_path(*folder, ".d.part"), test_path(*folder, "sub/d")), 0);
	expect(&f, "sub/d:c ");
	unlink(test_path(*folder, "a"));
	expect(&f, "a:g ");
	fx_make_dirs(test_path(*folder, "new"), NULL);
	put(*folder, "new/e"); /* before anyone looks into the new folder */
	expect(&f, "new/e:f ");
	put(*folder, "new/g");
	expect(&f, "new/g:c new/g:f ");
	assert_int_equal(rename(test_path(*folder, "new"), test_path(*folder, "newer")), 0);
	expect(&f, "c:f newer/e:f newer/g:f sub/d:f sub/deep/b:f ");
	assert_int_equal(f.scans, 2); /* all, as a folder went away */
	put(*folder, "newer/h");
	expect(&f, "newer/h:c newer/h:f ");
	fx_folder_close(&f);
}

static void polling_looks_again(void **folder)
{
	struct fx_folder f = { 0 };
	int64_t start;

	put(*folder, "a");
	assert_int_equal(fx_folder_open(&f, *folder, FX_FOLDER_POLL, 0.05, NULL), FX_OK);
	start = fx_now_ns();
	expect(&f, "a:f ");
	put(*folder, "b");
	expect(&f, "a:f b:f ");
	assert_true(fx_now_ns() - start >= 50000000 && f.scans == 2);
	fx_folder_rescan(&f);
	expect(&f, "a:f b:f ");
	fx_folder_close(&f);
}

static void a_folder_that_is_gone(void **folder)
{
	struct heard heard = { .len = 0 };
	const struct fx_folder_reader r = { hear, &heard };
	struct fx_error err = { 0 };

	for (int way = FX_FOLDER_INOTIFY; way <= FX_FOLDER_POLL; way++) {
		struct fx_folder f = { 0 };
		int result = FX_OK;

		fx_make_dirs(*folder, NULL);
		put(*folder, "a");
		fx_folder_open(&f, *folder, (enum fx_folder_way)way, 0.01, NULL);
		expect(&f, "a:f ");
		fx_remove_tree(*folder, NULL);
		for (int i = 0; i < LOOKS && result == FX_OK; i++) {
			fx_sleep_ms(2);
			result = fx_folder_look(&f, &r, &err);
		}
		assert_int_equal(result, FX_EIO);
		assert_non_null(strstr(err.text, "the folder has vanished"));
		fx_folder_close(&f);
	}
}

static void depth_is_bounded(void **folder)
{
	struct fx_folder f = { 0 };

	fx_make_dirs(test_path(*folder, "1/2/3/4/5/6/7/8/9"), NULL);
	put(*folder, "1/2/3/4/5/6/7/8/a");
	put(*folder, "1/2/3/4/5/6/7/8/9/b");
	assert_int_equal(symlink(".", test_path(*folder, "1/2/3/4/5/6/7/8/loop")), 0);
	fx_folder_open(&f, *folder, FX_FOLDER_AUTO, 1, NULL);
	expect(&f, "1/2/3/4/5/6/7/8/a:f ");
	fx_folder_close(&f);
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, test_folder_make, test_folder_remove)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(the_kernel_tells),
		IN_FOLDER(polling_looks_again),
		IN_FOLDER(a_folder_that_is_gone),
		IN_FOLDER(depth_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
