// SPDX-License-Identifier: Apache-2.0
/* The main job under random faults: whatever is killed, stopped or aborted, and when, the conductor
 * included, the same bytes come out, the books add up and nothing is left behind. Every fourth time
 * the network is bad as well.
 *
 * A seed makes a plan: at which progress of the run, counted in messages, whom what befalls. In the
 * environment FORNIX_CHAOS_SEEDS says how many seeds (25), FORNIX_CHAOS_FIRST which is the first
 * (1), FORNIX_CHAOS_LOG which file gets a line for each seed and the summary. */
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

enum {
	ABORTS_MAX = 2,
	EVENTS_MAX = 5,
	VICTIMS_MAX = 3,
	SECTIONS = 24,
	SIDE = 64,
	STOP_MS = 1500,
	POLL_MS = 2
};

/* Who may be struck: "NODE.INSTANCE", and the conductor, by SIGKILL alone; the same command goes
 * on. */
static const char *const victims[] = {
	"segment.0",	    "segment.1",  "segment.2",	   "scope.0",	   "even.0",
	"tiles.0",	    "whole.0",	  "trace.0",	   "truth.0",	   "truth_tiles.0",
	"truth_trace.0",    "score.0",	  "save_scores.0", "save_image.0", "save_labels.0",
	"save_skeletons.0", "save_swc.0", "picture.0",	   "conductor",
};

enum { VICTIMS = sizeof victims / sizeof *victims, CONDUCTOR = VICTIMS - 1 };

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
	int killed, aborted, stopped, conductors;
	int missed; /* was not there, or could not be struck */
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
		const size_t first = test_random(&s) % VICTIMS, step = 1 + test_random(&s) % 7;

		e->progress = rand_part(&s);
		e->len = 1 + test_random(&s) % VICTIMS_MAX;
		e->stop_ms = (int)(test_random(&s) % STOP_MS);
		for (size_t k = 0; k < e->len; k++) {
			e->blows[k].victim = (first + k * step) % VICTIMS;
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
	const int64_t start = fx_now_ns();

	for (;;) {
		char *text = test_http_get(url);
		const bool over = !text;
		const bool there = text && sum_of(text, "fornix_node_messages{") >= messages;

		free(text);
		if (over || there)
			return there;
		if (fx_now_ns() - start > TEST_RUN_PATIENCE_S * INT64_C(1000000000))
			fail_msg("it stands still before %g messages", messages);
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

/* A run that is under way, over the lives of its conductor. */
struct course {
	struct chaos *chaos;
	struct test_run *run;
	char *url; /* owned */
	bool bad_network;
	struct tally tally;
};

/* Strikes; the process, when it is one that was stopped, else 0. */
static pid_t strike(struct course *c, const char *victim, int number)
{
	char *words = fx_asprintf("node %s ", victim);
	const pid_t pid = test_place_process(c->chaos->place, words);

	free(words);
	/* three that fall to one message would set it aside: that is another test */
	if (number == SIGABRT &&
	    (c->tally.conductors || c->tally.aborted == ABORTS_MAX || !may_abort(c->url, victim)))
		number = SIGKILL;
	if (!pid || kill(pid, number) != 0) {
		c->tally.missed++;
		return 0;
	}
	c->tally.killed += number == SIGKILL;
	c->tally.aborted += number == SIGABRT;
	c->tally.stopped += number == SIGSTOP;
	return number == SIGSTOP ? pid : 0;
}

static void start(struct course *c, const char *out)
{
	struct test_place *p = c->chaos->place;

	if (c->bad_network)
		setenv("FORNIX_FAULT",
		       "drop=0.003,duplicate=0.02,reorder=0.02,corrupt=0.003,delay=0.02,"
		       "delay_ms=20",
		       1);
	c->run =
		test_run_start(p, (const char *[]){ "run", GRAPH, test_word("out", p->dir, out),
						    test_word("sections", p->dir, "sections"),
						    test_word("truth", p->dir, "truth.tif"),
						    "segmenter=watershed", WORKERS, "block=8 32 32",
						    "halo=2 6 6", RESTARTS, "--resume", NULL });
	unsetenv("FORNIX_FAULT");
	c->url = test_metrics_url(c->run);
}

static void kill_conductor(struct course *c)
{
	kill(c->run->pid, SIGKILL);
	test_run_wait(c->run);
	test_run_free(c->run);
	free(c->url);
	c->tally.conductors++;
	start(c, "out");
}

static void happen(struct course *c, const struct event *e)
{
	pid_t stopped[VICTIMS_MAX];
	bool conductor = false;
	size_t n = 0;

	for (size_t k = 0; k < e->len; k++) {
		const size_t victim = e->blows[k].victim;
		const pid_t pid =
			victim == CONDUCTOR ? 0 : strike(c, victims[victim], e->blows[k].signal);

		conductor = conductor || victim == CONDUCTOR;
		if (pid)
			stopped[n++] = pid;
	}
	if (n)
		fx_sleep_ms(e->stop_ms);
	for (size_t k = 0; k < n; k++)
		kill(stopped[k], SIGCONT);
	if (conductor)
		kill_conductor(c);
}

static void add(struct tally *sum, const struct tally *t)
{
	sum->killed += t->killed;
	sum->aborted += t->aborted;
	sum->stopped += t->stopped;
	sum->conductors += t->conductors;
	sum->missed += t->missed;
	sum->restarts += t->restarts;
	sum->resent += t->resent;
	sum->duplicates += t->duplicates;
}

static void tell(FILE *f, const char *what, const struct tally *t)
{
	if (f)
		fprintf(f,
			"%s: %d killed, %d aborted, %d stopped, %d conductors killed, %d missed; "
			"%lld restarts, %lld messages sent again, %lld duplicates dropped\n",
			what, t->killed, t->aborted, t->stopped, t->conductors, t->missed,
			(long long)t->restarts, (long long)t->resent, (long long)t->duplicates);
	if (f)
		fflush(f);
}

static void check(struct chaos *c, const struct test_run *r, uint64_t seed, struct tally *t)
{
	const char *out = test_path(c->place->dir, "out");
	json_t *receipt;

	if (r->code)
		fail_msg("seed %llu ended with %d: %s", (unsigned long long)seed, r->code, r->err);
	receipt = test_receipt_struck(out, true, t->aborted ? SIGABRT : 0);
	t->restarts = test_sum(receipt, "nodes", "restarts");
	t->resent = test_sum(receipt, "edges", "resent");
	t->duplicates = test_sum(receipt, "edges", "duplicates");
	json_decref(receipt);
	test_same_folders(test_path(c->place->dir, "plain"), out);
	test_place_clean(c->place);
	assert_int_equal(fx_remove_tree(out, NULL), FX_OK);
}

static void run_seed(struct chaos *all, uint64_t seed)
{
	struct event events[EVENTS_MAX];
	const size_t n = plan_of(seed, events);
	struct course c = { .chaos = all, .bad_network = seed % 4 == 0 };
	char name[32];

	snprintf(name, sizeof name, "seed %llu", (unsigned long long)seed);
	print_message("%s\n", name); /* what was under way, should a check fail */
	start(&c, "out");
	for (size_t i = 0; i < n && await_progress(c.url, events[i].progress * all->messages); i++)
		happen(&c, &events[i]);
	test_run_wait(c.run);
	check(all, c.run, seed, &c.tally);
	tell(all->log, name, &c.tally);
	add(&all->all, &c.tally);
	free(c.url);
	test_run_free(c.run);
}

/* What all are compared with, and how many messages there are. */
static void run_plain(struct chaos *all)
{
	struct course c = { .chaos = all };
	char *text;

	start(&c, "plain");
	while ((text = test_http_get(c.url))) {
		const double sum = sum_of(text, "fornix_node_messages{");

		all->messages = sum > all->messages ? sum : all->messages;
		free(text);
		fx_sleep_ms(POLL_MS);
	}
	test_run_wait(c.run);
	if (c.run->code)
		fail_msg("ended with %d: %s", c.run->code, c.run->err);
	json_decref(test_receipt(test_path(all->place->dir, "plain"), true));
	assert_true(all->messages > 100);
	free(c.url);
	test_run_free(c.run);
	test_place_clean(all->place);
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
		assert_true(c.all.conductors > 0);
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
