// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/conduct/supervise.c. This program is also the one that the conductor starts as each
 * node, and as such dies in the way that TEST_DIES says. */
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "conduct/run.h"
#include "support/process.h"

/* How a process dies before it does anything: its name, its last epoch, and the way. */
static void die(const struct fx_wiring *w)
{
	char name[8], way[8];
	unsigned epochs;

	if (sscanf(getenv("TEST_DIES"), "%7s %u %7s", name, &epochs, way) != 3 ||
	    strcmp(name, w->node) != 0 || w->epoch >= epochs)
		return;
	fx_log(FX_LOG_ERROR, "no licence\tfor %s", w->node);
	fx_log(FX_LOG_INFO, "bye");
	if (strcmp(way, "kill") == 0)
		raise(SIGKILL);
	else if (strcmp(way, "abort") == 0)
		abort();
	_exit(3);
}

/* Receipt of a run in which processes die as @p dies says; what of the run must be @p result. */
static json_t *run(const char *dies, const char *low, struct fx_restarts restarts, int result)
{
	const struct fx_run_options o = { .quiet = true,
					  .http_port = FX_HTTP_OFF,
					  .restarts = restarts };
	char text[400];

	snprintf(text, sizeof text,
		 "version: 1\n"
		 "nodes:\n"
		 "  a: { type: acquire/phantom, set: { size: 4 32 32, voxel: 40 8 8 } }\n"
		 "  b: { type: normalizer/stretch, from: { image: a.image }, set: { low: %s } }\n"
		 "  c: { type: flow/pass, from: { in: b.out } }\n",
		 low);
	setenv("TEST_DIES", dies, 1);
	return test_graph_run(text, fx_builtin_nodes, &o, result);
}

/* The failure begins with @p start, and so many processes were started again. */
static void expect(json_t *receipt, const char *start, int restarts)
{
	const char *failure = json_string_value(json_object_get(receipt, "failure"));

	if (strncmp(failure, start, strlen(start)) != 0)
		fail_msg("\"%s\", not \"%s\"", failure, start);
	assert_int_equal(test_restarts(receipt), restarts);
	json_decref(receipt);
}

static const struct fx_restarts two = { 2, 600 };

static void death_at_the_start_is_told_at_once(void **unused)
{
	(void)unused;
	expect(run("c 9 abort", "1", two, FX_END),
	       "c (flow/pass): was killed by signal 6 (Aborted) while it started; it said last: no "
	       "licence for c\n  its log: ",
	       0);
	expect(run("a 9 exit", "1", two, FX_END),
	       "a (acquire/phantom): ended with exit code 3 while it started; it said last: no "
	       "licence for a\n  its log: ",
	       0);
}

static void failure_of_init_is_told_at_once(void **unused)
{
	(void)unused;
	expect(run("-", "99.9", two, FX_END),
	       "b (normalizer/stretch): low 99.9 must be below high ", 0);
}

/* Also with state: it held nothing yet. */
static void killed_at_the_start_it_starts_again(void **unused)
{
	json_t *receipt;

	(void)unused;
	receipt = run("a 1 kill", "1", two, FX_OK);
	assert_true(json_is_true(json_object_get(receipt, "complete")));
	expect(receipt, "", 1);
	expect(run("c 2 kill", "1", two, FX_OK), "", 2);
}

static void the_budget_is_kept(void **unused)
{
	(void)unused;
	expect(run("c 9 kill", "1", two, FX_END),
	       "c (flow/pass): was killed by signal 9 (Killed), after it was started again 2 times "
	       "within 600 s; it said last: no licence for c\n",
	       2);
	expect(run("c 9 kill", "1", (struct fx_restarts){ 0, 1 }, FX_END),
	       "c (flow/pass): was killed by signal 9 (Killed), after it was started again 0 times "
	       "within 1 s",
	       0);
}

static void waits_grow_and_are_forgotten(void **unused)
{
	const int64_t second = INT64_C(1000000000);
	const struct fx_restarts nine = { 9, 60 };
	struct fx_budget b = { 0 };
	int64_t now = 5 * second;

	(void)unused;
	for (int k = 0; k < 9; k++)
		assert_int_equal(fx__budget_take(&b, &nine, now + k * second),
				 k < 7 ? 100 << k : 10000);
	assert_int_equal(fx__budget_take(&b, &nine, now + 59 * second), -1);
	assert_int_equal(fx__budget_take(&b, &nine, now + 60 * second), 10000); /* 8 are left */
	assert_int_equal(fx__budget_take(&b, &nine, now + 60 * second), -1);
	assert_int_equal(fx__budget_take(&b, &nine, now + 119 * second), 200); /* one is left */
	assert_int_equal(fx__budget_take(&b, &nine, now + 500 * second), 100);
}

static void last_words(void **unused)
{
	static const struct {
		const char *log, *words;
	} all[] = {
		{ "", "" },
		{ "one\ntwo\n", "two" },
		{ "one\n\n", "one" },
		{ "cut\x01 here", "cut  here" },
		{ "10:00:00.000Z b error: why\n10:00:01.000Z b info: bye\n", "why" },
		{ "10:00:00.000Z b error: why\n10:00:01.000Z b error: and so\n", "and so" },
		{ "==7==ERROR: bad\nSUMMARY: worse\n", "SUMMARY: worse" },
	};
	char *dir = test_tmp_dir(), *path = fx_path_join(dir, "log"), text[64], large[9000];

	(void)unused;
	fx__last_words(path, text, sizeof text);
	assert_string_equal(text, "");
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		assert_int_equal(fx_file_write(path, all[i].log, strlen(all[i].log), NULL), FX_OK);
		fx__last_words(path, text, sizeof text);
		assert_string_equal(text, all[i].words);
	}
	memset(large, 'x', sizeof large);
	memcpy(large + sizeof large - 6, "\nlast\n", 6);
	assert_int_equal(fx_file_write(path, large, sizeof large, NULL), FX_OK);
	fx__last_words(path, text, sizeof text);
	assert_string_equal(text, "last");
	fx_remove_tree(dir, NULL);
	free(path);
	free(dir);
}

/* Runs that fail leave their logs: in a folder of their own. */
static int begin(void **state)
{
	*state = test_tmp_dir();
	return setenv("TMPDIR", *state, 1);
}

static int end(void **state)
{
	const int result = fx_remove_tree(*state, NULL);

	free(*state);
	return result;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_grow_and_are_forgotten),
		cmocka_unit_test(last_words),
		cmocka_unit_test(death_at_the_start_is_told_at_once),
		cmocka_unit_test(failure_of_init_is_told_at_once),
		cmocka_unit_test(killed_at_the_start_it_starts_again),
		cmocka_unit_test(the_budget_is_kept),
	};

	if (test_is_node(argc, argv))
		return test_node_main(argv, fx_builtin_nodes, die);
	return cmocka_run_group_tests(tests, begin, end);
}
