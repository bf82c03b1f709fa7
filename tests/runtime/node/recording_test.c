// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/node/recording.c: what was put in comes out, in order, once; what lacks is told. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/seglog.h"
#include "link/turn.h"
#include "node/recording.h"
#include "support/images.h"
#include "support/outputs.h"

static int setup(void **state)
{
	*state = test_tmp_dir();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	fx_remove_tree(*state, NULL);
	free(*state);
	return 0;
}

static struct fx_recorder *begin_parts(const char *dir, unsigned parts, const char *about)
{
	struct fx_error err = { 0 };
	struct fx_recorder *r = fx_recorder_new(dir, parts, about, &err);

	if (!r)
		fail_msg("%s", err.text);
	return r;
}

static struct fx_recorder *begin(const char *dir, const char *about)
{
	return begin_parts(dir, 1, about);
}

static void put_block(struct fx_recorder *r, uint64_t seq)
{
	struct fx_block *b = fx_block_new(FX_U16, 1, 3, 4);
	struct fx_envelope e = { .seq = seq, .kind = FX_BLOCK, .message = b };

	assert_non_null(b);
	b->origin[0] = (int64_t)seq;
	((uint16_t *)b->data)[5] = (uint16_t)(seq + 7);
	assert_int_equal(fx_recorder_put(r, &e, NULL), FX_OK);
	fx_block_free(b);
}

static void put_mark(struct fx_recorder *r, uint64_t seq, enum fx_mark_kind kind)
{
	const struct fx_envelope e = {
		.seq = seq, .mark = { .kind = kind, .dtype = FX_U16, .voxel_nm = { 8, 8, 8 } }
	};

	assert_int_equal(fx_recorder_put(r, &e, NULL), FX_OK);
}

static void expect_seqs(const char *dir, const uint64_t *seqs, size_t len)
{
	struct fx_recording p = { 0 };
	struct fx_error err = { 0 };

	if (fx_recording_open(&p, dir, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(p.len, len);
	for (size_t i = 0; i < len; i++) {
		struct fx_envelope e;

		assert_int_equal(fx_recording_get(&p, i, &e, &err), FX_OK);
		assert_int_equal(e.seq, seqs[i]);
		if (e.kind == FX_BLOCK) {
			const struct fx_block *b = e.message;

			assert_int_equal(b->origin[0], seqs[i]);
			assert_int_equal(((const uint16_t *)b->data)[5], seqs[i] + 7);
		}
		fx_envelope_fini(&e);
		assert_true(fx_recording_ns(&p, i) >= (i ? fx_recording_ns(&p, i - 1) : 0));
	}
	fx_recording_close(&p);
}

static void out_of_order_and_twice(void **state)
{
	const uint64_t seqs[] = { 0, 1, 2, 3, 4 };
	struct fx_recorder *r = begin(*state, "{\"edge\": \"a.b\"}");
	struct fx_recording_sum s;
	json_t *j;

	put_mark(r, 0, FX_MARK_OPEN);
	put_block(r, 2);
	put_block(r, 1);
	put_block(r, 2);
	put_mark(r, 4, FX_MARK_END);
	put_block(r, 3);
	assert_int_equal(fx_recorder_close(r, NULL), FX_OK);
	s = fx_recorder_sum(r);
	fx_recorder_free(r);
	assert_int_equal(s.messages, 5);
	assert_int_equal(s.bytes, 3 * 24);
	assert_int_equal(s.missed, 0);
	expect_seqs(*state, seqs, 5);
	j = test_json(*state, FX_RECORDING_FILE);
	assert_true(json_is_true(json_object_get(j, "complete")));
	assert_string_equal(json_string_value(json_object_get(j, "edge")), "a.b");
	json_decref(j);
}

/* Attached after 1, 2 and 3; 6 was lost. */
static void what_lacks_is_told(void **state)
{
	const uint64_t seqs[] = { 0, 4, 5, 7, 8 };
	struct fx_recorder *r = begin(*state, "");
	struct fx_recording_sum s;
	json_t *j;

	put_mark(r, 0, FX_MARK_OPEN);
	put_block(r, 4);
	put_block(r, 5);
	put_block(r, 7);
	put_mark(r, 8, FX_MARK_END);
	s = fx_recorder_sum(r);
	assert_int_equal(s.missed_before, 3);
	assert_int_equal(s.missed, 4);
	assert_true(s.ended);
	assert_int_equal(fx_recorder_close(r, NULL), FX_OK);
	fx_recorder_free(r);
	expect_seqs(*state, seqs, 5);
	j = test_json(*state, FX_RECORDING_FILE);
	assert_true(json_is_false(json_object_get(j, "complete")));
	assert_int_equal(json_integer_value(json_object_get(j, "missed")), 4);
	json_decref(j);
}

static void killed_recorder_leaves_what_it_had(void **state)
{
	const uint64_t seqs[] = { 0, 1 };
	struct fx_recorder *r = begin(*state, "");
	struct fx_recording p = { 0 };

	put_mark(r, 0, FX_MARK_OPEN);
	put_block(r, 1);
	fx_recorder_free(r);
	expect_seqs(*state, seqs, 2);
	assert_int_equal(fx_recording_open(&p, *state, NULL), FX_OK);
	assert_false(p.complete);
	fx_recording_close(&p);
}

static void a_second_recording_replaces_the_first(void **state)
{
	const uint64_t seqs[] = { 0 };
	struct fx_recorder *r = begin(*state, "");

	put_mark(r, 0, FX_MARK_OPEN);
	put_block(r, 1);
	fx_recorder_free(r);
	r = begin(*state, "");
	put_mark(r, 0, FX_MARK_OPEN);
	fx_recorder_free(r);
	expect_seqs(*state, seqs, 1);
}

static void other_folders_are_not_touched(void **state)
{
	struct fx_error err = { 0 };

	test_write_file(test_path(*state, "thesis.txt"), "all", 3);
	assert_null(fx_recorder_new(*state, 1, "", &err));
	assert_int_equal(err.code, FX_EINVAL);
	assert_non_null(strstr(err.text, "something else"));
	assert_true(test_is_there(*state, "thesis.txt"));
	assert_false(test_is_there(*state, "messages"));
}

/* Records that are whole in the log, but hold nothing that is a message. */
static void rubbish_is_damage(void **state)
{
	const struct {
		const char *bytes;
		size_t size;
	} tries[] = { { "", 0 },
		      { "1234567", 7 },
		      { "\0\0\0\0\0\0\0\0", 8 },
		      { "\0\0\0\0\0\0\0\0\xff\xff\xff\xff", 12 },
		      { "\0\0\0\0\0\0\0\0\4\0\0\0fx\1H", 16 },
		      { "\0\0\0\0\0\0\0\xff\4\0\0\0fx\1H", 16 } };

	for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
		const struct iovec part = { (void *)(uintptr_t)tries[i].bytes, tries[i].size };
		struct fx_recorder *r = begin(*state, "");
		struct fx_recording p = { 0 };
		struct fx_error err = { 0 };
		struct fx_seglog *log;

		fx_recorder_free(r);
		log = fx_seglog_open(test_path(*state, "messages"), 0, &err);
		assert_non_null(log);
		assert_int_equal(fx_seglog_append(log, &part, 1, &err), FX_OK);
		fx_seglog_close(log);
		assert_int_equal(fx_recording_open(&p, *state, &err), FX_ETYPE);
		assert_non_null(strstr(err.text, "recording "));
	}
}

static void what_is_no_recording(void **state)
{
	struct fx_recording p = { 0 };
	struct fx_error err = { 0 };

	assert_int_equal(fx_recording_open(&p, test_path(*state, "nowhere"), &err), FX_ENOENT);
	test_write_file(test_path(*state, FX_RECORDING_FILE), "{}", 2);
	assert_int_equal(fx_recording_open(&p, *state, &err), FX_ETYPE);
	test_write_file(test_path(*state, FX_RECORDING_FILE), "{\"version\": 1, \"wire\": 99}", 26);
	assert_int_equal(fx_recording_open(&p, *state, &err), FX_ETYPE);
	assert_non_null(strstr(err.text, "wire version"));
}

/* Each of two parts sends OPEN, part 0 a block, part 1 two, both DONE and END. */
static void put_parts(struct fx_recorder *r, int without)
{
	uint64_t place[2] = { fx_turn_first(0, 2), fx_turn_first(1, 2) };
	int n = 0;

	for (int part = 1; part >= 0; part--)
		for (int i = 0; i < 4 + part; i++) {
			const bool mark = i != 1 && !(part && i == 2);
			const uint64_t seq = fx_turn_number(place[part], mark, 2);

			place[part] = fx_turn_own(seq, 2);
			if (n++ == without)
				continue;
			if (mark)
				put_mark(r, seq,
					 i == 0	       ? FX_MARK_OPEN :
					 i == 3 + part ? FX_MARK_END :
							 FX_MARK_DONE);
			else
				put_block(r, seq);
		}
}

/* What the parts sent is recorded as one stream, each mark once; what did not come is noticed. */
static void parts_are_recorded_as_one(void **state)
{
	static const enum fx_mark_kind marks[] = {
		FX_MARK_OPEN, 0, 0, 0, FX_MARK_DONE, FX_MARK_END
	};
	struct fx_error err = { 0 };

	for (int without = -1; without < 9; without++) {
		struct fx_recorder *r = begin_parts(*state, 2, "");
		struct fx_recording p = { 0 };

		put_parts(r, without);
		assert_int_equal(fx_recorder_sum(r).missed, without >= 0 && without != 4);
		assert_int_equal(fx_recorder_sum(r).ended, without != 4); /* the last of all */
		assert_int_equal(fx_recorder_close(r, &err), FX_OK);
		fx_recorder_free(r);
		assert_int_equal(fx_recording_open(&p, *state, &err), FX_OK);
		assert_int_equal(p.complete, without < 0);
		for (size_t i = 0; without < 0 && i < p.len; i++) {
			struct fx_envelope e;

			assert_int_equal(p.len, 6);
			assert_int_equal(fx_recording_get(&p, i, &e, &err), FX_OK);
			assert_int_equal(e.kind, marks[i] ? FX_NOTHING : FX_BLOCK);
			assert_true(e.kind || e.mark.kind == marks[i]);
			fx_envelope_fini(&e);
		}
		fx_recording_close(&p);
	}
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		PLACED(out_of_order_and_twice),
		PLACED(what_lacks_is_told),
		PLACED(killed_recorder_leaves_what_it_had),
		PLACED(a_second_recording_replaces_the_first),
		PLACED(other_folders_are_not_touched),
		PLACED(rubbish_is_damage),
		PLACED(what_is_no_recording),
		PLACED(parts_are_recorded_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
