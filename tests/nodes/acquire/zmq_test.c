// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/acquire/zmq.c and runtime/node/framestream.c. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "support/detector.h"
#include "support/node_test.h"

extern const struct fx_node_type fx_node_acquire_zmq;

enum { TILES = 2, IMAGES_MAX = 64 };

/* Tiles of 3 rows, of 6. */
static struct node_test *start(const struct detector *d, const char *a, const char *b)
{
	char option[300];

	snprintf(option, sizeof option, "endpoint=%s", d->endpoint);
	return node_test_new(
		&fx_node_acquire_zmq,
		(const char *const[]){ option, "tile=0.001", "voxel=30 4 4", a, b, NULL });
}

static size_t images_sent(struct node_test *t)
{
	size_t n = 0;

	for (size_t i = 0; i < node_test_sent_len(t); i++)
		n += node_test_sent(t, i)->port == 0;
	return n;
}

/* Steps until the node ends, or fails, or has sent so many messages of image, if that is not 0. */
static void run_until(struct node_test *t, size_t images)
{
	const int64_t until = fx_now_ns() + INT64_C(60000000000);
	int result = FX_OK;

	while (result >= 0 && result != FX_END && (!images || images_sent(t) < images)) {
		result = node_test_step(t);
		assert_true(fx_now_ns() < until);
	}
}

static void run(struct node_test *t)
{
	run_until(t, 0);
}

static void expect_tile(const struct sent *s, long section, long frame, long version, size_t y,
			size_t width)
{
	const struct fx_block *b = s->message;

	assert_int_equal(s->kind, FX_BLOCK);
	assert_int_equal(b->origin[0], section);
	assert_int_equal(b->origin[1], y);
	assert_true(b->voxel_nm[0] == 30 && b->dtype == FX_U8 && b->role == FX_IMAGE);
	for (size_t i = 0; i < fx_block_len(b); i++)
		assert_int_equal(((uint8_t *)b->data)[i],
				 detector_voxel(frame, version, y * width + i));
}

/* All that was sent on `port`, in order, written as one letter a section: D done, M missing. */
static const char *story(struct node_test *t, unsigned port, char text[IMAGES_MAX])
{
	size_t n = 0, tiles = 0;

	for (size_t i = 0; i < node_test_sent_len(t); i++) {
		const struct sent *s = node_test_sent(t, i);

		if (s->port != port)
			continue;
		tiles += s->kind == FX_BLOCK;
		if (s->kind == FX_NOTHING && s->mark.kind == FX_MARK_DONE && n < IMAGES_MAX - 1) {
			assert_int_equal(s->mark.region.lo[0], n);
			assert_true(tiles > 0);
			text[n++] = 'D';
			tiles = 0;
		} else if (s->kind == FX_NOTHING && s->mark.kind == FX_MARK_MISSING &&
			   n < IMAGES_MAX - 1) {
			assert_int_equal(s->mark.region.lo[0], n);
			text[n++] = 'M';
			tiles = 0;
		}
	}
	assert_int_equal(tiles, 0);
	text[n] = 0;
	return text;
}

static void frames_become_sections(void **folder)
{
	struct detector d = detector_new(ZMQ_PUSH, *folder, "a");
	char text[IMAGES_MAX];
	struct node_test *t;

	d.width = 400; /* two rows a tile */
	t = start(&d, NULL, NULL);
	for (long n = 0; n < 3; n++)
		detector_frame(&d, n, 1, "");
	detector_end(&d, 3);
	run(t);
	assert_int_equal(node_test_result(t), FX_END);
	assert_int_equal(node_test_get(t, "image", FX_NOTHING, 0)->mark.kind, FX_MARK_OPEN);
	assert_int_equal(node_test_get(t, "image", FX_NOTHING, 0)->mark.region.hi[2], 400);
	assert_int_equal(node_test_count(t, "image", FX_BLOCK), 9);
	for (size_t i = 0; i < 9; i++)
		expect_tile(node_test_get(t, "image", FX_BLOCK, i), (long)i / 3, (long)i / 3, 1,
			    i % 3 * 2, 400);
	assert_string_equal(story(t, 0, text), "DDD");
	assert_int_equal(node_test_count(t, "attempts", FX_BLOCK), 9);
	assert_int_equal(node_test_count(t, "attempts", FX_RECORD), 3);
	assert_string_equal(node_test_warning(t), "");
	node_test_free(t);
	detector_free(&d);
}

static void a_gap_is_missing_and_counted(void **folder)
{
	struct detector d = detector_new(ZMQ_PUSH, *folder, "b");
	struct node_test *t = start(&d, "reorder=1", NULL);
	char text[IMAGES_MAX];
	double lost;

	detector_frame(&d, 0, 1, "");
	detector_frame(&d, 3, 1, "");
	detector_frame(&d, 4, 1, "");
	detector_end(&d, 6);
	run(t);
	assert_int_equal(node_test_result(t), FX_END);
	assert_string_equal(story(t, 0, text), "DMMDDM");
	lost = node_test_progress(t, "lost frames", NULL);
	assert_true(lost == 3);
	assert_non_null(strstr(node_test_warning(t), "the last 1 of 6 frames did not come"));
	node_test_free(t);
	detector_free(&d);
}

static void sections_are_put_in_order_and_versions_replaced(void **folder)
{
	struct detector d = detector_new(ZMQ_PUSH, *folder, "c");
	struct node_test *t = start(&d, "hold=1", "reorder=2");
	char text[IMAGES_MAX];

	detector_frame(&d, 0, 1, ",\"section\":1");
	detector_frame(&d, 1, 1, ",\"section\":0");
	detector_frame(&d, 2, 2, ",\"section\":1");
	detector_frame(&d, 3, 1, ",\"section\":2");
	detector_frame(&d, 4, 2, ",\"section\":0"); /* too late */
	detector_end(&d, 5);
	run(t);
	assert_int_equal(node_test_result(t), FX_END);
	assert_string_equal(story(t, 0, text), "DDD");
	expect_tile(node_test_get(t, "image", FX_BLOCK, 0), 0, 1, 1, 0, 10);
	expect_tile(node_test_get(t, "image", FX_BLOCK, 1), 1, 2, 2, 0, 10);
	expect_tile(node_test_get(t, "image", FX_BLOCK, 2), 2, 3, 1, 0, 10);
	assert_int_equal(node_test_count(t, "attempts", FX_RECORD), 5);
	assert_true(fx_record_number(node_test_get(t, "attempts", FX_RECORD, 2)->message, "version",
				     0) == 2);
	node_test_free(t);
	detector_free(&d);
}

static void what_is_wrong_is_missing_with_the_reason(void **folder)
{
	struct detector d = detector_new(ZMQ_PUSH, *folder, "d");
	struct node_test *t = start(&d, NULL, NULL);
	char text[IMAGES_MAX];
	const struct fx_mark *m;

	detector_frame(&d, 0, 1, "");
	d.width = 11;
	detector_frame(&d, 1, 1, "");
	d.width = 10;
	detector_text(&d, "{\"frame\":2,\"shape\":[6,10],\"dtype\":\"uint8\"}", true);
	detector_text(&d, "too short", false);
	detector_text(&d, "no JSON", false);
	detector_text(&d,
		      "{\"frame\":3,\"shape\":[6,10],\"dtype\":\"uint8\",\"compression\":\"lz4\"}",
		      true);
	detector_text(&d, "not LZ4 at all", false);
	detector_frame(&d, 4, 1, "");
	detector_end(&d, 5);
	run(t);
	assert_int_equal(node_test_result(t), FX_END);
	assert_string_equal(story(t, 0, text), "DMMMD");
	m = &node_test_get(t, "image", FX_NOTHING, 2)->mark;
	assert_non_null(strstr(m->reason, "6 x 11 u8, the first 6 x 10"));
	m = &node_test_get(t, "image", FX_NOTHING, 3)->mark;
	assert_non_null(strstr(m->reason, "9 bytes instead of 60"));
	m = &node_test_get(t, "image", FX_NOTHING, 4)->mark;
	assert_non_null(strstr(m->reason, "LZ4 data are damaged"));
	node_test_free(t);
	detector_free(&d);
}

static void another_series_is_an_error(void **folder)
{
	struct detector d = detector_new(ZMQ_PUSH, *folder, "e");
	struct node_test *t = start(&d, NULL, NULL);

	detector_frame(&d, 0, 1, "");
	detector_frame(&d, 1, 1, ",\"series\":\"b\"");
	run(t);
	assert_int_equal(node_test_result(t), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "series \"b\" begins, and \"a\""));
	node_test_free(t);
	detector_free(&d);
}

static void the_end_may_be_a_count_or_silence(void **folder)
{
	struct detector d = detector_new(ZMQ_PUSH, *folder, "f");
	struct node_test *t = start(&d, "count=2", NULL);
	char text[IMAGES_MAX];

	for (long n = 0; n < 3; n++)
		detector_frame(&d, n, 1, "");
	run(t);
	assert_int_equal(node_test_result(t), FX_END);
	assert_string_equal(story(t, 0, text), "DD");
	assert_int_equal(node_test_sent(t, 0)->mark.region.hi[0], 2);
	node_test_free(t);
	detector_free(&d);
	d = detector_new(ZMQ_PUSH, *folder, "g");
	t = start(&d, "silence=0.1", NULL);
	detector_frame(&d, 0, 1, "");
	run(t);
	assert_int_equal(node_test_result(t), FX_END);
	assert_string_equal(story(t, 0, text), "D");
	node_test_free(t);
	detector_free(&d);
}

static void subscribes(void **folder)
{
	struct detector d = detector_new(ZMQ_XPUB, *folder, "h");
	struct node_test *t = start(&d, "socket=sub", "first=-1");
	char text[IMAGES_MAX], joined[8];

	assert_int_equal(zmq_recv(d.socket, joined, sizeof joined, 0), 1);
	detector_frame(&d, 7, 1, "");
	detector_frame(&d, 8, 1, "");
	detector_end(&d, 9);
	run(t);
	assert_int_equal(node_test_result(t), FX_END);
	assert_string_equal(story(t, 0, text), "DD");
	assert_true(node_test_progress(t, "lost frames", NULL) <= 0);
	node_test_free(t);
	detector_free(&d);
}

static void does_not_listen_to_strangers(void **folder)
{
	struct node_test *t = node_test_new(
		&fx_node_acquire_zmq,
		(const char *const[]){ "endpoint=tcp://0.0.0.0:45721", "bind=true", NULL });

	(void)folder;
	assert_int_equal(node_test_result(t), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "could be reached from other machines"));
	node_test_free(t);
}

/* What a consumer has: what a life sent that was killed, then what the next sends beyond it. */
struct had {
	unsigned port;
	enum fx_kind kind;
	enum fx_mark_kind mark;
	int64_t z;
	uint8_t first;
};

static size_t gather(struct node_test *t, unsigned port, size_t from, struct had *had)
{
	size_t n = 0;

	for (size_t i = 0; i < node_test_sent_len(t); i++) {
		const struct sent *s = node_test_sent(t, i);
		const struct fx_block *b = s->kind == FX_BLOCK ? s->message : NULL;

		if (s->port != port || n++ < from)
			continue;
		assert_true(n < IMAGES_MAX * 4);
		had[n - 1] = (struct had){ port, s->kind, s->kind ? 0 : s->mark.kind,
					   b ? b->origin[0] : s->mark.region.lo[0],
					   b ? *(uint8_t *)b->data : 0 };
	}
	return n;
}

/* Every section is its tiles and DONE with its own voxels, or ends as missing. */
static void expect_whole(const struct had *had, size_t len, const char *sections)
{
	size_t at = 1, z = 0;

	assert_true(had[0].mark == FX_MARK_OPEN);
	for (; at < len; z++) {
		bool right = true;
		size_t tiles = 0;

		for (; at < len && had[at].kind == FX_BLOCK; at++, tiles++) {
			assert_int_equal(had[at].z, z);
			right = right && had[at].first == detector_voxel((long)z, 1, tiles * 800);
		}
		assert_true(at < len);
		assert_int_equal(had[at].z, z);
		assert_true(had[at].mark == FX_MARK_DONE || had[at].mark == FX_MARK_MISSING);
		if (had[at].mark == FX_MARK_DONE)
			assert_true(right && tiles == 3);
		assert_int_equal(had[at].mark == FX_MARK_DONE ? 'D' : 'M', sections[z]);
		at++;
	}
	assert_int_equal(z, strlen(sections));
}

/* The first life gets @p first frames and is killed; those from @p then on come to the next. Of
 * what the first sent, all but @p back messages have reached the consumer. */
static void two_lives(void *folder, const char *name, long first, long then, size_t back,
		      const char *sections)
{
	struct detector d = detector_new(ZMQ_PUSH, folder, name);
	struct had had[IMAGES_MAX * 4];
	char option[300];
	struct node_test *t;
	size_t reached, len;

	d.width = 400; /* three tiles of two rows */
	snprintf(option, sizeof option, "endpoint=%s", d.endpoint);
	t = node_test_new(&fx_node_acquire_zmq,
			  (const char *const[]){ option, "tile=0.001", "reorder=1", NULL });
	for (long n = 0; n < first; n++)
		if (n != 2)
			detector_frame(&d, n, 1, "");
	run_until(t, 1 + 4 * (size_t)first - (first > 2 ? 3 : 0)); /* of 2, nothing but MISSING */
	reached = gather(t, 0, 0, had);
	assert_true(reached > back);
	reached -= back;
	node_test_die(t);
	detector_alone(&d);
	node_test_again(t, false);
	for (long n = then; then && n < then + 2; n++)
		detector_frame(&d, n, 1, "");
	detector_end(&d, then ? then + 2 : first);
	run(t);
	assert_int_equal(node_test_result(t), FX_END);
	len = gather(t, 0, reached, had);
	assert_true(len >= reached);
	expect_whole(had, len, sections);
	node_test_free(t);
	detector_free(&d);
}

static void a_killed_node_loses_only_what_was_under_way(void **folder)
{
	two_lives(*folder, "i", 6, 6, 0, "DDMDDDDD");	/* all had arrived */
	two_lives(*folder, "j", 6, 6, 1, "DDMDDMDD");	/* DONE of 5 had not */
	two_lives(*folder, "k", 6, 6, 3, "DDMDDMDD");	/* a tile of it had */
	two_lives(*folder, "l", 6, 6, 5, "DDMDMMDD");	/* nor DONE of 4 */
	two_lives(*folder, "m", 6, 8, 0, "DDMDDDMMDD"); /* 6 and 7 were in the socket */
	two_lives(*folder, "o", 6, 0, 0, "DDMDDD");	/* nothing but the end comes */
	two_lives(*folder, "p", 6, 0, 3, "DDMDDM");
	two_lives(*folder, "n", 1, 1, 4, "MDD");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_become_sections),
		cmocka_unit_test(a_gap_is_missing_and_counted),
		cmocka_unit_test(sections_are_put_in_order_and_versions_replaced),
		cmocka_unit_test(what_is_wrong_is_missing_with_the_reason),
		cmocka_unit_test(another_series_is_an_error),
		cmocka_unit_test(the_end_may_be_a_count_or_silence),
		cmocka_unit_test(subscribes),
		cmocka_unit_test(does_not_listen_to_strangers),
		cmocka_unit_test(a_killed_node_loses_only_what_was_under_way),
	};

	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
