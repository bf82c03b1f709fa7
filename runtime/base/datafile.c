// SPDX-License-Identifier: Apache-2.0
/* datafile.c: finds files that came with the program. */
#include "base/datafile.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

char *fx_datafile_path(const char *name)
{
	static const char *const places[] = { "../share/fornix/", "../../../" };
	char program[PATH_MAX];
	const ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
	char *end;

	if (len <= 0)
		return NULL;
	program[len] = 0;
	end = strrchr(program, '/');
	if (!end)
		return NULL;
	end[1] = 0;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		char *path = fx_asprintf("%s%s%s", program, places[i], name);

		if (path && access(path, R_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}
