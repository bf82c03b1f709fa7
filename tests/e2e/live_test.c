// SPDX-License-Identifier: Apache-2.0
/* graphs/live.yaml from a simulated microscope: the whole way, and the same bytes when nodes and
 * the conductor are killed on it. */
#include "support/test.h"

#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "support/images.h"
#include "support/metrics.h"
#include "support/outputs.h"
#include "support/run.h"

#define GRAPH	"graphs/live.yaml"
#define BLOCKS	"block=8 32 32", "halo=4 8 8"
#define ALIGNED "fornix_edge_acked{from=\"align.image\",to=\"tiles.image\"} "

/* Sections with drift, and some that are out of focus, lost or folded; no one answers requests. */
static void imaged(struct test_place *p)
{
	test_run_expect(p, 0,
			(const char *[]){ "simulate", "phantom:24x96x96",
					  test_path(p->dir, "scope"), "--drift", "0.4", "--defocus",
					  "8", "--missing", "6", "--seed", "5", "--quiet", NULL });
}

static struct test_run *start(struct test_place *p, const char *out, const char *word)
{
	return test_run_start(
		p, (const char *[]){ "run", GRAPH, test_word("sections", p->dir, "scope"),
				     test_word("out", p->dir, out), BLOCKS, word, NULL });
}

/* Sections that are lost or stay bad are missing, and all else is there. */
static json_t *finish(struct test_place *p, struct test_run *r, const char *out)
{
	static const char *const made[] = { "labels/info",   "image/info",  "scores.json",
					    "quality.jsonl", "picture.png", "transforms.jsonl",
					    "skeletons/swc" };
	json_t *receipt;

	test_run_wait(r);
	if (r->code != 1)
		fail_msg("ended with %d: %s", r->code, r->err);
	receipt = test_receipt(test_path(p->dir, out), false);
	for (size_t i = 0; i < sizeof made / sizeof *made; i++)
		if (!test_is_there(test_path(p->dir, out), made[i]))
			fail_msg("%s is not there", made[i]);
	test_run_free(r);
	return receipt;
}

static void kill_one(struct test_place *p, const char *words)
{
	const pid_t pid = test_place_process(p, words);

	if (pid)
		kill(pid, SIGKILL);
}

static void kills_change_nothing(void **state)
{
	static const char *const victims[] = { "node scope.0 ",	   "node good.0 ",
					       "node align.0 ",	   "node quality.0 ",
					       "node excluded.0 ", "node tiles.0 " };
	struct test_place *p = *state;
	struct test_run *r;
	json_t *plain, *killed, *lag;

	imaged(p);
	plain = finish(p, start(p, "plain", "--quiet"), "plain");
	r = start(p, "out", "--restarts=20");
	test_metrics_await(r, ALIGNED, 1);
	for (size_t i = 0; i < sizeof victims / sizeof *victims; i++)
		kill_one(p, victims[i]);
	test_metrics_await(r, ALIGNED, 5);
	kill(r->pid, SIGKILL);
	test_run_wait(r);
	test_run_free(r);
	killed = finish(p, start(p, "out", "--resume"), "out");
	test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "out"));
	assert_true(
		json_equal(json_object_get(plain, "missing"), json_object_get(killed, "missing")));
	assert_true(json_array_size(json_object_get(plain, "missing")) > 0);
	lag = json_object_get(plain, "lag");
	assert_int_equal(json_array_size(json_object_get(lag, "acquired_seconds")), 24);
	json_decref(plain);
	json_decref(killed);
	test_place_clean_but_logs(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kills_change_nothing, test_place_setup,
						test_place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
