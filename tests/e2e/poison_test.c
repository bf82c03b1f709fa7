// SPDX-License-Identifier: Apache-2.0
/* A message that kills its node again and again is set aside; the rest comes through. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/images.h"
#include "support/outputs.h"
#include "support/run.h"

#define FAULTS	"tests/e2e/faults.yaml"
#define FRAGILE "tests/e2e/fragile.yaml"

/* The receipt of a run that set @p n messages aside, each once, and lost nothing else. */
static void expect_aside(struct test_place *p, struct test_run *r, size_t n)
{
	const char *out = test_path(p->dir, "out");
	json_t *receipt = test_receipt(out, false);
	const json_t *missing = json_object_get(receipt, "missing");
	const json_t *dead = json_object_get(receipt, "dead_letters");
	json_t *m;
	size_t i;

	assert_int_equal(r->code, 1);
	assert_true(json_is_true(json_object_get(receipt, "adds_up")));
	assert_string_equal(json_string_value(json_object_get(receipt, "failure")), "");
	assert_int_equal(json_array_size(missing), n);
	assert_int_equal(json_array_size(dead), n);
	assert_int_equal(test_sum(receipt, "nodes", "restarts"), 3 * (json_int_t)n);
	json_array_foreach(missing, i, m)
	{
		const char *reason = json_string_value(json_object_get(m, "reason"));

		assert_non_null(strstr(reason, "set aside: "));
		assert_non_null(strstr(reason, "was killed by signal 6 (Aborted)"));
	}
	for (i = 0; i < n; i++) {
		const char *letter = json_string_value(json_array_get(dead, i));

		assert_non_null(strstr(r->err, letter));
		assert_true(test_is_there(letter, "message"));
		assert_true(test_is_there(letter, "letter.json"));
		assert_true(test_is_there(letter, "log"));
	}
	assert_non_null(strstr(r->err, "to be looked into by: fornix replay "));
	json_decref(receipt);
}

static void of_workers(void **state)
{
	struct test_place *p = *state;
	struct test_run *r =
		test_run(p, (const char *[]){ "run", FAULTS, "crash=0.06", "always=yes",
					      test_word("out", p->dir, "out"), "fault=1", NULL });

	expect_aside(p, r, 2);
	test_run_free(r);
	test_place_clean_but_logs(p);
}

static void of_a_node_with_state(void **state)
{
	struct test_place *p = *state;
	const char *out = test_path(p->dir, "out");
	struct test_run *r;
	json_t *letter;

	setenv("FX_NODE_PATH", getenv("FORNIX_TEST_NODES"), 1);
	r = test_run(p, (const char *[]){ "run", FRAGILE, "at=16 0 16",
					  test_word("out", p->dir, "out"), NULL });
	unsetenv("FX_NODE_PATH");
	expect_aside(p, r, 1);
	letter = test_json(out, "dead-letters/fragile-in-7/letter.json");
	assert_string_equal(json_string_value(json_object_get(letter, "type")), "flow/fragile");
	assert_int_equal(json_integer_value(json_array_get(
				 json_object_get(json_object_get(letter, "region"), "lo"), 2)),
			 16);
	json_decref(letter);
	test_run_free(r);
	test_place_clean_but_logs(p);
}

/* With fewer restarts than it takes to blame a message, the run ends as before. */
static void without_restarts_the_run_fails(void **state)
{
	struct test_place *p = *state;
	struct test_run *r = test_run(p, (const char *[]){ "run", FAULTS, "crash=0.06",
							   "always=yes", "--restarts=1",
							   test_word("out", p->dir, "out"), NULL });

	assert_int_equal(r->code, 1);
	assert_non_null(strstr(r->err, "was killed by signal 6 (Aborted), after it was started "
				       "again 1 times"));
	test_run_free(r);
	test_place_clean_but_logs(p);
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(of_workers),
		PLACED(of_a_node_with_state),
		PLACED(without_restarts_the_run_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
