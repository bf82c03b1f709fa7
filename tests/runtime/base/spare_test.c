// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/base/spare.c. */
#include "support/test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/spare.h"

static void says_what_may_be_opened(void **unused)
{
	struct rlimit before, low;
	struct fx_error err = { 0 };
	size_t spare = 0;

	(void)unused;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = before;
	low.rlim_cur = 40;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	for (int fd = 0; fd < 40; fd++)
		spare += fcntl(fd, F_GETFD) < 0;
	assert_true(spare > 1);
	assert_int_equal(fx_spare_files(0, &err), FX_OK);
	assert_int_equal(fx_spare_files(spare, &err), FX_OK);
	assert_int_equal(fx_spare_files(spare + 1, &err), FX_EIO);
	assert_non_null(strstr(err.text, " more files: Too many open files; allow more (ulimit "
					 "-n)"));
	assert_int_equal(fx_spare_files(spare, &err), FX_OK); /* all were closed again */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(says_what_may_be_opened) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
