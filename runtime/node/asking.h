// SPDX-License-Identifier: Apache-2.0
/* asking.h: requests to image a region again, for whoever runs the microscope: a line of JSON in a
 * file, and a message of a ZeroMQ PUB socket. A request is durable before it is told; a later life
 * of the node that decides it again tells it no second time. */
#ifndef FX_NODE_ASKING_H
#define FX_NODE_ASKING_H

#include <fornix/node.h>

#include "base/seglog.h"

struct fx_request {
	int64_t section;
	struct fx_region region;
	const char *reason;
	unsigned attempt; /**< counts from 1 */
	int64_t deadline; /**< the number of a section: useless when it has come */
};

/** Zero-initialise; fx_asking_close() when done. */
struct fx_asking {
	struct fx_seglog *log; /**< owned: the lines of all lives, in fx_state_dir() */
	uint64_t next;	       /**< requests of this life so far */
	int fd;		       /**< of the file, 0: none */
	off_t size;	       /**< of the file */
	void *zmq, *pub;       /**< owned; NULL: none */
};

/** For init(). @p file: JSON lines, empty: none; made anew by the first life, taken up by a later
 * one. @p address to publish at: "tcp://127.0.0.1:PORT", empty: none. Fails by fx_fail(). */
int fx_asking_open(struct fx_asking *a, struct fx_node *node, const char *file,
		   const char *address);
/** Takes a zeroed one. */
void fx_asking_close(struct fx_asking *a);
/** Asks, unless a former life did. Fails by fx_fail(), also when a former life asked something else
 * here. */
int fx_asking_ask(struct fx_asking *a, struct fx_node *node, const struct fx_request *r);
/** A record "request" of the same; NULL without memory. */
struct fx_record *fx_asking_record(const struct fx_request *r);
/** For load(): so many requests are known to have been made. FX_ETYPE when they were not. */
int fx_asking_resume(struct fx_asking *a, uint64_t next);

#endif
