// SPDX-License-Identifier: Apache-2.0
/* spool_disk.c: the files of a spool. */
#include "link/spool_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "link/letter.h"

enum { SEGMENTS = 8 /* at least, so that what is done goes soon */, OPEN_MAX_SIZE = 1 << 16 };

#define LOW_BYTES (UINT64_C(1) << 30)

/* The file of the number of what is done, mapped: it is there after any kill. When the machine dies
 * it may be too low, and messages come twice, which their numbers tell. */
static int disk_map_done(struct fx__spool_disk *d, struct fx_error *err)
{
	char *path = fx_path_join(d->folder, "done");
	const int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666) : -1;
	void *base = MAP_FAILED;

	if (fd >= 0 && posix_fallocate(fd, 0, sizeof *d->done) == 0)
		base = mmap(NULL, sizeof *d->done, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	free(path);
	if (base == MAP_FAILED)
		return fx_error_set(err, FX_EIO, "%s: cannot keep count: %s", d->folder,
				    strerror(errno));
	d->done = base;
	return FX_OK;
}

/* The number of the last message, to know what comes again. */
static int disk_find_last(struct fx__spool_disk *d, struct fx_error *err)
{
	const uint64_t next = fx_seglog_next(d->log);
	struct fx_envelope e;
	void *bytes;
	size_t size;
	int result;

	if (next == fx_seglog_first(d->log))
		return FX_OK;
	result = fx_seglog_get(d->log, next - 1, &bytes, &size, err);
	if (result != FX_OK)
		return result < 0 ? result : FX_EIO;
	result = fx_letter_read(bytes, size, &e, err);
	free(bytes);
	if (result < 0)
		return fx_error_prefix(err, "%s", d->folder);
	d->any = true;
	d->last_seq = e.seq;
	fx_envelope_fini(&e);
	return FX_OK;
}

static int disk_find_open(struct fx__spool_disk *d, struct fx_error *err)
{
	char *path = fx_path_join(d->folder, "open");
	struct fx_envelope e;
	void *bytes;
	size_t size;
	int result = path ? fx_file_read(path, OPEN_MAX_SIZE, &bytes, &size, err) :
			    fx_error_set(err, FX_ENOMEM, "%s: no memory", d->folder);

	free(path);
	if (result < 0)
		return result == FX_ENOENT ? FX_OK : result;
	result = fx_letter_read(bytes, size, &e, err);
	free(bytes);
	if (result < 0)
		return fx_error_prefix(err, "%s/open", d->folder);
	d->has_open = e.kind == FX_NOTHING && e.mark.kind == FX_MARK_OPEN;
	d->open = e.mark;
	d->open_seq = e.seq;
	fx_envelope_fini(&e);
	return FX_OK;
}

int fx__spool_disk_open(struct fx__spool_disk *d, const char *folder, uint64_t bytes,
			struct fx_error *err)
{
	const uint64_t segment = bytes / SEGMENTS;

	d->bytes = bytes;
	d->folder = fx_strdup(folder);
	if (!d->folder)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", folder);
	d->log = fx_seglog_open(folder, segment < FX_SEGLOG_SEGMENT ? (size_t)segment + 1 : 0, err);
	if (!d->log)
		return err ? err->code : FX_EIO;
	fx_seglog_spares(d->log, 1);
	if (disk_map_done(d, err) < 0 || disk_find_last(d, err) < 0 || disk_find_open(d, err) < 0)
		return err ? err->code : FX_EIO;
	if (atomic_load(d->done) < fx_seglog_first(d->log))
		atomic_store(d->done, fx_seglog_first(d->log));
	return FX_OK;
}

void fx__spool_disk_close(struct fx__spool_disk *d)
{
	fx_seglog_close(d->log);
	if (d->done)
		munmap(d->done, sizeof *d->done);
	free(d->folder);
	memset(d, 0, sizeof *d);
}

bool fx__spool_disk_room(const struct fx__spool_disk *d, const struct fx_envelope *e)
{
	const uint64_t size = fx_seglog_size(d->log);
	const uint64_t more = e->kind ? fx_wire_payload_size(e->kind, e->message) : 0;

	return atomic_load(d->done) >= fx_seglog_next(d->log) ||
	       (size <= d->bytes && more <= d->bytes - size);
}

/* Written before the log has it, so that it is there whenever the log is. */
static int disk_write_open(struct fx__spool_disk *d, const struct fx_envelope *e,
			   const struct fx_letter *l, struct fx_error *err)
{
	unsigned char bytes[OPEN_MAX_SIZE];
	char *path = fx_path_join(d->folder, "open");
	size_t size = 0;
	int result;

	for (int i = 0; i < l->parts_len; i++) {
		if (l->parts[i].iov_len > sizeof bytes - size)
			break;
		memcpy(bytes + size, l->parts[i].iov_base, l->parts[i].iov_len);
		size += l->parts[i].iov_len;
	}
	result = path ? fx_file_write(path, bytes, size, err) :
			fx_error_set(err, FX_ENOMEM, "%s: no memory", d->folder);
	free(path);
	if (result < 0)
		return result;
	d->open = e->mark;
	d->has_open = true;
	return FX_OK;
}

static bool disk_is_full(int result, int cause)
{
	return result == FX_EIO && (cause == ENOSPC || cause == EDQUOT || cause == EFBIG);
}

/* What is done may lie in the segment that is appended to. Where there is so little room, files
 * that wait to be used again are too much. */
static bool disk_make_room(struct fx__spool_disk *d)
{
	fx_seglog_spares(d->log, 0);
	return atomic_load(d->done) >= fx_seglog_next(d->log) &&
	       fx_seglog_roll(d->log, NULL) == FX_OK &&
	       fx_seglog_trim(d->log, fx_seglog_next(d->log), NULL) == FX_OK;
}

int fx__spool_disk_append(struct fx__spool_disk *d, const struct fx_envelope *e,
			  struct fx_error *err)
{
	struct fx_letter l;
	int result = fx_letter_write(&l, e, err);

	if (result < 0)
		return result;
	if (e->kind == FX_NOTHING && e->mark.kind == FX_MARK_OPEN && !d->has_open)
		result = disk_write_open(d, e, &l, err);
	if (result == FX_OK)
		result = fx_seglog_append(d->log, l.parts, l.parts_len, err);
	if (disk_is_full(result, errno) && disk_make_room(d))
		result = fx_seglog_append(d->log, l.parts, l.parts_len, err);
	if (disk_is_full(result, errno))
		result = FX_IDLE;
	fx_letter_fini(&l);
	return result;
}

bool fx__spool_disk_low(const struct fx__spool_disk *d, uint64_t *free_bytes)
{
	struct statvfs st;
	uint64_t all;

	if (statvfs(d->folder, &st) != 0)
		return false;
	*free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
	all = (uint64_t)st.f_blocks * st.f_frsize;
	return *free_bytes < all / 20 || *free_bytes < LOW_BYTES;
}
