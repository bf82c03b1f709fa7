// SPDX-License-Identifier: Apache-2.0
/* parcel.h: a message on its way, kept until all edges have acknowledged it. */
#ifndef FX_LINK_PARCEL_H
#define FX_LINK_PARCEL_H

#include "link/pool.h"
#include "wire/wire.h"

/* Bytes of a routing id: two names, two numbers and what lies between them. */
enum { FX_LINK_ROUTE_MAX = 160 };

/* A header frame, and the payload frame that it tells of, if there is one. */
struct fx__form {
	void *header, *payload; /* owned by the parcel; payload: or NULL */
	size_t header_size, payload_size;
	enum fx_codec codec,
		asked; /* asked: for which it was made; it may not have been worth it */
};

/* Of grey values: bytes of each, and how many make a row. Zeros of all else. */
struct fx__grid {
	size_t elem, row;
};

struct fx__parcel {
	uint64_t seq;
	bool data;		/* a block, tree or record; not a mark */
	enum fx_mark_kind mark; /* when it is a mark */
	bool placed;		/* a block: it lies in region */
	struct fx_region region;
	bool grey; /* values that LZ4 makes no smaller */
	struct fx__grid grid;
	size_t bytes;			 /* of the payload before coding, what credit counts */
	int slot;			 /* in pool, or -1 */
	struct fx_pool *pool;		 /* borrowed */
	struct fx__form form;		 /* as it was made first ... */
	struct fx__form more[FX_CODECS]; /* ... and for other links, by codec (form.h) */
	bool tried[FX_CODECS];
	bool fixed; /* within a host: as it is */
	unsigned refs, unacked;
	bool told; /* that all have acknowledged it */
	int64_t queued_ns;
};

/* Encodes @p e, in frames without a pool, then coded as @p way says for a fast link. Consumes its
 * message when the result is not FX_IDLE (no free slot). */
int fx__parcel_new(struct fx_pool *pool, enum fx_way way, struct fx_envelope *e,
		   struct fx__parcel **out, struct fx_error *err);
/* It is a block that lies outside of @p want. */
bool fx__parcel_outside(const struct fx__parcel *p, struct fx_region want);
/* The frame that keeps the place of message @p seq for who does not want it: f->header (free()).
 * False without memory. */
bool fx__form_skip(struct fx__form *f, uint64_t seq);
/* Drops a reference; frees header, payload and slot with the last. */
void fx__parcel_unref(struct fx__parcel *p);
/* Sends the frames behind a routing id frame that is already sent. */
int fx__form_send(const struct fx__form *f, void *socket);
/* Drops further frames of the message whose frame @p last (zmq_msg_t) was received; how many. */
unsigned fx__skip_rest(void *socket, const void *last);

#endif
