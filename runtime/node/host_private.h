// SPDX-License-Identifier: Apache-2.0
/* host_private.h: the state of a host, shared by host.c (life) and host_io.c (what a node calls).
 */
#ifndef FX_NODE_HOST_PRIVATE_H
#define FX_NODE_HOST_PRIVATE_H

#include "link/inlet.h"
#include "link/outlet.h"
#include "link/stats.h"
#include "node/instance.h"
#include "node/wiring.h"

enum { FX__PORTS_MAX = 16 };

/* A stateless node's input that waits until what it led to is acknowledged. */
struct fx__pending {
	uint64_t seq;
	unsigned port, left;	      /* input port; outputs that have not acknowledged yet */
	double done[FX_STATS_GAUGES]; /* by fx_progress(), with this one */
};

struct fx__host {
	const struct fx_wiring *wiring;
	const struct fx_node_type *type;
	struct fx_node node;
	void *zmq;
	struct fx_stats stats;
	struct fx_instance_stats *me;
	struct fx_pool *pool;
	struct fx_inlet *inlets[FX__PORTS_MAX];	  /* by port; NULL when not connected */
	struct fx_outlet *outlets[FX__PORTS_MAX]; /* by port; NULL for inputs and unconnected */
	uint64_t next_seq[FX__PORTS_MAX];	  /* of outputs of a node with state */
	bool ended[FX__PORTS_MAX];
	struct fx_envelope current; /* what is being processed */
	unsigned current_port;
	bool has_current, taken;
	bool sent[FX__PORTS_MAX]; /* stateless: an answer to current went out */
	struct fx__pending *pending;
	size_t pending_len, pending_cap;
	int64_t wait_out_ns; /* within the running callback: waited for credit */
	int64_t frame_ns;    /* within the running callback: what sending took beside that */
	int64_t pumped_ns;   /* when sockets were last handled */
	int64_t rusage_ns;
	struct fx_error broken; /* a message of a producer that cannot be read */
	void **kept;		/* owned: what links borrow */
	size_t kept_len, kept_cap;
	char *scratch; /* owned, made on first use */
};

extern const struct fx_node_io fx__host_io;

/* Set by signals: SIGTERM or SIGINT ends, SIGUSR1 asks a source to stop. */
bool fx__host_terminated(void);
bool fx__host_draining(void);

/* Handles all sockets, waiting at most @p timeout_ms for something to come. */
void fx__host_pump(struct fx__host *h, int timeout_ms);
/* Queues on an output port with the right seq; waits for room and slots. */
int fx__host_queue(struct fx__host *h, unsigned port, struct fx_envelope *e, struct fx_error *err);
/* An outlet's callback: all edges have acknowledged. */
void fx__host_acked(void *context, uint64_t seq);

#endif
