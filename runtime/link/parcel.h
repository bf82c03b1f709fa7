// SPDX-License-Identifier: Apache-2.0
/* parcel.h: a message on its way, kept until all edges have acknowledged it. */
#ifndef FX_LINK_PARCEL_H
#define FX_LINK_PARCEL_H

#include "link/pool.h"
#include "wire/wire.h"

/* Bytes of a routing id: two names, two numbers and what lies between them. */
enum { FX_LINK_ROUTE_MAX = 160 };

struct fx__parcel {
	uint64_t seq;
	bool data;		   /* a block, tree or record; not a mark */
	enum fx_mark_kind mark;	   /* when it is a mark */
	void *header;		   /* owned */
	size_t header_size, bytes; /* bytes: of the payload, what credit counts */
	int slot;		   /* in pool, or -1 */
	struct fx_pool *pool;	   /* borrowed */
	void *inlined;		   /* owned payload frame, or NULL */
	size_t inlined_size;
	unsigned refs, unacked;
	bool told; /* that all have acknowledged it */
	int64_t queued_ns;
};

/* Encodes @p e. Consumes its message when the result is not FX_IDLE (no free slot). */
int fx__parcel_new(struct fx_pool *pool, struct fx_envelope *e, struct fx__parcel **out,
		   struct fx_error *err);
/* Drops a reference; frees header, payload and slot with the last. */
void fx__parcel_unref(struct fx__parcel *p);
/* Sends the frames behind a routing id frame that is already sent. */
int fx__parcel_send(const struct fx__parcel *p, void *socket);
/* Drops further frames of the message whose frame @p last (zmq_msg_t) was received; how many. */
unsigned fx__skip_rest(void *socket, const void *last);

/* Drops further frames of the message whose frame @p last (zmq_msg_t) was received; how many. */
unsigned fx__skip_rest(void *socket, const void *last);

#endif
