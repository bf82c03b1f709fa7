// SPDX-License-Identifier: Apache-2.0
/* golden_pack.h: unpacks tests/golden/volumes/chunks.pack. Include after support/test.h. */
#ifndef FX_TESTS_GOLDEN_PACK_H
#define FX_TESTS_GOLDEN_PACK_H

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "support/images.h"

/** Writes its files below @p folder. Tests run in the folder of the sources. */
static inline void golden_unpack(const char *folder)
{
	void *all = NULL;
	size_t size = 0, at = 0;
	struct fx_error err = { 0 };

	if (fx_file_read("tests/golden/volumes/chunks.pack", 1 << 20, &all, &size, &err) < 0)
		fail_msg("%s", err.text);
	while (at < size) {
		char name[128];
		int head = 0;
		size_t len = 0;
		const char *path;

		assert_int_equal(sscanf((char *)all + at, "%127s %zu%n", name, &len, &head), 2);
		path = test_path(folder, name);
		at += (size_t)head + 1;
		assert_true(len <= size - at);
		assert_int_equal(fx_make_parents(path, NULL), FX_OK);
		test_write_file(path, (char *)all + at, len);
		at += len;
	}
	free(all);
}

#endif
