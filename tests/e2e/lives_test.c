// SPDX-License-Identifier: Apache-2.0
/* Stateless processes that die when they are done, or stand still while others work: the run ends,
 * with all there is. */
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "support/images.h"
#include "support/metrics.h"
#include "support/outputs.h"
#include "support/run.h"

#define PASSES	   "tests/e2e/passes.yaml"
#define SAVE	   "node save.0 writer/precomputed"
#define SAVE_TRUTH "node save_truth.0 writer/precomputed"
#define TO_TILES   "fornix_edge_acked{from=\"hand.out\",to=\"tiles.image\"} "
#define TO_SAVE	   "fornix_edge_acked{from=\"second.out\",to=\"save.labels\"} "
#define MANY	   "size=16 128 256", "block=16 16 16", "first=8" /* 128 blocks */
#define SOON_MS	   500 /* for what takes some; a shorter time would make a test see less, not fail */

/* A run of which one writer stands still from its start: it cannot end. */
static struct test_run *run_held(struct test_place *p, const char *writer, pid_t *held)
{
	struct test_run *r =
		test_run_start(p, (const char *[]){ "run", PASSES, test_word("out", p->dir, "out"),
						    "--hang=0", NULL });

	*held = test_place_hold(p, writer);
	return r;
}

/* Kills a process that has handed END on and seen it acknowledged; its next life comes. */
static void kill_when_done(struct test_place *p, const char *words)
{
	const pid_t pid = test_place_await(p, words);

	fx_sleep_ms(SOON_MS);
	kill(pid, SIGKILL);
	while (test_place_process(p, words) == pid)
		fx_sleep_ms(1);
	test_place_await(p, words);
	fx_sleep_ms(SOON_MS);
}

static void expect_all(struct test_place *p, struct test_run *r, json_int_t restarts)
{
	json_t *receipt;

	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	receipt = test_receipt(test_path(p->dir, "out"), true);
	assert_int_equal(test_sum(receipt, "nodes", "restarts"), restarts);
	json_decref(receipt);
	test_run_free(r);
	test_place_clean(p);
}

static void the_only_process_ends_again_after_its_end(void **state)
{
	struct test_place *p = *state;
	pid_t held;
	struct test_run *r = run_held(p, SAVE, &held);

	test_metrics_await(r, TO_TILES, 1);
	kill_when_done(p, "node hand.0 flow/pass");
	kill(held, SIGCONT);
	expect_all(p, r, 1);
}

static void a_worker_ends_again_before_workers_that_have_ended(void **state)
{
	struct test_place *p = *state;
	pid_t held;
	struct test_run *r = run_held(p, SAVE_TRUTH, &held);

	test_metrics_await(r, TO_SAVE, 1);
	kill_when_done(p, "node first.0 segmenter/watershed");
	kill(held, SIGCONT);
	expect_all(p, r, 1);
}

/* What it had in hand comes last, when all others have filled all there is to fill. */
static void a_worker_that_stood_still_holds_nothing_up(void **state)
{
	struct test_place *p = *state;
	struct test_run *r = test_run_start(
		p, (const char *[]){ "run", PASSES, test_word("out", p->dir, "out"), MANY, NULL });
	pid_t held;

	test_metrics_await(r, TO_SAVE, 1);
	held = test_place_hold(p, "node first.3 segmenter/watershed");
	fx_sleep_ms(SOON_MS);
	kill(held, SIGCONT);
	expect_all(p, r, 0);
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(the_only_process_ends_again_after_its_end),
		PLACED(a_worker_ends_again_before_workers_that_have_ended),
		PLACED(a_worker_that_stood_still_holds_nothing_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
