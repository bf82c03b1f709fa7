// SPDX-License-Identifier: Apache-2.0
/* A tile that is blank is asked for again, its section is made once more with the new one, and all
 * is as if it had been good at first; also when nodes are killed meanwhile. */
#include "support/test.h"

#include <png.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "support/images.h"
#include "support/mosaic.h"
#include "support/outputs.h"
#include "support/run.h"

#define GRAPH "tests/e2e/tiles_again.yaml"

enum { SECTIONS = 9, BAD = 6, TILES = 4, SIDE = 80, PATIENCE = 1200 };

/* As a microscope does it: under another name first. */
static void drop(const char *in, const struct layout *l, int z, size_t tile, int version,
		 bool blank)
{
	const double map[2][3] = { { 1, 0, l->nominal[tile][0] }, { 0, 1, l->nominal[tile][1] } };
	unsigned char voxels[SIDE * SIDE];
	char name[64], part[72];

	texture_fill(3, voxels, SIDE, SIDE, map, 6, (uint64_t)(100 + z * TILES) + tile);
	if (blank)
		memset(voxels, 255, sizeof voxels);
	snprintf(name, sizeof name, "section-%d-tile-%zu-v%d.png", z, tile, version);
	snprintf(part, sizeof part, ".%s.part", name);
	test_write_png(test_path(in, part), SIDE, SIDE, 8, PNG_COLOR_TYPE_GRAY, 0, voxels);
	assert_int_equal(rename(test_path(in, part), test_path(in, name)), 0);
}

static void drop_section(const char *in, const struct layout *l, int z, bool bad)
{
	for (size_t i = 0; i < TILES; i++)
		drop(in, l, z, i, 1, bad && i == 1);
}

/* The folder @p name with its tile map. */
static const char *make_folder(const struct test_place *p, const char *name, const struct layout *l)
{
	const char *in = strchr(test_word("in", p->dir, name), '=') + 1;
	FILE *f;

	assert_int_equal(fx_make_dirs(in, NULL), FX_OK);
	f = fopen(test_path(in, "tiles.csv"), "w");
	assert_non_null(f);
	fprintf(f, "tile,y,x\n");
	for (size_t i = 0; i < TILES; i++)
		fprintf(f, "%zu,%g,%g\n", i, l->nominal[i][0], l->nominal[i][1]);
	assert_int_equal(fclose(f), 0);
	return in;
}

static void finish(const char *in)
{
	test_write_file(test_path(in, "acquisition.done"), "", 0);
}

/* Until the file of requests of @p out names section BAD. */
static void await_request(const struct test_place *p, const char *out)
{
	const char *folder = strchr(test_word("out", p->dir, out), '=') + 1;
	char want[32];
	bool found = false;

	snprintf(want, sizeof want, "{\"section\":%d,", BAD);
	for (int i = 0; i < PATIENCE && !found; i++) {
		void *text = NULL;
		size_t size = 0;

		if (fx_file_read(test_path(folder, "again.jsonl"), 1 << 20, &text, &size, NULL) ==
		    FX_OK)
			found = memmem(text, size, want, strlen(want));
		free(text);
		if (!found)
			fx_sleep_ms(50);
	}
	assert_true(found);
}

static void kill_words(const struct test_place *p, const char *words)
{
	const pid_t pid = test_place_process(p, words);

	if (pid)
		kill(pid, SIGKILL);
}

static void run_plain(struct test_place *p, const struct layout *l)
{
	const char *in = make_folder(p, "whole", l);

	for (int z = 0; z < SECTIONS; z++)
		drop_section(in, l, z, false);
	finish(in);
	test_run_expect(p, 0,
			(const char *[]){ "run", GRAPH, test_word("sections", p->dir, "whole"),
					  test_word("out", p->dir, "plain"), "--quiet", NULL });
}

static void a_new_tile_makes_a_section_good(void **state)
{
	struct test_place *p = *state;
	const struct layout l = layout_grid(2, 2, SIDE, 20);
	const char *in;
	struct test_run *r;
	json_t *receipt;

	run_plain(p, &l);
	in = make_folder(p, "in", &l);
	for (int z = 0; z <= BAD; z++)
		drop_section(in, &l, z, z == BAD);
	r = test_run_start(p, (const char *[]){ "run", GRAPH, test_word("sections", p->dir, "in"),
						test_word("out", p->dir, "again"), "--save-every=0",
						NULL });
	await_request(p, "again");
	kill_words(p, "node scope.0");
	kill_words(p, "node mosaic.0");
	drop(in, &l, BAD, 1, 2, false);
	for (int z = BAD + 1; z < SECTIONS; z++)
		drop_section(in, &l, z, false);
	finish(in);
	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	test_run_free(r);
	receipt = test_receipt(strchr(test_word("out", p->dir, "again"), '=') + 1, true);
	assert_true(test_sum(receipt, "nodes", "restarts") >= 1);
	json_decref(receipt);
	test_same_folders(strchr(test_word("a", p->dir, "plain/image"), '=') + 1,
			  strchr(test_word("b", p->dir, "again/image"), '=') + 1);
	test_place_clean(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_new_tile_makes_a_section_good, test_place_setup,
						test_place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
