// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/conduct/receipt.c: nothing that is missing can be left out of the receipt. */
#include "support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "conduct/run.h"

/* A run without nodes whose source has noted @p note; its receipt. */
static json_t *receipt_of(const char *note, size_t size, const char *failure, bool *complete)
{
	struct fx_graph graph = { 0 };
	struct fx_plan plan = { .graph = &graph };
	struct fx_run r = { .graph = &graph, .plan = &plan, .state_dir = test_tmp_dir() };
	char *folder = fx_path_join(r.state_dir, "missing"),
	     *path = fx_path_join(folder, "scope.0");
	char *text;
	json_t *receipt;

	assert_int_equal(fx_make_dirs(folder, NULL), FX_OK);
	if (note)
		assert_int_equal(fx_file_write(path, note, size, NULL), FX_OK);
	snprintf(r.failure, sizeof r.failure, "%s", failure);
	text = fx__receipt_text(&r, complete);
	assert_non_null(text);
	receipt = json_loads(text, 0, NULL);
	assert_non_null(receipt);
	fx_remove_tree(r.state_dir, NULL);
	free(text);
	free(path);
	free(folder);
	free(r.state_dir);
	return receipt;
}

static void a_run_without_gaps_is_complete(void **unused)
{
	bool complete;
	json_t *receipt = receipt_of(NULL, 0, "", &complete);

	(void)unused;
	assert_true(complete);
	assert_true(json_is_true(json_object_get(receipt, "complete")));
	json_decref(receipt);
}

static void what_two_lives_say_counts_once(void **unused)
{
	static const char note[] = "1 0 0 2 8 8 torn\n1 0 0 2 8 8 torn\n2 0 0 3 8 8 torn\n";
	bool complete;
	json_t *receipt = receipt_of(note, sizeof note - 1, "", &complete);

	(void)unused;
	assert_false(complete);
	assert_int_equal(json_array_size(json_object_get(receipt, "missing")), 2);
	json_decref(receipt);
}

static void names_that_are_not_utf8_do_not_hide_a_gap(void **unused)
{
	static const char note[] = "3 0 0 4 9 9 cannot open a\xff.tif\n"
				   "5 0 0 6 9 9 cannot open b.tif\n";
	bool complete;
	json_t *receipt = receipt_of(note, sizeof note - 1, "", &complete);
	const json_t *missing = json_object_get(receipt, "missing");

	(void)unused;
	assert_false(complete);
	assert_int_equal(json_array_size(missing), 2);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(missing, 0), "reason")),
		"cannot open a?.tif");
	json_decref(receipt);
}

static void a_failure_in_other_bytes_is_told(void **unused)
{
	bool complete;
	json_t *receipt = receipt_of(NULL, 0, "no \xe9 there", &complete);

	(void)unused;
	assert_false(complete);
	assert_string_equal(json_string_value(json_object_get(receipt, "failure")), "no ? there");
	json_decref(receipt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_without_gaps_is_complete),
		cmocka_unit_test(what_two_lives_say_counts_once),
		cmocka_unit_test(names_that_are_not_utf8_do_not_hide_a_gap),
		cmocka_unit_test(a_failure_in_other_bytes_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
