// SPDX-License-Identifier: Apache-2.0
/* seglog_read.c: reading a log of records. */
#include "base/seglog_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/segrecord.h"

void fx_seglog_rest(struct fx_seglog *l)
{
	if (l->cursor.fd >= 0)
		close(l->cursor.fd);
	l->cursor.fd = -1;
}

/* The segment that record @p number has to be in: it is at least that of the first. */
static const struct fx__segment *log_segment(const struct fx_seglog *l, uint64_t number)
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

/* Where the records of @p s end at most: the size of the last is not known to one that is told. */
static uint64_t segment_end(const struct fx_seglog *l, const struct fx__segment *s)
{
	return l->trusts && s == &l->segments[l->len - 1] ? INT64_MAX : s->size;
}

static int log_damaged(const struct fx_seglog *l, uint64_t number, struct fx_error *err)
{
	return fx_error_set(err, FX_ETYPE, "%s: record %" PRIu64 " is damaged", l->folder, number);
}

/* Brings the cursor before record @p number of @p s. */
static int cursor_seek(struct fx_seglog *l, const struct fx__segment *s, uint64_t number,
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
		l->cursor.fd = fx__log_open(l, s->first, O_RDONLY, &size);
		if (l->cursor.fd < 0 && errno == ENOENT)
			return fx_error_set(err, FX_ENOENT, "%s: record %" PRIu64 " was removed",
					    l->folder, number);
		if (l->cursor.fd < 0)
			return fx__log_failed(l, err, "cannot open a segment");
	}
	if (l->cursor.number > number) {
		l->cursor.number = s->first;
		l->cursor.offset = 0;
	}
	while (l->cursor.number < number) {
		const int good =
			fx__segrecord_at(l->cursor.fd, l->cursor.offset, segment_end(l, s), &r);

		if (good < 0) {
			errno = -good;
			return fx__log_failed(l, err, "cannot read");
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
		return fx__log_failed(l, err, "cannot read");
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
		return failed && failed != -ENODATA ? fx__log_failed(l, err, "cannot read") :
						      log_damaged(l, l->cursor.number, err);
	}
	l->cursor.offset += FX__SEGRECORD_HEAD + (uint64_t)r.size;
	l->cursor.number++;
	*bytes = data;
	*size = r.size;
	return FX_OK;
}

static int log_read(struct fx_seglog *l, uint64_t number, void **bytes, size_t *size,
		    struct fx_error *err)
{
	const struct fx__segment *s;
	int result;

	if (!l->len || number < fx_seglog_first(l))
		return fx_error_set(err, FX_ENOENT, "%s: record %" PRIu64 " was removed", l->folder,
				    number);
	s = log_segment(l, number);
	result = cursor_seek(l, s, number, err);
	return result < 0 ? result : cursor_read(l, segment_end(l, s), bytes, size, err);
}

int fx_seglog_get(struct fx_seglog *l, uint64_t number, void **bytes, size_t *size,
		  struct fx_error *err)
{
	struct fx_error unlisted = { 0 };
	int result = FX_OK;

	if (number >= l->next && l->lock_fd < 0 && !l->trusts)
		result = fx__log_refresh(l, err);
	if (result < 0)
		return result;
	if (number >= l->next)
		return FX_END;
	if (!l->trusts)
		return log_read(l, number, bytes, size, err);
	result = log_read(l, number, bytes, size, &unlisted);
	if (result != FX_ETYPE && result != FX_ENOENT)
		return result < 0 ? fx_error_set(err, result, "%s", unlisted.text) : result;
	result = fx__log_list(l, err); /* it may be in a segment that is new */
	return result < 0 ? result : log_read(l, number, bytes, size, err);
}

void fx_seglog_told(struct fx_seglog *l, uint64_t next)
{
	l->trusts = true;
	if (next > l->next)
		l->next = next;
}
