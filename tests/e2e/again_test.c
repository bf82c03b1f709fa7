// SPDX-License-Identifier: Apache-2.0
/* Sources and nodes with state are killed, also all at once, also with their conductor: what comes
 * out is the same, byte for byte. */
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/images.h"
#include "support/metrics.h"
#include "support/outputs.h"
#include "support/run.h"

#define LEAN	 "tests/e2e/lean.yaml"
#define MANY	 "size=48 64 64", "block=16 16 16" /* 48 blocks */
#define TRUTH	 "fornix_edge_acked{from=\"truth_tiles.blocks\",to=\"score.truth\"} "
#define STITCHED "fornix_edge_acked{from=\"segment.labels\",to=\"whole.labels\"} "

enum { SOON_MS = 500 }; /* for END behind the last block; a shorter time would make it see less */

static void run_plain(struct test_place *p)
{
	test_run_expect(p, 0,
			(const char *[]){ "run", LEAN, test_word("out", p->dir, "plain"), MANY,
					  "--quiet", NULL });
}

static void expect_same_bytes(struct test_place *p, struct test_run *r, json_int_t restarts)
{
	const char *out = test_path(p->dir, "again");
	json_t *receipt;

	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	receipt = test_receipt(out, true);
	assert_true(test_sum(receipt, "nodes", "restarts") >= restarts);
	json_decref(receipt);
	assert_false(test_is_there(out, ".fornix"));
	test_same_folders(test_path(p->dir, "plain"), out);
	test_run_free(r);
}

static void expect_the_same(struct test_place *p, struct test_run *r, json_int_t restarts)
{
	expect_same_bytes(p, r, restarts);
	test_place_clean(p);
}

static void kill_words(struct test_place *p, const char *words)
{
	const pid_t pid = test_place_process(p, words);

	if (pid)
		kill(pid, SIGKILL);
}

/* Kills each node, and then all at once. */
static void kill_every_node(struct test_place *p, const char *save_every)
{
	static const char *const all[] = {
		"node scope.0", "node even.0",	"node tiles.0",	      "node segment.0",
		"node whole.0", "node trace.0", "node save_labels.0", "node save_swc.0",
	};
	struct test_run *r;

	run_plain(p);
	r = test_run_start(p, (const char *[]){ "run", LEAN, test_word("out", p->dir, "again"),
						MANY, "--restarts=40", save_every, NULL });
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		test_metrics_await(r, STITCHED, 2 + 4 * (double)i);
		kill_words(p, all[i]);
	}
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) /* and all at once */
		kill_words(p, all[i]);
	expect_the_same(p, r, 10);
}

static void every_node_may_be_killed(void **state)
{
	kill_every_node(*state, "--save-every=32"); /* MiB: journals alone */
}

static void nodes_go_on_from_what_they_saved(void **state)
{
	kill_every_node(*state, "--save-every=0");
}

/* The scorer dies when one of its inputs has ended, which no one will tell it once more. */
static void an_input_that_has_ended_stays_so(void **state)
{
	static const char *const segmenters[] = { "node segment.0 segmenter/watershed",
						  "node segment.1 segmenter/watershed" };
	const char *words[] = { "run",
				"graphs/demo.yaml",
				"",
				"segmenter=watershed",
				"size=16 64 64",
				"block=16 32 32",
				"halo=2 4 4",
				"--quiet",
				"--save-every=0",
				NULL,
				NULL };
	struct test_place *p = *state;
	pid_t held[2], score;
	struct test_run *r;

	words[2] = test_word("out", p->dir, "plain");
	test_run_expect(p, 0, words);
	words[2] = test_word("out", p->dir, "again");
	words[7] = "--restarts=40"; /* with the address of the metrics */
	words[9] = "--hang=0";
	r = test_run_start(p, words);
	for (int i = 0; i < 2; i++)
		held[i] = test_place_hold(p, segmenters[i]);
	test_metrics_await(r, TRUTH, 4);
	fx_sleep_ms(SOON_MS);
	score = test_place_await(p, "node score.0");
	kill(score, SIGKILL);
	for (int i = 0; i < 2; i++)
		kill(held[i], SIGCONT);
	expect_the_same(p, r, 1);
}

static void a_killed_conductor_resumes(void **state)
{
	const char *words[] = { "run", LEAN, "", MANY, "--resume", NULL };
	struct test_place *p = *state;
	struct test_run *r;

	run_plain(p);
	words[2] = test_word("out", p->dir, "again");
	for (int i = 0; i < 2; i++) {
		r = test_run_start(p, words);
		free(test_run_await(r, "metrics: "));
		test_metrics_await(r, STITCHED, 6 + 12 * i);
		kill(r->pid, SIGKILL);
		test_run_wait(r);
		test_run_free(r);
	}
	expect_the_same(p, test_run_start(p, words), 0);
}

/* It ends at once and leaves what a later run goes on with, unlike one that was to flow out. */
static void a_run_that_a_scheduler_ends_goes_on(void **state)
{
	const char *words[] = { "run", LEAN, "", MANY, "--resume", NULL };
	struct test_place *p = *state;
	struct test_run *r;

	run_plain(p);
	words[2] = test_word("out", p->dir, "again");
	r = test_run_start(p, words);
	test_metrics_await(r, STITCHED, 6);
	kill(r->pid, SIGTERM);
	test_run_wait(r);
	assert_int_equal(r->code, 1);
	assert_non_null(strstr(r->err, "fornix: stopped at once, as asked"));
	assert_non_null(strstr(r->err, "the same command with --resume goes on"));
	test_run_free(r);
	r = test_run_start(p, words);
	free(test_run_await(r, "metrics: "));
	expect_same_bytes(p, r, 0);
	test_place_clean_but_logs(p); /* of the one that was ended */
}

static void a_run_that_was_killed_while_it_was_stopped_starts_anew(void **state)
{
	const char *words[] = { "run", LEAN, "", "size=128 64 64", "block=16 16 16", NULL, NULL };
	struct test_place *p = *state;
	struct test_run *r;

	words[2] = test_word("out", p->dir, "plain");
	test_run_expect(p, 0, words);
	words[2] = test_word("out", p->dir, "again");
	r = test_run_start(p, words);
	test_metrics_await(r, STITCHED, 6);
	kill(r->pid, SIGINT);
	free(test_run_await(r, "again to stop at once"));
	fx_sleep_ms(SOON_MS); /* the sources tell that they have ended */
	kill(r->pid, SIGKILL);
	test_run_wait(r);
	test_run_free(r);
	words[5] = "--resume";
	r = test_run_start(p, words);
	free(test_run_await(r, "starting from the beginning"));
	expect_the_same(p, r, 0);
}

static void another_graph_is_not_resumed(void **state)
{
	struct test_place *p = *state;
	const char *out = test_word("out", p->dir, "again");
	struct test_run *r = test_run_start(p, (const char *[]){ "run", LEAN, out, MANY, NULL });

	test_metrics_await(r, STITCHED, 2);
	kill(r->pid, SIGKILL);
	test_run_wait(r);
	test_run_free(r);
	r = test_run(p, (const char *[]){ "run", LEAN, out, "size=48 64 64", "block=16 16 32",
					  "--resume", NULL });
	assert_int_equal(r->code, 2);
	assert_non_null(strstr(r->err, "is of another graph: it had \"tiles.block = 16 16 16\", "
				       "this has \"tiles.block = 16 16 32\""));
	test_run_free(r);
	/* without --resume it starts anew */
	test_run_expect(p, 0,
			(const char *[]){ "run", LEAN, out, "size=16 32 32", "block=16 16 16",
					  "--quiet", NULL });
	test_place_clean(p);
}

/* A source that is to stop while its later life is not where the former was: its stream must not
 * end before what its consumers have. */
static void a_source_is_stopped_as_it_comes_again(void **state)
{
	struct test_place *p = *state;

	for (int i = 0; i < 3; i++) {
		struct test_run *r = test_run_start(
			p, (const char *[]){ "run", LEAN, test_word("out", p->dir, "stopped"),
					     "size=400 64 64", "block=16 16 16", NULL });

		test_metrics_await(r, STITCHED, 2 + 5 * i);
		kill_words(p, "node scope.0");
		kill(r->pid, SIGINT);
		test_run_wait(r);
		assert_int_equal(r->code, 1);
		assert_non_null(strstr(r->err, "stopping: what was acquired flows out"));
		json_decref(test_receipt(test_path(p->dir, "stopped"), false));
		test_run_free(r);
		test_place_clean(p);
	}
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(a_source_is_stopped_as_it_comes_again),
		PLACED(every_node_may_be_killed),
		PLACED(nodes_go_on_from_what_they_saved),
		PLACED(an_input_that_has_ended_stays_so),
		PLACED(a_killed_conductor_resumes),
		PLACED(a_run_that_a_scheduler_ends_goes_on),
		PLACED(a_run_that_was_killed_while_it_was_stopped_starts_anew),
		PLACED(another_graph_is_not_resumed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
