// SPDX-License-Identifier: Apache-2.0
/* spool_disk.h: the files of a spool: the log of messages, how much of it is done, and OPEN, which
 * a later life needs when the log does not begin with it any more. */
#ifndef FX_LINK_SPOOL_DISK_H
#define FX_LINK_SPOOL_DISK_H

#include <stdatomic.h>

#include "base/seglog.h"
#include "wire/wire.h"

struct fx__spool_disk {
	char *folder;		/* owned */
	struct fx_seglog *log;	/* owned: for appending */
	_Atomic uint64_t *done; /* mapped file: records below are acknowledged by the node */
	bool has_open;
	uint64_t open_seq;
	struct fx_mark open; /* that was written there */
	bool any;	     /* the log has records ... */
	uint64_t last_seq;   /* ... and this is the number of the last message */
	uint64_t bytes;	     /* most that it may take */
};

/* Opens it, zeroed before. */
int fx__spool_disk_open(struct fx__spool_disk *d, const char *folder, uint64_t bytes,
			struct fx_error *err);
void fx__spool_disk_close(struct fx__spool_disk *d);
/* False while the log would become larger than it may. What is alone is always taken. */
bool fx__spool_disk_room(const struct fx__spool_disk *d, const struct fx_envelope *e);
/* Appends a message; FX_IDLE, with a reason, when the disk is full. */
int fx__spool_disk_append(struct fx__spool_disk *d, const struct fx_envelope *e,
			  struct fx_error *err);
/* True when less than 5 % or less than 1 GiB of the disk is free; how much, to *free_bytes.
 */
bool fx__spool_disk_low(const struct fx__spool_disk *d, uint64_t *free_bytes);

#endif
