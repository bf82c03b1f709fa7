// SPDX-License-Identifier: Apache-2.0
/* segrecord.c: one record of a segment file: its head and its checksum. */
#include "base/segrecord.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/file.h"
#include "base/seglog.h"

enum {
	CHUNK = 1 << 16,
	SUMMED = 12,	 /* bytes of the head below the checksum, without magic */
	SMALL = 1 << 12, /* bytes of a record that is written at once */
	PIECE = 1 << 18, /* of a larger one, summed and written in turn: the cache holds it */
};

static const unsigned char MAGIC[4] = { 'f', 'x', 's', 'g' };

static void put(unsigned char *to, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get(const unsigned char *from, int bytes)
{
	uint64_t value = 0;

	for (int i = bytes - 1; i >= 0; i--)
		value = value << 8 | from[i];
	return value;
}

static void sum_begin(XXH3_state_t *state, const unsigned char *summed)
{
	XXH3_64bits_reset(state);
	XXH3_64bits_update(state, summed, SUMMED);
}

/* A record that fits into @p room, in one piece. */
static int write_small(int fd, uint64_t offset, unsigned char *room, XXH3_state_t *state,
		       const struct iovec *parts, int parts_len)
{
	size_t at = FX__SEGRECORD_HEAD;

	for (int i = 0; i < parts_len; i++) {
		if (parts[i].iov_len)
			memcpy(room + at, parts[i].iov_base, parts[i].iov_len);
		at += parts[i].iov_len;
	}
	XXH3_64bits_update(state, room + FX__SEGRECORD_HEAD, at - FX__SEGRECORD_HEAD);
	put(room + 16, XXH3_64bits_digest(state), 8);
	return fx_pwrite_all(fd, room, at, (off_t)offset);
}

/* One part, summed and written while it is in the cache. */
static int write_part(int fd, uint64_t *at, XXH3_state_t *state, const struct iovec *part)
{
	const char *bytes = part->iov_base;
	int failed = 0;

	for (size_t done = 0; !failed && done < part->iov_len;) {
		const size_t left = part->iov_len - done, n = left < PIECE ? left : PIECE;

		XXH3_64bits_update(state, bytes + done, n);
		failed = fx_pwrite_all(fd, bytes + done, n, (off_t)*at);
		done += n;
		*at += n;
	}
	return failed;
}

int fx__segrecord_write(int fd, uint64_t offset, uint64_t number, uint32_t size,
			const struct iovec *parts, int parts_len)
{
	unsigned char room[SMALL];
	uint64_t at = offset + FX__SEGRECORD_HEAD;
	XXH3_state_t state;
	int failed = 0;

	memcpy(room, MAGIC, sizeof MAGIC);
	put(room + 4, size, 4);
	put(room + 8, number, 8);
	sum_begin(&state, room + 4);
	if (size <= sizeof room - FX__SEGRECORD_HEAD)
		return write_small(fd, offset, room, &state, parts, parts_len);
	for (int i = 0; !failed && i < parts_len; i++)
		failed = write_part(fd, &at, &state, &parts[i]);
	if (failed)
		return failed;
	put(room + 16, XXH3_64bits_digest(&state), 8);
	return fx_pwrite_all(fd, room, FX__SEGRECORD_HEAD, (off_t)offset);
}

bool fx__segrecord_read(const unsigned char head[FX__SEGRECORD_HEAD], struct fx__segrecord *r)
{
	r->size = (uint32_t)get(head + 4, 4);
	r->number = get(head + 8, 8);
	r->sum = get(head + 16, 8);
	return memcmp(head, MAGIC, sizeof MAGIC) == 0 && r->size <= FX_SEGLOG_RECORD_MAX;
}

/* The checksum of a record begins with what its head says. */
static void record_sum_begin(XXH3_state_t *state, const struct fx__segrecord *r)
{
	unsigned char summed[SUMMED];

	put(summed, r->size, 4);
	put(summed + 4, r->number, 8);
	sum_begin(state, summed);
}

bool fx__segrecord_holds(const struct fx__segrecord *r, const void *bytes)
{
	XXH3_state_t state;

	record_sum_begin(&state, r);
	if (r->size)
		XXH3_64bits_update(&state, bytes, r->size);
	return XXH3_64bits_digest(&state) == r->sum;
}

int fx__segrecord_at(int fd, uint64_t offset, uint64_t end, struct fx__segrecord *r)
{
	unsigned char head[FX__SEGRECORD_HEAD];
	int failed;

	if (end < sizeof head || offset > end - sizeof head)
		return 0;
	failed = fx_pread_all(fd, head, sizeof head, (off_t)offset);
	if (failed)
		return failed == -ENODATA ? 0 : failed;
	return fx__segrecord_read(head, r) && r->size <= end - sizeof head - offset;
}

/* Bytes of the file against the checksum, a piece at a time: 1, 0 or -errno. */
static int record_holds_at(int fd, uint64_t offset, const struct fx__segrecord *r, void *chunk)
{
	XXH3_state_t state;
	size_t left = r->size;
	uint64_t at = offset + FX__SEGRECORD_HEAD;

	record_sum_begin(&state, r);
	while (left) {
		const size_t n = left < CHUNK ? left : CHUNK;
		const int failed = fx_pread_all(fd, chunk, n, (off_t)at);

		if (failed)
			return failed == -ENODATA ? 0 : failed;
		XXH3_64bits_update(&state, chunk, n);
		left -= n;
		at += n;
	}
	return XXH3_64bits_digest(&state) == r->sum;
}

int fx__segrecord_scan(int fd, uint64_t end, uint64_t *offset, uint64_t *next)
{
	void *chunk = malloc(CHUNK);
	struct fx__segrecord r;
	int good = chunk ? 1 : -ENOMEM;

	while (good > 0) {
		good = fx__segrecord_at(fd, *offset, end, &r);
		if (good > 0 && r.number != *next)
			good = 0;
		if (good > 0)
			good = record_holds_at(fd, *offset, &r, chunk);
		if (good > 0) {
			*offset += FX__SEGRECORD_HEAD + (uint64_t)r.size;
			(*next)++;
		}
	}
	free(chunk);
	return good;
}

/* Heads at which a good record may begin, among @p len bytes that lie at @p offset. *budget: bytes
 * that may still be summed. */
static int chunk_follows(int fd, uint64_t offset, uint64_t end, uint64_t least,
			 const unsigned char *chunk, size_t len, void *other, uint64_t *budget)
{
	for (size_t i = 0; i + FX__SEGRECORD_HEAD <= len; i++) {
		struct fx__segrecord r;
		int good;

		if (chunk[i] != MAGIC[0] || !fx__segrecord_read(chunk + i, &r) ||
		    r.number < least || r.size > end - offset - i - FX__SEGRECORD_HEAD)
			continue;
		if (r.size > *budget)
			return 1;
		*budget -= r.size;
		good = record_holds_at(fd, offset + i, &r, other);
		if (good)
			return good;
	}
	return 0;
}

int fx__segrecord_follows(int fd, uint64_t offset, uint64_t end, uint64_t least)
{
	unsigned char *chunk = malloc(2 * (size_t)CHUNK);
	uint64_t budget = 4 * (end - offset);
	int follows = chunk ? 0 : -ENOMEM;

	while (!follows && end - offset >= FX__SEGRECORD_HEAD) {
		const size_t n = end - offset < CHUNK ? (size_t)(end - offset) : CHUNK;

		follows = fx_pread_all(fd, chunk, n, (off_t)offset);
		if (!follows)
			follows = chunk_follows(fd, offset, end, least, chunk, n, chunk + CHUNK,
						&budget);
		offset += n - FX__SEGRECORD_HEAD + 1;
	}
	free(chunk);
	return follows;
}
