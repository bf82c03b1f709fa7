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
#define STITCHED "fornix_edge_acked{from=\"segment.labels\",to=\"whole.labels\"} "

static void run_plain(struct test_place *p)
{
	test_run_expect(p, 0,
			(const char *[]){ "run", LEAN, test_word("out", p->dir, "plain"), MANY,
					  "--quiet", NULL });
}

static void expect_the_same(struct test_place *p, struct test_run *r, json_int_t restarts)
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
	test_place_clean(p);
}

static void kill_words(struct test_place *p, const char *words)
{
	const pid_t pid = test_place_process(p, words);

	if (pid)
		kill(pid, SIGKILL);
}

static void every_node_may_be_killed(void **state)
{
	static const char *const all[] = {
		"node scope.0", "node even.0",	"node tiles.0",	      "node segment.0",
		"node whole.0", "node trace.0", "node save_labels.0", "node save_swc.0",
	};
	struct test_place *p = *state;
	struct test_run *r;

	run_plain(p);
	r = test_run_start(p, (const char *[]){ "run", LEAN, test_word("out", p->dir, "again"),
						MANY, "--restarts=40", NULL });
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		test_metrics_await(r, STITCHED, 2 + 4 * (double)i);
		kill_words(p, all[i]);
	}
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) /* and all at once */
		kill_words(p, all[i]);
	expect_the_same(p, r, 10);
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

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(every_node_may_be_killed),
		PLACED(a_killed_conductor_resumes),
		PLACED(another_graph_is_not_resumed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
