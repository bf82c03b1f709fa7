// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/writer/recording.c with nodes/acquire/recording.c: what is recorded is played. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "support/images.h"
#include "support/node_test.h"
#include "support/outputs.h"

extern const struct fx_node_type fx_node_writer_recording, fx_node_acquire_recording;

static const struct fx_mark open_mark = { .kind = FX_MARK_OPEN,
					  .region = { { 0, 0, 0 }, { 2, 4, 4 } },
					  .voxel_nm = { 40, 8, 8 },
					  .dtype = FX_U8 },
			    missing = { .kind = FX_MARK_MISSING,
					.region = { { 1, 0, 0 }, { 2, 4, 4 } },
					.reason = "no file" };

static const char *option(const char *name, const char *value, char *text, size_t size)
{
	snprintf(text, size, "%s=%s", name, value);
	return text;
}

/* OPEN, a block, MISSING, a tree, a record; @p ms between the last two. */
static void record(const char *dir, int ms)
{
	char path[200];
	const char *const options[] = { option("path", dir, path, sizeof path), NULL };
	struct node_test *t = node_test_new(&fx_node_writer_recording, options);
	struct fx_block *b = fx_block_new(FX_U8, 1, 4, 4);
	struct fx_record *r = fx_record_new("scores");

	assert_int_equal(node_test_result(t), FX_OK);
	((uint8_t *)b->data)[3] = 42;
	assert_int_equal(node_test_mark(t, "in", &open_mark), FX_OK);
	assert_int_equal(node_test_block(t, "in", b), FX_OK);
	assert_int_equal(node_test_mark(t, "in", &missing), FX_OK);
	assert_int_equal(node_test_tree(t, "in", fx_tree_new(7, 2)), FX_ETYPE); /* parents */
	node_test_free(t);
	t = node_test_new(&fx_node_writer_recording, options);
	b = fx_block_new(FX_U8, 1, 4, 4);
	((uint8_t *)b->data)[3] = 42;
	assert_int_equal(node_test_mark(t, "in", &open_mark), FX_OK);
	assert_int_equal(node_test_block(t, "in", b), FX_OK);
	assert_int_equal(node_test_mark(t, "in", &missing), FX_OK);
	fx_sleep_ms(ms);
	assert_int_equal(fx_record_add_number(r, "voi", 0.5), FX_OK);
	assert_int_equal(node_test_record(t, "in", r), FX_OK);
	assert_int_equal(node_test_drain(t), FX_OK);
	node_test_free(t);
}

static struct node_test *play(const char *dir, const char *speed, const char *factor, bool *idle)
{
	char path[200], how[40], times[40];
	const char *const options[] = { option("path", dir, path, sizeof path),
					option("speed", speed, how, sizeof how),
					option("factor", factor, times, sizeof times), NULL };
	struct node_test *t = node_test_new(&fx_node_acquire_recording, options);

	*idle = false;
	if (node_test_result(t) != FX_OK)
		fail_msg("%s", node_test_error(t));
	for (int i = 0; i < 10000 && node_test_step(t) != FX_END; i++) {
		assert_true(node_test_result(t) >= 0);
		*idle = *idle || node_test_result(t) == FX_IDLE;
		if (node_test_result(t) == FX_IDLE)
			fx_sleep_ms(5);
	}
	assert_int_equal(node_test_result(t), FX_END);
	return t;
}

static void what_is_recorded_is_played(void **unused)
{
	char *dir = test_tmp_dir();
	struct node_test *t;
	const struct fx_record *r;
	const struct fx_mark *m;
	bool idle;

	(void)unused;
	record(test_path(dir, "rec"), 0);
	t = play(test_path(dir, "rec"), "maximal", "1", &idle);
	assert_false(idle);
	assert_string_equal(node_test_warning(t), "");
	assert_int_equal(node_test_sent_len(t), 4); /* END is the host's */
	m = &node_test_sent(t, 0)->mark;
	assert_int_equal(m->kind, FX_MARK_OPEN);
	assert_int_equal(m->region.hi[0], 2);
	assert_true(m->voxel_nm[0] == 40);
	assert_int_equal(((uint8_t *)((struct fx_block *)node_test_sent(t, 1)->message)->data)[3],
			 42);
	assert_string_equal(node_test_sent(t, 2)->mark.reason, "no file");
	r = node_test_sent(t, 3)->message;
	assert_true(fx_record_number(r, "voi", 0) == 0.5);
	node_test_free(t);
	fx_remove_tree(dir, NULL);
	free(dir);
}

/* No bound above: the machine may be busy. */
static void original_speed_waits_as_long_as_it_took(void **unused)
{
	char *dir = test_tmp_dir();
	int64_t start, took;
	bool idle;

	(void)unused;
	record(test_path(dir, "rec"), 400);
	start = fx_now_ns();
	node_test_free(play(test_path(dir, "rec"), "original", "1", &idle));
	took = fx_now_ns() - start;
	assert_true(idle);
	assert_true(took >= 400 * INT64_C(1000000));
	start = fx_now_ns();
	node_test_free(play(test_path(dir, "rec"), "original", "0.5", &idle));
	assert_true(fx_now_ns() - start >= 800 * INT64_C(1000000));
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void a_recording_without_end_is_played_with_a_warning(void **unused)
{
	char *dir = test_tmp_dir(), path[200];
	const char *const options[] = { option("path", test_path(dir, "rec"), path, sizeof path),
					NULL };
	struct node_test *t = node_test_new(&fx_node_writer_recording, options);

	(void)unused;
	assert_int_equal(node_test_mark(t, "in", &open_mark), FX_OK);
	node_test_free(t);
	t = node_test_new(&fx_node_acquire_recording, options);
	assert_int_equal(node_test_result(t), FX_OK);
	assert_non_null(strstr(node_test_warning(t), "is not complete"));
	assert_int_equal(node_test_step(t), FX_OK);
	assert_int_equal(node_test_step(t), FX_END);
	node_test_free(t);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void no_recording_is_one_sentence(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_acquire_recording,
					    (const char *[]){ "path=/nowhere/at/all", NULL });

	(void)unused;
	assert_int_equal(node_test_result(t), FX_ENOENT);
	assert_non_null(strstr(node_test_error(t), "/nowhere/at/all"));
	node_test_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_recorded_is_played),
		cmocka_unit_test(original_speed_waits_as_long_as_it_took),
		cmocka_unit_test(a_recording_without_end_is_played_with_a_warning),
		cmocka_unit_test(no_recording_is_one_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
