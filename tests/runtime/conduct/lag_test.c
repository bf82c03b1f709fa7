// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/conduct/lag.c: how far a run is behind. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "conduct/lag.h"

static void lag_is_of_the_oldest_that_is_not_finished(void **unused)
{
	struct fx_lag l = { 0 };

	(void)unused;
	fx_lag_look(&l, 1, 0, 0);
	assert_true(fx_lag_seconds(&l, 1) == 0);
	fx_lag_look(&l, 2, 3, 0);
	fx_lag_look(&l, 4, 5, 0);
	assert_true(fx_lag_seconds(&l, 6) == 4);
	fx_lag_look(&l, 7, 5, 4);
	assert_true(fx_lag_seconds(&l, 7) == 3);
	fx_lag_look(&l, 8, 5, 9); /* not more than there are */
	assert_true(fx_lag_seconds(&l, 9) == 0);
	assert_int_equal(l.most_sections, 5);
	assert_true(l.most_s == 3);
	fx_lag_fini(&l);
}

static void a_line_a_section_is_written(void **unused)
{
	char path[] = "/tmp/fornix-lag-XXXXXX";
	struct fx_error err = { 0 };
	struct fx_lag l = { 0 };
	void *text;
	size_t size;

	(void)unused;
	close(mkstemp(path));
	fx_lag_look(&l, 0.5, 1, 0);
	fx_lag_look(&l, 2, 2, 1);
	assert_int_equal(fx_lag_write(&l, path, &err), FX_OK);
	assert_int_equal(fx_file_read(path, 4096, &text, &size, &err), FX_OK);
	assert_string_equal(text, "section,acquired_s,finished_s\n0,0.50,2.00\n1,2.00,\n");
	free(text);
	unlink(path);
	fx_lag_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lag_is_of_the_oldest_that_is_not_finished),
		cmocka_unit_test(a_line_a_section_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
