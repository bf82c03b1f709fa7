// SPDX-License-Identifier: Apache-2.0
/* seglog_private.h: a log of records, shared by seglog.c (what there is, appending) and
 * seglog_read.c (reading). */
#ifndef FX_BASE_SEGLOG_PRIVATE_H
#define FX_BASE_SEGLOG_PRIVATE_H

#include "base/seglog.h"

enum { FX__SPARES_MAX = 4 };

struct fx__segment {
	uint64_t first; /* number of its first record, in its name */
	uint64_t size;	/* bytes of good records; of all but the last: of the file */
};

struct fx_seglog {
	char *folder;
	int folder_fd, lock_fd; /* lock_fd: -1 for reading alone */
	size_t segment_size;
	struct fx__segment *segments; /* in order */
	size_t len, cap;
	uint64_t next, cut;
	int fd;			  /* appending: the last segment, or -1 */
	uint64_t file_size;	  /* of it: behind its records may lie those of a former use */
	bool dirty, folder_dirty; /* written and not yet synced */
	bool broken;		  /* what is on disk is not known: no more is written */
	bool trusts;		  /* reading: who appends tells what is there */
	struct fx__segment spares[FX__SPARES_MAX]; /* trimmed, to be used again */
	size_t spares_len, spares_max;
	struct {
		int fd;
		uint64_t first, number, offset;
	} cursor; /* reading: in segment `first`, before record `number` */
};

/* Tells what went wrong, by errno, which stays. */
int fx__log_failed(const struct fx_seglog *l, struct fx_error *err, const char *what);
/* Opens a segment and tells its size; only regular files, no links. -1 with errno. */
int fx__log_open(const struct fx_seglog *l, uint64_t first, int flags, uint64_t *size);
/* Finds the segments that are there. */
int fx__log_list(struct fx_seglog *l, struct fx_error *err);
/* Reading alone: looks what has come since. What it knew of the last segment stays known. */
int fx__log_refresh(struct fx_seglog *l, struct fx_error *err);

#endif
