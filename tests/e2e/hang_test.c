// SPDX-License-Identifier: Apache-2.0
/* Processes that stand still: they start again after --hang, and the output is the same; what only
 * waits is left alone. One that uses too much memory ends the run. */
#include "support/test.h"

#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "support/images.h"
#include "support/metrics.h"
#include "support/outputs.h"
#include "support/run.h"

#define LEAN	 "tests/e2e/lean.yaml"
#define SECTIONS "tests/e2e/sections.yaml"
#define MANY	 "size=32 64 64", "block=16 16 16" /* 32 blocks */
/* Sources have not ended, whatever waits on the way, when the first blocks are segmented. */
#define MORE "size=64 64 64", "block=16 16 16"
#define SEGMENT0                                                                                   \
	"fornix_node_messages{node=\"segment\",type=\"segmenter/watershed\",instance=\"0\"} "

/* A run of which a process is stopped when workers have done something. */
static struct test_run *run_stopped(struct test_place *p, const char *hang, const char *words,
				    pid_t *stopped)
{
	struct test_run *r =
		test_run_start(p, (const char *[]){ "run", LEAN, test_word("out", p->dir, "out"),
						    MORE, hang, NULL });

	test_metrics_await(r, SEGMENT0, 2);
	*stopped = test_place_hold(p, words);
	return r;
}

/* All is there, with so many restarts. */
static void expect_all(struct test_place *p, struct test_run *r, json_int_t restarts)
{
	json_t *receipt;

	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	receipt = test_receipt(test_path(p->dir, "out"), true);
	assert_int_equal(test_sum(receipt, "nodes", "restarts"), restarts);
	json_decref(receipt);
}

/* One without state, one with state, a source. */
static void what_is_stopped_starts_again(void **state)
{
	static const char *const which[][2] = {
		{ "node segment.0 ", "segment.0 hung: stopped by a signal for 1 s " },
		{ "node whole.0 ", "whole.0 hung: stopped by a signal for 1 s " },
		{ "node scope.0 ", "scope.0 hung: stopped by a signal for 1 s " },
	};
	struct test_place *p = *state;

	test_run_expect(p, 0,
			(const char *[]){ "run", LEAN, test_word("out", p->dir, "plain"), MORE,
					  "--quiet", NULL });
	for (size_t i = 0; i < sizeof which / sizeof *which; i++) {
		pid_t stopped;
		struct test_run *r = run_stopped(p, "--hang=1", which[i][0], &stopped);

		expect_all(p, r, 1);
		if (!strstr(r->err, which[i][1]))
			fail_msg("said: %s", r->err);
		test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "out"));
		test_run_free(r);
	}
	test_place_clean(p);
}

static void one_that_goes_on_in_time_is_left_alone(void **state)
{
	static const char *const hang[] = { "--hang=200", "--hang=0" };
	struct test_place *p = *state;

	for (size_t i = 0; i < 2; i++) {
		pid_t worker;
		struct test_run *r = run_stopped(p, hang[i], "node segment.0 ", &worker);

		fx_sleep_ms(1500);
		kill(worker, SIGCONT);
		expect_all(p, r, 0);
		test_run_free(r);
	}
	test_place_clean(p);
}

static void one_that_waits_for_files_is_left_alone(void **state)
{
	static const struct test_sections sections = { 95, 4, 48, 56, 8 };
	struct test_place *p = *state;
	struct test_run *r;

	test_write_sections(test_path(p->dir, "in"), &sections);
	r = test_run_start(p, (const char *[]){ "run", SECTIONS, "--hang=1",
						test_word("sections", p->dir, "in"),
						test_word("out", p->dir, "out"), "acquire=watch",
						"silence=4 s", NULL });
	expect_all(p, r, 0);
	test_run_free(r);
	test_place_clean(p);
}

static void over_its_limit_it_ends_the_run_which_goes_on_with_more(void **state)
{
	struct test_place *p = *state;
	const char *out = test_word("out", p->dir, "out");
	struct test_run *r;

	test_run_expect(p, 0,
			(const char *[]){ "run", LEAN, test_word("out", p->dir, "plain"), MANY,
					  "--quiet", NULL });
	r = test_run(p, (const char *[]){ "run", LEAN, out, MANY, "limit=16", "--quiet", NULL });
	if (r->code != 1 || !strstr(r->err, "fornix: trace (skeletonizer/teasar): used ") ||
	    !strstr(r->err, " MiB, more than its limit of 16 MiB (tests/e2e/lean.yaml:"))
		fail_msg("ended with %d: %s", r->code, r->err);
	test_run_free(r);
	r = test_run_start(
		p, (const char *[]){ "run", LEAN, out, MANY, "limit=4 GiB", "--resume", NULL });
	expect_all(p, r, 0);
	test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "out"));
	test_run_free(r);
	test_place_clean_but_logs(p);
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(what_is_stopped_starts_again),
		PLACED(one_that_goes_on_in_time_is_left_alone),
		PLACED(one_that_waits_for_files_is_left_alone),
		PLACED(over_its_limit_it_ends_the_run_which_goes_on_with_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
