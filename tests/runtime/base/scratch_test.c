// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/base/scratch.c. */
#include "support/test.h"

#include "base/scratch.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static size_t entries(const char *folder)
{
	DIR *d = opendir(folder);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2; /* . and .. */
}

static void check(const char *folder)
{
	struct fx_scratch s = { 0 };

	assert_int_equal(fx_scratch_open(&s, 100001, folder, NULL), FX_OK);
	assert_int_equal(s.mapped, folder != NULL);
	assert_int_equal((uintptr_t)s.data % 64, 0);
	memset(s.data, 5, 100001);
	assert_int_equal(((char *)s.data)[100000], 5);
	fx_scratch_close(&s);
	assert_null(s.data);
	fx_scratch_close(&s);
}

static void holds_memory(void **unused)
{
	char *folder = test_tmp_dir();

	(void)unused;
	check(NULL);
	check(folder);
	assert_int_equal(entries(folder), 0);
	fx_remove_tree(folder, NULL);
	free(folder);
}

static void says_what_is_wrong(void **unused)
{
	struct fx_scratch s = { 0 };
	struct fx_error err = { 0 };
	char *folder = test_tmp_dir();

	(void)unused;
	assert_int_equal(fx_scratch_open(&s, 4096, "/nonexistent", &err), FX_EIO);
	assert_non_null(strstr(err.text, "/nonexistent"));
	assert_int_equal(fx_scratch_open(&s, SIZE_MAX - 1, folder, &err), FX_EIO);
	assert_int_equal(fx_scratch_open(&s, SIZE_MAX - 1, NULL, &err), FX_ENOMEM);
	assert_int_equal(entries(folder), 0);
	fx_remove_tree(folder, NULL);
	free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_memory),
		cmocka_unit_test(says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
