// SPDX-License-Identifier: Apache-2.0
/* seglog.c: a journal or spool of one segment file of hostile bytes, or of two (the first byte is
 * where the second begins, in 16 bytes). What can be read has to stay when the log goes on. */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/seglog.h"

static void write_segment(const char *folder, unsigned first, const uint8_t *data, size_t size)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%020u.seg", folder, first);
	fuzz_must(fx_file_write(path, data, size, NULL) == FX_OK);
}

/* All records that can be read; the sum of their bytes. */
static uint64_t read_all(struct fx_seglog *l)
{
	uint64_t sum = 0;

	fuzz_must(fx_seglog_first(l) <= fx_seglog_next(l));
	for (uint64_t k = fx_seglog_first(l); k < fx_seglog_next(l); k++) {
		struct fx_error err = { 0 };
		size_t size;
		void *bytes;
		const int result = fx_seglog_get(l, k, &bytes, &size, &err);

		fuzz_must_tell(result, &err);
		for (size_t i = 0; result == FX_OK && i < size; i++)
			sum += (k + 1) * (i + 1) * ((const uint8_t *)bytes)[i];
		if (result == FX_OK)
			free(bytes);
	}
	return sum;
}

static void go_on(const char *folder)
{
	char text[] = "text";
	const struct iovec part = { text, 4 };
	struct fx_error err = { 0 };
	struct fx_seglog *l = fx_seglog_open(folder, 0, &err);
	uint64_t next, sum;
	size_t size;
	void *bytes;

	fuzz_must(l || (err.code < 0 && err.text[0]));
	if (!l)
		return;
	next = fx_seglog_next(l);
	sum = read_all(l);
	fuzz_must(fx_seglog_append(l, &part, 1, NULL) == FX_OK);
	fx_seglog_close(l);
	l = fx_seglog_open(folder, 0, NULL);
	fuzz_must(l && fx_seglog_cut(l) == 0 && fx_seglog_next(l) == next + 1);
	fuzz_must(fx_seglog_get(l, next, &bytes, &size, NULL) == FX_OK && size == 4 &&
		  memcmp(bytes, text, 4) == 0);
	for (size_t i = 0; i < 4; i++)
		sum += (next + 1) * (i + 1) * ((const uint8_t *)bytes)[i];
	free(bytes);
	fuzz_must(read_all(l) == sum);
	fx_seglog_close(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char folder[] = "/dev/shm/fuzz-fornix-XXXXXX";
	const size_t at = size ? (size_t)data[0] * 16 : 0;
	struct fx_error err = { 0 };
	struct fx_seglog *l;

	fuzz_must(mkdtemp(folder) != NULL);
	if (at && at < size) {
		write_segment(folder, 0, data + 1, at - 1);
		write_segment(folder, 2, data + at, size - at);
	} else if (size) {
		write_segment(folder, 0, data + 1, size - 1);
	}
	l = fx_seglog_read_only(folder, &err);
	fuzz_must(l || (err.code < 0 && err.text[0]));
	if (l)
		read_all(l);
	fx_seglog_close(l);
	go_on(folder);
	fx_remove_tree(folder, NULL);
	return 0;
}
