// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/conduct/lag.c: how far a run is behind. */
#include "support/test.h"

#include <stdlib.h>

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

static void the_receipt_has_every_section(void **unused)
{
	struct fx_lag l = { 0 };
	char *text;
	json_t *j;

	(void)unused;
	fx_lag_look(&l, 0.5, 1, 0);
	fx_lag_look(&l, 2.256, 2, 1);
	j = fx_lag_json(&l);
	text = json_dumps(j, JSON_REAL_PRECISION(5));
	assert_string_equal(text, "{\"most_sections\": 1, \"most_seconds\": 0.0, "
				  "\"acquired_seconds\": [0.5, 2.26], "
				  "\"finished_seconds\": [2.26]}");
	free(text);
	json_decref(j);
	fx_lag_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lag_is_of_the_oldest_that_is_not_finished),
		cmocka_unit_test(the_receipt_has_every_section),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
