// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/base/seglog_read.c, and what is written over in seglog.c. */
#include "support/test.h"

#include <dirent.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/seglog_records.h"

static size_t files_in(const char *folder)
{
	DIR *d = opendir(folder);
	size_t n = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.' && strcmp(e->d_name, "lock") != 0;
	closedir(d);
	return n;
}

/* The first record of the last segment. */
static uint64_t last_segment(const char *folder)
{
	DIR *d = opendir(folder);
	uint64_t last = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		const unsigned long long first = strtoull(e->d_name, NULL, 10);

		last = first > last ? first : last;
	}
	closedir(d);
	return last;
}

/* Appends @p n records with spares in a process that then is no more. */
static void write_and_die(const char *folder, uint64_t n)
{
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct fx_seglog *l = fx_seglog_open(folder, SEGMENT, NULL);
		bool ok = l != NULL;

		if (ok)
			fx_seglog_spares(l, 2);
		for (uint64_t i = 0; ok && i < n; i++)
			ok = put(l, NULL) == FX_OK &&
			     fx_seglog_trim(l, i < 5 ? 0 : i - 5, NULL) == FX_OK;
		ok = ok && fx_seglog_size(l) > SEGMENT && fx_seglog_size(l) <= 5 * SEGMENT;
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* What is left of a former use is no record, wherever the writer was killed. */
static void writes_over_what_was_trimmed(void **unused)
{
	unsigned char bytes[100];

	(void)unused;
	for (uint64_t n = 100; n < 140; n++) {
		char *folder = test_tmp_dir(), *path;
		const bool torn = n % 2;
		struct fx_seglog *l;
		uint64_t size = 0;
		long at = 0;

		write_and_die(folder, n);
		assert_in_range(files_in(folder), 2, 4);
		path = segment_path(folder, last_segment(folder));
		for (uint64_t k = last_segment(folder); k < n - 1; k++)
			at += HEAD + (long)record_of(k, bytes);
		if (torn)
			spoil(path, at + HEAD);
		l = open_good(folder); /* those that wait are gone, what was left is cut off */
		assert_int_equal(fx_seglog_next(l), n - torn);
		assert_true(fx_seglog_first(l) < n - 5);
		for (uint64_t k = fx_seglog_first(l); k < n - torn; k++) {
			check(l, k);
			size += HEAD + record_of(k, bytes);
		}
		assert_int_equal(fx_seglog_size(l), size);
		assert_in_range(files_in(folder), 1, 2);
		put_many(l, 30);
		check(l, n - torn + 29);
		fx_seglog_close(l);
		free(path);
		fx_remove_tree(folder, NULL);
		free(folder);
	}
}

/* Damage before records that were written since is damage, and not the end. */
static void tells_damage_where_it_wrote_over(void **unused)
{
	char *folder = test_tmp_dir(), *path;
	struct fx_seglog *l = open_good(folder);
	uint64_t first = 0, n = 0;

	(void)unused;
	fx_seglog_spares(l, 1);
	while (n < 100 || fx_seglog_next(l) < first + 4) {
		put_many(l, 1);
		assert_int_equal(fx_seglog_trim(l, n++, NULL), FX_OK);
		first = fx_seglog_first(l);
	}
	path = segment_path(folder, first);
	fx_seglog_close(l);
	spoil(path, HEAD + 2);
	open_bad(folder, FX_ETYPE);
	spoil(path, HEAD + 2);
	l = open_good(folder);
	assert_int_equal(fx_seglog_next(l), n);
	fx_seglog_close(l);
	free(path);
	fx_remove_tree(folder, NULL);
	free(folder);
}

/* One that is told reads what it was told of, across segments that come, go and come again. */
static void reads_what_it_is_told(void **unused)
{
	char *folder = test_tmp_dir();
	struct fx_seglog *w = open_good(folder), *r = fx_seglog_read_only(folder, NULL);

	(void)unused;
	assert_non_null(r);
	fx_seglog_spares(w, 1);
	for (uint64_t k = 0; k < 150; k++) {
		const uint64_t lag = k / 30; /* of the reader */

		put_many(w, 1);
		fx_seglog_told(r, k < 2 ? 0 : k - 1);
		check_none(r, k, FX_END); /* there, and not told of */
		if (k < 2 + lag)
			continue;
		check(r, k - 2 - lag);
		if (k % 7 == 0)
			fx_seglog_rest(r);
		assert_int_equal(fx_seglog_trim(w, k - 2 - lag, NULL), FX_OK);
	}
	check_none(r, 0, FX_ENOENT);
	fx_seglog_close(r);
	fx_seglog_close(w);
	fx_remove_tree(folder, NULL);
	free(folder);
}

/* Of more than is written at once. */
static void holds_large_records(void **unused)
{
	enum { SIZE = 900000 };
	char *folder = test_tmp_dir();
	struct fx_seglog *l = open_good(folder);
	unsigned char *bytes = malloc(SIZE);
	uint64_t seed = 3;
	size_t size;
	void *got;

	(void)unused;
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (unsigned char)test_random(&seed);
	for (size_t k = 0; k < 3; k++) {
		const struct iovec parts[] = { { bytes, 5 },
					       { bytes + 5, 300000 + k },
					       { bytes + 300005 + k, SIZE - 300005 - k } };

		assert_int_equal(fx_seglog_append(l, parts, 3, NULL), FX_OK);
		put_many(l, 1);
	}
	fx_seglog_close(l);
	l = open_good(folder);
	assert_int_equal(fx_seglog_next(l), 6);
	for (uint64_t k = 0; k < 6; k += 2) {
		assert_int_equal(fx_seglog_get(l, k, &got, &size, NULL), FX_OK);
		assert_int_equal(size, SIZE);
		assert_memory_equal(got, bytes, SIZE);
		free(got);
		check(l, k + 1);
	}
	fx_seglog_close(l);
	free(bytes);
	fx_remove_tree(folder, NULL);
	free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_over_what_was_trimmed),
		cmocka_unit_test(tells_damage_where_it_wrote_over),
		cmocka_unit_test(reads_what_it_is_told),
		cmocka_unit_test(holds_large_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
