// SPDX-License-Identifier: Apache-2.0
/* A microscope that often fails images again what inspector/feedback asks for: all bad sections
 * become good ones, and the segments are better than without. */
#include "support/test.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/images.h"
#include "support/metrics.h"
#include "support/run.h"

#define GOOD "fornix_edge_acked{from=\"gate.image\",to=\"even.image\"} "

enum { SECTIONS = 36 };

/* Split and merge of the segments in the folder @p out, in bits. */
static double voi(const char *out)
{
	json_t *scores = json_load_file(test_path(out, "scores.json"), 0, NULL);
	json_t *truth = json_object_get(scores, "truth_nonzero");
	const json_t *split = json_object_get(truth, "voi_split"),
		     *merge = json_object_get(truth, "voi_merge");
	double sum;

	assert_true(json_is_number(split) && json_is_number(merge));
	sum = json_number_value(split) + json_number_value(merge);
	json_decref(scores);
	return sum;
}

/* Lines of the file of requests in @p out. */
static size_t requests(const char *out)
{
	FILE *f = fopen(test_path(out, "again.jsonl"), "r");
	size_t lines = 0;

	assert_non_null(f);
	for (int c = getc(f); c != EOF; c = getc(f))
		lines += c == '\n';
	fclose(f);
	return lines;
}

static struct test_run *reconstruct(struct test_place *p, const char *name, const char *a,
				    const char *b, const char *c, const char *d, const char *e)
{
	char sections[300], out[300];
	const char *words[] = {
		"run", "tests/e2e/feedback.yaml", sections, out, a, b, c, d, e, NULL
	};

	snprintf(sections, sizeof sections, "sections=%s/scope", p->dir);
	snprintf(out, sizeof out, "out=%s/%s", p->dir, name);
	return test_run_start(p, words);
}

static void expect_end(struct test_run *r, int code)
{
	test_run_wait(r);
	if (r->code != code)
		fail_msg("exit code %d: %s", r->code, r->err);
	test_run_free(r);
}

static void what_is_imaged_again_is_better(void **state)
{
	struct test_place *p = *state;
	char scope[300], again[300], with[300], without[300];
	const char *const simulate[] = { "simulate", "phantom:36x128x128",
					 scope,	     "--seed",
					 "4",	     "--defocus",
					 "25",	     "--blank",
					 "8",	     "--rate",
					 "9",	     "--requests",
					 again,	     "--linger",
					 "3600",     "--quiet",
					 NULL };
	struct test_run *microscope, *run;
	double better, worse;

	snprintf(scope, sizeof scope, "%s/scope", p->dir);
	snprintf(with, sizeof with, "%s/with", p->dir);
	snprintf(without, sizeof without, "%s/without", p->dir);
	snprintf(again, sizeof again, "%s/with/again.jsonl", p->dir);
	assert_int_equal(mkdir(scope, 0777), 0);
	run = reconstruct(p, "with", NULL, NULL, NULL, NULL, NULL);
	microscope = test_run_start(p, simulate);
	test_metrics_await(run, GOOD, SECTIONS); /* nothing more will be asked for */
	kill(microscope->pid, SIGINT);
	expect_end(microscope, 1);
	expect_end(run, 0);
	run = reconstruct(p, "without", "source=sections", "versions=image",
			  "pattern=section-#.png", "attempts=0", "otherwise=pass");
	expect_end(run, 0);
	better = voi(with);
	worse = voi(without);
	print_message("%zu requests; VOI %.3f bit, without %.3f bit\n", requests(with), better,
		      worse);
	assert_true(requests(with) >= 5);
	assert_int_equal(requests(without), 0);
	assert_true(better < 0.9 * worse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_imaged_again_is_better, test_place_setup,
						test_place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
