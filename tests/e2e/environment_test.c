// SPDX-License-Identifier: Apache-2.0
/* A bad environment: full disks, no descriptors, no memory. The run ends with one clear sentence,
 * or finishes as if nothing had been; nothing is left behind. What needs root says so and is
 * skipped. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/file.h"
#include "support/images.h"
#include "support/outputs.h"
#include "support/run.h"

#define LEAN "tests/e2e/lean.yaml"
#define MANY "size=32 64 64", "block=16 16 16" /* 32 blocks */

static void says(const struct test_run *r, const char *words)
{
	test_run_sentence(r->err);
	if (!strstr(r->err, words))
		fail_msg("no \"%s\" in: %s", words, r->err);
}

static void plain(struct test_place *p)
{
	test_run_expect(p, 0,
			(const char *[]){ "run", LEAN, test_word("out", p->dir, "plain"), MANY,
					  "--quiet", NULL });
}

static struct test_run *run_lean(struct test_place *p, const char *out, const char *more)
{
	return test_run(p, (const char *[]){ "run", LEAN, test_word("out", p->dir, out), MANY,
					     "--quiet", more, NULL });
}

/* A small disk at DIR/disk; skips without root. */
static void disk(const struct test_place *p, const char *size, const char *what)
{
	const char *at = test_path(p->dir, "disk");

	assert_int_equal(fx_make_dirs(at, NULL), FX_OK);
	if (mount("fornix-test", at, "tmpfs", 0, size) != 0)
		test_skip(what);
}

static int unmount_and_free(void **state)
{
	struct test_place *p = *state;

	umount2(test_path(p->dir, "disk"), MNT_DETACH);
	return test_place_teardown(state);
}

static void no_room_for_what_is_made(void **state)
{
	static const char *const sizes[] = { "size=16k", "size=64k", "size=128k" };
	struct test_place *p = *state;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct test_run *r;

		disk(p, sizes[i], "a full disk (needs root, to mount a small one)");
		r = run_lean(p, "disk/out", NULL);
		assert_true(r->code == 1 || r->code == 2); /* 2: before it began */
		says(r, "No space left on device");
		assert_false(test_is_there(test_path(p->dir, "disk/out"), "labels"));
		assert_false(test_is_there(test_path(p->dir, "disk/out"), "labels.fornix-partial"));
		test_run_free(r);
		test_place_clean_but_logs(p);
		assert_int_equal(umount(test_path(p->dir, "disk")), 0);
	}
}

/* TMPDIR is full: logs and scratch files. */
static void no_room_for_the_run_itself(void **state)
{
	struct test_place *p = *state;
	char *tmp = p->tmp;
	struct test_run *r;

	disk(p, "size=4k,nr_inodes=4", "a full TMPDIR (needs root, to mount a small one)");
	p->tmp = fx_strdup(test_path(p->dir, "disk"));
	r = run_lean(p, "out", NULL);
	assert_int_equal(r->code, 2);
	says(r, "No space left on device");
	test_run_free(r);
	test_place_clean_but_logs(p);
	free(p->tmp);
	p->tmp = tmp;
}

static void outputs_that_are_read_only(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;

	disk(p, "size=1m", "a read-only disk (needs root, to mount one)");
	assert_int_equal(mount("fornix-test", test_path(p->dir, "disk"), "tmpfs",
			       MS_REMOUNT | MS_RDONLY, "size=1m"),
			 0);
	r = run_lean(p, "disk/out", NULL);
	assert_int_equal(r->code, 2);
	says(r, "Read-only file system");
	test_run_free(r);
	test_place_clean(p);
}

/* The processes of a run inherit the limit; the test has its own again. */
static struct test_run *run_limited(struct test_place *p, int what, rlim_t most, const char *more)
{
	struct rlimit before, low;
	struct test_run *r;

	assert_int_equal(getrlimit(what, &before), 0);
	low = before;
	low.rlim_cur = most;
	assert_int_equal(setrlimit(what, &low), 0);
	r = test_run_start(p, (const char *[]){ "run", LEAN, test_word("out", p->dir, "out"), MANY,
						"--quiet", more, NULL });
	assert_int_equal(setrlimit(what, &before), 0);
	test_run_wait(r);
	return r;
}

static void too_few_descriptors(void **state)
{
	static const rlim_t limits[] = { 8, 16, 24, 32, 40, 48, 64, 128 };
	static const char *const ways[] = { "--transport=shm", "--transport=tcp" };
	struct test_place *p = *state;
	int good = 0, bad = 0;

	plain(p);
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		struct test_run *r = run_limited(p, RLIMIT_NOFILE, limits[i], ways[i % 2]);

		if (r->code == 0) {
			test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "out"));
			good++;
		} else {
			if (r->code != 1 && r->code != 2)
				fail_msg("with %d descriptors: %d, %s", (int)limits[i], r->code,
					 r->err);
			test_run_sentence(r->err);
			print_message("%d: %s", (int)limits[i], r->err);
			bad++;
		}
		fx_remove_tree(test_path(p->dir, "out"), NULL);
		test_run_free(r);
		test_place_clean_but_logs(p);
	}
	assert_true(bad >= 2 && good >= 1);
}

/* Blocks of 2 MiB of labels. */
static struct test_run *run_large(struct test_place *p, const char *out)
{
	return test_run_start(p, (const char *[]){ "run", LEAN, test_word("out", p->dir, out),
						   "size=32 256 256", "block=32 128 128", "--quiet",
						   NULL });
}

#ifdef __SANITIZE_ADDRESS__
/* The sanitizer needs more than any limit would leave: it refuses by itself. */
static struct test_run *run_short_of_memory(struct test_place *p, unsigned mib)
{
	const char *before = getenv("ASAN_OPTIONS");
	char *kept = fx_strdup(before ? before : "");
	char *options =
		fx_asprintf("%s:allocator_may_return_null=1:max_allocation_size_mb=%u", kept, mib);
	struct test_run *r;

	assert_true(kept && options);
	setenv("ASAN_OPTIONS", options, 1);
	r = run_large(p, "out");
	setenv("ASAN_OPTIONS", kept, 1);
	free(kept);
	free(options);
	return r;
}
#else
static struct test_run *run_short_of_memory(struct test_place *p, unsigned mib)
{
	struct rlimit before, low;
	struct test_run *r;

	assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
	low = before;
	low.rlim_cur = (rlim_t)(mib * 3 + 30) << 20; /* with the stacks of threads */
	assert_int_equal(setrlimit(RLIMIT_DATA, &low), 0);
	r = run_large(p, "out");
	assert_int_equal(setrlimit(RLIMIT_DATA, &before), 0);
	return r;
}
#endif

static void too_little_memory(void **state)
{
	static const unsigned limits[] = { 1, 2, 3, 4, 6, 8, 12, 64 };
	struct test_place *p = *state;
	struct test_run *r = run_large(p, "plain");
	int good = 0, bad = 0;

	test_run_wait(r);
	assert_int_equal(r->code, 0);
	test_run_free(r);
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		r = run_short_of_memory(p, limits[i]);
		test_run_wait(r);
		if (r->code == 0) {
			test_same_folders(test_path(p->dir, "plain"), test_path(p->dir, "out"));
			good++;
		} else {
			assert_true(r->code == 1 || r->code == 2);
			says(r, "memory");
			print_message("%u: %s", limits[i], r->err);
			bad++;
		}
		fx_remove_tree(test_path(p->dir, "out"), NULL);
		test_run_free(r);
		test_place_clean_but_logs(p);
	}
	assert_true(bad >= 2 && good >= 1);
}

int main(void)
{
#define PLACED(f)  cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
#define MOUNTED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, unmount_and_free)
	const struct CMUnitTest tests[] = {
		MOUNTED(no_room_for_what_is_made),   MOUNTED(no_room_for_the_run_itself),
		MOUNTED(outputs_that_are_read_only), PLACED(too_few_descriptors),
		PLACED(too_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
