// SPDX-License-Identifier: Apache-2.0
/* channel.h: messages between the conductor and the agent of another host, over two descriptors:
 * pipes to a launcher such as ssh, which carries them.
 *
 * Both ends say FX_CHANNEL_HELLO first; what a login shell prints before is skipped. Then each
 * message is a length (4 bytes, little-endian) and so many bytes, of which the first is its kind.
 */
#ifndef FX_CONDUCT_CHANNEL_H
#define FX_CONDUCT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

#define FX_CHANNEL_HELLO "\nfornix agent channel 1\n"

enum {
	FX_CHANNEL_MAX = 64 << 20,    /**< bytes of a message */
	FX_CHANNEL_BANNER = 64 << 10, /**< bytes that may come before the greeting */
};

/** What a message is. */
enum fx_channel_kind {
	FX_CHANNEL_JSON = 'J',	   /**< an object */
	FX_CHANNEL_COUNTERS = 'C', /**< counters, see counters.h */
};

struct fx_channel {
	int in, out; /**< owned */
	bool greeted, closed;
	uint8_t *got, *due; /**< owned: read and not handed on; to be written */
	size_t got_len, got_cap, due_len, due_cap;
	size_t taken; /**< bytes of got that were handed on */
};

/** Takes both descriptors, which no longer block, and greets. */
int fx_channel_open(struct fx_channel *c, int in, int out, struct fx_error *err);
/** Takes a zeroed one. */
void fx_channel_close(struct fx_channel *c);
/** Queues a message; fx_channel_pump() writes it. False without memory, which closes it. */
bool fx_channel_send(struct fx_channel *c, enum fx_channel_kind kind, const void *bytes,
		     size_t size);
/** Writes what is due and reads what has come; never waits. FX_END when the other end has gone,
 * FX_ETYPE when what it sends is no message. */
int fx_channel_pump(struct fx_channel *c, struct fx_error *err);
/** The next whole message, until the next call of any of these; false when there is none.
 * *bytes has a NUL behind it. */
bool fx_channel_next(struct fx_channel *c, enum fx_channel_kind *kind, const char **bytes,
		     size_t *size);

#endif
