// SPDX-License-Identifier: Apache-2.0
/* outputs.c: looks at what a run has made; makes sections for it. */
#include "support/test.h"

#include "support/outputs.h"

#include <dirent.h>
#include <png.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "support/images.h"

enum { FILE_MAX = 64 << 20, CELL = 20, MEMBRANE = 2 };

json_t *test_json(const char *folder, const char *name)
{
	char *path = fx_path_join(folder, name);
	json_error_t err;
	json_t *j = path ? json_load_file(path, JSON_REJECT_DUPLICATES, &err) : NULL;

	if (!j)
		fail_msg("%s: %s", path, err.text);
	free(path);
	return j;
}

bool test_is_there(const char *folder, const char *name)
{
	char *path = fx_path_join(folder, name);
	struct stat st;
	const bool there = path && lstat(path, &st) == 0;

	free(path);
	return there;
}

static int visible(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static int not_of_the_run(const struct dirent *e)
{
	return visible(e) && strcmp(e->d_name, "receipt.json") != 0 &&
	       strcmp(e->d_name, "provenance") != 0;
}

static void same_files(const char *a, const char *b)
{
	void *in_a = NULL, *in_b = NULL;
	size_t len_a, len_b;

	assert_int_equal(fx_file_read(a, FILE_MAX, &in_a, &len_a, NULL), FX_OK);
	assert_int_equal(fx_file_read(b, FILE_MAX, &in_b, &len_b, NULL), FX_OK);
	if (len_a != len_b || memcmp(in_a, in_b, len_a) != 0)
		fail_msg("%s and %s differ", a, b);
	free(in_a);
	free(in_b);
}

static void same_trees(const char *a, const char *b, int (*take)(const struct dirent *))
{
	struct dirent **in_a, **in_b;
	const int n = scandir(a, &in_a, take, alphasort), m = scandir(b, &in_b, take, alphasort);

	for (int i = 0; i < n || i < m; i++) /* the first that is in one only */
		if (i >= n || i >= m || strcmp(in_a[i]->d_name, in_b[i]->d_name) != 0)
			fail_msg("%s has %s where %s has %s", a,
				 i < n ? in_a[i]->d_name : "nothing", b,
				 i < m ? in_b[i]->d_name : "nothing");
	if (n < 1 || n != m)
		fail_msg("%s holds %d names, %s %d", a, n, b, m);
	for (int i = 0; i < n; i++) {
		char *x = fx_path_join(a, in_a[i]->d_name), *y = fx_path_join(b, in_b[i]->d_name);

		assert_string_equal(in_a[i]->d_name, in_b[i]->d_name);
		if (fx_is_dir(x))
			same_trees(x, y, visible);
		else
			same_files(x, y);
		free(x);
		free(y);
		free(in_a[i]);
		free(in_b[i]);
	}
	free(in_a);
	free(in_b);
}

void test_same_folders(const char *a, const char *b)
{
	same_trees(a, b, not_of_the_run);
}

size_t test_count_files(const char *folder, const char *ending)
{
	struct dirent **names;
	const int n = scandir(folder, &names, visible, alphasort);
	size_t count = 0;

	for (int i = 0; i < n; i++) {
		char *path = fx_path_join(folder, names[i]->d_name);

		if (fx_is_dir(path))
			count += test_count_files(path, ending);
		else
			count += fx_path_ends(path, ending);
		free(path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return count;
}

static void check_edges(const json_t *edges)
{
	size_t i;
	json_t *e;

	assert_true(json_array_size(edges) > 0);
	json_array_foreach(edges, i, e)
	{
		const char *from, *to;
		json_int_t sent, acked, dropped, delivered, copies, unwanted;

		assert_int_equal(json_unpack(e, "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "from",
					     &from, "to", &to, "sent", &sent, "acked", &acked,
					     "dropped", &dropped, "delivered", &delivered,
					     "duplicates", &copies, "unwanted", &unwanted),
				 0);
		if (sent != acked + dropped || delivered + copies + unwanted < acked || sent < 1)
			fail_msg("%s -> %s: sent %lld, delivered %lld, duplicates %lld, "
				 "acked %lld, dropped %lld",
				 from, to, (long long)sent, (long long)delivered, (long long)copies,
				 (long long)acked, (long long)dropped);
	}
}

/*
 * A process that a test strikes when it has finished, but its run has not noticed, ends by that:
 * by SIGKILL, or by the signal `blow`, when it is not 0.
 */
static void check_nodes(const json_t *nodes, int blow)
{
	size_t i;
	json_t *n;

	assert_true(json_array_size(nodes) > 0);
	json_array_foreach(nodes, i, n)
	{
		const char *name, *error;
		int code;

		assert_int_equal(json_unpack(n, "{s:s, s:i, s:s}", "node", &name, "exit", &code,
					     "error", &error),
				 0);
		if ((code && code != 128 + SIGKILL && (!blow || code != 128 + blow)) || *error)
			fail_msg("%s ended with %d: %s", name, code, error);
	}
}

json_t *test_receipt(const char *folder, bool complete)
{
	return test_receipt_struck(folder, complete, 0);
}

json_t *test_receipt_struck(const char *folder, bool complete, int blow)
{
	json_t *r = test_json(folder, "receipt.json");

	check_edges(json_object_get(r, "edges"));
	check_nodes(json_object_get(r, "nodes"), blow);
	assert_true(json_is_true(json_object_get(r, "adds_up")));
	assert_string_equal(json_string_value(json_object_get(r, "failure")), "");
	assert_int_equal(json_is_true(json_object_get(r, "complete")), complete);
	return r;
}

json_int_t test_sum(const json_t *receipt, const char *list, const char *name)
{
	json_int_t sum = 0;
	size_t i;
	json_t *e;

	json_array_foreach(json_object_get(receipt, list), i, e)
	{
		assert_true(json_is_integer(json_object_get(e, name)));
		sum += json_integer_value(json_object_get(e, name));
	}
	return sum;
}

/* The cell at a voxel, counted from 1 along a row of cells that leans with z; 0 in a membrane. */
static unsigned cell_at(size_t z, size_t y, size_t x)
{
	const size_t u = x + z / 4, v = y + z / 8;

	if (u % CELL < MEMBRANE || v % CELL < MEMBRANE)
		return 0;
	return (unsigned)(1 + u / CELL + v / CELL * 16);
}

void test_section(const char *folder, const char *name, const struct test_sections *s, size_t z)
{
	const size_t n = s->height * s->width;
	uint16_t *wide = calloc(n, sizeof *wide);
	uint8_t *narrow = calloc(n, 1);
	char *path = fx_path_join(folder, name);
	uint64_t seed = 1000 + z;

	assert_true(wide && narrow && path);
	for (size_t i = 0; i < n; i++) {
		const unsigned grey = (cell_at(z, i / s->width, i % s->width) ? 170 : 60) +
				      (unsigned)(test_random(&seed) % 24);

		narrow[i] = (uint8_t)grey;
		wide[i] = (uint16_t)(grey * 257);
	}
	test_write_png(path, s->height, s->width, s->depth, PNG_COLOR_TYPE_GRAY, 0,
		       s->depth == 8 ? (const void *)narrow : wide);
	free(path);
	free(wide);
	free(narrow);
}

void test_write_sections(const char *folder, const struct test_sections *s)
{
	assert_int_equal(fx_make_dirs(folder, NULL), FX_OK);
	for (size_t z = s->first; z < s->first + s->count; z++) {
		char name[32];

		snprintf(name, sizeof name, "z%03zu.png", z);
		test_section(folder, name, s, z);
	}
}

void test_write_truth(const char *path, const struct test_sections *s, size_t count)
{
	const size_t area = s->height * s->width;
	uint16_t *labels = calloc(count * area, sizeof *labels);

	assert_non_null(labels);
	for (size_t i = 0; i < count * area; i++)
		labels[i] =
			(uint16_t)cell_at(s->first + i / area, i % area / s->width, i % s->width);
	test_write_tiff(path, count, s->height, s->width, 16, 1, 0, labels);
	free(labels);
}
