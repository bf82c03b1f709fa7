// SPDX-License-Identifier: Apache-2.0
/* ffnstate.c: files of flood-filling in progress. */
#include "nn/ffnstate.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"

enum { STATE_MAX = 1 << 30 };

char *fx_ffn_state_path(const char *folder, const int64_t origin[3], uint64_t key)
{
	return fx_asprintf("%s/flood-%" PRId64 "-%" PRId64 "-%" PRId64 "-%016" PRIx64, folder,
			   origin[0], origin[1], origin[2], key);
}

int fx_ffn_state_write(const struct fx_ffn *f, uint64_t key, const char *path, struct fx_error *err)
{
	void *bytes = NULL;
	size_t size;
	int result = fx_ffn_save(f, key, &bytes, &size);

	if (result)
		fx_error_set(err, result, "no memory for %s", path);
	else
		result = fx_file_write(path, bytes, size, err);
	free(bytes);
	return result;
}

int fx_ffn_state_read(struct fx_ffn *f, uint64_t key, const char *path, struct fx_error *err)
{
	void *bytes = NULL;
	size_t size;
	int result = fx_file_read(path, STATE_MAX, &bytes, &size, err);

	if (!result) {
		result = fx_ffn_restore(f, key, bytes, size, err);
		if (result)
			fx_error_prefix(err, "%s", path);
	}
	free(bytes);
	return result;
}

void fx_ffn_state_remove(const char *path)
{
	char *part = fx_asprintf("%s.tmp", path); /* of a process that was killed */

	fx_remove_tree(path, NULL);
	if (part)
		fx_remove_tree(part, NULL);
	free(part);
}
