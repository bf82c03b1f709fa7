// SPDX-License-Identifier: Apache-2.0
/* ready.c: on which of many sockets something may have come. */
#include "link/ready.h"

#include <stdlib.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/clock.h"

static const int64_t all_pause_ns = 1000000000;

bool fx__ready_init(struct fx__ready *r, size_t len)
{
	r->fds = fx_calloc(len, sizeof *r->fds);
	r->there = fx_calloc(len, sizeof *r->there);
	r->len = len;
	return r->fds && r->there;
}

void fx__ready_fini(struct fx__ready *r)
{
	free(r->fds);
	free(r->there);
	*r = (struct fx__ready){ 0 };
}

void fx__ready_watch(struct fx__ready *r, size_t i, void *socket)
{
	int fd = -1;
	size_t size = sizeof fd;

	zmq_getsockopt(socket, ZMQ_FD, &fd, &size);
	r->fds[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
	r->there[i] = true;
}

void fx__ready_sent(struct fx__ready *r, size_t i, void *socket)
{
	int events = 0;
	size_t size = sizeof events;

	if (!r->there[i])
		r->there[i] = zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) != 0 ||
			      (events & ZMQ_POLLIN);
}

void fx__ready_look(struct fx__ready *r)
{
	const int64_t now = fx_now_ns();
	const bool all = now - r->all_ns > all_pause_ns;

	if (poll(r->fds, r->len, 0) < 0)
		return;
	if (all)
		r->all_ns = now;
	for (size_t i = 0; i < r->len; i++)
		r->there[i] = r->there[i] || r->fds[i].revents || all;
}

bool fx__ready_take(struct fx__ready *r, size_t i)
{
	const bool there = r->there[i];

	r->there[i] = false;
	return there;
}

bool fx__ready_any(const struct fx__ready *r)
{
	for (size_t i = 0; i < r->len; i++)
		if (r->there[i])
			return true;
	return false;
}
