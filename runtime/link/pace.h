// SPDX-License-Identifier: Apache-2.0
/* pace.h: how fast a link is, and whether it would carry more if payloads were coded harder.
 *
 * The kernel counts for each TCP connection how many bytes its other end has got, and for how long
 * it had bytes to send (TCP_INFO): so the link is measured by what it does anyhow, and a consumer
 * that is slow is not taken for a slow link. Coding pays while the link is what is waited for, and
 * coding keeps up with what the link then carries. */
#ifndef FX_LINK_PACE_H
#define FX_LINK_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One connection, at its sending end. Zero-initialise. */
struct fx__pace {
	uint64_t raw;	/* payload bytes before coding that were given to it; by the outlet */
	double rate;	/* bytes a second while it has something to send; 0: not known */
	double offered; /* payload bytes a second, before coding, that are given to it */
	int fd;		/* what was counted last, and of which connection */
	int64_t at_ns;	/* 0: nothing yet */
	uint64_t acked, busy_us, raw_then;
	bool harder; /* code harder */
};

/* What coding harder costs and brings on one output. Zero-initialise. */
struct fx__effort {
	double speed, ratio; /* bytes a second; bytes before for one behind; 0: not known yet */
	int64_t at_ns;	     /* when they were last measured */
};

/* What a connection has done so far. */
struct fx__sent {
	uint64_t acked;	  /* bytes that the other end has */
	uint64_t busy_us; /* for how long it had bytes to send, and room for them there */
};

/* Asks the kernel about the connection that is descriptor @p fd; false when it tells nothing, as of
 * what is no TCP. */
bool fx__pace_ask(int fd, struct fx__sent *sent);
/* Takes in what connection @p fd has done until @p now_ns, and decides anew. Less than a quarter of
 * a second after the last time it does nothing. */
void fx__pace_note(struct fx__pace *p, int fd, const struct fx__sent *sent, int64_t now_ns,
		   const struct fx__effort *e);
/* Both, now. */
void fx__pace_look(struct fx__pace *p, int fd, const struct fx__effort *e);
/* Takes in that @p raw bytes became @p coded within @p ns. */
void fx__effort_note(struct fx__effort *e, size_t raw, size_t coded, int64_t ns, int64_t now_ns);

#endif
