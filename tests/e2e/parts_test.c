// SPDX-License-Identifier: Apache-2.0
/* The work of a tiler and that of a skeletonizer are parted among processes: what comes out is the
 * same, byte for byte, also when some of them, or the conductor, are killed. */
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/images.h"
#include "support/metrics.h"
#include "support/outputs.h"
#include "support/run.h"

#define LEAN	 "tests/e2e/lean.yaml"
#define MANY	 "size=48 64 64", "block=16 16 16" /* 48 blocks, in four rows */
#define STITCHED "fornix_edge_acked{from=\"segment.labels\",to=\"whole.labels\"} "

static void run_plain(struct test_place *p)
{
	test_run_expect(p, 0,
			(const char *[]){ "run", LEAN, test_word("out", p->dir, "plain"), MANY,
					  "--quiet", NULL });
}

static void expect_the_same(struct test_place *p, struct test_run *r, json_int_t restarts)
{
	json_t *receipt;

	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	receipt = test_receipt(test_path(p->dir, "parts"), true);
	assert_true(test_sum(receipt, "nodes", "restarts") >= restarts);
	json_decref(receipt);
	test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "parts"));
	test_run_free(r);
}

/* Blocks that did not have to be sent on the edge to @p to. */
static json_int_t unwanted(const struct test_place *p, const char *to)
{
	json_t *receipt = test_receipt(test_path(p->dir, "parts"), true);
	const json_t *edges = json_object_get(receipt, "edges");
	json_int_t n = -1;

	for (size_t i = 0; i < json_array_size(edges); i++) {
		const json_t *e = json_array_get(edges, i);

		if (strcmp(json_string_value(json_object_get(e, "to")), to) == 0)
			n = json_integer_value(json_object_get(e, "unwanted"));
	}
	json_decref(receipt);
	return n;
}

/* Also more than there are rows of blocks. */
static void any_number_of_parts_gives_the_same(void **state)
{
	static const char *const ways[][4] = {
		{ "tilers=2", "workers=1", "tracers=3", "--transport=shm" },
		{ "tilers=3", "workers=3", "tracers=1", "--transport=tcp" },
		{ "tilers=6", "workers=2", "tracers=2", "--transport=ipc" },
	};
	struct test_place *p = *state;

	run_plain(p);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		expect_the_same(
			p,
			test_run_start(p, (const char *[]){ "run", LEAN,
							    test_word("out", p->dir, "parts"), MANY,
							    ways[i][0], ways[i][1], ways[i][2],
							    ways[i][3], "--quiet", NULL }),
			0);
	test_place_clean(p);
}

/* Of a section in 16 tiles of 4 rows each of two parts needs 10: its own 32 rows and 8 more. What
 * was on its way before that is known comes all the same. */
static void a_part_is_sent_what_it_reads(void **state)
{
	struct test_place *p = *state;

	run_plain(p);
	expect_the_same(
		p,
		test_run_start(p, (const char *[]){ "run", LEAN, test_word("out", p->dir, "parts"),
						    MANY, "tile=0.001", "tilers=2", "tracers=2",
						    "--transport=tcp", "--quiet", NULL }),
		0);
	assert_in_range(unwanted(p, "tiles.image"), 24 * 12, 48 * 12);
	assert_int_equal(unwanted(p, "trace.labels"), 0);
	test_place_clean(p);
}

static void kill_them(struct test_place *p, const char *save_every)
{
	static const char *const all[] = {
		"node tiles.0", "node segment.0", "node tiles.2",
		"node whole.0", "node tiles.1",	  "node trace.1",
	};
	struct test_run *r;

	run_plain(p);
	r = test_run_start(p, (const char *[]){ "run", LEAN, test_word("out", p->dir, "parts"),
						MANY, "tile=0.001", "tilers=3", "tracers=2",
						"--restarts=40", save_every, NULL });
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		const pid_t pid = test_place_process(p, all[i]);

		test_metrics_await(r, STITCHED, 2 + 6 * (double)i);
		if (pid)
			kill(pid, SIGKILL);
	}
	expect_the_same(p, r, 4);
	test_place_clean(p);
}

static void every_part_may_be_killed(void **state)
{
	kill_them(*state, "--save-every=32"); /* MiB: journals alone */
}

static void parts_go_on_from_what_they_saved(void **state)
{
	kill_them(*state, "--save-every=0");
}

static void a_killed_conductor_resumes_them(void **state)
{
	const char *words[] = { "run",	    LEAN,	 "",	     MANY, "tile=0.001",
				"tilers=3", "tracers=2", "--resume", NULL };
	struct test_place *p = *state;

	run_plain(p);
	words[2] = test_word("out", p->dir, "parts");
	for (int i = 0; i < 2; i++) {
		struct test_run *r = test_run_start(p, words);

		free(test_run_await(r, "metrics: "));
		test_metrics_await(r, STITCHED, 6 + 12 * i);
		kill(r->pid, SIGKILL);
		test_run_wait(r);
		test_run_free(r);
	}
	expect_the_same(p, test_run_start(p, words), 0);
	test_place_clean(p);
}

static void another_number_of_parts_is_not_resumed(void **state)
{
	struct test_place *p = *state;
	const char *out = test_word("out", p->dir, "parts");
	struct test_run *r =
		test_run_start(p, (const char *[]){ "run", LEAN, out, MANY, "tilers=3", NULL });

	test_metrics_await(r, STITCHED, 2);
	kill(r->pid, SIGKILL);
	test_run_wait(r);
	test_run_free(r);
	r = test_run(p, (const char *[]){ "run", LEAN, out, MANY, "tilers=2", "--resume", NULL });
	assert_int_equal(r->code, 2);
	assert_non_null(strstr(r->err, "it had \"node tiles: tiler/blocks, 3 workers by region\""));
	test_run_free(r);
	test_place_clean_but_logs(p);
}

/* It could wait for ever for room that comes when the other parts are as far. */
static void a_part_that_sends_between_marks_is_refused(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;

	setenv("FX_NODE_PATH", getenv("FORNIX_TEST_NODES"), 1);
	r = test_run(p, (const char *[]){ "run", "tests/e2e/fragile.yaml",
					  test_word("out", p->dir, "parts"), "parts=2", "--quiet",
					  NULL });
	unsetenv("FX_NODE_PATH");
	assert_int_equal(r->code, 1);
	assert_non_null(strstr(r->err, "flow/fragile may have a key but sends in process(): in "
				       "mark() and drain() only"));
	test_run_free(r);
	test_place_clean_but_logs(p);
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(any_number_of_parts_gives_the_same),
		PLACED(a_part_is_sent_what_it_reads),
		PLACED(every_part_may_be_killed),
		PLACED(parts_go_on_from_what_they_saved),
		PLACED(a_killed_conductor_resumes_them),
		PLACED(another_number_of_parts_is_not_resumed),
		PLACED(a_part_that_sends_between_marks_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
