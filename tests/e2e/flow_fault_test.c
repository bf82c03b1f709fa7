// SPDX-License-Identifier: Apache-2.0
/* flow/fault in a graph: what ends its process costs nothing, what it drops is told as missing. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/images.h"
#include "support/outputs.h"
#include "support/run.h"

#define GRAPH	 "tests/e2e/faults.yaml"
#define RESTARTS "--restarts=100", "--quiet"

static void plain(struct test_place *p)
{
	test_run_expect(p, 0,
			(const char *[]){ "run", GRAPH, test_word("out", p->dir, "plain"), RESTARTS,
					  NULL });
}

static void ends_of_all_kinds_cost_nothing(void **state)
{
	struct test_place *p = *state;
	json_t *receipt;

	plain(p);
	test_run_expect(p, 0,
			(const char *[]){ "run", GRAPH, test_word("out", p->dir, "out"), RESTARTS,
					  "crash=0.06", "kill=0.06", "exit=0.06", "delay=0.1",
					  NULL });
	receipt = test_receipt(test_path(p->dir, "out"), true);
	assert_true(test_sum(receipt, "nodes", "restarts") >= 2);
	assert_true(test_sum(receipt, "edges", "resent") >= 2);
	json_decref(receipt);
	test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "out"));
	test_place_clean(p);
}

static void what_is_dropped_is_missing_once(void **state)
{
	struct test_place *p = *state;
	struct test_run *r =
		test_run(p, (const char *[]){ "run", GRAPH, test_word("out", p->dir, "out"),
					      RESTARTS, "drop=0.1", "kill=0.08", NULL });
	json_t *receipt = test_receipt(test_path(p->dir, "out"), false);
	const json_t *missing = json_object_get(receipt, "missing");
	size_t i, k;
	json_t *a, *b;

	assert_int_equal(r->code, 1);
	assert_non_null(strstr(r->err, "missing"));
	assert_in_range(json_array_size(missing), 1, 12); /* of 32 */
	json_array_foreach(missing, i, a)
	{
		assert_string_equal(json_string_value(json_object_get(a, "reason")),
				    "fault dropped this block, as asked");
		json_array_foreach(missing, k, b)
		{
			assert_true(i == k || !json_equal(a, b));
		}
	}
	json_decref(receipt);
	test_run_free(r);
	test_place_clean(p);
}

static void wrong_voxels_come_through(void **state)
{
	struct test_place *p = *state;
	struct test_run *r = test_run(p, (const char *[]){ "run", GRAPH, "--quiet", "corrupt=1",
							   test_word("out", p->dir, "out"), NULL });

	assert_int_equal(r->code, 0); /* no one can tell, but for those who know what is right */
	json_decref(test_receipt(test_path(p->dir, "out"), true));
	test_run_free(r);
	test_place_clean(p);
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(ends_of_all_kinds_cost_nothing),
		PLACED(what_is_dropped_is_missing_once),
		PLACED(wrong_voxels_come_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
