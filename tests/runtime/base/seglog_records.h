// SPDX-License-Identifier: Apache-2.0
/* seglog_records.h: records to write to a log and to find there. Include after support/test.h. */
#ifndef FX_TESTS_SEGLOG_RECORDS_H
#define FX_TESTS_SEGLOG_RECORDS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/seglog.h"

enum { HEAD = 24, SEGMENT = 1000 };

/* Record k has 10 + k % 90 bytes that depend on k. */
static inline size_t record_of(uint64_t k, unsigned char bytes[100])
{
	const size_t size = 10 + k % 90;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(k * 31 + i * i);
	return size;
}

static inline int put(struct fx_seglog *l, struct fx_error *err)
{
	unsigned char bytes[100];
	const size_t size = record_of(fx_seglog_next(l), bytes);
	const struct iovec parts[] = { { bytes, 3 }, { NULL, 0 }, { bytes + 3, size - 3 } };

	return fx_seglog_append(l, parts, 3, err);
}

static inline void put_many(struct fx_seglog *l, size_t n)
{
	while (n--)
		assert_int_equal(put(l, NULL), FX_OK);
}

static inline void check(struct fx_seglog *l, uint64_t k)
{
	unsigned char want[100];
	const size_t want_size = record_of(k, want);
	struct fx_error err = { 0 };
	size_t size;
	void *bytes;

	if (fx_seglog_get(l, k, &bytes, &size, &err) != FX_OK)
		fail_msg("record %d: %s", (int)k, err.text);
	assert_int_equal(size, want_size);
	assert_memory_equal(bytes, want, size);
	free(bytes);
}

static inline void check_none(struct fx_seglog *l, uint64_t k, int code)
{
	struct fx_error err = { 0 };
	size_t size;
	void *bytes;

	assert_int_equal(fx_seglog_get(l, k, &bytes, &size, &err), code);
	assert_true(code >= 0 || err.text[0]);
}

static inline struct fx_seglog *open_good(const char *folder)
{
	struct fx_error err = { 0 };
	struct fx_seglog *l = fx_seglog_open(folder, SEGMENT, &err);

	if (!l)
		fail_msg("%s", err.text);
	return l;
}

static inline void open_bad(const char *folder, int code)
{
	struct fx_error err = { 0 };

	assert_null(fx_seglog_open(folder, SEGMENT, &err));
	assert_int_equal(err.code, code);
	assert_true(err.text[0]);
}

static inline char *segment_path(const char *folder, uint64_t first)
{
	char *path = fx_asprintf("%s/%020llu.seg", folder, (unsigned long long)first);

	assert_non_null(path);
	return path;
}

static inline uint64_t file_size(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_size;
}

/* Writes a byte over what is at @p at, counted from the end when below 0. */
static inline void spoil(const char *path, long at)
{
	FILE *f = fopen(path, "r+b");
	int c;

	assert_non_null(f);
	assert_int_equal(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET), 0);
	c = fgetc(f);
	assert_int_equal(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET), 0);
	fputc(c ^ 0x10, f);
	fclose(f);
}

#endif
