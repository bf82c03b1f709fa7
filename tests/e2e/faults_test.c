// SPDX-License-Identifier: Apache-2.0
/* Kills, interrupts and re-wires a run: what comes out is the same, or the run says why not. */
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "formats/precomputed.h"
#include "support/images.h"
#include "support/metrics.h"
#include "support/outputs.h"
#include "support/run.h"

#define LEAN	"tests/e2e/lean.yaml"
#define MANY	"size=32 64 64", "block=16 16 16" /* 32 blocks */
#define ENDLESS "size=100000 64 64"
#define SEGMENT0                                                                                   \
	"fornix_node_messages{node=\"segment\",type=\"segmenter/watershed\",instance=\"0\"} "
#define STITCHED "fornix_edge_acked{from=\"segment.labels\",to=\"whole.labels\"} "

/* Lines of @p text that begin with @p start. */
static int lines(const char *text, const char *start)
{
	int n = strncmp(text, start, strlen(start)) == 0;

	for (const char *line = text; (line = strchr(line, '\n'));
	     n += strncmp(line, start, strlen(start)) == 0)
		line++;
	return n;
}

/* One run for all to be compared with. */
static void run_plain(struct test_place *p)
{
	test_run_expect(p, 0,
			(const char *[]){ "run", LEAN, test_word("out", p->dir, "plain"), MANY,
					  "--quiet", NULL });
	json_decref(test_receipt(test_path(p->dir, "plain"), true));
}

static void any_number_of_workers_and_way_gives_the_same(void **state)
{
	static const char *const ways[][2] = {
		{ "workers=1", "--transport=shm" },
		{ "workers=3", "--transport=ipc" },
		{ "workers=2", "--transport=tcp" },
	};
	struct test_place *p = *state;

	run_plain(p);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		test_run_expect(p, 0,
				(const char *[]){ "run", LEAN, test_word("out", p->dir, "other"),
						  MANY, ways[i][0], ways[i][1], "--quiet", NULL });
		json_decref(test_receipt(test_path(p->dir, "other"), true));
		test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "other"));
	}
	test_place_clean(p);
}

static void killed_worker_loses_nothing(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;
	json_t *receipt;
	pid_t held;

	run_plain(p);
	r = test_run_start(p, (const char *[]){ "run", LEAN, test_word("out", p->dir, "killed"),
						MANY, "--hang=0", NULL });
	held = test_place_hold(p, "node save_swc.0 "); /* it cannot end before */
	test_metrics_await(r, SEGMENT0, 2);
	kill(test_place_await(p, "node segment.0 segmenter/watershed"), SIGKILL);
	free(test_run_await(r, "starting it again"));
	kill(held, SIGCONT);
	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	assert_non_null(
		strstr(r->err, "segment.0 was killed by signal 9 (Killed); starting it again"));
	receipt = test_receipt(test_path(p->dir, "killed"), true);
	assert_true(test_sum(receipt, "nodes", "restarts") >= 1);
	json_decref(receipt);
	test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "killed"));
	test_run_free(r);
	test_place_clean(p);
}

static void without_journals_a_killed_node_with_state_ends_the_run(void **state)
{
	struct test_place *p = *state;
	struct test_run *r =
		test_run_start(p, (const char *[]){ "run", LEAN, test_word("out", p->dir, "out"),
						    ENDLESS, "--at-most-once", NULL });
	json_t *receipt;

	test_metrics_await(r, STITCHED, 1);
	kill(test_place_await(p, "node tiles.0 tiler/blocks"), SIGKILL);
	test_run_wait(r);
	assert_int_equal(r->code, 1);
	assert_int_equal(lines(r->err, "fornix: "), 1);
	assert_non_null(strstr(r->err,
			       "\nfornix: tiles (tiler/blocks): was killed by signal 9 (Killed); "
			       "what it held is lost and the run cannot go on\n  its log: "));
	receipt = test_json(test_path(p->dir, "out"), "receipt.json");
	assert_false(json_is_true(json_object_get(receipt, "complete")));
	assert_non_null(strstr(json_string_value(json_object_get(receipt, "failure")), "tiles"));
	json_decref(receipt);
	/* nothing else than receipt and provenance, neither whole nor in part */
	assert_int_equal(test_count_files(test_path(p->dir, "out"), ""), 2);
	assert_false(test_is_there(test_path(p->dir, "out"), "labels"));
	assert_false(test_is_there(test_path(p->dir, "out"), "labels.fornix-partial"));
	test_run_free(r);
	test_place_clean_but_logs(p);
}

static void nodes_end_with_the_conductor(void **state)
{
	struct test_place *p = *state;
	struct test_run *r = test_run_start(
		p, (const char *[]){ "run", LEAN, test_word("out", p->dir, "out"), ENDLESS, NULL });
	int64_t start;

	test_metrics_await(r, STITCHED, 1);
	assert_true(test_place_processes(p) >= 9);
	kill(r->pid, SIGKILL);
	test_run_wait(r);
	assert_int_equal(r->code, 128 + SIGKILL);
	start = fx_now_ns();
	while (test_place_processes(p) &&
	       fx_now_ns() - start < TEST_RUN_PATIENCE_S * INT64_C(1000000000))
		fx_sleep_ms(10);
	assert_int_equal(test_place_processes(p), 0);
	assert_false(test_is_there(test_path(p->dir, "out"), "labels"));
	assert_true(test_is_there(test_path(p->dir, "out"), ".fornix/counters")); /* to go on */
	test_run_free(r);
	/* the next run finds nothing in its way, and clears away what the dead one left */
	test_run_expect(p, 0,
			(const char *[]){ "run", LEAN, test_word("out", p->dir, "out"), MANY,
					  "--quiet", NULL });
	test_place_clean(p);
}

/* As the keyboard does it: every process of the group is told. */
static struct test_run *interrupt(struct test_place *p, const char *metric, double least)
{
	struct test_run *r = test_run_start(
		p, (const char *[]){ "run", LEAN, test_word("out", p->dir, "out"), ENDLESS, NULL });

	if (metric)
		test_metrics_await(r, metric, least);
	else
		test_place_await(p, "node save_swc.0 writer/swc");
	kill(-r->pid, SIGINT);
	test_run_wait(r);
	if (r->code != 1 || !strstr(r->err, "\nstopping: ") || lines(r->err, "fornix: "))
		fail_msg("ended with %d: %s", r->code, strstr(r->err, "\nfornix: "));
	return r;
}

static void ctrl_c_saves_what_has_come(void **state)
{
	struct test_place *p = *state;
	struct test_run *r = interrupt(p, STITCHED, 5);
	const char *out = test_path(p->dir, "out");
	json_t *receipt = test_receipt(out, false);
	struct fx_precomputed info;
	struct fx_error err = { 0 };

	assert_true(json_is_true(json_object_get(receipt, "interrupted")));
	json_decref(receipt);
	if (fx_precomputed_read_info(test_path(out, "labels"), &info, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(info.size[1], 64);
	assert_true(info.size[0] >= 32 && info.size[0] < 100000);
	assert_true(test_is_there(out, "swc/provenance"));
	test_run_free(r);
	test_place_clean(p);
}

static void ctrl_c_while_all_starts(void **state)
{
	struct test_place *p = *state;
	struct test_run *r = interrupt(p, NULL, 0);
	json_t *receipt = test_json(test_path(p->dir, "out"), "receipt.json");

	assert_true(json_is_true(json_object_get(receipt, "interrupted")));
	assert_true(json_is_true(json_object_get(receipt, "adds_up")));
	assert_string_equal(json_string_value(json_object_get(receipt, "failure")), "");
	json_decref(receipt);
	test_run_free(r);
	test_place_clean(p);
}

static void metrics_answer_while_it_runs(void **state)
{
	static const char *const say[] = {
		"HTTP/1.1 200",
		"text/plain; version=0.0.4",
		"# TYPE fornix_edge_sent gauge",
		"fornix_edge_sent{from=\"tiles.blocks\",to=\"segment.image\"} ",
		"fornix_node_busy_seconds{node=\"segment\",type=\"segmenter/"
		"watershed\",instance=\"1\"} ",
		"fornix_node_peak_rss_bytes{node=\"tiles\"",
		"fornix_run_seconds ",
		"fornix_sections_acquired ",
	};
	struct test_place *p = *state;
	struct test_run *r = test_run_start(
		p, (const char *[]){ "run", LEAN, test_word("out", p->dir, "out"), ENDLESS, NULL });
	char *url, *text;

	test_metrics_await(r, STITCHED, 1);
	url = test_metrics_url(r);
	text = test_http_get(url);
	assert_non_null(text);
	for (size_t i = 0; i < sizeof say / sizeof *say; i++)
		if (!strstr(text, say[i]))
			fail_msg("no \"%s\" in: %s", say[i], text);
	free(text);
	/* twice stops at once, and says so in one sentence */
	kill(r->pid, SIGINT);
	free(test_run_await(r, "again to stop at once"));
	kill(r->pid, SIGINT);
	test_run_wait(r);
	assert_int_equal(r->code, 1);
	text = test_http_get(url);
	assert_null(text);
	free(url);
	test_run_free(r);
	test_place_clean_but_logs(p);
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(any_number_of_workers_and_way_gives_the_same),
		PLACED(killed_worker_loses_nothing),
		PLACED(without_journals_a_killed_node_with_state_ends_the_run),
		PLACED(nodes_end_with_the_conductor),
		PLACED(ctrl_c_saves_what_has_come),
		PLACED(ctrl_c_while_all_starts),
		PLACED(metrics_answer_while_it_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
