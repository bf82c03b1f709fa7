// SPDX-License-Identifier: Apache-2.0
/* Sections that appear while they are read give what they give when all are there. */
#include "support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "support/images.h"
#include "support/metrics.h"
#include "support/outputs.h"
#include "support/run.h"

#define SECTIONS "tests/e2e/sections.yaml"
#define SENT	 "fornix_edge_acked{from=\"scope.image\",to=\"even.image\"} "

static const struct test_sections all = { 95, 12, 48, 56, 8 }, /* z095 to z106 */
	first = { 95, 4, 48, 56, 8 };

static const char *numbered(const char *folder, size_t z, const char *ending)
{
	char name[64];

	snprintf(name, sizeof name, "z%03zu%s", z, ending);
	return test_path(folder, name);
}

/* As an acquisition that knows of readers does it: under another name first. */
static void drop(const char *in, size_t z)
{
	const char *temporary = numbered(in, z, ".png.part"), *final = numbered(in, z, ".png");

	test_section(in, strrchr(temporary, '/') + 1, &all, z);
	assert_int_equal(rename(temporary, final), 0);
}

/* As one that does not: the file grows in its place, in @p pieces. */
static void grow(const char *in, size_t z, size_t pieces)
{
	const char *temporary = numbered(in, z, ".other");
	void *bytes;
	size_t size, at = 0;
	int fd;

	test_section(in, strrchr(temporary, '/') + 1, &all, z);
	assert_int_equal(fx_file_read(temporary, 1 << 20, &bytes, &size, NULL), FX_OK);
	assert_int_equal(unlink(temporary), 0);
	fd = open(numbered(in, z, ".png"), O_WRONLY | O_CREAT | O_EXCL, 0666);
	assert_true(fd >= 0);
	for (size_t i = 1; i <= pieces; i++) {
		const size_t to = size * i / pieces;

		assert_int_equal(write(fd, (const char *)bytes + at, to - at), to - at);
		at = to;
		fx_sleep_ms(25);
	}
	close(fd);
	free(bytes);
}

static void run_plain(struct test_place *p)
{
	test_write_sections(test_path(p->dir, "whole"), &all);
	test_run_expect(p, 0,
			(const char *[]){ "run", SECTIONS, test_word("sections", p->dir, "whole"),
					  test_word("out", p->dir, "plain"), "--quiet", NULL });
	json_decref(test_receipt(test_path(p->dir, "plain"), true));
}

/* The run must end by itself, with what all sections give at once. */
static void check_end(struct test_place *p, struct test_run *r)
{
	test_run_wait(r);
	if (r->code)
		fail_msg("ended with %d: %s", r->code, strstr(r->err, "\nfornix: "));
	json_decref(test_receipt(test_path(p->dir, "out"), true));
	test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "out"));
	test_run_free(r);
	test_place_clean(p);
}

static struct test_run *start(struct test_place *p, const char *end)
{
	return test_run_start(
		p, (const char *[]){ "run", SECTIONS, test_word("sections", p->dir, "in"),
				     test_word("out", p->dir, "out"), "acquire=watch", end, NULL });
}

static void files_come_late_slowly_and_out_of_order(void **state)
{
	struct test_place *p = *state;
	const char *in = test_path(p->dir, "in");
	struct test_run *r;

	run_plain(p);
	test_write_sections(in, &first);
	r = start(p, "count=12");
	test_metrics_await(r, SENT, (double)first.count);
	drop(in, 100);
	drop(in, 99);
	grow(in, 101, 40);
	for (size_t z = 106; z > 101; z--)
		drop(in, z);
	check_end(p, r);
}

static void empty_folder_fills_until_the_marker(void **state)
{
	struct test_place *p = *state;
	const char *in = test_path(p->dir, "in");
	struct test_run *r;

	run_plain(p);
	fx_make_dirs(in, NULL);
	r = start(p, "marker=finished");
	free(test_metrics_url(r));
	for (size_t z = 95; z <= 106; z++)
		drop(in, z);
	test_write_file(test_path(in, "finished"), "", 0);
	check_end(p, r);
}

/* As the kernel tells it when the conductor dies: that is not the end of its stream. */
static void a_source_that_is_told_to_end_has_not_ended(void **state)
{
	struct test_place *p = *state;
	const char *in = test_path(p->dir, "in");
	struct test_run *r;

	run_plain(p);
	test_write_sections(in, &first);
	r = start(p, "marker=stop");
	test_metrics_await(r, "fornix_edge_acked{from=\"scope.image\",to=\"even.image\"} ", 4);
	kill(test_place_await(p, "node scope.0 acquire/watch"), SIGTERM);
	for (size_t z = 99; z < 107; z++)
		drop(in, z);
	test_write_file(test_path(in, "stop"), "", 0);
	check_end(p, r);
}

static void silence_is_the_end(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;

	run_plain(p);
	test_write_sections(test_path(p->dir, "in"), &all);
	r = start(p, "silence=3 s");
	check_end(p, r);
}

static void section_that_never_comes(void **state)
{
	struct test_place *p = *state;
	const char *in = test_path(p->dir, "in");
	json_t *receipt;
	struct test_run *r;

	test_write_sections(in, &all);
	assert_int_equal(unlink(test_path(in, "z100.png")), 0);
	r = start(p, "silence=3 s");
	test_run_wait(r);
	assert_int_equal(r->code, 1);
	assert_non_null(strstr(
		r->err, "\nfornix: 1 section is missing; first section 5: no file with number "
			"100 in "));
	receipt = test_receipt(test_path(p->dir, "out"), false);
	assert_int_equal(json_array_size(json_object_get(receipt, "missing")), 1);
	json_decref(receipt);
	assert_true(test_is_there(p->dir, "out/image/info"));
	test_run_free(r);
	test_place_clean(p);
}

/* A microscope with all that goes wrong, to a folder: at once, or at @p rate while it is read. */
static struct test_run *simulate(struct test_place *p, const char *folder, const char *rate)
{
	static char path[300];

	snprintf(path, sizeof path, "%s/%s", p->dir, folder);
	return test_run_start(p, (const char *[]){ "simulate", "phantom:24x48x56", path, "--rate",
						   rate, "--disorder", "20", "--late", "8",
						   "--missing", "8", "--jitter", "50", "--seed",
						   "3", "--in-place", "--quiet", NULL });
}

static void end_of_simulation(struct test_run *r)
{
	test_run_wait(r);
	if (r->code)
		fail_msg("simulate ended with %d: %s", r->code, r->err);
	test_run_free(r);
}

static void expect_same_regions(const json_t *a, const json_t *b)
{
	assert_int_equal(json_array_size(a), json_array_size(b));
	for (size_t i = 0; i < json_array_size(a); i++)
		assert_true(json_equal(json_object_get(json_array_get(a, i), "region"),
				       json_object_get(json_array_get(b, i), "region")));
}

/* What is late comes to its place, what is missing is told, also when the reader is killed. */
static void a_microscope_is_read_while_it_runs(void **state)
{
	struct test_place *p = *state;
	struct test_run *r, *microscope;
	json_t *receipt, *plain;

	end_of_simulation(simulate(p, "whole", "0"));
	test_run_expect(p, 1,
			(const char *[]){ "run", SECTIONS, test_word("sections", p->dir, "whole"),
					  test_word("out", p->dir, "plain"), "acquire=watch",
					  "--quiet", NULL });
	assert_int_equal(fx_make_dirs(test_path(p->dir, "in"), NULL), FX_OK);
	r = start(p, "silence=60 s");
	microscope = simulate(p, "in", "6");
	test_metrics_await(r, SENT, 8);
	kill(test_place_await(p, "node scope.0 acquire/watch"), SIGKILL);
	end_of_simulation(microscope);
	test_run_wait(r);
	assert_int_equal(r->code, 1); /* as sections are missing */
	receipt = test_receipt(test_path(p->dir, "out"), false);
	plain = test_receipt(test_path(p->dir, "plain"), false);
	assert_int_equal(test_sum(receipt, "nodes", "restarts"), 1);
	assert_true(json_array_size(json_object_get(plain, "missing")) > 0);
	expect_same_regions(json_object_get(receipt, "missing"), json_object_get(plain, "missing"));
	json_decref(receipt);
	json_decref(plain);
	test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "out"));
	test_run_free(r);
	test_place_clean(p);
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(files_come_late_slowly_and_out_of_order),
		PLACED(empty_folder_fills_until_the_marker),
		PLACED(a_source_that_is_told_to_end_has_not_ended),
		PLACED(silence_is_the_end),
		PLACED(section_that_never_comes),
		PLACED(a_microscope_is_read_while_it_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
