// SPDX-License-Identifier: Apache-2.0
/* segrecord.h: one record of a segment file: its head and its checksum. Part of base/seglog. */
#ifndef FX_BASE_SEGRECORD_H
#define FX_BASE_SEGRECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <fornix/error.h>

enum { FX__SEGRECORD_HEAD = 24 };

struct fx__segrecord {
	uint32_t size; /* of its bytes, without the head */
	uint64_t number, sum;
};

/* Writes a record of the bytes of @p parts at @p offset; large ones a piece at a time, and the head
 * when all else is there. 0 or -errno. */
int fx__segrecord_write(int fd, uint64_t offset, uint64_t number, uint32_t size,
			const struct iovec *parts, int parts_len);
/* Reads a head; false when it is none (magic, size). Hostile bytes. */
bool fx__segrecord_read(const unsigned char head[FX__SEGRECORD_HEAD], struct fx__segrecord *r);
/* True when @p bytes (r->size of them) are what the head says. */
bool fx__segrecord_holds(const struct fx__segrecord *r, const void *bytes);
/* Reads and checks the head at @p offset of a file of @p end bytes, in which the record has to end:
 * 1; 0 when there is none; -errno. */
int fx__segrecord_at(int fd, uint64_t offset, uint64_t end, struct fx__segrecord *r);
/* Goes over whole records from *offset of a file of @p end bytes on, which are numbered from *next;
 * leaves both behind the last that is good. 0 or -errno. */
int fx__segrecord_scan(int fd, uint64_t end, uint64_t *offset, uint64_t *next);
/* True when there is a good record of a number not below @p least anywhere from @p offset on: what
 * is before it is not a torn tail. Also when that would take unreasonably long to find out. -errno.
 */
int fx__segrecord_follows(int fd, uint64_t offset, uint64_t end, uint64_t least);

#endif
