// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/base/seglog.c and segrecord.c. */
#include "support/test.h"

#include "base/seglog.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "runtime/base/seglog_records.h"

static void keeps_what_is_appended(void **unused)
{
	char *folder = test_tmp_dir();
	struct fx_seglog *l = open_good(folder);

	(void)unused;
	assert_int_equal(fx_seglog_first(l), 0);
	check_none(l, 0, FX_END);
	for (uint64_t k = 0; k < 100; k++) {
		assert_int_equal(fx_seglog_next(l), k);
		put_many(l, 1);
		check(l, k / 2); /* reading goes on while it grows */
		if (k % 3 == 0)
			fx_seglog_rest(l);
	}
	assert_int_equal(fx_seglog_sync(l, NULL), FX_OK);
	check(l, 99);
	check(l, 3);
	check_none(l, 100, FX_END);
	fx_seglog_close(l);

	l = open_good(folder);
	assert_int_equal(fx_seglog_next(l), 100);
	assert_int_equal(fx_seglog_cut(l), 0);
	put_many(l, 20);
	for (uint64_t k = 0; k < 120; k++)
		check(l, k);
	fx_seglog_close(l);
	fx_remove_tree(folder, NULL);
	free(folder);
}

static void holds_no_bytes_and_one_process(void **unused)
{
	char *folder = test_tmp_dir();
	struct fx_seglog *l = open_good(folder);
	const struct iovec part = { folder, (size_t)FX_SEGLOG_RECORD_MAX + 1 };
	size_t size;
	void *bytes;

	(void)unused;
	assert_int_equal(fx_seglog_append(l, NULL, 0, NULL), FX_OK);
	assert_int_equal(fx_seglog_get(l, 0, &bytes, &size, NULL), FX_OK);
	assert_int_equal(size, 0);
	free(bytes);
	assert_int_equal(fx_seglog_append(l, &part, 1, NULL), FX_EINVAL);
	open_bad(folder, FX_EIO);
	fx_seglog_close(l);
	fx_seglog_close(open_good(folder));
	fx_remove_tree(folder, NULL);
	free(folder);
}

/* Cut anywhere in its last record, a log has what was before, and goes on. */
static void cuts_a_torn_tail(void **unused)
{
	unsigned char bytes[100];
	const uint64_t last = HEAD + record_of(3, bytes);

	(void)unused;
	for (uint64_t lost = 1; lost <= last; lost++) {
		char *folder = test_tmp_dir(), *path = segment_path(folder, 0);
		struct fx_seglog *l = open_good(folder);
		uint64_t size;

		put_many(l, 4);
		fx_seglog_close(l);
		size = file_size(path);
		assert_int_equal(truncate(path, (off_t)(size - lost)), 0);
		l = open_good(folder);
		assert_int_equal(fx_seglog_next(l), 3);
		assert_int_equal(fx_seglog_cut(l), last - lost);
		assert_int_equal(file_size(path), size - last);
		put_many(l, 2);
		for (uint64_t k = 0; k < 5; k++)
			check(l, k);
		fx_seglog_close(l);
		fx_remove_tree(folder, NULL);
		free(path);
		free(folder);
	}
}

/* What was written and is not good is damage, unless nothing good comes after it. */
static void tells_damage(void **unused)
{
	char *folder = test_tmp_dir(), *first = segment_path(folder, 0);
	struct fx_seglog *l = open_good(folder);
	unsigned char bytes[100];
	const long second = HEAD + (long)record_of(0, bytes);

	(void)unused;
	put_many(l, 4);
	fx_seglog_close(l);
	spoil(first, -1); /* the last: torn */
	l = open_good(folder);
	assert_int_equal(fx_seglog_next(l), 3);
	fx_seglog_close(l);
	for (long at = 0; at < HEAD + 1; at++) { /* magic, size, number, checksum, bytes */
		spoil(first, second + at);
		open_bad(folder, FX_ETYPE);
		spoil(first, second + at);
	}
	l = open_good(folder);
	put_many(l, 97);
	fx_seglog_close(l);
	spoil(first, second + HEAD); /* not the last segment: found when it is read */
	l = open_good(folder);
	check(l, 0);
	check_none(l, 1, FX_ETYPE);
	check(l, 2);
	check(l, 99);
	fx_seglog_close(l);
	free(first);
	fx_remove_tree(folder, NULL);
	free(folder);
}

static void removes_whole_segments(void **unused)
{
	char *folder = test_tmp_dir();
	struct fx_seglog *l = open_good(folder);
	uint64_t first, before;

	(void)unused;
	put_many(l, 100);
	before = fx_seglog_size(l);
	check(l, 0);
	assert_int_equal(fx_seglog_trim(l, 50, NULL), FX_OK);
	first = fx_seglog_first(l);
	assert_in_range(first, 30, 50);
	assert_in_range(before - fx_seglog_size(l), first * (HEAD + 10), before);
	check_none(l, first - 1, FX_ENOENT);
	check(l, first);
	fx_seglog_close(l);
	l = open_good(folder);
	assert_int_equal(fx_seglog_first(l), first);
	assert_int_equal(fx_seglog_trim(l, UINT64_MAX, NULL), FX_OK);
	assert_int_equal(fx_seglog_next(l), 100); /* the last stays: it knows the number */
	check(l, 99);
	assert_in_range(fx_seglog_size(l), 1, SEGMENT);
	assert_int_equal(fx_seglog_roll(l, NULL), FX_OK);
	assert_int_equal(fx_seglog_roll(l, NULL), FX_OK);
	assert_int_equal(fx_seglog_trim(l, 100, NULL), FX_OK);
	assert_int_equal(fx_seglog_size(l), 0);
	fx_seglog_close(l);
	l = open_good(folder);
	assert_int_equal(fx_seglog_next(l), 100);
	put_many(l, 1);
	check(l, 100);
	fx_seglog_close(l);
	fx_remove_tree(folder, NULL);
	free(folder);
}

static void reads_beside_the_writer(void **unused)
{
	char *folder = test_tmp_dir(), *path;
	struct fx_seglog *w = open_good(folder), *r = fx_seglog_read_only(folder, NULL);
	uint64_t size;

	(void)unused;
	assert_non_null(r);
	check_none(r, 0, FX_END);
	for (uint64_t k = 0; k < 60; k++) {
		check_none(r, k, FX_END);
		put_many(w, 1);
		check(r, k);
	}
	assert_int_equal(fx_seglog_append(r, NULL, 0, NULL), FX_EIO);
	put_many(w, 1);
	fx_seglog_trim(w, UINT64_MAX, NULL);
	check(r, 60);
	check_none(r, 0, FX_ENOENT);
	path = segment_path(folder, fx_seglog_first(w));
	fx_seglog_close(r);
	fx_seglog_close(w);
	size = file_size(path) - 1;
	assert_int_equal(truncate(path, (off_t)size), 0);
	r = fx_seglog_read_only(folder, NULL); /* ends before a torn tail, and leaves it */
	assert_non_null(r);
	check_none(r, 60, FX_END);
	assert_int_equal(file_size(path), size);
	fx_seglog_close(r);
	free(path);
	fx_remove_tree(folder, NULL);
	assert_null(fx_seglog_read_only(folder, NULL));
	free(folder);
}

/* No room for the last bytes of a record: an error, and the log is as before. */
static void outlives_a_full_disk(void **unused)
{
	const struct rlimit small = { 500, RLIM_INFINITY };
	char *folder = test_tmp_dir();
	struct fx_seglog *l = open_good(folder);
	struct fx_error err = { 0 };
	struct rlimit usual;
	uint64_t n = 0, size;

	(void)unused;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	while (put(l, &err) == FX_OK)
		n++;
	setrlimit(RLIMIT_FSIZE, &usual);
	assert_int_equal(err.code, FX_EIO);
	assert_in_range(n, 5, 20);
	assert_int_equal(fx_seglog_next(l), n);
	size = fx_seglog_size(l);
	put_many(l, 1);
	for (uint64_t k = 0; k <= n; k++)
		check(l, k);
	fx_seglog_close(l);
	l = open_good(folder);
	assert_int_equal(fx_seglog_cut(l), 0);
	assert_true(fx_seglog_size(l) > size);
	assert_int_equal(fx_seglog_next(l), n + 1);
	fx_seglog_close(l);
	fx_remove_tree(folder, NULL);
	free(folder);
}

/* A folder with 100 good records and one thing that is wrong. */
static char *spoiled_folder(int what)
{
	char *folder = test_tmp_dir(), *path = segment_path(folder, what == 0 ? 7 : 1000);
	struct fx_seglog *l = open_good(folder);

	put_many(l, 100);
	fx_seglog_close(l);
	if (what == 0) {
		free(path);
		path = fx_path_join(folder, "7.seg");
		assert_int_equal(fx_file_write(path, "", 0, NULL), FX_OK);
	} else if (what == 1) {
		assert_int_equal(symlink("/etc/passwd", path), 0);
	} else if (what == 2) {
		assert_int_equal(mkfifo(path, 0600), 0);
	} else if (what == 3) {
		assert_int_equal(mkdir(path, 0700), 0);
	} else {
		free(path);
		path = fx_path_join(folder, "99999999999999999999.seg");
		assert_int_equal(fx_file_write(path, "", 0, NULL), FX_OK);
	}
	free(path);
	return folder;
}

static void refuses_what_is_no_log(void **unused)
{
	(void)unused;
	for (int what = 0; what < 5; what++) {
		char *folder = spoiled_folder(what);

		open_bad(folder, FX_ETYPE);
		assert_null(fx_seglog_read_only(folder, NULL));
		fx_remove_tree(folder, NULL);
		free(folder);
	}
}

static void tells_a_gap(void **unused)
{
	char *folder = test_tmp_dir(), *path, *other;
	struct fx_seglog *l = open_good(folder);
	uint64_t second;

	(void)unused;
	put_many(l, 15);
	fx_seglog_trim(l, UINT64_MAX, NULL);
	second = fx_seglog_first(l);
	put_many(l, 85);
	fx_seglog_close(l);
	path = segment_path(folder, second);
	assert_int_equal(truncate(path, HEAD), 0); /* a segment that is cut short: not the last */
	l = open_good(folder);
	check_none(l, second, FX_ETYPE);
	check(l, 99);
	fx_seglog_close(l);
	free(path);
	path = segment_path(folder, second); /* a name that is not its first record's */
	other = segment_path(folder, second + 1);
	assert_int_equal(rename(path, other), 0);
	l = open_good(folder);
	check_none(l, second + 1, FX_ETYPE);
	fx_seglog_close(l);
	free(other);
	free(path);
	path = segment_path(folder, 1000); /* an empty one, of much later records */
	assert_int_equal(fx_file_write(path, "", 0, NULL), FX_OK);
	l = open_good(folder);
	assert_int_equal(fx_seglog_next(l), 1000);
	check(l, 99);
	check_none(l, 100, FX_ETYPE);
	check_none(l, 999, FX_ETYPE);
	check_none(l, 1000, FX_END);
	fx_seglog_close(l);
	free(path);
	fx_remove_tree(folder, NULL);
	free(folder);
}

/* A size that no file has is not believed. */
static void bounds_sizes(void **unused)
{
	static const unsigned char sizes[][4] = { { 255, 255, 255, 255 },
						  { 0, 0, 0, 20 },
						  { 0, 0, 0, 19 } };

	(void)unused;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		char *folder = test_tmp_dir(), *path = segment_path(folder, 0);
		unsigned char bytes[HEAD + 8] = { 'f', 'x', 's', 'g' };
		struct fx_seglog *l;

		memcpy(bytes + 4, sizes[i], 4);
		assert_int_equal(fx_file_write(path, bytes, sizeof bytes, NULL), FX_OK);
		l = open_good(folder);
		assert_int_equal(fx_seglog_cut(l), sizeof bytes);
		assert_int_equal(fx_seglog_next(l), 0);
		fx_seglog_close(l);
		fx_remove_tree(folder, NULL);
		free(path);
		free(folder);
	}
}

static void append_for_ever(const char *folder)
{
	struct fx_seglog *l;

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
	l = fx_seglog_open(folder, SEGMENT, NULL);
	while (l && put(l, NULL) == FX_OK)
		if (fx_seglog_next(l) % 100 == 0)
			fx_seglog_trim(l, fx_seglog_next(l) - 50, NULL);
	_exit(1);
}

static void outlives_kills(void **unused)
{
	char *folder = test_tmp_dir();
	uint64_t next = 0, seed = 5;

	(void)unused;
	/* some kills hit it before it has written, on a busy machine many */
	for (int round = 0; round < 10 || (next <= 100 && round < 1000); round++) {
		const pid_t pid = fork();
		struct fx_seglog *l;

		if (pid == 0)
			append_for_ever(folder);
		usleep((useconds_t)(20000 + test_random(&seed) % 10000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		l = open_good(folder);
		assert_true(fx_seglog_next(l) >= next);
		next = fx_seglog_next(l);
		for (uint64_t k = fx_seglog_first(l); k < next; k++)
			check(l, k);
		fx_seglog_close(l);
	}
	assert_true(next > 100);
	fx_remove_tree(folder, NULL);
	free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_is_appended),
		cmocka_unit_test(holds_no_bytes_and_one_process),
		cmocka_unit_test(cuts_a_torn_tail),
		cmocka_unit_test(tells_damage),
		cmocka_unit_test(removes_whole_segments),
		cmocka_unit_test(reads_beside_the_writer),
		cmocka_unit_test(outlives_a_full_disk),
		cmocka_unit_test(refuses_what_is_no_log),
		cmocka_unit_test(tells_a_gap),
		cmocka_unit_test(bounds_sizes),
		cmocka_unit_test(outlives_kills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
