// SPDX-License-Identifier: Apache-2.0
/* spare.c: whether enough files may still be opened. */
#include "base/spare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

int fx_spare_files(size_t n, struct fx_error *err)
{
	int *fds = fx_calloc(n ? n : 1, sizeof *fds);
	size_t got = 0;
	int failed;

	if (!fds)
		return fx_error_set(err, FX_ENOMEM, "no memory");
	while (got < n && (fds[got] = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0)
		got++;
	failed = errno;
	for (size_t i = 0; i < got; i++)
		close(fds[i]);
	free(fds);
	if (got == n)
		return FX_OK;
	return fx_error_set(err, FX_EIO, "cannot open %zu more files: %s; allow more (ulimit -n)",
			    n, strerror(failed));
}
