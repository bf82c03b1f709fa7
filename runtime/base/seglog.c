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
#include "base/segrecord.h"

enum { PARTS_MAX = 15, NAME_DIGITS = 20, NAME_SIZE = NAME_DIGITS + 5 };

struct segment {
	uint64_t first; /* number of its first record, in its name */
	uint64_t size;	/* bytes of good records; of all but the last: of the file */
};

struct fx_seglog {
	char *folder;
	int folder_fd, lock_fd; /* lock_fd: -1 for reading alone */
	size_t segment_size;
	struct segment *segments; /* in order */
	size_t len, cap;
	uint64_t next, cut;
	int fd;			  /* appending: the last segment, or -1 */
	bool dirty, folder_dirty; /* written and not yet synced */
	bool broken;		  /* what is on disk is not known: no more is written */
	struct {
		int fd;
		uint64_t first, number, offset;
	} cursor; /* reading: in segment `first`, before record `number` */
};

static int log_failed(const struct fx_seglog *l, struct fx_error *err, const char *what)
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

/* Opens a segment and tells its size; only regular files, no links. -1 with errno. */
static int segment_open(const struct fx_seglog *l, uint64_t first, int flags, uint64_t *size)
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
	const struct segment *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

static int list_add(struct fx_seglog *l, uint64_t first, struct fx_error *err)
{
	char name[NAME_SIZE];
	struct stat st;

	segment_name(first, name);
	if (fstatat(l->folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? FX_OK /* trimmed just now */ :
					 log_failed(l, err, "cannot look at a segment");
	if (!S_ISREG(st.st_mode))
		return fx_error_set(err, FX_ETYPE, "%s: %s is not a regular file", l->folder, name);
	if (!fx_grow(&l->segments, &l->cap, l->len + 1, sizeof *l->segments)) {
		errno = ENOMEM;
		return log_failed(l, err, "cannot list segments");
	}
	l->segments[l->len++] = (struct segment){ first, (uint64_t)st.st_size };
	return FX_OK;
}

/* Finds the segments that are there. */
static int log_list(struct fx_seglog *l, struct fx_error *err)
{
	const int fd = openat(l->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int result = FX_OK;

	if (!dir) {
		log_failed(l, err, "cannot list");
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
		return log_failed(l, err, "cannot read");
	}
	l->segments[l->len - 1].size = offset;
	return FX_OK;
}

/* Cuts a torn tail off. What good records come after is not torn but damaged. */
static int log_cut(struct fx_seglog *l, uint64_t end, struct fx_error *err)
{
	const struct segment *last = &l->segments[l->len - 1];
	int follows;

	if (last->size == end)
		return FX_OK;
	follows = fx__segrecord_follows(l->fd, last->size, end);
	if (follows > 0)
		return fx_error_set(err, FX_ETYPE,
				    "%s: record %" PRIu64 " is damaged, and others follow it",
				    l->folder, l->next);
	if (follows < 0)
		errno = -follows;
	if (follows < 0 || ftruncate(l->fd, (off_t)last->size) != 0 || fdatasync(l->fd) != 0)
		return log_failed(l, err, "cannot cut off a torn tail");
	l->cut = end - last->size;
	return FX_OK;
}

static int log_resume(struct fx_seglog *l, struct fx_error *err)
{
	uint64_t end;

	if (!l->len)
		return FX_OK;
	l->next = l->segments[l->len - 1].first;
	l->fd = segment_open(l, l->next, O_RDWR, &end);
	if (l->fd < 0)
		return log_failed(l, err, "cannot open the last segment");
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
	const int failed = fd < 0 || fsync(fd) != 0 ? log_failed(l, err, "cannot make durable") : 0;

	if (fd >= 0)
		close(fd);
	return failed;
}

static int log_lock(struct fx_seglog *l, struct fx_error *err)
{
	l->lock_fd = openat(l->folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (l->lock_fd < 0)
		return log_failed(l, err, "cannot make the lock");
	if (flock(l->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return FX_OK;
	if (errno == EWOULDBLOCK)
		return fx_error_set(err, FX_EIO, "%s: another process has it open", l->folder);
	return log_failed(l, err, "cannot lock");
}

struct fx_seglog *fx_seglog_open(const char *folder, size_t segment_size, struct fx_error *err)
{
	struct fx_seglog *l = fx_make_dirs(folder, err) == FX_OK ? log_new(folder, err) : NULL;

	if (!l)
		return NULL;
	l->segment_size = segment_size ? segment_size : FX_SEGLOG_SEGMENT;
	l->folder_dirty = true;
	if (log_sync_parent(l, err) == FX_OK && log_lock(l, err) == FX_OK &&
	    log_list(l, err) == FX_OK && log_resume(l, err) == FX_OK)
		return l;
	fx_seglog_close(l);
	return NULL;
}

/* Reading alone: looks what has come since. What it knew of the last segment stays known. */
static int log_refresh(struct fx_seglog *l, struct fx_error *err)
{
	const struct segment known =
		l->len ? l->segments[l->len - 1] : (struct segment){ .first = 0 };
	const uint64_t next = l->next;
	const bool had = l->len > 0;
	struct segment *last;
	uint64_t end;
	int fd, result = log_list(l, err);

	if (result < 0 || !l->len)
		return result;
	last = &l->segments[l->len - 1];
	fd = segment_open(l, last->first, O_RDONLY, &end);
	if (fd < 0 && errno == ENOENT)
		return FX_OK; /* trimmed just now: a later one comes with the next look */
	if (fd < 0)
		return log_failed(l, err, "cannot open the last segment");
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

	if (l && log_refresh(l, err) < 0) {
		fx_seglog_close(l);
		return NULL;
	}
	return l;
}

void fx_seglog_rest(struct fx_seglog *l)
{
	if (l->cursor.fd >= 0)
		close(l->cursor.fd);
	l->cursor.fd = -1;
}

void fx_seglog_close(struct fx_seglog *l)
{
	if (!l)
		return;
	fx_seglog_rest(l);
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
		return log_failed(l, err, "cannot make durable");
	}
	l->dirty = l->folder_dirty = false;
	return FX_OK;
}

/* Begins a new segment. The one before is durable first: only the last may have a torn tail. */
static int log_roll(struct fx_seglog *l, struct fx_error *err)
{
	uint64_t size;
	int fd;

	if (l->dirty && fx_seglog_sync(l, err) < 0)
		return FX_EIO;
	if (!fx_grow(&l->segments, &l->cap, l->len + 1, sizeof *l->segments)) {
		errno = ENOMEM;
		return log_failed(l, err, "cannot begin a segment");
	}
	fd = segment_open(l, l->next, O_RDWR | O_CREAT | O_EXCL, &size);
	if (fd < 0)
		return log_failed(l, err, "cannot begin a segment");
	if (l->fd >= 0)
		close(l->fd);
	l->fd = fd;
	l->folder_dirty = true;
	l->segments[l->len++] = (struct segment){ .first = l->next };
	return FX_OK;
}

int fx_seglog_roll(struct fx_seglog *l, struct fx_error *err)
{
	return l->len && l->segments[l->len - 1].size ? log_roll(l, err) : FX_OK;
}

/* Writes all parts at @p offset, which are used up; 0 or -errno. */
static int write_parts(int fd, struct iovec *parts, int len, uint64_t offset)
{
	while (len) {
		ssize_t n = pwritev(fd, parts, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		offset += (uint64_t)n;
		while (len && (size_t)n >= parts->iov_len) {
			n -= (ssize_t)parts->iov_len;
			parts++;
			len--;
		}
		if (len) {
			parts->iov_base = (char *)parts->iov_base + n;
			parts->iov_len -= (size_t)n;
		}
	}
	return 0;
}

int fx_seglog_append(struct fx_seglog *l, const struct iovec *parts, int parts_len,
		     struct fx_error *err)
{
	unsigned char head[FX__SEGRECORD_HEAD];
	struct iovec all[PARTS_MAX + 1] = { { head, sizeof head } };
	struct segment *last = l->len ? &l->segments[l->len - 1] : NULL;
	size_t size = 0;
	int failed;

	if (parts_len > PARTS_MAX)
		return fx_error_set(err, FX_EINVAL, "%s: a record of %d parts, at most %d",
				    l->folder, parts_len, PARTS_MAX);
	for (int i = 0; i < parts_len; i++) {
		if (parts[i].iov_len > FX_SEGLOG_RECORD_MAX - size)
			return fx_error_set(err, FX_EINVAL, "%s: a record of more than %d bytes",
					    l->folder, FX_SEGLOG_RECORD_MAX);
		all[i + 1] = parts[i];
		size += parts[i].iov_len;
	}
	if (l->broken || l->lock_fd < 0) {
		errno = EIO;
		return fx_error_set(err, FX_EIO, "%s: %s", l->folder,
				    l->broken ? "an earlier write failed" : "open for reading");
	}
	if (!last || (last->size && last->size + sizeof head + size > l->segment_size)) {
		const int result = log_roll(l, err);

		if (result < 0)
			return result;
		last = &l->segments[l->len - 1];
	}
	fx__segrecord_write(head, l->next, (uint32_t)size, parts, parts_len);
	failed = write_parts(l->fd, all, parts_len + 1, last->size);
	if (failed) {
		l->broken = ftruncate(l->fd, (off_t)last->size) != 0;
		errno = -failed;
		return log_failed(l, err, "cannot write");
	}
	last->size += sizeof head + size;
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
	return size;
}

uint64_t fx_seglog_cut(const struct fx_seglog *l)
{
	return l->cut;
}

/* The segment that record @p number has to be in: it is at least that of the first. */
static const struct segment *log_segment(const struct fx_seglog *l, uint64_t number)
{
	size_t lo = 0, hi = l->len;

	while (hi - lo > 1) {
		const size_t mid = lo + (hi - lo) / 2;

		if (l->segments[mid].first <= number)
			lo = mid;
		else
			hi = mid;
	}
	return &l->segments[lo];
}

static int log_damaged(const struct fx_seglog *l, uint64_t number, struct fx_error *err)
{
	return fx_error_set(err, FX_ETYPE, "%s: record %" PRIu64 " is damaged", l->folder, number);
}

/* Brings the cursor before record @p number of @p s. */
static int cursor_seek(struct fx_seglog *l, const struct segment *s, uint64_t number,
		       struct fx_error *err)
{
	struct fx__segrecord r;
	uint64_t size;

	if (l->cursor.first != s->first) {
		fx_seglog_rest(l);
		l->cursor.first = s->first;
		l->cursor.number = UINT64_MAX;
	}
	if (l->cursor.fd < 0) {
		l->cursor.fd = segment_open(l, s->first, O_RDONLY, &size);
		if (l->cursor.fd < 0 && errno == ENOENT)
			return fx_error_set(err, FX_ENOENT, "%s: record %" PRIu64 " was removed",
					    l->folder, number);
		if (l->cursor.fd < 0)
			return log_failed(l, err, "cannot open a segment");
	}
	if (l->cursor.number > number) {
		l->cursor.number = s->first;
		l->cursor.offset = 0;
	}
	while (l->cursor.number < number) {
		const int good = fx__segrecord_at(l->cursor.fd, l->cursor.offset, s->size, &r);

		if (good < 0) {
			errno = -good;
			return log_failed(l, err, "cannot read");
		}
		if (!good || r.number != l->cursor.number)
			return log_damaged(l, l->cursor.number, err);
		l->cursor.offset += FX__SEGRECORD_HEAD + (uint64_t)r.size;
		l->cursor.number++;
	}
	return FX_OK;
}

/* Reads the record that the cursor is before, and moves behind it. */
static int cursor_read(struct fx_seglog *l, uint64_t end, void **bytes, size_t *size,
		       struct fx_error *err)
{
	struct fx__segrecord r;
	int failed, good = fx__segrecord_at(l->cursor.fd, l->cursor.offset, end, &r);
	void *data;

	if (good < 0) {
		errno = -good;
		return log_failed(l, err, "cannot read");
	}
	if (!good || r.number != l->cursor.number)
		return log_damaged(l, l->cursor.number, err);
	data = malloc(r.size ? r.size : 1);
	if (!data)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory for a record of %u bytes",
				    l->folder, r.size);
	failed = fx_pread_all(l->cursor.fd, data, r.size,
			      (off_t)(l->cursor.offset + FX__SEGRECORD_HEAD));
	if (failed || !fx__segrecord_holds(&r, data)) {
		free(data);
		errno = -failed;
		return failed && failed != -ENODATA ? log_failed(l, err, "cannot read") :
						      log_damaged(l, l->cursor.number, err);
	}
	l->cursor.offset += FX__SEGRECORD_HEAD + (uint64_t)r.size;
	l->cursor.number++;
	*bytes = data;
	*size = r.size;
	return FX_OK;
}

int fx_seglog_get(struct fx_seglog *l, uint64_t number, void **bytes, size_t *size,
		  struct fx_error *err)
{
	const struct segment *s;
	int result = FX_OK;

	if (number >= l->next && l->lock_fd < 0)
		result = log_refresh(l, err);
	if (result < 0)
		return result;
	if (number >= l->next)
		return FX_END;
	if (number < fx_seglog_first(l))
		return fx_error_set(err, FX_ENOENT, "%s: record %" PRIu64 " was removed", l->folder,
				    number);
	s = log_segment(l, number);
	result = cursor_seek(l, s, number, err);
	return result < 0 ? result : cursor_read(l, s->size, bytes, size, err);
}

int fx_seglog_trim(struct fx_seglog *l, uint64_t number, struct fx_error *err)
{
	size_t gone = 0;
	char name[NAME_SIZE];
	int result = FX_OK;

	while (result == FX_OK && gone + 1 < l->len && l->segments[gone + 1].first <= number) {
		segment_name(l->segments[gone].first, name);
		if (unlinkat(l->folder_fd, name, 0) != 0 && errno != ENOENT)
			result = log_failed(l, err, "cannot remove a segment");
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
