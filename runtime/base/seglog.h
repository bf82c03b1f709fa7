// SPDX-License-Identifier: Apache-2.0
/* seglog.h: an append-only log of records in segment files: journals, spools, recordings.
 *
 * A folder holds segments `%020llu.seg`, each named by the number of its first record. A record is
 * a head of 24 bytes (magic, size, number, XXH3 checksum of size, number and bytes; little-endian)
 * and its bytes. Records are numbered 0, 1, 2, ... over all segments. Where a writer was killed the
 * last record may be torn: opening for appending cuts it off; reading ends before it. A file may
 * have been another segment: what is left of that has lower numbers, and is no record. Files are
 * hostile: what is not exactly so is an error, or the end of the last segment. */
#ifndef FX_BASE_SEGLOG_H
#define FX_BASE_SEGLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <fornix/error.h>

enum {
	FX_SEGLOG_RECORD_MAX = 320 << 20, /**< bytes of a record */
	FX_SEGLOG_SEGMENT = 64 << 20,	  /**< bytes of a segment, unless told otherwise */
};

struct fx_seglog;

/** Opens the log in @p folder (made when it is not there) for appending and reading; a torn tail
 * is cut off. @p segment_size: bytes after which a new segment begins; 0: the usual. One process
 * at a time (a lock). NULL with FX_EIO, FX_ETYPE (a segment that is none of ours, or damaged before
 * its tail). */
struct fx_seglog *fx_seglog_open(const char *folder, size_t segment_size, struct fx_error *err);
/** Opens for reading alone, also while another process appends. Changes nothing. */
struct fx_seglog *fx_seglog_read_only(const char *folder, struct fx_error *err);
/** For one that is opened for reading alone: who appends has told that all records below @p next
 * are there. From then on it does not look for itself, and reads no further. */
void fx_seglog_told(struct fx_seglog *l, uint64_t next);
void fx_seglog_close(struct fx_seglog *l);

/** Appends one record of the bytes of @p parts, its head last unless it is small. It has number
 * fx_seglog_next() of before. After an error (a full disk: errno tells) nothing of it stays. */
int fx_seglog_append(struct fx_seglog *l, const struct iovec *parts, int parts_len,
		     struct fx_error *err);
/** Makes durable what was appended (fdatasync(), and the folder when a segment is new). */
int fx_seglog_sync(struct fx_seglog *l, struct fx_error *err);

/** Number of the first record that is there, and of the one that comes next. */
uint64_t fx_seglog_first(const struct fx_seglog *l);
uint64_t fx_seglog_next(const struct fx_seglog *l);
/** Bytes that its files have. */
uint64_t fx_seglog_size(const struct fx_seglog *l);
/** Bytes that were cut off when it was opened. */
uint64_t fx_seglog_cut(const struct fx_seglog *l);

/** Reads record @p number: *bytes (free()) and *size. In order is fast. FX_END behind the last;
 * FX_ENOENT when it was trimmed; FX_ETYPE when it is damaged. */
int fx_seglog_get(struct fx_seglog *l, uint64_t number, void **bytes, size_t *size,
		  struct fx_error *err);
/** Closes the file that it reads from, whose place on the disk could not be had again while it is
 * open. The next fx_seglog_get() opens it and goes on from there. */
void fx_seglog_rest(struct fx_seglog *l);
/** Begins a new segment, so that all before may be trimmed: for a disk that is full of what is not
 * needed any more. Fine when the last is empty. */
int fx_seglog_roll(struct fx_seglog *l, struct fx_error *err);
/** Keeps the files of up to @p most (0..4; at first 0) segments that are trimmed, and writes over
 * them in place of making new ones, which costs much more. They count in fx_seglog_size(). Those
 * beyond go. No reader may still need what was trimmed. */
void fx_seglog_spares(struct fx_seglog *l, size_t most);
/** Removes the segments all of whose records are below @p number; never the one appended to. */
int fx_seglog_trim(struct fx_seglog *l, uint64_t number, struct fx_error *err);

#endif
