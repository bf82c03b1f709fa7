// SPDX-License-Identifier: Apache-2.0
/* ready.h: on which of many sockets something may have come, by one system call for all.
 *
 * ZeroMQ asks the kernel about each socket, twice, whenever it is read or polled: with 64 producers
 * that is most of what a consumer does. But a socket's descriptor (ZMQ_FD) tells whether something
 * has happened to it since it was read until there was no more. Sending on a socket may swallow
 * that: then it is looked at. No one else may read or poll such a socket. */
#ifndef FX_LINK_READY_H
#define FX_LINK_READY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fx__ready {
	struct pollfd *fds; /* owned */
	bool *there;	    /* owned: not read to the end */
	size_t len;
	int64_t all_ns; /* when all were last taken to have something, to be sure */
};

/* For @p len sockets; each is to be given to fx__ready_watch(). False without memory. */
bool fx__ready_init(struct fx__ready *r, size_t len);
/* Takes zeros. */
void fx__ready_fini(struct fx__ready *r);
/* Socket @p i is this one from now on. */
void fx__ready_watch(struct fx__ready *r, size_t i, void *socket);
/* Something was sent on it. */
void fx__ready_sent(struct fx__ready *r, size_t i, void *socket);
/* Asks the kernel what has come. */
void fx__ready_look(struct fx__ready *r);
/* True when @p i has to be read, until there is no more: it counts as read. */
bool fx__ready_take(struct fx__ready *r, size_t i);
/* Some socket has to be read: do not wait. */
bool fx__ready_any(const struct fx__ready *r);

#endif
