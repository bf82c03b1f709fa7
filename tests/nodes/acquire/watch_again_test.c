// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/acquire/watch.c: sections of tiles, some of which are imaged again. */
#include "support/test.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "support/images.h"
#include "support/node_test.h"

extern const struct fx_node_type fx_node_acquire_watch;

enum { SIDE = 4, TURNS = 60000 };

static const char map[] = "tile,y,x\n0,0,0\n1,0,3\n";

static int make_folder(void **folder)
{
	*folder = test_tmp_dir();
	test_write_file(test_path(*folder, "tiles.csv"), map, sizeof map - 1);
	return 0;
}

/* As a microscope does it: under another name first. */
static void put(const char *folder, int section, int tile, int version, unsigned char value)
{
	unsigned char pixels[SIDE * SIDE];
	char name[64], part[80];

	snprintf(name, sizeof name, "section-%d-tile-%d-v%d.png", section, tile, version);
	snprintf(part, sizeof part, ".%s.part", name);
	memset(pixels, value, sizeof pixels);
	test_write_png(test_path(folder, part), SIDE, SIDE, 8, PNG_COLOR_TYPE_GRAY, 0, pixels);
	assert_int_equal(rename(test_path(folder, part), test_path(folder, name)), 0);
}

static void end(const char *folder)
{
	test_write_file(test_path(folder, "acquisition.done"), "", 0);
}

#define OPTIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct node_test *start(const char *folder, const char *const *more)
{
	char path[600];
	const char *options[12] = { path, "-image", "map=tiles.csv", "settle=0", "late=100" };

	snprintf(path, sizeof path, "path=%s", folder);
	for (size_t i = 0; more[i] && i < 6; i++)
		options[i + 5] = more[i];
	return node_test_new(&fx_node_acquire_watch, options);
}

/* What was sent to @p port, in order: the value of a tile, x when it is absent, =SECTION.VERSION
 * of an attempt, ; for a section that is done, -SECTION for one that is missing. */
static void told(struct node_test *t, const char *port, char *text, size_t size)
{
	const unsigned number = port[0] == 'a' ? 1 : 2;
	size_t at = 0;

	*text = 0;
	for (size_t i = 0; i < node_test_sent_len(t); i++) {
		const struct sent *s = node_test_sent(t, i);
		const struct fx_record *r = s->kind == FX_RECORD ? s->message : NULL;

		if (s->port != number)
			continue;
		if (s->kind == FX_BLOCK)
			at += (size_t)snprintf(
				text + at, size - at, "%d ",
				*(const uint8_t *)((const struct fx_block *)s->message)->data);
		else if (r && strcmp(r->kind, "attempt") == 0)
			at += (size_t)snprintf(text + at, size - at, "=%g.%g ",
					       fx_record_number(r, "section", -1),
					       fx_record_number(r, "version", -1));
		else if (r && fx_record_text(r, "missing"))
			at += (size_t)snprintf(text + at, size - at, "x ");
		else if (!r && s->mark.kind == FX_MARK_MISSING)
			at += (size_t)snprintf(text + at, size - at, "-%d ",
					       (int)s->mark.region.lo[0]);
		else if (!r && s->mark.kind == FX_MARK_DONE)
			at += (size_t)snprintf(text + at, size - at, "; ");
	}
}

/* Until it has told that, and then nothing more at once. */
static void expect(struct node_test *t, const char *port, const char *want)
{
	char text[600] = "";

	for (int i = 0; i < TURNS && strcmp(text, want) != 0; i++) {
		if (node_test_step(t) == FX_IDLE)
			fx_sleep_ms(1);
		told(t, port, text, sizeof text);
	}
	assert_string_equal(text, want);
	assert_int_not_equal(node_test_step(t), FX_OK);
}

static void run(struct node_test *t)
{
	for (int i = 0; i < TURNS && node_test_step(t) != FX_END; i++)
		if (node_test_result(t) == FX_IDLE)
			fx_sleep_ms(1);
	if (node_test_result(t) != FX_END)
		fail_msg("ended with %d: %s", node_test_result(t), node_test_error(t));
}

static void a_new_tile_is_a_new_attempt(void **folder)
{
	struct node_test *t =
		start(*folder, OPTIONS("-tiles", "gather=0.02", "again=2", "first=0"));

	put(*folder, 0, 0, 1, 1);
	put(*folder, 0, 1, 1, 2);
	expect(t, "attempts", "1 2 =0.1 ");
	put(*folder, 0, 1, 2, 3);
	expect(t, "attempts", "1 2 =0.1 1 3 =0.2 ");
	put(*folder, 1, 0, 1, 6); /* while it comes, no other comes into it */
	expect(t, "attempts", "1 2 =0.1 1 3 =0.2 6 ");
	put(*folder, 0, 0, 2, 4);
	put(*folder, 0, 1, 3, 5);
	fx_sleep_ms(30);
	expect(t, "attempts", "1 2 =0.1 1 3 =0.2 6 ");
	put(*folder, 1, 1, 1, 7);
	expect(t, "attempts", "1 2 =0.1 1 3 =0.2 6 7 =1.1 4 5 =0.3 ");
	put(*folder, 2, 0, 1, 8);
	put(*folder, 2, 1, 1, 9);
	expect(t, "attempts", "1 2 =0.1 1 3 =0.2 6 7 =1.1 4 5 =0.3 8 9 =2.1 ");
	put(*folder, 0, 0, 7, 70); /* two sections behind the next one: too late */
	put(*folder, 1, 0, 2, 71);
	end(*folder);
	run(t);
	expect(t, "attempts", "1 2 =0.1 1 3 =0.2 6 7 =1.1 4 5 =0.3 8 9 =2.1 71 7 =1.2 ");
	assert_non_null(strstr(node_test_warning(t), "section-0-tile-0-v7.png came when"));
	node_test_free(t);
}

static void tiles_of_one_version_come_together(void **folder)
{
	struct node_test *t = start(*folder, OPTIONS("-tiles", "gather=1000", "first=0"));

	put(*folder, 0, 0, 1, 1);
	put(*folder, 0, 1, 1, 2);
	expect(t, "attempts", "1 2 =0.1 ");
	put(*folder, 0, 0, 2, 3);
	expect(t, "attempts", "1 2 =0.1 ");
	put(*folder, 0, 1, 2, 4);
	expect(t, "attempts", "1 2 =0.1 3 4 =0.2 ");
	put(*folder, 0, 1, 3, 5); /* alone, but no more will come */
	test_write_file(test_path(*folder, "section-0-tile-0-v3.png"), "broken", 6);
	end(*folder);
	run(t);
	expect(t, "attempts", "1 2 =0.1 3 4 =0.2 3 5 =0.3 ");
	node_test_free(t);
}

/* Beside the attempts the tiles flow as without; of what comes later there is nothing in them. */
static void tiles_and_attempts(void **folder)
{
	struct node_test *t = start(*folder, OPTIONS("late=0.02", "gather=0", "first=0"));

	put(*folder, 0, 0, 1, 1);
	put(*folder, 2, 0, 1, 2);
	put(*folder, 2, 1, 1, 3);
	expect(t, "attempts", "1 x =0.1 -1 2 3 =2.1 ");
	put(*folder, 0, 1, 1, 4); /* late, and fills its hole; what is missing stays so */
	put(*folder, 1, 0, 1, 9);
	expect(t, "attempts", "1 x =0.1 -1 2 3 =2.1 1 4 =0.2 ");
	expect(t, "tiles", "1 x ; -1 2 3 ; ");
	node_test_free(t);
}

/* The same folder, step by step, for three nodes, two of which die again and again. */
static void lives(void **folder)
{
	static const char *const how[] = { NULL, "+saved", "+killed" };
	struct node_test *t[3];

	for (size_t i = 0; i < 3; i++) {
		char *dir = test_tmp_dir();

		test_write_file(test_path(dir, "tiles.csv"), map, sizeof map - 1);
		t[i] = start(dir, OPTIONS("gather=0", "first=0", how[i]));
		put(dir, 0, 0, 1, 1);
		put(dir, 0, 1, 1, 2);
		expect(t[i], "attempts", "1 2 =0.1 ");
		put(dir, 0, 1, 2, 3);
		expect(t[i], "attempts", "1 2 =0.1 1 3 =0.2 ");
		put(dir, 1, 0, 1, 4);
		put(dir, 1, 1, 1, 5);
		expect(t[i], "attempts", "1 2 =0.1 1 3 =0.2 4 5 =1.1 ");
		put(dir, 0, 0, 2, 6);
		expect(t[i], "attempts", "1 2 =0.1 1 3 =0.2 4 5 =1.1 6 3 =0.3 ");
		end(dir);
		run(t[i]);
		assert_int_equal(node_test_drain(t[i]), FX_OK);
		node_test_same(t[0], t[i]);
		fx_remove_tree(dir, NULL);
		free(dir);
	}
	(void)folder;
	for (size_t i = 0; i < 3; i++)
		node_test_free(t[i]);
}

/* A save while a section comes again is loaded, or refused when a bit of it is turned. */
static void a_save_amid_tiles(void **folder)
{
	struct node_test *t = start(*folder, OPTIONS("-tiles", "gather=0", "first=0"));

	put(*folder, 0, 0, 1, 1);
	put(*folder, 0, 1, 1, 2);
	expect(t, "attempts", "1 2 =0.1 ");
	put(*folder, 0, 1, 2, 3);
	while (node_test_step(t) != FX_OK)
		fx_sleep_ms(1);
	node_test_again(t, true);
	expect(t, "attempts", "1 2 =0.1 1 3 =0.2 ");
	put(*folder, 0, 1, 3, 4);
	while (node_test_step(t) != FX_OK)
		fx_sleep_ms(1);
	node_test_hostile(t);
	node_test_free(t);
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_folder, test_folder_remove)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_new_tile_is_a_new_attempt),
		IN_FOLDER(tiles_of_one_version_come_together),
		IN_FOLDER(tiles_and_attempts),
		IN_FOLDER(lives),
		IN_FOLDER(a_save_amid_tiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
