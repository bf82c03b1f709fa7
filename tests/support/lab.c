// SPDX-License-Identifier: Apache-2.0
/* lab.c: machines to test on. */
#include "support/test.h"

#include "support/lab.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/file.h"
#include "support/images.h"

#define LAB "tests/e2e/lab.sh"

int test_lab(const struct test_lab *l, const char *what, const char *more)
{
	char *command = fx_asprintf("sh %s %s %s %s", LAB, what, l->dir, more);
	const int status = system(command);

	free(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int test_lab_setup(void **state)
{
	struct test_lab *l = calloc(1, sizeof *l);
	struct fx_error err = { 0 };
	void *text;
	size_t size;
	int code;

	assert_non_null(l);
	l->place = test_place_new();
	l->dir = fx_strdup(test_path(l->place->dir, "lab"));
	assert_int_equal(mkdir(l->dir, 0700), 0);
	setenv("FORNIX_LAB_TMP", l->place->tmp, 1);
	code = test_lab(l, "up", "");
	if (code == 0) {
		assert_int_equal(fx_file_read(test_path(l->dir, "prefix"), 64, &text, &size, &err),
				 FX_OK);
		l->prefix = text;
		l->prefix[strcspn(l->prefix, "\n")] = 0;
	} else if (code != TEST_LAB_NONE) {
		fail_msg("%s up ended with %d", LAB, code);
	}
	*state = l;
	return 0;
}

int test_lab_teardown(void **state)
{
	struct test_lab *l = *state;

	test_lab(l, "down", "");
	test_place_free(l->place);
	free(l->dir);
	free(l->prefix);
	free(l);
	return 0;
}
