// SPDX-License-Identifier: Apache-2.0
/* A host joins a run that goes on: it takes workers, and the output is that of the run without.
 * Hosts are agents on one machine. */
#include "support/test.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/images.h"
#include "support/metrics.h"
#include "support/outputs.h"
#include "support/run.h"

#define GRAPH	 "tests/e2e/join.yaml"
#define SIZE	 "size=160 64 64"
#define MANY	 "size=640 64 64" /* that last while one joins */
#define STITCHED "fornix_edge_acked{from=\"segment.labels\",to=\"whole.labels\"} "

static struct test_run *start(struct test_place *p, const char *size)
{
	return test_run_start(p, (const char *[]){ "run", GRAPH, test_word("out", p->dir, "out"),
						   size, "--hang=0", NULL });
}

/* So that it does not end while others are started and end; SIGCONT. */
static pid_t hold(struct test_place *p, struct test_run *r)
{
	test_metrics_await(r, STITCHED, 2);
	return test_place_hold(p, "node save.0 ");
}

static void run_alone(struct test_place *p, const char *size)
{
	test_run_expect(p, 0,
			(const char *[]){ "run", GRAPH, test_word("out", p->dir, "alone"), size,
					  "--quiet", NULL });
}

/* The output is that of the run in which no one joined. */
static json_t *finish(struct test_place *p, struct test_run *r)
{
	json_t *receipt;

	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	receipt = test_receipt(test_path(p->dir, "out"), true);
	test_same_folders(test_path(p->dir, "alone/labels"), test_path(p->dir, "out/labels"));
	test_run_free(r);
	return receipt;
}

/* Processes of @p node that were on @p host at the end. */
static int on_host(const json_t *receipt, const char *node, const char *host)
{
	const json_t *nodes = json_object_get(receipt, "nodes");
	int n = 0;

	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const json_t *o = json_array_get(nodes, i);

		n += strcmp(json_string_value(json_object_get(o, "node")), node) == 0 &&
		     strcmp(json_string_value(json_object_get(o, "host")), host) == 0;
	}
	return n;
}

/* What joining says; it must end with @p code. */
static void join(struct test_place *p, int code, const char *const words[4], const char *says)
{
	struct test_run *r = test_run(
		p, (const char *[]){ "join", words[0], words[1], words[2], words[3], NULL });

	if (r->code != code || !strstr(code ? r->err : r->out, says))
		fail_msg("join ended with %d: %s%s", r->code, r->out, r->err);
	test_run_free(r);
}

static void a_host_that_joins_takes_workers(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;
	json_t *receipt;

	run_alone(p, MANY);
	r = start(p, MANY);
	test_metrics_await(r, STITCHED, 2);
	join(p, 0, (const char *[4]){ "late" }, "late has joined and takes ");
	receipt = finish(p, r);
	assert_true(on_host(receipt, "segment", "late") > 0);
	assert_true(on_host(receipt, "segment", "late") < 4);
	assert_int_equal(on_host(receipt, "whole", "here"), 1);
	assert_int_equal(test_sum(receipt, "nodes", "moves"), on_host(receipt, "segment", "late"));
	assert_int_equal(test_sum(receipt, "nodes", "restarts"), 0);
	json_decref(receipt);
	test_place_clean(p);
}

/* The agent beside the conductor; that of the only host that has joined. */
static pid_t agent_of(struct test_place *p)
{
	return test_place_await(p, "fornix agent");
}

/* Waits until the agent has started a worker: before, there is nothing that could vanish with it.
 */
static void await_worker_of(pid_t agent)
{
	const int64_t start = fx_now_ns();

	while (!test_process_has_child(agent)) {
		assert_true(fx_now_ns() - start < TEST_RUN_PATIENCE_S * INT64_C(1000000000));
		fx_sleep_ms(1);
	}
}

/* Its workers go back to where they were, and to it again. What an agent that was killed left is
 * cleared by the next on its host. */
static void a_host_that_vanishes_may_join_again(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;
	json_t *receipt;
	pid_t held, agent;

	run_alone(p, SIZE);
	r = start(p, SIZE);
	held = hold(p, r);
	join(p, 0, (const char *[4]){ "late" }, "late has joined and takes ");
	agent = agent_of(p);
	await_worker_of(agent);
	kill(agent, SIGKILL);
	free(test_run_await(r, "has vanished: "));
	join(p, 0, (const char *[4]){ "late", "slots=64" }, "late has joined and takes ");
	kill(held, SIGCONT);
	receipt = finish(p, r);
	assert_true(on_host(receipt, "segment", "late") > 0);
	assert_true(test_sum(receipt, "nodes", "restarts") > 0);
	json_decref(receipt);
	test_place_clean(p);
}

/* The run goes on as it was. */
static void what_cannot_join_is_told(void **state)
{
	static const struct {
		const char *words[4], *says;
	} cases[] = {
		{ { "never" }, "the graph has no host \"never\"; those that may join: late later" },
		{ { "late", "tags=big" }, "tags cannot be told now" },
		{ { "late", "slots=many" }, "slots: \"many\" is not a number" },
		{ { "late", "launcher=shh" }, "no launcher \"shh\"" },
		{ { "late", "launcher=ssh" }, "has no address by which the other hosts reach it" },
		{ { "late", "launcher=ssh", "address=10.0.0.9" },
		  "it cannot reach the machine of the run, which has no address" },
		{ { "later" }, "host later: cannot start /nonexistent/fornix: No such file" },
		{ { "late", "command=ls /nonexistent" }, "host late does not come: ls: cannot" },
	};
	struct test_place *p = *state;
	struct test_run *r;
	json_t *receipt;
	pid_t held;

	run_alone(p, SIZE);
	r = start(p, SIZE);
	held = hold(p, r);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		join(p, 1, cases[i].words, cases[i].says);
	join(p, 0, (const char *[4]){ "late", "command=" }, "late has joined and takes ");
	join(p, 1, (const char *[4]){ "late" }, "it is there already");
	kill(held, SIGCONT);
	receipt = finish(p, r);
	json_decref(receipt);
	test_place_clean(p);
}

int main(void)
{
#define IN_A_PLACE(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		IN_A_PLACE(a_host_that_joins_takes_workers),
		IN_A_PLACE(a_host_that_vanishes_may_join_again),
		IN_A_PLACE(what_cannot_join_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
