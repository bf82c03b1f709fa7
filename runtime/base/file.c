// SPDX-License-Identifier: Apache-2.0
/* file.c: files and folders. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

int fx_pread_all(int fd, void *data, size_t size, off_t offset)
{
	char *to = data;

	while (size) {
		const ssize_t n = pread(fd, to, size, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		to += n;
		size -= (size_t)n;
		offset += n;
	}
	return 0;
}

int fx_pwrite_all(int fd, const void *data, size_t size, off_t offset)
{
	const char *from = data;

	while (size) {
		const ssize_t n = pwrite(fd, from, size, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		from += n;
		size -= (size_t)n;
		offset += n;
	}
	return 0;
}

static int file_load(int fd, const char *path, size_t max, void **data, size_t *size,
		     struct fx_error *err)
{
	struct stat st;
	char *bytes;
	int failed;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return fx_error_set(err, FX_EIO, "%s: not a regular file", path);
	if ((uintmax_t)st.st_size > max)
		return fx_error_set(err, FX_EINVAL, "%s: %jd bytes, more than the %zu accepted",
				    path, (intmax_t)st.st_size, max);
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory for %jd bytes", path,
				    (intmax_t)st.st_size);
	failed = fx_pread_all(fd, bytes, (size_t)st.st_size, 0);
	if (failed) {
		free(bytes);
		return fx_error_set(err, FX_EIO, "%s: cannot read: %s", path, strerror(-failed));
	}
	bytes[st.st_size] = 0;
	*data = bytes;
	*size = (size_t)st.st_size;
	return FX_OK;
}

int fx_file_read(const char *path, size_t max, void **data, size_t *size, struct fx_error *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result;

	if (fd < 0)
		return fx_error_set(err, errno == ENOENT ? FX_ENOENT : FX_EIO,
				    "%s: cannot open: %s", path, strerror(errno));
	result = file_load(fd, path, max, data, size, err);
	close(fd);
	return result;
}

int fx_file_write(const char *path, const void *data, size_t size, struct fx_error *err)
{
	char *tmp = fx_asprintf("%s.tmp", path);
	int fd = -1, failed;

	if (!tmp)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", path);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	failed = fd < 0 ? -errno : fx_pwrite_all(fd, data, size, 0);
	if (!failed && fsync(fd) != 0)
		failed = -errno;
	if (fd >= 0 && close(fd) != 0 && !failed)
		failed = -errno;
	if (!failed && rename(tmp, path) != 0)
		failed = -errno;
	if (failed && fd >= 0)
		unlink(tmp);
	free(tmp);
	return failed ? fx_error_set(err, FX_EIO, "%s: cannot write: %s", path, strerror(-failed)) :
			FX_OK;
}

int fx_make_dirs(const char *path, struct fx_error *err)
{
	char *copy = fx_strdup(path);

	if (!copy)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", path);
	for (char *p = copy + 1; *copy && *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		mkdir(copy, 0777);
		*p = '/';
	}
	free(copy);
	if (mkdir(path, 0777) != 0 && !(errno == EEXIST && fx_is_dir(path)))
		return fx_error_set(err, FX_EIO, "%s: cannot make folder: %s", path,
				    strerror(errno));
	return FX_OK;
}

int fx_make_parents(const char *path, struct fx_error *err)
{
	char *folder = fx_strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
	int result = folder ? FX_OK : fx_error_set(err, FX_ENOMEM, "%s: no memory", path);

	if (slash && slash != folder) {
		*slash = 0;
		result = fx_make_dirs(folder, err);
	}
	free(folder);
	return result;
}

int fx_sync_parent(const char *path)
{
	char *folder = fx_strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
	int fd, failed = 0;

	if (!folder)
		return -ENOMEM;
	if (slash)
		slash[slash == folder] = 0;
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		failed = -errno;
	if (fd >= 0)
		close(fd);
	free(folder);
	return failed;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int fx_remove_tree(const char *path, struct fx_error *err)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
		return fx_error_set(err, FX_EIO, "%s: cannot remove: %s", path, strerror(errno));
	return FX_OK;
}

bool fx_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *fx_path_join(const char *folder, const char *name)
{
	const size_t len = strlen(folder);

	return fx_asprintf("%s%s%s", folder, len && folder[len - 1] == '/' ? "" : "/", name);
}

bool fx_path_ends(const char *path, const char *ending)
{
	const size_t a = strlen(path), b = strlen(ending);

	return a >= b && strcasecmp(path + a - b, ending) == 0;
}

void fx_write_line(int fd, char *line)
{
	size_t len = strlen(line);
	ssize_t n;

	line[len++] = '\n';
	do
		n = write(fd, line, len);
	while (n < 0 && errno == EINTR);
	line[len - 1] = 0;
}
