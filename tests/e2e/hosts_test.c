// SPDX-License-Identifier: Apache-2.0
/* A graph over several hosts, which here are agents on one machine: the same bytes as on one host,
 * also when a process dies there, or a whole host. */
#include "support/test.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "support/images.h"
#include "support/metrics.h"
#include "support/outputs.h"
#include "support/run.h"

#define GRAPH	 "tests/e2e/hosts.yaml"
#define ALONE	 "alone.yaml"
#define SIZE	 "size=48 64 64" /* 24 blocks */
#define MORE	 "size=96 64 64" /* that last while a host vanishes */
#define STITCHED "fornix_edge_acked{from=\"segment.labels\",to=\"whole.labels\"} "

static const char *const wheres[] = { "    host: ", "    tags: ", "hosts:" };

/* The same graph without hosts. */
static void write_alone(struct test_place *p)
{
	const char *path = test_path(p->dir, ALONE);
	char *text, *out;
	struct fx_error err = { 0 };
	size_t size, used = 0;
	void *bytes;
	bool skips = false;

	assert_int_equal(fx_file_read(GRAPH, 1 << 20, &bytes, &size, &err), FX_OK);
	text = bytes;
	out = malloc(size + 1);
	for (char *line = text, *next; *line; line = next) {
		next = line + strcspn(line, "\n") + 1;
		if (strncmp(line, wheres[2], strlen(wheres[2])) == 0)
			skips = true;
		if (strncmp(line, "nodes:", 6) == 0)
			skips = false;
		if (skips || strncmp(line, wheres[0], strlen(wheres[0])) == 0 ||
		    strncmp(line, wheres[1], strlen(wheres[1])) == 0)
			continue;
		memcpy(out + used, line, (size_t)(next - line));
		used += (size_t)(next - line);
	}
	assert_int_equal(fx_file_write(path, out, used, &err), FX_OK);
	free(out);
	free(text);
}

static void run_alone_of(struct test_place *p, const char *size)
{
	write_alone(p);
	test_run_expect(p, 0,
			(const char *[]){ "run", test_path(p->dir, ALONE),
					  test_word("out", p->dir, "alone"), size, "--quiet",
					  NULL });
}

static void run_alone(struct test_place *p)
{
	run_alone_of(p, SIZE);
}

static struct test_run *start(struct test_place *p, const char *size)
{
	return test_run_start(p, (const char *[]){ "run", GRAPH, test_word("out", p->dir, "out"),
						   size, "--hang=0", NULL });
}

/* The output is that of one host. What an agent that was killed left is cleared by the next run
 * on its host. */
static json_t *finish(struct test_place *p, struct test_run *r, bool again)
{
	json_t *receipt;

	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	receipt = test_receipt(test_path(p->dir, "out"), true);
	test_same_folders(test_path(p->dir, "alone/labels"), test_path(p->dir, "out/labels"));
	test_run_free(r);
	if (again)
		run_alone(p);
	test_place_clean(p);
	return receipt;
}

/* The agent that a process has. */
static pid_t parent_of(pid_t pid)
{
	char path[64], text[512] = "";
	pid_t parent = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (f && fgets(text, sizeof text, f) && strrchr(text, ')'))
		sscanf(strrchr(text, ')'), ") %*c %d", &parent);
	if (f)
		fclose(f);
	assert_true(parent > 1);
	return parent;
}

static const char *host_of(const json_t *receipt, const char *node)
{
	const json_t *nodes = json_object_get(receipt, "nodes");

	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const json_t *n = json_array_get(nodes, i);

		if (strcmp(json_string_value(json_object_get(n, "node")), node) == 0)
			return json_string_value(json_object_get(n, "host"));
	}
	return "";
}

static void the_same_comes_out(void **state)
{
	struct test_place *p = *state;
	json_t *receipt;

	run_alone(p);
	receipt = finish(p, start(p, SIZE), false);
	assert_string_equal(host_of(receipt, "scope"), "here");
	assert_string_equal(host_of(receipt, "whole"), "here");
	assert_string_not_equal(host_of(receipt, "even"), "here");
	assert_string_not_equal(host_of(receipt, "segment"), "here");
	assert_int_equal(test_sum(receipt, "edges", "delivered"),
			 test_sum(receipt, "edges", "acked"));
	json_decref(receipt);
}

/* A node with state whose work is parted, away from those that it reads and that read it. */
static void parts_run_on_other_hosts(void **state)
{
	struct test_place *p = *state;
	json_t *receipt;

	run_alone(p);
	receipt = finish(
		p,
		test_run_start(p, (const char *[]){ "run", GRAPH, test_word("out", p->dir, "out"),
						    SIZE, "tilers=2", "--hang=0", NULL }),
		false);
	assert_string_not_equal(host_of(receipt, "tiles"), "here");
	json_decref(receipt);
}

static void a_process_that_dies_there_lives_again(void **state)
{
	static const char *const victims[] = { "node even.0 ", "node tiles.0 ", "node segment.1 ",
					       "node save.0 " };
	struct test_place *p = *state;
	json_t *receipt;

	run_alone(p);
	for (size_t i = 0; i < sizeof victims / sizeof *victims; i++) {
		struct test_run *r = start(p, SIZE);

		kill(test_place_await(p, victims[i]), SIGKILL);
		receipt = finish(p, r, false);
		assert_int_equal(test_sum(receipt, "nodes", "restarts"), 1);
		json_decref(receipt);
	}
}

/* Its processes, which have the agent as their parent, end with it. */
static void a_host_that_vanishes_is_done_without(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;
	json_t *receipt;
	pid_t held;

	run_alone_of(p, MORE);
	r = start(p, MORE);
	test_metrics_await(r, STITCHED, 2);
	held = test_place_hold(p, "node whole.0 "); /* it cannot end before */
	kill(parent_of(test_place_await(p, "node tiles.0 ")), SIGKILL);
	free(test_run_await(r, "has vanished: "));
	kill(held, SIGCONT);
	receipt = finish(p, r, true);
	assert_true(test_sum(receipt, "nodes", "restarts") > 0);
	json_decref(receipt);
}

static void what_must_run_on_a_host_that_is_gone_ends_the_run(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;

	run_alone(p);
	r = test_run_start(p, (const char *[]){ "run", GRAPH, test_word("out", p->dir, "out"),
						"size=256 64 64", "far=a", NULL });
	test_metrics_await(r, STITCHED, 2);
	kill(parent_of(test_place_await(p, "node tiles.0 ")), SIGKILL);
	test_run_wait(r);
	assert_int_equal(r->code, 1);
	assert_non_null(strstr(r->err, "tiles can run nowhere: no host that its `host` and `tags` "
				       "allow is there"));
	test_run_free(r);
	test_place_clean_but_logs(p);
}

static void a_run_that_was_stopped_goes_on(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;
	json_t *receipt;

	run_alone(p);
	r = start(p, SIZE);
	test_metrics_await(r, STITCHED, 2);
	kill(r->pid, SIGKILL);
	test_run_wait(r);
	test_run_free(r);
	r = test_run_start(p, (const char *[]){ "run", GRAPH, test_word("out", p->dir, "out"), SIZE,
						"--resume", NULL });
	receipt = finish(p, r, false);
	json_decref(receipt);
}

static void an_agent_that_does_not_come_is_told(void **state)
{
	static const struct {
		const char *command, *said;
	} cases[] = {
		{ "command=/nonexistent/fornix",
		  "host b: cannot start /nonexistent/fornix: No such" },
		{ "command=sh -c false", "host b does not come: its launcher says nothing" },
		{ "command=ls /nonexistent", "host b does not come: ls: cannot access" },
		{ "command=head -c 70000 /dev/zero", "host b: what answers is no agent of fornix" },
	};
	struct test_place *p = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct test_run *r =
			test_run(p, (const char *[]){ "run", GRAPH, test_word("out", p->dir, "out"),
						      cases[i].command, NULL });

		assert_int_equal(r->code, 2);
		if (!strstr(r->err, cases[i].said))
			fail_msg("%s: %s", cases[i].command, r->err);
		test_run_free(r);
		test_place_clean_but_logs(p);
	}
}

int main(void)
{
#define IN_A_PLACE(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		IN_A_PLACE(the_same_comes_out),
		IN_A_PLACE(parts_run_on_other_hosts),
		IN_A_PLACE(a_process_that_dies_there_lives_again),
		IN_A_PLACE(a_host_that_vanishes_is_done_without),
		IN_A_PLACE(what_must_run_on_a_host_that_is_gone_ends_the_run),
		IN_A_PLACE(a_run_that_was_stopped_goes_on),
		IN_A_PLACE(an_agent_that_does_not_come_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
