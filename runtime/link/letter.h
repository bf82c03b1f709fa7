// SPDX-License-Identifier: Apache-2.0
/* letter.h: one message, payload included, as the bytes of a record on disk: for journals, spools,
 * recordings and dead letters. Bytes: u32 little-endian size of the header, the header frame as it
 * would travel (payload in a frame), the payload frame. */
#ifndef FX_LINK_LETTER_H
#define FX_LINK_LETTER_H

#include <sys/uio.h>

#include "wire/wire.h"

/** The parts of a letter, to be written one behind the other. */
struct fx_letter {
	unsigned char head[4];
	void *header; /**< owned */
	size_t header_size;
	void *coded; /**< owned; NULL when the payload is borrowed from the message */
	struct iovec parts[3];
	int parts_len;
};

/** Makes the letter of @p e, which stays the caller's and must live as long. Labels, masks, trees
 * and records are coded by LZ4 where that pays. FX_ENOMEM and what fx_wire_encode() says. */
int fx_letter_write(struct fx_letter *l, const struct fx_envelope *e, struct fx_error *err);
/** Frees what it owns; takes a zeroed one. */
void fx_letter_fini(struct fx_letter *l);
/** Reads a letter from hostile bytes: e->message is the caller's, voxels are on the heap. */
int fx_letter_read(const void *bytes, size_t size, struct fx_envelope *e, struct fx_error *err);

/** True when the payload of @p e is of a kind that LZ4 makes smaller: not grey values. */
bool fx_letter_worth_coding(const struct fx_envelope *e);
/** Brings in the payload of @p e, whose header was decoded, from the bytes of its frame. */
int fx_letter_fill(struct fx_envelope *e, const void *bytes, size_t size, struct fx_error *err);

#endif
