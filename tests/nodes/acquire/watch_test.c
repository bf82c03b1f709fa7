// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/acquire/watch.c. */
#include "support/test.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "support/images.h"
#include "support/node_test.h"

extern const struct fx_node_type fx_node_acquire_watch;

enum { H = 6, W = 5, TURNS = 60000 };

static void put_at(const char *path, unsigned char value)
{
	unsigned char pixels[H * W];

	memset(pixels, value, sizeof pixels);
	test_write_png(path, H, W, 8, PNG_COLOR_TYPE_GRAY, 0, pixels);
}

/* As a microscope does it: under another name first. */
static void put(const char *folder, const char *name, unsigned char value)
{
	char *part = fx_asprintf("%s/.%s.part", folder, name);

	assert_non_null(part);
	put_at(part, value);
	assert_int_equal(rename(part, test_path(folder, name)), 0);
	free(part);
}

#define OPTIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct node_test *start(const char *folder, const char *const *more)
{
	char path[600];
	const char *options[12] = { path };

	snprintf(path, sizeof path, "path=%s", folder);
	for (size_t i = 0; more[i] && i < 10; i++)
		options[i + 1] = more[i];
	return node_test_new(&fx_node_acquire_watch, options);
}

/* Until it sends something or ends. */
static int wait_step(struct node_test *t)
{
	int result = FX_IDLE;

	for (int i = 0; i < TURNS && result == FX_IDLE; i++) {
		result = node_test_step(t);
		if (result == FX_IDLE)
			fx_sleep_ms(1);
	}
	return result;
}

static void run(struct node_test *t)
{
	while (wait_step(t) == FX_OK)
		;
	if (node_test_result(t) != FX_END)
		fail_msg("ended with %d: %s", node_test_result(t), node_test_error(t));
}

static const struct fx_mark *mark(struct node_test *t, const char *port, size_t i)
{
	return &node_test_get(t, port, FX_NOTHING, i)->mark;
}

static const struct fx_block *block(struct node_test *t, const char *port, size_t i)
{
	const struct sent *s = node_test_get(t, port, FX_BLOCK, i);

	assert_non_null(s);
	return s->message;
}

static int value(const struct fx_block *b)
{
	const unsigned char *voxels = b->data;

	for (size_t i = 1; i < fx_block_len(b); i++)
		assert_int_equal(voxels[i], voxels[0]);
	return voxels[0];
}

/* "0:1 1:- ..." : z and value of each section on @p port, - of a missing one. */
static void expect(struct node_test *t, const char *port, const char *all)
{
	const size_t len = node_test_count(t, port, FX_NOTHING);
	char text[400] = "";
	size_t at = 0, blocks = 0;

	for (size_t i = 0; i < len; i++) {
		const struct fx_mark *m = mark(t, port, i);
		const long long z = m->region.lo[0];

		if (m->kind == FX_MARK_MISSING)
			at += (size_t)snprintf(text + at, sizeof text - at, "%lld:- ", z);
		if (m->kind != FX_MARK_DONE)
			continue;
		assert_int_equal(block(t, port, blocks)->origin[0], z);
		at += (size_t)snprintf(text + at, sizeof text - at, "%lld:%d ", z,
				       value(block(t, port, blocks++)));
	}
	assert_string_equal(text, all);
	assert_int_equal(node_test_count(t, port, FX_BLOCK), blocks);
}

static void sections_come_in_order(void **folder)
{
	struct node_test *t = start(
		*folder, OPTIONS("-attempts", "-tiles", "first=7", "voxel=40 16 8", "settle=100"));

	assert_int_equal(node_test_step(t), FX_IDLE);
	put(*folder, "z009.png", 9);
	assert_int_equal(node_test_step(t), FX_OK);
	assert_int_equal(mark(t, "image", 0)->kind, FX_MARK_OPEN);
	assert_int_equal(mark(t, "image", 0)->region.hi[0], 0);
	assert_int_equal(mark(t, "image", 0)->region.hi[1], H);
	assert_int_equal(mark(t, "image", 0)->region.hi[2], W);
	assert_true(mark(t, "image", 0)->voxel_nm[0] == 40);
	assert_int_equal(node_test_step(t), FX_IDLE); /* it waits for 7 */
	put(*folder, "z007.png", 7);
	assert_int_equal(node_test_step(t), FX_OK); /* at once, as it was renamed */
	assert_int_equal(node_test_step(t), FX_IDLE);
	put(*folder, "z008.png", 8);
	put(*folder, "acquisition.done.png", 1);
	test_write_file(test_path(*folder, "acquisition.done"), "", 0);
	run(t);
	expect(t, "image", "0:7 1:8 2:9 ");
	node_test_free(t);
}

static void a_file_is_complete_when_closed_settled_or_told(void **folder)
{
	struct node_test *t;
	FILE *f;
	void *bytes;
	size_t size;

	put(*folder, "z0.png", 1);
	assert_int_equal(fx_file_read(test_path(*folder, "z0.png"), 4096, &bytes, &size, NULL),
			 FX_OK);
	t = start(*folder, OPTIONS("-attempts", "-tiles", "settle=0.05", "first=0"));
	assert_int_equal(node_test_step(t), FX_IDLE); /* it was there before: must settle */
	assert_int_equal(wait_step(t), FX_OK);
	assert_int_equal(wait_step(t), FX_OK);
	f = fopen(test_path(*folder, "z1.png"), "w"); /* written in its place, in two pieces */
	assert_int_equal(fwrite(bytes, 1, size / 2, f), size / 2);
	fflush(f);
	assert_int_equal(node_test_step(t), FX_IDLE);
	assert_int_equal(fwrite((char *)bytes + size / 2, 1, size - size / 2, f), size - size / 2);
	fclose(f);
	assert_int_equal(node_test_step(t), FX_OK);
	node_test_free(t);
	t = start(*folder, OPTIONS("-attempts", "-tiles", "sidecar=.done", "count=2", "settle=0"));
	assert_int_equal(node_test_step(t), FX_IDLE);
	test_write_file(test_path(*folder, "z0.png.done"), "", 0);
	assert_int_equal(node_test_step(t), FX_OK);
	assert_int_equal(mark(t, "image", 0)->region.hi[0], 2);
	assert_int_equal(node_test_step(t), FX_OK);
	assert_int_equal(node_test_step(t), FX_IDLE);
	test_write_file(test_path(*folder, "z1.png.done"), "", 0);
	assert_int_equal(node_test_step(t), FX_OK);
	assert_int_equal(node_test_step(t), FX_END);
	expect(t, "image", "0:1 1:1 ");
	node_test_free(t);
	free(bytes);
}

static void broken_files_are_missing_with_a_reason(void **folder)
{
	static const unsigned char pixels[256] = { 0 };
	static const char *const reasons[] = { "z0.png: neither",      "z2.png: broken PNG",
					       "z3.png: is RGB",       "z4.png: is 6 x 4 u8",
					       "z5.png: is 6 x 5 u16", "no file with number 6" };
	static const int numbers[] = { 0, 2, 3, 4, 5, 6 };
	struct node_test *t;
	void *bytes;
	size_t size;

	put(*folder, "z1.png", 1);
	put(*folder, "z7.png", 7);
	assert_int_equal(fx_file_read(test_path(*folder, "z1.png"), 4096, &bytes, &size, NULL),
			 FX_OK);
	test_write_file(test_path(*folder, "z2.png"), bytes, size - 15);
	free(bytes);
	test_write_file(test_path(*folder, "z0.png"), "hello", 5);
	test_write_png(test_path(*folder, "z3.png"), H, W, 8, PNG_COLOR_TYPE_RGB, 0, pixels);
	test_write_png(test_path(*folder, "z4.png"), H, W - 1, 8, PNG_COLOR_TYPE_GRAY, 0, pixels);
	test_write_png(test_path(*folder, "z5.png"), H, W, 16, PNG_COLOR_TYPE_GRAY, 0, pixels);
	t = start(*folder, OPTIONS("-tiles", "settle=0", "late=0.02", "silence=0.1"));
	run(t);
	expect(t, "image", "0:- 1:1 2:- 3:- 4:- 5:- 6:- 7:7 ");
	for (size_t i = 0; i < 6; i++) {
		const struct fx_mark *m = mark(t, "image", 1 + (size_t)numbers[i]);

		if (!strstr(m->reason, reasons[i]))
			fail_msg("\"%s\" does not say \"%s\"", m->reason, reasons[i]);
		assert_string_equal(mark(t, "attempts", 1 + i)->reason, m->reason);
	}
	node_test_free(t);
}

/* A file that cannot be read yet may still become whole, or be replaced, before it is too late. */
static void broken_files_may_heal(void **folder)
{
	struct node_test *t;

	put(*folder, "z0.png", 1);
	test_write_file(test_path(*folder, "z1.png"), "x", 1);
	test_write_file(test_path(*folder, "z2.png"), "x", 1);
	put(*folder, "z3.png", 3);
	t = start(*folder, OPTIONS("-attempts", "-tiles", "settle=0", "late=100"));
	assert_int_equal(node_test_step(t), FX_OK);
	assert_int_equal(node_test_step(t), FX_OK);
	assert_int_equal(node_test_step(t), FX_IDLE);
	put(*folder, "z1.png", 21);
	put(*folder, "z2-v2.png", 22);
	for (int i = 0; i < 3; i++)
		assert_int_equal(node_test_step(t), FX_OK);
	expect(t, "image", "0:1 1:21 2:22 3:3 ");
	node_test_free(t);
}

static void versions_replace_until_sent(void **folder)
{
	struct node_test *t = start(*folder, OPTIONS("-tiles", "settle=0", "late=100", "first=0"));

	put(*folder, "section-000001.png", 11);
	put(*folder, "section-000001-v2.png", 12);
	put(*folder, "section-000000.png", 1);
	for (int i = 0; i < 6; i++)
		assert_int_equal(node_test_step(t), FX_OK);
	assert_int_equal(node_test_step(t), FX_IDLE);
	expect(t, "image", "0:1 1:12 ");
	put(*folder, "section-000000-v2.png", 2); /* too late for image, not for attempts */
	put(*folder, "section-000000-v2.tif", 3); /* the same again */
	assert_int_equal(node_test_step(t), FX_OK);
	assert_non_null(strstr(node_test_warning(t), "section-000000-v2.tif"));
	test_write_file(test_path(*folder, "acquisition.done"), "", 0);
	run(t);
	expect(t, "image", "0:1 1:12 ");
	assert_int_equal(node_test_count(t, "attempts", FX_BLOCK), 4);
	assert_int_equal(node_test_count(t, "attempts", FX_RECORD), 4);
	for (size_t i = 0; i < 4; i++) {
		static const int values[] = { 1, 11, 12, 2 }, versions[] = { 1, 1, 2, 2 };
		const struct fx_record *r = node_test_get(t, "attempts", FX_RECORD, i)->message;

		assert_int_equal(value(block(t, "attempts", i)), values[i]);
		assert_true(fx_record_number(r, "version", -1) == versions[i]);
		assert_true(fx_record_number(r, "section", -1) == (i == 1 || i == 2));
		assert_int_equal(r->region.hi[1], H);
	}
	assert_int_equal(node_test_count(t, "attempts", FX_NOTHING), 1);
	node_test_free(t);
}

static void late_and_unnamed_files_are_told(void **folder)
{
	struct node_test *t =
		start(*folder, OPTIONS("-attempts", "-tiles", "settle=0", "late=0.01", "first=0"));

	put(*folder, "z2.png", 2);
	for (int i = 0; i < 4; i++)
		assert_int_equal(wait_step(t), FX_OK);
	put(*folder, "z1.png", 1);
	node_test_step(t);
	assert_non_null(strstr(node_test_warning(t), "z1.png came when its section was done"));
	put(*folder, "plan.png", 1);
	node_test_step(t);
	assert_non_null(strstr(node_test_warning(t), "plan.png has no number"));
	put(*folder, "z99999999.png", 1);
	node_test_step(t);
	assert_non_null(strstr(node_test_warning(t), "z99999999.png has too large a number"));
	test_write_file(test_path(*folder, "acquisition.done"), "", 0);
	run(t);
	expect(t, "image", "0:- 1:- 2:2 ");
	node_test_free(t);
}

static void folders_patterns_and_polling(void **folder)
{
	struct node_test *t =
		start(*folder, OPTIONS("-attempts", "-tiles", "settle=0.03", "pattern=s#/image*",
				       "notice=poll", "interval=0.01", "silence=0.3"));

	fx_make_dirs(test_path(*folder, "s03"), NULL);
	put_at(test_path(*folder, "s03/image.png"), 3);
	put_at(test_path(*folder, "s03/other.png"), 9);
	assert_int_equal(wait_step(t), FX_OK);
	fx_make_dirs(test_path(*folder, "s04"), NULL);
	put_at(test_path(*folder, "s04/image.png"), 4);
	run(t);
	expect(t, "image", "0:3 1:4 ");
	node_test_free(t);
	t = start(*folder, OPTIONS("-attempts", "-tiles", "settle=0.03", "pattern=s#/image*"));
	assert_int_equal(wait_step(t), FX_OK);
	fx_make_dirs(test_path(*folder, "s05"), NULL); /* inotify follows new folders */
	assert_int_equal(wait_step(t), FX_OK);
	assert_int_equal(wait_step(t), FX_OK);
	put_at(test_path(*folder, "s05/image.png"), 5);
	assert_int_equal(wait_step(t), FX_OK);
	expect(t, "image", "0:3 1:4 2:5 ");
	node_test_free(t);
}

/* The marker is written last: what came before it is read, whenever the next look would be. */
static void the_marker_comes_last(void **folder)
{
	struct node_test *t = start(*folder, OPTIONS("-attempts", "-tiles", "settle=0",
						     "notice=poll", "interval=3600"));

	put(*folder, "z1.png", 1);
	assert_int_equal(wait_step(t), FX_OK);
	put(*folder, "z2.png", 2);
	test_write_file(test_path(*folder, "acquisition.done"), "", 0);
	run(t);
	expect(t, "image", "0:1 1:2 ");
	node_test_free(t);
}

/* Nothing has come for some time: that is seen by a look, whenever the next would be. */
static void silence_is_looked_into(void **folder)
{
	struct node_test *t = start(*folder, OPTIONS("-attempts", "-tiles", "settle=0",
						     "notice=poll", "interval=3600", "silence=1"));

	put(*folder, "z1.png", 1);
	assert_int_equal(wait_step(t), FX_OK);
	put(*folder, "z2.png", 2);
	run(t);
	expect(t, "image", "0:1 1:2 ");
	node_test_free(t);
}

static void manifest_names_the_sections(void **folder)
{
	static const char list[] = "section,tile,version,file\n10,0,1,b.png\n11,0,1,a.png\n"
				   "12,,,c.png\n13,0,1,d.png\n11,0,2,a again.png\n";
	struct node_test *t = start(*folder, OPTIONS("-attempts", "-tiles", "settle=0",
						     "manifest=manifest.csv", "late=0.02"));

	put(*folder, "a.png", 1);
	assert_int_equal(node_test_step(t), FX_IDLE);
	test_write_file(test_path(*folder, "manifest.csv"), list, sizeof list - 1);
	assert_int_equal(wait_step(t), FX_OK);
	put(*folder, "a again.png", 2);
	put(*folder, "b.png", 10);
	put(*folder, "z5.png", 5); /* not listed */
	put(*folder, "d.png", 4);
	test_write_file(test_path(*folder, "acquisition.done"), "", 0);
	run(t);
	expect(t, "image", "0:10 1:2 2:- 3:4 ");
	assert_non_null(strstr(mark(t, "image", 3)->reason, "no file of section 12 that"));
	node_test_free(t);
}

static void bad_input_is_one_sentence(void **folder)
{
	struct node_test *t;

	node_test_fails(start("/nonexistent", OPTIONS("-tiles")), "/nonexistent is not a folder");
	node_test_fails(start(*folder, OPTIONS("map=tiles.csv")),
			"with a tile map there is no output image");
	node_test_fails(start(*folder, OPTIONS("-image", "-attempts")), "needs a tile map");
	t = start(*folder, OPTIONS("-tiles", "settle=0", "silence=0.02"));
	assert_true(wait_step(t) < 0);
	node_test_fails(t, "none has come");
	test_write_file(test_path(*folder, "z7.png"), "x", 1);
	t = start(*folder, OPTIONS("-tiles", "settle=0", "silence=0.02"));
	assert_true(wait_step(t) < 0);
	node_test_fails(t, "no section can be read; z7.png: neither PNG nor TIFF");
	put(*folder, "z7.png", 1);
	put(*folder, "section-8-tile-3.png", 1);
	t = start(*folder, OPTIONS("-tiles", "-attempts", "settle=0"));
	while (wait_step(t) == FX_OK)
		;
	node_test_fails(t, "section-8-tile-3.png is a tile of a section: the option map");
	test_write_file(test_path(*folder, "list.csv"), "section,name\n1,z7.png\n", 22);
	t = start(*folder, OPTIONS("-tiles", "manifest=list.csv"));
	node_test_step(t);
	node_test_fails(t, "list.csv: no column \"file\"");
	t = start(*folder, OPTIONS("-tiles", "-attempts", "settle=0", "pattern=z*"));
	assert_int_equal(wait_step(t), FX_OK);
	fx_remove_tree(*folder, NULL);
	while (wait_step(t) == FX_OK)
		;
	node_test_fails(t, "the folder has vanished");
}

static void fill(const char *folder)
{
	for (int i = 0; i < 9; i++)
		if (i != 4)
			put(folder, (char[]){ 'z', (char)('0' + i), '.', 'p', 'n', 'g', 0 },
			    (unsigned char)i);
	put(folder, "z3-v2.png", 32);
	put(folder, "z7-v2.png", 72);
	test_write_file(test_path(folder, "z6.png"), "x", 1);
	test_write_file(test_path(folder, "acquisition.done"), "", 0);
}

static void another_life_sends_the_same(void **folder)
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };
	struct node_test *t[3];

	fill(*folder);
	for (size_t i = 0; i < 3; i++) {
		t[i] = start(*folder, OPTIONS("-tiles", "again=2", "settle=0", lives[i]));
		run(t[i]);
		assert_int_equal(node_test_drain(t[i]), FX_OK);
		node_test_same(t[0], t[i]);
	}
	expect(t[1], "image", "0:0 1:1 2:2 3:32 4:- 5:5 6:- 7:72 8:8 ");
	assert_int_equal(node_test_count(t[0], "attempts", FX_RECORD), 9);
	node_test_hostile(t[0]);
	for (size_t i = 0; i < 3; i++)
		node_test_free(t[i]);
}

/* What it told others holds, whatever the folder has become since: it is killed without a save. */
static void decisions_of_a_former_life_hold(void **folder)
{
	struct node_test *t = start(*folder, OPTIONS("-tiles", "settle=0", "late=0.01"));

	put(*folder, "z5.png", 5);
	put(*folder, "z7.png", 7);
	for (int i = 0; i < 5; i++)
		assert_int_equal(wait_step(t), FX_OK); /* OPEN, two attempts, 5, 6 is late */
	put(*folder, "z6.png", 6);
	put(*folder, "z3.png", 3);    /* sections are counted from 5 on */
	put(*folder, "z5-v2.png", 9); /* 5 was sent */
	node_test_again(t, false);
	for (int i = 0; i < 5; i++)
		assert_int_equal(wait_step(t), FX_OK);
	test_write_file(test_path(*folder, "acquisition.done"), "", 0);
	run(t);
	assert_int_equal(node_test_drain(t), FX_OK);
	put(*folder, "z8.png", 8); /* the stream has ended */
	for (int life = 0; life < 2; life++) {
		expect(t, "image", "0:5 1:- 2:7 ");
		assert_int_equal(node_test_count(t, "attempts", FX_RECORD), 3);
		node_test_again(t, false);
		run(t);
	}
	put(*folder, "z5.png", 55); /* cannot be sent again as it was */
	node_test_again(t, false);
	while (wait_step(t) == FX_OK)
		;
	node_test_fails(t, "z5.png is not what it was");
}

static const char map[] = "tile,y,x\n0,-2,0\n1,-2.25,3.5\n2,2,1\n";

static void tiles_flow_with_their_places(void **folder)
{
	struct node_test *t = start(
		*folder, OPTIONS("-image", "-attempts", "map=tiles.csv", "settle=0", "late=0.02"));
	const struct fx_record *r;

	put(*folder, "section-000000-tile-001.png", 1);
	for (int i = 0; i < 100; i++)
		assert_int_equal(node_test_step(t), FX_IDLE); /* there is no map yet */
	test_write_file(test_path(*folder, "tiles.csv"), map, sizeof map - 1);
	assert_int_equal(wait_step(t), FX_OK);
	assert_int_equal(mark(t, "tiles", 0)->region.hi[1], 11); /* -3 to 8 */
	assert_int_equal(mark(t, "tiles", 0)->region.hi[2], 9);
	assert_int_equal(wait_step(t), FX_OK);
	r = node_test_get(t, "tiles", FX_RECORD, 0)->message;
	assert_string_equal(r->kind, "tile");
	assert_true(fx_record_number(r, "tile", -1) == 1 && fx_record_number(r, "y", -1) == 0.75 &&
		    fx_record_number(r, "x", -1) == 3.5 && fx_record_number(r, "height", 0) == H);
	assert_int_equal(block(t, "tiles", 0)->origin[1], 1);
	assert_int_equal(block(t, "tiles", 0)->origin[2], 4);
	put(*folder, "section-000000-tile-000.png", 2);
	put(*folder, "section-000000-tile-001-v2.png", 3);
	assert_int_equal(wait_step(t), FX_OK);
	assert_int_equal(wait_step(t), FX_OK);
	assert_int_equal(value(block(t, "tiles", 2)), 3);
	assert_int_equal(node_test_step(t), FX_IDLE);
	put(*folder, "section-000000-tile-002.png", 4);
	put(*folder, "section-000000-tile-002-v2.png", 6);
	assert_int_equal(wait_step(t), FX_OK);
	assert_int_equal(value(block(t, "tiles", 3)), 6); /* the newer alone */
	assert_int_equal(wait_step(t), FX_OK);
	assert_int_equal(mark(t, "tiles", 1)->kind, FX_MARK_DONE);
	put(*folder, "section-000002-tile-000.png", 5); /* 1 and two tiles of 2 never come */
	test_write_file(test_path(*folder, "acquisition.done"), "", 0);
	run(t);
	assert_int_equal(mark(t, "tiles", 2)->kind, FX_MARK_MISSING);
	assert_int_equal(mark(t, "tiles", 3)->kind, FX_MARK_DONE);
	assert_int_equal(node_test_count(t, "tiles", FX_BLOCK), 5);
	assert_int_equal(node_test_count(t, "tiles", FX_RECORD), 7);
	r = node_test_get(t, "tiles", FX_RECORD, 6)->message;
	assert_true(fx_record_number(r, "tile", -1) == 2);
	assert_non_null(fx_record_text(r, "missing"));
	node_test_free(t);
}

static void lives_with_tiles(void **folder)
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };
	struct node_test *t[3];

	for (int i = 0; i < 9; i++) {
		char name[64];

		snprintf(name, sizeof name, "section-%d-tile-%d%s.png", i / 3, i % 3,
			 i == 4 ? "-v3" : "");
		if (i != 7)
			put(*folder, name, (unsigned char)i);
	}
	test_write_file(test_path(*folder, "tiles.csv"), map, sizeof map - 1);
	test_write_file(test_path(*folder, "acquisition.done"), "", 0);
	for (size_t i = 0; i < 3; i++) {
		t[i] = start(*folder,
			     OPTIONS("-image", "-attempts", "map=tiles.csv", "settle=0", lives[i]));
		run(t[i]);
		assert_int_equal(node_test_drain(t[i]), FX_OK);
		node_test_same(t[0], t[i]);
	}
	assert_int_equal(node_test_count(t[0], "tiles", FX_BLOCK), 8);
	assert_int_equal(node_test_count(t[0], "tiles", FX_NOTHING), 4);
	node_test_hostile(t[0]);
	for (size_t i = 0; i < 3; i++)
		node_test_free(t[i]);
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, test_folder_make, test_folder_remove)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(sections_come_in_order),
		IN_FOLDER(a_file_is_complete_when_closed_settled_or_told),
		IN_FOLDER(broken_files_are_missing_with_a_reason),
		IN_FOLDER(broken_files_may_heal),
		IN_FOLDER(versions_replace_until_sent),
		IN_FOLDER(late_and_unnamed_files_are_told),
		IN_FOLDER(folders_patterns_and_polling),
		IN_FOLDER(the_marker_comes_last),
		IN_FOLDER(silence_is_looked_into),
		IN_FOLDER(manifest_names_the_sections),
		IN_FOLDER(bad_input_is_one_sentence),
		IN_FOLDER(another_life_sends_the_same),
		IN_FOLDER(decisions_of_a_former_life_hold),
		IN_FOLDER(tiles_flow_with_their_places),
		IN_FOLDER(lives_with_tiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
