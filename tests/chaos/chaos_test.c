// SPDX-License-Identifier: Apache-2.0
/* The main job under random faults: whatever is killed, stopped or aborted, and when, the same
 *bytes come out, the books add up and nothing is left behind.
 *
 * A seed makes a plan: at which progress of the run, counted in messages, whom what befalls.
 *Environment: FORNIX_CHAOS_SEEDS	how many seeds (25) FORNIX_CHAOS_FIRST	the first (1): with
 *FORNIX_CHAOS_SEEDS=1, one of them again FORNIX_CHAOS_LOG	a file that gets a line for each
 *seed and the summary */
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "support/images.h"
#include "support/metrics.h"
#include "support/outputs.h"
#include "support/run.h"

#define GRAPH	 "graphs/reconstruct.yaml"
#define WORKERS	 "workers=3"
#define RESTARTS "--restarts=100"

enum { EVENTS_MAX = 5, VICTIMS_MAX = 3, SECTIONS = 24, SIDE = 64, STOP_MS = 1500, POLL_MS = 2 };

/* Who may be killed: "NODE.INSTANCE". */
static const char *const victims[] = { "segment.0", "segment.1", "segment.2" };

enum { VICTIMS = sizeof victims / sizeof *victims };

static const int signals[] = { SIGKILL, SIGKILL, SIGABRT, SIGSTOP };

/* What happens at one moment. */
struct event {
	double progress; /* part of the messages of an undisturbed run */
	size_t len;
	struct {
		size_t victim;
		int signal;
	} blows[VICTIMS_MAX];
	int stop_ms; /* those that are stopped go on after it */
};

/* Of one seed, or of all. */
struct tally {
	int killed, aborted, stopped, missed; /* missed: was not there, or could not be struck */
	json_int_t restarts, resent, duplicates;
};

struct chaos {
	struct test_place *place;
	double messages; /* of an undisturbed run, at all nodes */
	FILE *log;	 /* NULL: none */
	struct tally all;
};

static double rand_part(uint64_t *seed)
{
	return (double)(test_random(seed) >> 11) / 9007199254740992.0;
}

static int by_progress(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	return (x->progress > y->progress) - (x->progress < y->progress);
}

/* Between 1 and EVENTS_MAX events, with one to VICTIMS_MAX different victims each. */
static size_t plan_of(uint64_t seed, struct event *events)
{
	uint64_t s = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	const size_t n = 1 + test_random(&s) % EVENTS_MAX;

	for (size_t i = 0; i < n; i++) {
		struct event *e = &events[i];
		const size_t first = test_random(&s) % VICTIMS;

		e->progress = rand_part(&s);
		e->len = 1 + test_random(&s) % VICTIMS_MAX;
		e->len = e->len < VICTIMS ? e->len : VICTIMS;
		e->stop_ms = (int)(test_random(&s) % STOP_MS);
		for (size_t k = 0; k < e->len; k++) {
			e->blows[k].victim = (first + k) % VICTIMS;
			e->blows[k].signal =
				signals[test_random(&s) % (sizeof signals / sizeof *signals)];
		}
	}
	qsort(events, n, sizeof *events, by_progress);
	return n;
}

/* Sum of a metric over all lines whose name and labels begin with @p start. */
static double sum_of(const char *text, const char *start)
{
	double sum = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, start, strlen(start)) == 0) {
			const char *value = strstr(line, "} ");

			sum += value ? strtod(value + 2, NULL) : 0;
		}
	}
	return sum;
}

/* Waits until the run has come so far; false when it is over before. */
static bool await_progress(const char *url, double messages)
{
	for (;;) {
		char *text = test_http_get(url);
		const bool over = !text;
		const bool there = text && sum_of(text, "fornix_node_messages{") >= messages;

		free(text);
		if (over || there)
			return there;
		fx_sleep_ms(POLL_MS);
	}
}

/* An abort counts as another's doing only after the start: a life that has had a message. */
static bool may_abort(const char *url, const char *victim)
{
	char *text = test_http_get(url);
	char *at = fx_asprintf("{node=\"%.*s\"", (int)strcspn(victim, "."), victim);
	char *instance = fx_asprintf("instance=\"%s\"}", victim + strcspn(victim, ".") + 1);
	double messages = 0, restarts = 0;

	assert_true(at && instance);
	for (char *line = text, *next; line && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = 0;
		if (!strstr(line, at) || !strstr(line, instance))
			continue;
		if (strncmp(line, "fornix_node_messages{", 21) == 0)
			messages = strtod(strstr(line, "} ") + 2, NULL);
		if (strncmp(line, "fornix_node_restarts{", 21) == 0)
			restarts = strtod(strstr(line, "} ") + 2, NULL);
	}
	free(text);
	free(at);
	free(instance);
	return messages > 0 && restarts < 1;
}

/* Strikes; the process, when it is one that was stopped, else 0. */
static pid_t strike(struct chaos *c, const char *url, const char *victim, int number,
		    struct tally *t)
{
	char *words = fx_asprintf("node %s ", victim);
	const pid_t pid = test_place_process(c->place, words);

	free(words);
	if (!pid || (number == SIGABRT && !may_abort(url, victim)) || kill(pid, number) != 0) {
		t->missed++;
		return 0;
	}
	t->killed += number == SIGKILL;
	t->aborted += number == SIGABRT;
	t->stopped += number == SIGSTOP;
	return number == SIGSTOP ? pid : 0;
}

static void happen(struct chaos *c, const char *url, const struct event *e, struct tally *t)
{
	pid_t stopped[VICTIMS_MAX];
	size_t n = 0;

	for (size_t k = 0; k < e->len; k++) {
		const pid_t pid =
			strike(c, url, victims[e->blows[k].victim], e->blows[k].signal, t);

		if (pid)
			stopped[n++] = pid;
	}
	if (n)
		fx_sleep_ms(e->stop_ms);
	for (size_t k = 0; k < n; k++)
		kill(stopped[k], SIGCONT);
}

static struct test_run *start(struct chaos *c, const char *out)
{
	return test_run_start(c->place,
			      (const char *[]){ "run", GRAPH, test_word("out", c->place->dir, out),
						test_word("sections", c->place->dir, "sections"),
						test_word("truth", c->place->dir, "truth.tif"),
						"segmenter=watershed", WORKERS, "block=8 32 32",
						"halo=2 6 6", RESTARTS, NULL });
}

static void add(struct tally *sum, const struct tally *t)
{
	sum->killed += t->killed;
	sum->aborted += t->aborted;
	sum->stopped += t->stopped;
	sum->missed += t->missed;
	sum->restarts += t->restarts;
	sum->resent += t->resent;
	sum->duplicates += t->duplicates;
}

static void tell(FILE *f, const char *what, const struct tally *t)
{
	if (f)
		fprintf(f,
			"%s: %d killed, %d aborted, %d stopped, %d missed; %lld restarts, %lld "
			"messages sent again, %lld duplicates dropped\n",
			what, t->killed, t->aborted, t->stopped, t->missed, (long long)t->restarts,
			(long long)t->resent, (long long)t->duplicates);
}

static void check(struct chaos *c, const struct test_run *r, uint64_t seed, struct tally *t)
{
	const char *out = test_path(c->place->dir, "out");
	json_t *receipt;

	if (r->code)
		fail_msg("seed %llu ended with %d: %s", (unsigned long long)seed, r->code, r->err);
	receipt = test_receipt(out, true);
	t->restarts = test_sum(receipt, "nodes", "restarts");
	t->resent = test_sum(receipt, "edges", "resent");
	t->duplicates = test_sum(receipt, "edges", "duplicates");
	json_decref(receipt);
	test_same_folders(test_path(c->place->dir, "plain"), out);
	test_place_clean(c->place);
	assert_int_equal(fx_remove_tree(out, NULL), FX_OK);
}

static void run_seed(struct chaos *c, uint64_t seed)
{
	struct event events[EVENTS_MAX];
	const size_t n = plan_of(seed, events);
	struct tally t = { 0 };
	struct test_run *r = start(c, "out");
	char *url = test_metrics_url(r), name[32];

	snprintf(name, sizeof name, "seed %llu", (unsigned long long)seed);
	print_message("%s\n", name); /* what was under way, should a check fail */
	for (size_t i = 0; i < n && await_progress(url, events[i].progress * c->messages); i++)
		happen(c, url, &events[i], &t);
	test_run_wait(r);
	check(c, r, seed, &t);
	tell(c->log, name, &t);
	add(&c->all, &t);
	free(url);
	test_run_free(r);
}

/* What all are compared with, and how many messages there are. */
static void run_plain(struct chaos *c)
{
	struct test_run *r = start(c, "plain");
	char *url = test_metrics_url(r), *text;

	while ((text = test_http_get(url))) {
		const double sum = sum_of(text, "fornix_node_messages{");

		c->messages = sum > c->messages ? sum : c->messages;
		free(text);
		fx_sleep_ms(POLL_MS);
	}
	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	json_decref(test_receipt(test_path(c->place->dir, "plain"), true));
	assert_true(c->messages > 100);
	free(url);
	test_run_free(r);
	test_place_clean(c->place);
}

static uint64_t number(const char *name, uint64_t usual)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 10) : usual;
}

static void the_same_comes_out(void **state)
{
	const uint64_t first = number("FORNIX_CHAOS_FIRST", 1);
	const uint64_t seeds = number("FORNIX_CHAOS_SEEDS", 25);
	const struct test_sections s = { 0, SECTIONS, SIDE, SIDE, 8 };
	const char *log = getenv("FORNIX_CHAOS_LOG");
	struct chaos c = { .place = *state, .log = log && *log ? fopen(log, "we") : NULL };
	char name[64];

	test_write_sections(test_path(c.place->dir, "sections"), &s);
	test_write_truth(test_path(c.place->dir, "truth.tif"), &s, SECTIONS);
	run_plain(&c);
	for (uint64_t seed = first; seed < first + seeds; seed++)
		run_seed(&c, seed);
	snprintf(name, sizeof name, "%llu seeds from %llu", (unsigned long long)seeds,
		 (unsigned long long)first);
	tell(stdout, name, &c.all);
	tell(c.log, name, &c.all);
	if (c.log)
		fclose(c.log);
	if (seeds >= 25) { /* else these may have met nothing */
		assert_true(c.all.killed > 0 && c.all.aborted > 0 && c.all.stopped > 0);
		assert_true(c.all.restarts > (c.all.killed + c.all.aborted) / 2);
		assert_true(c.all.resent > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_same_comes_out, test_place_setup,
						test_place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
