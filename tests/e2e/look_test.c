// SPDX-License-Identifier: Apache-2.0
/* Runs looked at from outside: top, tap, record; and what was recorded played again. */
#include "support/test.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "formats/volume.h"
#include "link/letter.h"
#include "node/recording.h"
#include "support/images.h"
#include "support/metrics.h"
#include "support/outputs.h"
#include "support/run.h"

#define SECTIONS "tests/e2e/sections.yaml"
#define SENT	 "fornix_edge_acked{from=\"scope.image\",to=\"even.image\"} "
#define PASSED	 "fornix_edge_acked{from=\"even.out\",to=\"tiles.image\"} "

static const struct test_sections all = { 95, 12, 48, 56, 8 }, /* z095 to z106 */
	first = { 95, 4, 48, 56, 8 }, rest = { 99, 8, 48, 56, 8 };

/* A path that lives longer than one of test_path(). */
static void place(char path[200], const struct test_place *p, const char *name)
{
	assert_true(snprintf(path, 200, "%s/%s", p->dir, name) < 200);
}

/* A run that waits for more sections than are there. */
static struct test_run *start(struct test_place *p)
{
	return test_run_start(p, (const char *[]){ "run", SECTIONS,
						   test_word("sections", p->dir, "in"),
						   test_word("out", p->dir, "out"), "acquire=watch",
						   "count=12", "--hang=0", NULL });
}

static void write_sections(struct test_place *p, const struct test_sections *s)
{
	assert_int_equal(fx_make_dirs(test_path(p->dir, "in"), NULL), FX_OK);
	for (size_t z = s->first; z < s->first + s->count; z++) {
		char part[64], name[64];

		snprintf(part, sizeof part, "z%03zu.png.part", z);
		snprintf(name, sizeof name, "z%03zu.png", z);
		test_section(test_path(p->dir, "in"), part, s, z);
		assert_int_equal(rename(test_path(test_path(p->dir, "in"), part),
					test_path(test_path(p->dir, "in"), name)),
				 0);
	}
}

/* The same without being looked at. */
static void run_plain(struct test_place *p)
{
	test_write_sections(test_path(p->dir, "whole"), &all);
	test_run_expect(p, 0,
			(const char *[]){ "run", SECTIONS, test_word("sections", p->dir, "whole"),
					  test_word("out", p->dir, "plain"), "--quiet", NULL });
}

static void expect_plain(struct test_place *p, struct test_run *r)
{
	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	json_decref(test_receipt(test_path(p->dir, "out"), true));
	test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "out"));
	test_run_free(r);
}

static const json_t *named(const json_t *list, const char *key, const char *name)
{
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
	{
		if (strcmp(json_string_value(json_object_get(o, key)), name) == 0)
			return o;
	}
	fail_msg("no %s", name);
	return NULL;
}

static json_int_t integer(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static void top_shows_nodes_and_edges(void **state)
{
	struct test_place *p = *state;
	struct test_run *r, *top;
	const json_t *node, *edge;
	json_t *j;

	run_plain(p);
	write_sections(p, &first);
	r = start(p);
	test_metrics_await(r, SENT, (double)first.count);
	top = test_run(p, (const char *[]){ "top", "--once", "--json", "--interval", "2", NULL });
	if (top->code)
		fail_msg("top: %d %s", top->code, top->err);
	j = json_loads(top->out, 0, NULL);
	assert_non_null(j);
	assert_int_equal(integer(j, "pid"), r->pid);
	node = named(json_object_get(j, "nodes"), "name", "even");
	assert_string_equal(json_string_value(json_object_get(node, "state")), "runs");
	assert_string_equal(json_string_value(json_object_get(node, "type")), "normalizer/stretch");
	assert_int_equal(integer(node, "pid"),
			 test_place_await(p, "node even.0 normalizer/stretch"));
	assert_true(integer(node, "rss_bytes") > 1 << 20);
	assert_true(json_real_value(json_object_get(node, "wait_in")) > 0.1);
	edge = named(json_object_get(j, "edges"), "to", "even.image");
	assert_string_equal(json_string_value(json_object_get(edge, "from")), "scope.image");
	assert_int_equal(integer(edge, "sent"), first.count);
	assert_int_equal(integer(edge, "depth"), 0);
	json_decref(j);
	test_run_free(top);
	write_sections(p, &rest);
	expect_plain(p, r);
	test_place_clean(p);
}

/* What waits for a process that stands still is shown, and for how long. */
static void top_shows_what_waits(void **state)
{
	struct test_place *p = *state;
	struct test_run *r, *top;
	const json_t *edge;
	pid_t held;
	json_t *j;

	run_plain(p);
	assert_int_equal(fx_make_dirs(test_path(p->dir, "in"), NULL), FX_OK);
	r = start(p);
	held = test_place_hold(p, "node tiles.0 tiler/blocks");
	write_sections(p, &first);
	test_metrics_await(r, "fornix_edge_depth{from=\"even.out\",to=\"tiles.image\"} ", 1);
	fx_sleep_ms(300);
	top = test_run(p, (const char *[]){ "top", "--once", "--json", "--interval", "0.1", NULL });
	kill(held, SIGCONT);
	j = json_loads(top->out, 0, NULL);
	assert_non_null(j);
	edge = named(json_object_get(j, "edges"), "to", "tiles.image");
	assert_true(integer(edge, "depth") > 0);
	assert_true(json_real_value(json_object_get(edge, "age_seconds")) >= 0.3);
	json_decref(j);
	test_run_free(top);
	write_sections(p, &rest);
	expect_plain(p, r);
	test_place_clean(p);
}

/* When its run ends while messages are on their way to it, a buffer of libzmq 4.3.4 now and then
 * stays, and the leak sanitizer would give the tap an exit code of its own.
 * tests/runtime/link/guests_test.c looks for leaks of ours. */
static struct test_run *start_tap(struct test_place *p, const char *const *words)
{
	const char *given = getenv("ASAN_OPTIONS");
	char *before = given ? fx_strdup(given) : NULL;
	struct test_run *tap;

	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	tap = test_run_start(p, words);
	if (before)
		setenv("ASAN_OPTIONS", before, 1);
	else
		unsetenv("ASAN_OPTIONS");
	free(before);
	return tap;
}

static size_t lines(const char *text, const char *with)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, with)); at++)
		n++;
	return n;
}

static void tap_prints_what_comes(void **state)
{
	struct test_place *p = *state;
	struct test_run *r, *tap;

	run_plain(p);
	write_sections(p, &first);
	r = start(p);
	test_metrics_await(r, PASSED, (double)first.count);
	tap = start_tap(p, (const char *[]){ "tap", "even.out:tiles", NULL });
	free(test_run_await(tap, "even.out: listening\n"));
	write_sections(p, &rest);
	expect_plain(p, r);
	test_run_wait(tap);
	if (tap->code)
		fail_msg("tap: %d %s%s", tap->code, tap->out, tap->err);
	assert_int_equal(lines(tap->out, "  open     "), 1);
	assert_int_equal(lines(tap->out, "  block    "), rest.count);
	assert_int_equal(lines(tap->out, "  done     "), rest.count);
	assert_non_null(strstr(tap->out, "  block    4..5 0..48 0..56"));
	assert_non_null(strstr(tap->out, "u8 image, 2688 bytes\n"));
	assert_null(strstr(tap->err, "passed by"));
	test_run_free(tap);
	test_place_clean(p);
}

/* The file of section 4 (z099) is what the run writes at that place. */
static void tap_saves_blocks(void **state)
{
	struct test_place *p = *state;
	char saved[200];
	const struct fx_region section = { { 4, 0, 0 }, { 5, 48, 56 } },
			       one = { { 0, 0, 0 }, { 1, 48, 56 } };
	struct fx_block *tapped = NULL, *written = NULL;
	struct fx_volume v = { .shape = { 0 } };
	struct test_run *r, *tap;

	place(saved, p, "saved");
	run_plain(p);
	write_sections(p, &first);
	r = start(p);
	test_metrics_await(r, PASSED, (double)first.count);
	tap = start_tap(
		p, (const char *[]){ "tap", "even.out", "--save", saved, "--count", "2", NULL });
	free(test_run_await(tap, "listening\n"));
	write_sections(p, &rest);
	test_run_wait(tap);
	if (tap->code)
		fail_msg("tap: %d %s%s", tap->code, tap->out, tap->err);
	test_run_free(tap);
	expect_plain(p, r);
	assert_int_equal(test_count_files(saved, ".npy"), 2);
	assert_int_equal(fx_volume_open(test_path(saved, "00000009.npy"), &v, NULL), FX_OK);
	assert_int_equal(fx_volume_read(&v, one, &tapped, NULL), FX_OK);
	fx_volume_close(&v);
	assert_int_equal(fx_volume_open(test_path(p->dir, "out/image"), &v, NULL), FX_OK);
	assert_int_equal(fx_volume_read(&v, section, &written, NULL), FX_OK);
	fx_volume_close(&v);
	assert_memory_equal(tapped->data, written->data, fx_block_size(written));
	fx_block_free(tapped);
	fx_block_free(written);
	test_place_clean(p);
}

/* The run goes on to its end, whatever becomes of who looks on. */
static void stopped_and_killed_taps_hold_nothing_up(void **state)
{
	struct test_place *p = *state;
	struct test_run *r, *stopped, *killed;

	run_plain(p);
	write_sections(p, &first);
	r = start(p);
	test_metrics_await(r, SENT, (double)first.count);
	stopped = start_tap(p, (const char *[]){ "tap", "even.out", "--save",
						 test_path(p->dir, "saved"), NULL });
	killed = test_run_start(
		p, (const char *[]){ "record", "tiles.blocks", test_path(p->dir, "rec"), NULL });
	free(test_run_await(stopped, "listening\n"));
	free(test_run_await(killed, "listening\n"));
	kill(stopped->pid, SIGSTOP);
	kill(killed->pid, SIGKILL);
	write_sections(p, &rest);
	expect_plain(p, r);
	kill(stopped->pid, SIGCONT);
	test_run_wait(stopped);
	test_run_wait(killed);
	if (stopped->code)
		fail_msg("tap: %d %s", stopped->code, stopped->err);
	test_run_free(stopped);
	test_run_free(killed);
	test_place_clean(p);
}

static void expect_replay(struct test_place *p, const char *dir)
{
	test_run_expect(p, 0,
			(const char *[]){ "replay", dir, test_word("out", p->dir, "again"),
					  "--quiet", NULL });
	json_decref(test_receipt(test_path(p->dir, "again"), true));
	test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "again"));
}

static void recorded_from_outside_and_played(void **state)
{
	struct test_place *p = *state;
	char rec[200];
	struct test_run *r, *recorder;
	json_t *j;

	place(rec, p, "rec");
	run_plain(p);
	assert_int_equal(fx_make_dirs(test_path(p->dir, "in"), NULL), FX_OK);
	r = start(p);
	test_place_await(p, "node even.0 normalizer/stretch");
	recorder = start_tap(p, (const char *[]){ "record", "even.out", rec, NULL });
	free(test_run_await(recorder, "listening\n"));
	write_sections(p, &all);
	expect_plain(p, r);
	test_run_wait(recorder);
	if (recorder->code)
		fail_msg("record: %d %s", recorder->code, recorder->err);
	test_run_free(recorder);
	j = test_json(rec, FX_RECORDING_FILE);
	assert_true(json_is_true(json_object_get(j, "complete")));
	assert_int_equal(integer(j, "messages"), 1 + 2 * all.count + 1);
	json_decref(j);
	expect_replay(p, rec);
	test_place_clean(p);
}

static void who_comes_late_is_told_what_it_missed(void **state)
{
	struct test_place *p = *state;
	char rec[200];
	struct test_run *r, *recorder;
	json_t *j;

	place(rec, p, "rec");
	run_plain(p);
	write_sections(p, &first);
	r = start(p);
	test_metrics_await(r, PASSED, (double)first.count);
	recorder = start_tap(p, (const char *[]){ "record", "even.out", rec, NULL });
	free(test_run_await(recorder, "listening\n"));
	write_sections(p, &rest);
	expect_plain(p, r);
	test_run_wait(recorder);
	if (recorder->code)
		fail_msg("record: %d %s", recorder->code, recorder->err);
	assert_non_null(strstr(recorder->err, "; 8 were sent before"));
	test_run_free(recorder);
	j = test_json(rec, FX_RECORDING_FILE);
	assert_true(json_is_false(json_object_get(j, "complete")));
	assert_int_equal(integer(j, "missed_before"), 2 * first.count);
	assert_int_equal(integer(j, "missed"), 2 * first.count);
	json_decref(j);
	test_place_clean(p);
}

static void recorded_by_the_run_and_played(void **state)
{
	struct test_place *p = *state;
	char word[400];

	run_plain(p);
	snprintf(word, sizeof word, "tiles.blocks=%s/rec", p->dir);
	test_run_expect(p, 0,
			(const char *[]){ "run", SECTIONS, test_word("sections", p->dir, "whole"),
					  test_word("out", p->dir, "out"), "--quiet", "--record",
					  word, NULL });
	test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "out"));
	expect_replay(p, test_path(p->dir, "rec"));
	test_place_clean(p);
}

/* It is a node with state as any other: it lives again, and records again. */
static void the_recording_node_is_killed(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;
	char word[400];

	run_plain(p);
	write_sections(p, &first);
	snprintf(word, sizeof word, "even.out=%s/rec", p->dir);
	r = test_run_start(p,
			   (const char *[]){ "run", SECTIONS, test_word("sections", p->dir, "in"),
					     test_word("out", p->dir, "out"), "acquire=watch",
					     "count=12", "--record", word, NULL });
	test_metrics_await(r, "fornix_edge_acked{from=\"even.out\",to=\"recording.in\"} ",
			   (double)first.count);
	kill(test_place_await(p, "node recording.0 writer/recording"), SIGKILL);
	write_sections(p, &rest);
	expect_plain(p, r);
	expect_replay(p, test_path(p->dir, "rec"));
	test_place_clean(p);
}

/* A dead letter: one section for the tiler, with or without what opened its stream. */
static void write_letter(const char *path, const struct fx_envelope *e)
{
	struct fx_letter l;
	unsigned char bytes[8192];
	size_t size = 0;

	assert_int_equal(fx_letter_write(&l, e, NULL), FX_OK);
	for (int i = 0; i < l.parts_len; i++) {
		assert_true(size + l.parts[i].iov_len <= sizeof bytes);
		memcpy(bytes + size, l.parts[i].iov_base, l.parts[i].iov_len);
		size += l.parts[i].iov_len;
	}
	fx_letter_fini(&l);
	test_write_file(path, bytes, size);
}

static const char *dead_letter(struct test_place *p, bool open)
{
	static const char text[] =
		"{\"node\": \"tiles\", \"type\": \"tiler/blocks\", \"port\": \"image\",\n"
		" \"options\": {\"block\": \"1 32 32\", \"halo\": \"0 0 0\"}, \"seq\": 1,\n"
		" \"cause\": \"killed by signal 11\", \"restarts\": 3}\n";
	const char *dir = test_path(p->dir, open ? "opened" : "letter");
	const struct fx_envelope mark = { .mark = { .kind = FX_MARK_OPEN,
						    .region = { { 0, 0, 0 }, { 1, 32, 64 } },
						    .voxel_nm = { 8, 8, 8 },
						    .dtype = FX_U8 } };
	struct fx_block *b = fx_block_new(FX_U8, 1, 32, 64);
	const struct fx_envelope e = { .seq = 1, .kind = FX_BLOCK, .message = b };

	assert_int_equal(fx_make_dirs(dir, NULL), FX_OK);
	test_write_file(test_path(dir, "letter.json"), text, strlen(text));
	write_letter(test_path(dir, "message"), &e);
	if (open)
		write_letter(test_path(dir, "open"), &mark);
	fx_block_free(b);
	return dir;
}

static void expect_said(struct test_place *p, int code, const char *dir, const char *said)
{
	struct test_run *r = test_run(p, (const char *[]){ "replay", dir, NULL });

	if (r->code != code || !(strstr(r->out, said) || strstr(r->err, said)))
		fail_msg("%d, not %d: %s%s", r->code, code, r->out, r->err);
	test_run_free(r);
}

static void dead_letters_come_to_their_node(void **state)
{
	struct test_place *p = *state;
	const char *opened = dead_letter(p, true);

	expect_said(p, 0, opened, "tiles (tiler/blocks) took it\n");
	expect_said(p, 0, opened, "cause: killed by signal 11\n");
	expect_said(p, 1, dead_letter(p, false), "tiles (tiler/blocks): ");
	test_write_file(test_path(opened, "message"), "\1\2\3", 3);
	expect_said(p, 2, opened, "is cut short");
	test_write_file(test_path(opened, "letter.json"), "[]", 2);
	expect_said(p, 2, opened, "is not a JSON object");
	test_place_clean(p);
}

/* What killed the node in the run kills it in the process that a debugger can look at. */
static void a_message_that_was_set_aside_kills_again(void **state)
{
	struct test_place *p = *state;
	const char *letter = test_path(p->dir, "out/dead-letters/fragile-in-7");
	struct test_run *r;

	setenv("FX_NODE_PATH", getenv("FORNIX_TEST_NODES"), 1);
	test_run_expect(p, 1,
			(const char *[]){ "run", "tests/e2e/fragile.yaml", "at=16 0 16",
					  test_word("out", p->dir, "out"), "--quiet", NULL });
	assert_true(test_is_there(letter, "open"));
	r = test_run(p, (const char *[]){ "replay", letter, NULL });
	unsetenv("FX_NODE_PATH");
	if (r->code != 128 + SIGABRT)
		fail_msg("%d: %s%s", r->code, r->out, r->err);
	assert_non_null(strstr(r->out, "cause: was killed by signal 6"));
	assert_non_null(strstr(r->out, "  block    16..32 0..16 16..32"));
	test_run_free(r);
}

static void expect_wrong(struct test_place *p, const char *said, const char *const *words)
{
	struct test_run *r = test_run(p, words);

	if (r->code != 2 || !strstr(r->err, said))
		fail_msg("%d: %s", r->code, r->err);
	test_run_free(r);
}

static void what_is_not_there_is_told(void **state)
{
	struct test_place *p = *state;
	const char *nowhere = test_path(p->dir, "nowhere");
	struct test_run *r;

	expect_wrong(p, "there is no run in ", (const char *[]){ "top", NULL });
	expect_wrong(p, "there is no run of process 1 in ", (const char *[]){ "top", "1", NULL });
	expect_wrong(p, "run.json", (const char *[]){ "top", nowhere, NULL });
	expect_wrong(p, "is neither a recording", (const char *[]){ "replay", nowhere, NULL });
	run_plain(p);
	write_sections(p, &first);
	r = start(p);
	test_metrics_await(r, SENT, (double)first.count);
	expect_wrong(p,
		     "the run has no edge even.ou; there are scope.image:even even.out:tiles "
		     "tiles.blocks:save",
		     (const char *[]){ "tap", "even.ou", NULL });
	expect_wrong(p, "the run has no edge even.out:save;",
		     (const char *[]){ "tap", "even.out:save", NULL });
	expect_wrong(p, "holds something else",
		     (const char *[]){ "record", "even.out", test_path(p->dir, "in"), NULL });
	write_sections(p, &rest);
	expect_plain(p, r);
	test_place_clean(p);
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(top_shows_nodes_and_edges),
		PLACED(top_shows_what_waits),
		PLACED(tap_prints_what_comes),
		PLACED(tap_saves_blocks),
		PLACED(stopped_and_killed_taps_hold_nothing_up),
		PLACED(recorded_from_outside_and_played),
		PLACED(who_comes_late_is_told_what_it_missed),
		PLACED(recorded_by_the_run_and_played),
		PLACED(the_recording_node_is_killed),
		PLACED(dead_letters_come_to_their_node),
		PLACED(a_message_that_was_set_aside_kills_again),
		PLACED(what_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
