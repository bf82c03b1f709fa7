// SPDX-License-Identifier: Apache-2.0
/* seglog.c: an append-only log of records in segment files. */
#include "base/seglog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/seglog_private.h"
#include "base/segrecord.h"

enum { PARTS_MAX = 15, NAME_DIGITS = 20, NAME_SIZE = NAME_DIGITS + 7 };

int fx__log_failed(const struct fx_seglog *l, struct fx_error *err, const char *what)
{
	const int cause = errno;

	fx_error_set(err, cause == ENOMEM ? FX_ENOMEM : FX_EIO, "%s: %s: %s", l->folder, what,
		     strerror(cause));
	errno = cause;
	return cause == ENOMEM ? FX_ENOMEM : FX_EIO;
}

static void segment_name(uint64_t first, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%020" PRIu64 ".seg", first);
}

/* Of a segment that was trimmed and waits to be used again. */
static void spare_name(uint64_t first, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "spare-%020" PRIu64, first);
}

/* 1: a segment; 0: no segment's name; -1: looks like one and is none. */
static int name_read(const char *name, uint64_t *first)
{
	char again[NAME_SIZE];

	if (!fx_path_ends(name, ".seg"))
		return 0;
	if (strspn(name, "0123456789") != NAME_DIGITS)
		return -1;
	errno = 0;
	*first = strtoull(name, NULL, 10);
	segment_name(*first, again);
	return errno || *first > INT64_MAX || strcmp(name, again) != 0 ? -1 : 1;
}

int fx__log_open(const struct fx_seglog *l, uint64_t first, int flags, uint64_t *size)
{
	char name[NAME_SIZE];
	struct stat st;
	int fd;

	segment_name(first, name);
	fd = openat(l->folder_fd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*size = (uint64_t)st.st_size;
		return fd;
	}
	close(fd);
	errno = EINVAL;
	return -1;
}

static int by_first(const void *a, const void *b)
{
	const struct fx__segment *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

static int list_add(struct fx_seglog *l, uint64_t first, struct fx_error *err)
{
	char name[NAME_SIZE];
	struct stat st;

	segment_name(first, name);
	if (fstatat(l->folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? FX_OK /* trimmed just now */ :
					 fx__log_failed(l, err, "cannot look at a segment");
	if (!S_ISREG(st.st_mode))
		return fx_error_set(err, FX_ETYPE, "%s: %s is not a regular file", l->folder, name);
	if (!fx_grow(&l->segments, &l->cap, l->len + 1, sizeof *l->segments)) {
		errno = ENOMEM;
		return fx__log_failed(l, err, "cannot list segments");
	}
	l->segments[l->len++] = (struct fx__segment){ first, (uint64_t)st.st_size };
	return FX_OK;
}

int fx__log_list(struct fx_seglog *l, struct fx_error *err)
{
	const int fd = openat(l->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int result = FX_OK;

	if (!dir) {
		fx__log_failed(l, err, "cannot list");
		if (fd >= 0)
			close(fd);
		return FX_EIO;
	}
	l->len = 0;
	while (result == FX_OK && (entry = readdir(dir))) {
		uint64_t first;
		const int is = name_read(entry->d_name, &first);

		if (is < 0)
			result = fx_error_set(err, FX_ETYPE, "%s: '%.60s' is no segment of a log",
					      l->folder, entry->d_name);
		else if (is > 0)
			result = list_add(l, first, err);
		else if (l->lock_fd >= 0 && strncmp(entry->d_name, "spare-", 6) == 0)
			unlinkat(l->folder_fd, entry->d_name, 0);
	}
	closedir(dir);
	if (l->len)
		qsort(l->segments, l->len, sizeof *l->segments, by_first);
	return result;
}

/* Goes over the last segment from @p offset and l->next on, to where its good records end. */
static int log_scan(struct fx_seglog *l, int fd, uint64_t offset, uint64_t end,
		    struct fx_error *err)
{
	const int failed = fx__segrecord_scan(fd, end, &offset, &l->next);

	if (failed) {
		errno = -failed;
		return fx__log_failed(l, err, "cannot read");
	}
	l->segments[l->len - 1].size = offset;
	return FX_OK;
}

/* Cuts a torn tail off. What good records come after is not torn but damaged. */
static int log_cut(struct fx_seglog *l, uint64_t end, struct fx_error *err)
{
	const struct fx__segment *last = &l->segments[l->len - 1];
	int follows;

	if (last->size == end)
		return FX_OK;
	follows = fx__segrecord_follows(l->fd, last->size, end, l->next);
	if (follows > 0)
		return fx_error_set(err, FX_ETYPE,
				    "%s: record %" PRIu64 " is damaged, and others follow it",
				    l->folder, l->next);
	if (follows < 0)
		errno = -follows;
	if (follows < 0 || ftruncate(l->fd, (off_t)last->size) != 0 || fdatasync(l->fd) != 0)
		return fx__log_failed(l, err, "cannot cut off a torn tail");
	l->cut = end - last->size;
	l->file_size = last->size;
	return FX_OK;
}

static int log_resume(struct fx_seglog *l, struct fx_error *err)
{
	uint64_t end;

	if (!l->len)
		return FX_OK;
	l->next = l->segments[l->len - 1].first;
	l->fd = fx__log_open(l, l->next, O_RDWR, &end);
	if (l->fd < 0)
		return fx__log_failed(l, err, "cannot open the last segment");
	l->file_size = end;
	if (log_scan(l, l->fd, 0, end, err) < 0)
		return FX_EIO;
	return log_cut(l, end, err);
}

static struct fx_seglog *log_new(const char *folder, struct fx_error *err)
{
	struct fx_seglog *l = calloc(1, sizeof *l);

	if (l) {
		l->cursor.number = UINT64_MAX;
		l->folder_fd = l->lock_fd = l->fd = l->cursor.fd = -1;
		l->folder = fx_strdup(folder);
	}
	if (!l || !l->folder) {
		fx_error_set(err, FX_ENOMEM, "%s: no memory", folder);
		fx_seglog_close(l);
		return NULL;
	}
	l->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->folder_fd >= 0)
		return l;
	fx_error_set(err, errno == ENOENT ? FX_ENOENT : FX_EIO, "%s: cannot open: %s", folder,
		     strerror(errno));
	fx_seglog_close(l);
	return NULL;
}

/* A new folder is durable when the one that it is in is. */
static int log_sync_parent(const struct fx_seglog *l, struct fx_error *err)
{
	const int fd = openat(l->folder_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int failed =
		fd < 0 || fsync(fd) != 0 ? fx__log_failed(l, err, "cannot make durable") : 0;

	if (fd >= 0)
		close(fd);
	return failed;
}

static int log_lock(struct fx_seglog *l, struct fx_error *err)
{
	l->lock_fd = openat(l->folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (l->lock_fd < 0)
		return fx__log_failed(l, err, "cannot make the lock");
	if (flock(l->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return FX_OK;
	if (errno == EWOULDBLOCK)
		return fx_error_set(err, FX_EIO, "%s: another process has it open", l->folder);
	return fx__log_failed(l, err, "cannot lock");
}

struct fx_seglog *fx_seglog_open(const char *folder, size_t segment_size, struct fx_error *err)
{
	struct fx_seglog *l = fx_make_dirs(folder, err) == FX_OK ? log_new(folder, err) : NULL;

	if (!l)
		return NULL;
	l->segment_size = segment_size ? segment_size : FX_SEGLOG_SEGMENT;
	l->folder_dirty = true;
	if (log_sync_parent(l, err) == FX_OK && log_lock(l, err) == FX_OK &&
	    fx__log_list(l, err) == FX_OK && log_resume(l, err) == FX_OK)
		return l;
	fx_seglog_close(l);
	return NULL;
}

int fx__log_refresh(struct fx_seglog *l, struct fx_error *err)
{
	const struct fx__segment known =
		l->len ? l->segments[l->len - 1] : (struct fx__segment){ .first = 0 };
	const uint64_t next = l->next;
	const bool had = l->len > 0;
	struct fx__segment *last;
	uint64_t end;
	int fd, result = fx__log_list(l, err);

	if (result < 0 || !l->len)
		return result;
	last = &l->segments[l->len - 1];
	fd = fx__log_open(l, last->first, O_RDONLY, &end);
	if (fd < 0 && errno == ENOENT)
		return FX_OK; /* trimmed just now: a later one comes with the next look */
	if (fd < 0)
		return fx__log_failed(l, err, "cannot open the last segment");
	if (had && known.first == last->first && known.size <= end) {
		l->next = next;
		result = log_scan(l, fd, known.size, end, err);
	} else {
		l->next = last->first;
		result = log_scan(l, fd, 0, end, err);
	}
	close(fd);
	return result;
}

struct fx_seglog *fx_seglog_read_only(const char *folder, struct fx_error *err)
{
	struct fx_seglog *l = log_new(folder, err);

	if (l && fx__log_refresh(l, err) < 0) {
		fx_seglog_close(l);
		return NULL;
	}
	return l;
}

void fx_seglog_close(struct fx_seglog *l)
{
	if (!l)
		return;
	fx_seglog_rest(l);
	fx_seglog_spares(l, 0);
	if (l->fd >= 0)
		close(l->fd);
	if (l->lock_fd >= 0)
		close(l->lock_fd);
	if (l->folder_fd >= 0)
		close(l->folder_fd);
	free(l->segments);
	free(l->folder);
	free(l);
}

int fx_seglog_sync(struct fx_seglog *l, struct fx_error *err)
{
	if (l->broken)
		return fx_error_set(err, FX_EIO, "%s: an earlier write failed", l->folder);
	if ((l->dirty && fdatasync(l->fd) != 0) || (l->folder_dirty && fsync(l->folder_fd) != 0)) {
		l->broken = true; /* the kernel tells it once, and may forget the bytes */
		return fx__log_failed(l, err, "cannot make durable");
	}
	l->dirty = l->folder_dirty = false;
	return FX_OK;
}

/* What is behind its records was of a former use. */
static int log_shorten(struct fx_seglog *l, struct fx_error *err)
{
	const uint64_t size = l->len ? l->segments[l->len - 1].size : 0;

	if (l->fd < 0 || l->file_size == size)
		return FX_OK;
	if (ftruncate(l->fd, (off_t)size) != 0)
		return fx__log_failed(l, err, "cannot end a segment");
	l->file_size = size;
	l->dirty = true;
	return FX_OK;
}

/* Gives a spare the name of the segment that begins now; false when there is none. */
static bool spare_use(struct fx_seglog *l)
{
	char from[NAME_SIZE], to[NAME_SIZE];

	segment_name(l->next, to);
	while (l->spares_len) {
		spare_name(l->spares[--l->spares_len].first, from);
		if (renameat(l->folder_fd, from, l->folder_fd, to) == 0)
			return true;
		unlinkat(l->folder_fd, from, 0);
	}
	return false;
}

/* Begins a new segment. The one before is durable first: only the last may have a torn tail. So is
 * the new name of a spare, before anything is written over it. */
static int log_roll(struct fx_seglog *l, struct fx_error *err)
{
	uint64_t size;
	int fd, flags;

	if (log_shorten(l, err) < 0 ||
	    ((l->dirty || (l->spares_len && l->folder_dirty)) && fx_seglog_sync(l, err) < 0))
		return FX_EIO;
	if (!fx_grow(&l->segments, &l->cap, l->len + 1, sizeof *l->segments)) {
		errno = ENOMEM;
		return fx__log_failed(l, err, "cannot begin a segment");
	}
	flags = spare_use(l) ? O_RDWR : O_RDWR | O_CREAT | O_EXCL;
	fd = fx__log_open(l, l->next, flags, &size);
	if (fd < 0)
		return fx__log_failed(l, err, "cannot begin a segment");
	if (l->fd >= 0)
		close(l->fd);
	l->fd = fd;
	l->file_size = size;
	l->folder_dirty = true;
	l->segments[l->len++] = (struct fx__segment){ .first = l->next };
	return FX_OK;
}

int fx_seglog_roll(struct fx_seglog *l, struct fx_error *err)
{
	return l->len && l->segments[l->len - 1].size ? log_roll(l, err) : FX_OK;
}

int fx_seglog_append(struct fx_seglog *l, const struct iovec *parts, int parts_len,
		     struct fx_error *err)
{
	struct fx__segment *last = l->len ? &l->segments[l->len - 1] : NULL;
	size_t size = 0;
	int failed;

	if (parts_len > PARTS_MAX)
		return fx_error_set(err, FX_EINVAL, "%s: a record of %d parts, at most %d",
				    l->folder, parts_len, PARTS_MAX);
	for (int i = 0; i < parts_len; i++) {
		if (parts[i].iov_len > FX_SEGLOG_RECORD_MAX - size)
			return fx_error_set(err, FX_EINVAL, "%s: a record of more than %d bytes",
					    l->folder, FX_SEGLOG_RECORD_MAX);
		size += parts[i].iov_len;
	}
	if (l->broken || l->lock_fd < 0) {
		errno = EIO;
		return fx_error_set(err, FX_EIO, "%s: %s", l->folder,
				    l->broken ? "an earlier write failed" : "open for reading");
	}
	if (!last || (last->size && last->size + FX__SEGRECORD_HEAD + size > l->segment_size)) {
		const int result = log_roll(l, err);

		if (result < 0)
			return result;
		last = &l->segments[l->len - 1];
	}
	failed = fx__segrecord_write(l->fd, last->size, l->next, (uint32_t)size, parts, parts_len);
	if (failed) {
		l->broken = ftruncate(l->fd, (off_t)last->size) != 0;
		l->file_size = last->size;
		errno = -failed;
		return fx__log_failed(l, err, "cannot write");
	}
	last->size += FX__SEGRECORD_HEAD + size;
	l->file_size = last->size > l->file_size ? last->size : l->file_size;
	l->next++;
	l->dirty = true;
	return FX_OK;
}

uint64_t fx_seglog_first(const struct fx_seglog *l)
{
	return l->len ? l->segments[0].first : l->next;
}

uint64_t fx_seglog_next(const struct fx_seglog *l)
{
	return l->next;
}

uint64_t fx_seglog_size(const struct fx_seglog *l)
{
	uint64_t size = 0;

	for (size_t i = 0; i < l->len; i++)
		size += l->segments[i].size;
	for (size_t i = 0; i < l->spares_len; i++)
		size += l->spares[i].size;
	if (l->len && l->file_size > l->segments[l->len - 1].size)
		size += l->file_size - l->segments[l->len - 1].size;
	return size;
}

uint64_t fx_seglog_cut(const struct fx_seglog *l)
{
	return l->cut;
}

/* Keeps the file of a segment that is trimmed; false when it may go. */
static bool spare_keep(struct fx_seglog *l, const struct fx__segment *s)
{
	char from[NAME_SIZE], to[NAME_SIZE];

	segment_name(s->first, from);
	spare_name(s->first, to);
	if (l->spares_len >= l->spares_max || renameat(l->folder_fd, from, l->folder_fd, to) != 0)
		return false;
	l->spares[l->spares_len++] = *s;
	l->folder_dirty = true;
	return true;
}

void fx_seglog_spares(struct fx_seglog *l, size_t most)
{
	char name[NAME_SIZE];

	l->spares_max = most < FX__SPARES_MAX ? most : FX__SPARES_MAX;
	while (l->spares_len > l->spares_max) {
		spare_name(l->spares[--l->spares_len].first, name);
		unlinkat(l->folder_fd, name, 0);
	}
}

int fx_seglog_trim(struct fx_seglog *l, uint64_t number, struct fx_error *err)
{
	size_t gone = 0;
	char name[NAME_SIZE];
	int result = FX_OK;

	while (result == FX_OK && gone + 1 < l->len && l->segments[gone + 1].first <= number) {
		segment_name(l->segments[gone].first, name);
		if (!spare_keep(l, &l->segments[gone]) && unlinkat(l->folder_fd, name, 0) != 0 &&
		    errno != ENOENT)
			result = fx__log_failed(l, err, "cannot remove a segment");
		else
			gone++;
	}
	if (gone) {
		if (l->cursor.first < l->segments[gone].first)
			fx_seglog_rest(l);
		l->len -= gone;
		memmove(l->segments, l->segments + gone, l->len * sizeof *l->segments);
	}
	return result;
}
