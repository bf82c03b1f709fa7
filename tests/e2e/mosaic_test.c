// SPDX-License-Identifier: Apache-2.0
/* Tiles that appear while they are read, in any order, become sections; whoever is killed
 * meanwhile, they are the same. */
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
#include "support/metrics.h"
#include "support/mosaic.h"
#include "support/outputs.h"
#include "support/run.h"

#define MOSAIC "tests/e2e/mosaic.yaml"
#define SENT   "fornix_edge_acked{from=\"scope.tiles\",to=\"whole.tiles\"} "

enum { SECTIONS = 6, SIDE = 80 };

/* As a microscope does it: under another name first. */
static void drop(const char *in, const struct layout *l, int z, size_t tile, int version)
{
	char name[64], part[72];

	snprintf(name, sizeof name,
		 version > 1 ? "section-%06d-tile-%03zu-v%d.png" : "section-%06d-tile-%03zu.png", z,
		 tile, version);
	snprintf(part, sizeof part, ".%s.part", name);
	test_write_png(test_path(in, part), SIDE, SIDE, 8, PNG_COLOR_TYPE_GRAY, 0, l->voxels[tile]);
	assert_int_equal(rename(test_path(in, part), test_path(in, name)), 0);
}

/* The tiles of a section in a turned order; tile 2 of section 3 never comes. */
static void drop_section(const char *in, const struct layout *l, int z, size_t turn)
{
	for (size_t i = 0; i < l->len; i++) {
		const size_t tile = (i * 3 + turn) % l->len;

		if (z != 3 || tile != 2)
			drop(in, l, z, tile, 1);
	}
}

static void drop_map(const char *in, const struct layout *l)
{
	FILE *f;

	assert_int_equal(fx_make_dirs(in, NULL), FX_OK);
	f = fopen(test_path(in, "tiles.csv"), "w");
	assert_non_null(f);
	fprintf(f, "tile,y,x\n");
	for (size_t i = 0; i < l->len; i++)
		fprintf(f, "%zu,%.17g,%.17g\n", i, l->nominal[i][0], l->nominal[i][1]);
	assert_int_equal(fclose(f), 0);
}

static void finish(const char *in)
{
	test_write_file(test_path(in, "acquisition.done"), "", 0);
}

static void run_plain(struct test_place *p, struct layout *l)
{
	char in[300];

	snprintf(in, sizeof in, "%s/whole", p->dir);
	*l = layout_hexagon(1, SIDE, 20);
	layout_image(l, 4, false, 4);
	drop_map(in, l);
	for (int z = 0; z < SECTIONS; z++)
		drop_section(in, l, z, 0);
	finish(in);
	test_run_expect(p, 0,
			(const char *[]){ "run", MOSAIC, test_word("sections", p->dir, "whole"),
					  test_word("out", p->dir, "plain"), "--quiet", NULL });
}

static void expect_the_same(struct test_place *p, struct test_run *r, json_int_t restarts)
{
	json_t *receipt, *places;

	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	receipt = test_receipt(test_path(p->dir, "again"), true);
	assert_true(test_sum(receipt, "nodes", "restarts") >= restarts);
	json_decref(receipt);
	test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "again"));
	places = test_json(p->dir, "again/places.json");
	assert_true(json_number_value(json_object_get(places, "residual_max")) < 1);
	assert_int_equal(json_integer_value(json_object_get(places, "section")), SECTIONS - 1);
	json_decref(places);
	test_run_free(r);
	test_place_clean(p);
}

static void kill_words(struct test_place *p, const char *words)
{
	const pid_t pid = test_place_process(p, words);

	if (pid)
		kill(pid, SIGKILL);
}

static struct test_run *start(struct test_place *p, const char *more)
{
	return test_run_start(p,
			      (const char *[]){ "run", MOSAIC, test_word("sections", p->dir, "in"),
						test_word("out", p->dir, "again"), "--restarts=40",
						"--save-every=0", more, NULL });
}

static void every_node_may_be_killed_while_tiles_come(void **state)
{
	static const double sent[] = { 12, 27, 42, 54,
				       54 }; /* of 15 a section, less 4 whose acknowledgement waits
						for company; section 3 cannot be done yet */
	static const char *const nodes[] = { "node scope.0", "node whole.0", "node tiles.0",
					     "node scope.0", "node whole.0" };
	struct test_place *p = *state;
	struct layout l;
	struct test_run *r;
	char in[300];

	run_plain(p, &l);
	snprintf(in, sizeof in, "%s/in", p->dir);
	drop_map(in, &l);
	drop_section(in, &l, 0, 1);
	r = start(p, NULL);
	for (int z = 1; z < SECTIONS; z++) {
		test_metrics_await(r, SENT, sent[z - 1]);
		kill_words(p, nodes[z - 1]);
		drop_section(in, &l, z, (size_t)z);
	}
	finish(in); /* the tile that is missing is, now */
	expect_the_same(p, r, 4);
	layout_fini(&l);
}

static void a_killed_conductor_resumes(void **state)
{
	struct test_place *p = *state;
	struct layout l;
	struct test_run *r;
	char in[300];

	run_plain(p, &l);
	snprintf(in, sizeof in, "%s/in", p->dir);
	drop_map(in, &l);
	for (int z = 2; z >= 0; z--)
		drop_section(in, &l, z, 2);
	for (int i = 0; i < 2; i++) {
		r = start(p, "--resume");
		free(test_run_await(r, "metrics: "));
		test_metrics_await(r, SENT, 20 + 20 * i);
		kill(r->pid, SIGKILL);
		test_run_wait(r);
		test_run_free(r);
		drop_section(in, &l, 4 - i, 0);
	}
	drop_section(in, &l, 5, 0);
	finish(in);
	expect_the_same(p, start(p, "--resume"), 0);
	layout_fini(&l);
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(every_node_may_be_killed_while_tiles_come),
		PLACED(a_killed_conductor_resumes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
