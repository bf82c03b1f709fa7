// SPDX-License-Identifier: Apache-2.0
/* scratch.c: large memory on the heap or in a mapped file. */
#include "base/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"

/* A file without a name, of @p size reserved bytes; the descriptor or -errno. */
static int scratch_file(const char *folder, size_t size)
{
	char *path = fx_asprintf("%s/scratch-XXXXXX", folder);
	int fd, failed = 0;

	if (!path)
		return -ENOMEM;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		failed = -errno;
	else
		unlink(path);
	free(path);
	if (fd < 0)
		return failed;
	if (ftruncate(fd, (off_t)size) < 0)
		failed = -errno;
	else if (fallocate(fd, 0, 0, (off_t)size) < 0 && errno != EOPNOTSUPP && errno != ENOSYS)
		failed = -errno;
	if (!failed)
		return fd;
	close(fd);
	return failed;
}

static int scratch_map(struct fx_scratch *s, size_t size, const char *folder, struct fx_error *err)
{
	const int fd = size > INT64_MAX ? -EFBIG : scratch_file(folder, size);
	void *data;

	if (fd < 0)
		return fx_error_set(err, FX_EIO, "cannot make a scratch file of %zu MiB in %s: %s",
				    size >> 20, folder, strerror(-fd));
	data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (data == MAP_FAILED)
		return fx_error_set(err, FX_EIO, "cannot map a scratch file of %zu MiB in %s",
				    size >> 20, folder);
	*s = (struct fx_scratch){ .data = data, .size = size, .mapped = true };
	return FX_OK;
}

int fx_scratch_open(struct fx_scratch *s, size_t size, const char *folder, struct fx_error *err)
{
	void *data;

	if (folder)
		return scratch_map(s, size, folder, err);
	data = fx_alloc_aligned(size);
	if (!data)
		return fx_error_set(err, FX_ENOMEM, "no memory for %zu MiB", size >> 20);
	*s = (struct fx_scratch){ .data = data, .size = size };
	return FX_OK;
}

void fx_scratch_close(struct fx_scratch *s)
{
	if (s->mapped)
		munmap(s->data, s->size);
	else
		free(s->data);
	*s = (struct fx_scratch){ 0 };
}
