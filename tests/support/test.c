// SPDX-License-Identifier: Apache-2.0
/* test.c: what all tests share. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"

const char *test_data_dir(void)
{
	const char *dir = getenv("FORNIX_DATA");

	return dir && fx_is_dir(dir) ? dir : NULL;
}

void test_skip(const char *what)
{
	print_message("skipped: %s (set FORNIX_DATA to the data folder)\n", what);
	skip();
}

char *test_tmp_dir(void)
{
	char *dir = fx_strdup("/tmp/fornix-test-XXXXXX");

	if (!dir || !mkdtemp(dir))
		fail_msg("cannot make a folder under /tmp");
	return dir;
}

int test_folder_make(void **folder)
{
	*folder = test_tmp_dir();
	return 0;
}

int test_folder_remove(void **folder)
{
	fx_remove_tree(*folder, NULL);
	free(*folder);
	return 0;
}

uint64_t test_random(uint64_t *seed)
{
	uint64_t x = *seed ? *seed : 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *seed = x;
}
