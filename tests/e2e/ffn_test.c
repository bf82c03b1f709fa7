// SPDX-License-Identifier: Apache-2.0
/* Floods a volume in overlapping blocks by graphs/ffn.yaml: any number of workers gives the same
 * bytes, and workers that are killed go on with what they have saved. */
#include "support/test.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "formats/precomputed.h"
#include "support/ffn_toy.h"
#include "support/images.h"
#include "support/metrics.h"
#include "support/outputs.h"
#include "support/run.h"

/* 2 x 2 x 2 blocks; the state is saved every so many evaluations. */
#define BLOCKS	 "block=18 22 26", "halo=8 8 8", "save_every=20"
#define FLOODED1 "fornix_node_messages{node=\"flood\",type=\"segmenter/ffn\",instance=\"1\"} "

enum { SAVE_EVERY = 20 };

static const struct test_sections some = { 0, 36, 44, 52, 8 };

static struct test_run *start(struct test_place *p, const char *out, const char *workers)
{
	return test_run_start(
		p, (const char *[]){ "run", "graphs/ffn.yaml", test_word("sections", p->dir, "in"),
				     test_word("model", p->dir, "toy.safetensors"),
				     test_word("out", p->dir, out), workers, BLOCKS, NULL });
}

static void make_input(struct test_place *p)
{
	float values[TEST_FFN_VALUES];
	const struct fx_ffn_model toy = test_ffn_toy(values);

	assert_int_equal(
		fx_ffn_model_write(&toy, test_path(p->dir, "toy.safetensors"), "test", NULL),
		FX_OK);
	test_write_sections(test_path(p->dir, "in"), &some);
}

/* What all workers have told of one unit, in the receipt. */
static double progress(const json_t *receipt, const char *unit)
{
	const json_t *nodes = json_object_get(receipt, "nodes");
	double sum = 0;

	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const json_t *told = json_object_get(json_array_get(nodes, i), "progress");

		sum += json_number_value(json_object_get(told, unit));
	}
	return sum;
}

/* Waits for the end of a run; its receipt. All voxels are done, no state is left. */
static json_t *check(struct test_place *p, struct test_run *r, const char *out)
{
	const double voxels = (double)(some.count * some.height * some.width);
	json_t *receipt;

	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	receipt = test_receipt(test_path(p->dir, out), true);
	assert_true(progress(receipt, "voxels") == voxels);
	assert_true(progress(receipt, "seeds left") == 0);
	assert_true(progress(receipt, "objects") > 0);
	assert_non_null(strstr(r->err, " flood 100% 82.4k of 82.4k voxels, "));
	assert_int_equal(test_count_files(test_path(test_path(p->dir, out), "flooding"), ""), 0);
	return receipt;
}

static struct fx_block *chunk(const char *folder, int64_t x)
{
	const int64_t grid[3] = { 0, 0, x };
	struct fx_precomputed info;
	struct fx_error err = { 0 };
	struct fx_block *b = NULL;

	if (fx_precomputed_read_info(folder, &info, &err) < 0 ||
	    fx_precomputed_read_chunk(folder, &info, grid, &b, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(b->dtype, FX_U64);
	return b;
}

/* Objects go on with the same id behind the face between two blocks. */
static void check_stitched(const char *folder)
{
	struct fx_block *a = chunk(folder, 0), *b = chunk(folder, 1);
	const uint64_t *left = a->data, *right = b->data;
	const size_t width = a->shape[2];
	size_t same = 0, other = 0;

	assert_int_equal(b->origin[2], width);
	assert_int_equal(b->shape[2], width);
	for (size_t i = 0; i < fx_block_len(a); i += width)
		if (left[i + width - 1] && right[i])
			*(left[i + width - 1] == right[i] ? &same : &other) += 1;
	assert_true(same > 100 && other < same / 10);
	fx_block_free(a);
	fx_block_free(b);
}

/* A state is there, whole: not one that is being written. */
static bool has_state(const char *folder)
{
	DIR *d = opendir(folder);
	const struct dirent *e;
	bool has = false;

	while (d && (e = readdir(d)))
		has = has || (strncmp(e->d_name, "flood-", 6) == 0 && !strstr(e->d_name, ".tmp"));
	if (d)
		closedir(d);
	return has;
}

/* Kills both workers at a moment when a state is there. */
static void kill_in_the_middle(const struct test_place *p, const char *flooding)
{
	const pid_t workers[2] = { test_place_await(p, "node flood.0 segmenter/ffn"),
				   test_place_await(p, "node flood.1 segmenter/ffn") };
	const int64_t begin = fx_now_ns();

	for (;;) {
		test_stop(workers[0]);
		test_stop(workers[1]);
		if (has_state(flooding))
			break;
		kill(workers[0], SIGCONT);
		kill(workers[1], SIGCONT);
		if (fx_now_ns() - begin > TEST_RUN_PATIENCE_S * INT64_C(1000000000))
			fail_msg("no state was saved");
		fx_sleep_ms(5);
	}
	kill(workers[0], SIGKILL);
	kill(workers[1], SIGKILL);
}

/* The run called @p out gives what @p first gave. */
static void compare(struct test_place *p, json_t *first, struct test_run *r, const char *out)
{
	static const char *const units[] = { "voxels", "evaluations", "objects" };
	json_t *receipt = check(p, r, out);

	for (size_t i = 0; i < 3; i++)
		assert_true(progress(receipt, units[i]) == progress(first, units[i]));
	test_same_folders(test_path(p->dir, "one/labels"),
			  test_path(test_path(p->dir, out), "labels"));
	json_decref(receipt);
	test_run_free(r);
}

static void any_number_of_workers_gives_the_same(void **state)
{
	struct test_place *p = *state;
	struct test_run *r = start(p, "one", "workers=1");
	json_t *first = check(p, r, "one");

	check_stitched(test_path(p->dir, "one/labels"));
	assert_true(progress(first, "evaluations resumed") == 0);
	test_run_free(r);
	r = start(p, "two", "workers=2");
	compare(p, first, r, "two");
	r = start(p, "three", "workers=3");
	compare(p, first, r, "three");
	json_decref(first);
	test_place_clean(p);
}

/* After some blocks both workers are killed in the middle of one: the same bytes come out, and what
 * was saved is not computed again. */
static void killed_workers_go_on(void **state)
{
	struct test_place *p = *state;
	json_t *first = test_receipt(test_path(p->dir, "one"), true), *killed;
	struct test_run *r = start(p, "killed", "workers=2");

	test_metrics_await(r, FLOODED1, 3); /* it has done two blocks */
	kill_in_the_middle(p, test_path(p->dir, "killed/flooding"));
	compare(p, first, r, "killed");
	killed = test_receipt(test_path(p->dir, "killed"), true);
	assert_int_equal(test_sum(killed, "nodes", "restarts"), 2);
	assert_true(progress(killed, "evaluations resumed") >= SAVE_EVERY);
	json_decref(first);
	json_decref(killed);
	test_place_clean(p);
}

static int setup(void **state)
{
	struct test_place *p = test_place_new();

	make_input(p);
	*state = p;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number_of_workers_gives_the_same),
		cmocka_unit_test(killed_workers_go_on), /* compares with the first run */
	};

	return cmocka_run_group_tests(tests, setup, test_place_teardown);
}
