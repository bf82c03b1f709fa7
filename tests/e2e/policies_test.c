// SPDX-License-Identifier: Apache-2.0
/* Consumers that are slower than what comes: who waits, what is dropped, what is kept. */
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

#define DROPS	 "tests/e2e/policies.yaml"
#define SPOOLS	 "tests/e2e/spool.yaml"
#define ABREAST	 "tests/e2e/abreast.yaml"
#define TO_KEEP	 "fornix_edge_acked{from=\"scope.truth\",to=\"keep.in\"} "
#define TO_SAVE	 "fornix_edge_acked{from=\"scope.truth\",to=\"save.labels\"} "
#define TO_GOING "fornix_edge_acked{from=\"right.truth\",to=\"going.in\"} "
#define TO_STILL "fornix_edge_acked{from=\"left.truth\",to=\"still.in\"} "

enum { SECTIONS = 40 }; /* blocks, one a section */

/* Number of edge @p to in the receipt. */
static json_int_t count(const json_t *receipt, const char *to, const char *name)
{
	const json_t *edges = json_object_get(receipt, "edges"), *e;
	size_t i;

	json_array_foreach(edges, i,
			   e) if (strcmp(json_string_value(json_object_get(e, "to")), to) ==
				  0) return json_integer_value(json_object_get(e, name));
	fail_msg("no edge to %s", to);
	return -1;
}

/* Two viewers stand still: who is to get all gets all, and they get little, each by its policy. */
static void viewers_stop_no_one_by(struct test_place *p, const char *transport)
{
	const char *out = test_word("out", p->dir, "out");
	struct test_run *r = test_run_start(p, (const char *[]){ "run", DROPS, out, "--transport",
								 transport, "--hang=0", NULL });
	/* the source first: they are to stand before it has sent much */
	const pid_t source = test_place_hold(p, "node scope.0 acquire/phantom"),
		    view = test_place_hold(p, "node view.0 flow/pass"),
		    peek = test_place_hold(p, "node peek.0 flow/pass");
	static const char *const to[] = { "view.in", "peek.in" };
	json_t *receipt;

	kill(source, SIGCONT);
	test_metrics_await(r, TO_SAVE, SECTIONS);
	kill(view, SIGCONT);
	kill(peek, SIGCONT);
	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	receipt = test_receipt(test_path(p->dir, "out"), true);
	assert_int_equal(count(receipt, "save.labels", "acked"), SECTIONS);
	assert_int_equal(count(receipt, "save.labels", "dropped"), 0);
	for (int i = 0; i < 2; i++) {
		const json_int_t acked = count(receipt, to[i], "acked");

		assert_int_equal(count(receipt, to[i], "sent"), SECTIONS);
		assert_int_equal(acked + count(receipt, to[i], "dropped"), SECTIONS);
		assert_in_range(acked, 1, SECTIONS / 2);
	}
	/* behind it nothing is dropped, and gaps are no reason to wait */
	assert_int_equal(count(receipt, "screen.in", "acked"), count(receipt, "view.in", "acked"));
	assert_int_equal(count(receipt, "screen.in", "dropped"), 0);
	json_decref(receipt);
	test_run_free(r);
	test_place_clean(p);
}

static void viewers_stop_no_one(void **state)
{
	viewers_stop_no_one_by(*state, "shm");
}

/* Connections of one output wait for their own ends alone. */
static void viewers_stop_no_one_over_tcp(void **state)
{
	viewers_stop_no_one_by(*state, "tcp");
}

/* Two edges go from one host to another. The end of one stands still, and its producer waits: the
 * other goes on. */
static void an_edge_that_stands_still_stops_no_other(void **state)
{
	struct test_place *p = *state;
	struct test_run *r =
		test_run_start(p, (const char *[]){ "run", ABREAST, test_word("out", p->dir, "out"),
						    "--hang=0", NULL });
	const pid_t source = test_place_hold(p, "node left.0 acquire/phantom"),
		    still = test_place_hold(p, "node still.0 flow/pass");
	json_t *receipt;
	char *url, *said;

	kill(source, SIGCONT);
	test_metrics_await(r, TO_GOING, SECTIONS);
	url = test_metrics_url(r);
	said = test_http_get(url);
	assert_non_null(said);
	assert_null(strstr(said, TO_STILL "40"));
	kill(still, SIGCONT);
	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	receipt = test_receipt(test_path(p->dir, "out"), true);
	assert_int_equal(count(receipt, "still.in", "acked"), SECTIONS);
	json_decref(receipt);
	free(url);
	free(said);
	test_run_free(r);
	test_place_clean(p);
}

/* All is in the spool and nowhere else, when its process is killed. */
static void a_killed_spool_loses_nothing(void **state)
{
	struct test_place *p = *state;
	const char *out = test_word("out", p->dir, "out"),
		   *plain = test_word("out", p->dir, "plain");
	struct test_run *r;
	json_t *receipt;
	pid_t save, keep;

	test_run_expect(p, 0, (const char *[]){ "run", SPOOLS, plain, "policy=block", NULL });
	r = test_run_start(p, (const char *[]){ "run", SPOOLS, out, "--hang=0", NULL });
	save = test_place_hold(p, "node save.0 writer/precomputed");
	test_metrics_await(r, TO_KEEP, SECTIONS);
	keep = test_place_await(p, "node keep.0 flow/pass");
	kill(keep, SIGKILL);
	while (test_place_process(p, "node keep.0 flow/pass") == keep)
		fx_sleep_ms(1);
	kill(save, SIGCONT);
	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	test_same_folders(test_path(p->dir, "out"), test_path(p->dir, "plain"));
	receipt = test_receipt(test_path(p->dir, "out"), true);
	assert_int_equal(count(receipt, "keep.in", "acked"), SECTIONS);
	assert_int_equal(count(receipt, "save.labels", "acked"), SECTIONS);
	assert_int_equal(test_sum(receipt, "nodes", "restarts"), 1);
	json_decref(receipt);
	test_run_free(r);
	test_place_clean(p);
}

/* The same for all processes at once, and the conductor: another run goes on with what is there. */
static void a_spool_outlives_the_run(void **state)
{
	struct test_place *p = *state;
	const char *out = test_word("out", p->dir, "out"),
		   *plain = test_word("out", p->dir, "plain");
	struct test_run *r;
	json_t *receipt;
	pid_t save;

	test_run_expect(p, 0, (const char *[]){ "run", SPOOLS, plain, "policy=block", NULL });
	r = test_run_start(p, (const char *[]){ "run", SPOOLS, out, "--hang=0", NULL });
	save = test_place_hold(p, "node save.0 writer/precomputed");
	test_metrics_await(r, TO_KEEP, SECTIONS);
	kill(save, SIGKILL);
	kill(r->pid, SIGKILL);
	test_run_wait(r);
	test_run_free(r);
	r = test_run(p, (const char *[]){ "run", SPOOLS, out, "policy=block", "--resume", NULL });
	assert_int_equal(r->code, 2); /* it would not read the spool */
	test_run_free(r);
	r = test_run(p, (const char *[]){ "run", SPOOLS, out, "--resume", NULL });
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	assert_false(test_is_there(test_path(p->dir, "out"), ".fornix"));
	test_same_folders(test_path(p->dir, "out"), test_path(p->dir, "plain"));
	receipt = test_receipt(test_path(p->dir, "out"), true);
	assert_int_equal(count(receipt, "keep.in", "acked"), SECTIONS);
	json_decref(receipt);
	test_run_free(r);
	test_place_clean(p);
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(viewers_stop_no_one),
		PLACED(viewers_stop_no_one_over_tcp),
		PLACED(an_edge_that_stands_still_stops_no_other),
		PLACED(a_killed_spool_loses_nothing),
		PLACED(a_spool_outlives_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
