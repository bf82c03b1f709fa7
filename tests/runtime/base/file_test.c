// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/base/file.c: what a file that is written may leave behind. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "base/file.h"

/* A process was killed while it wrote more than is written now. */
static void what_a_killed_writer_left_is_gone(void **unused)
{
	char *dir = test_tmp_dir(), *path = fx_path_join(dir, "picture.png"),
	     *part = fx_asprintf("%s.tmp", path);
	struct fx_error err = { 0 };
	void *bytes;
	size_t size;

	(void)unused;
	assert_int_equal(fx_file_write(part, "half of it, and more", 20, &err), FX_OK);
	assert_int_equal(fx_file_write(path, "whole", 5, &err), FX_OK);
	assert_int_equal(fx_file_read(path, 100, &bytes, &size, &err), FX_OK);
	assert_int_equal(size, 5);
	assert_memory_equal(bytes, "whole", 5);
	assert_int_not_equal(access(part, F_OK), 0);
	free(bytes);

	/* nor is what lies elsewhere written over */
	assert_int_equal(symlink(path, part), 0);
	assert_int_equal(fx_file_write(path, "other", 5, &err), FX_EIO);
	assert_int_equal(fx_file_read(path, 100, &bytes, &size, &err), FX_OK);
	assert_memory_equal(bytes, "whole", 5);
	free(bytes);
	assert_int_equal(fx_remove_tree(dir, NULL), FX_OK);
	free(part);
	free(path);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_a_killed_writer_left_is_gone) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
