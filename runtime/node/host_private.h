// SPDX-License-Identifier: Apache-2.0
/* host_private.h: the state of a host, shared by host.c (life) and host_io.c (what a node calls).
 */
#ifndef FX_NODE_HOST_PRIVATE_H
#define FX_NODE_HOST_PRIVATE_H

#include "link/faults.h"
#include "link/inlet.h"
#include "link/outlet.h"
#include "link/stats.h"
#include "node/instance.h"
#include "node/keep.h"
#include "node/wiring.h"

enum { FX__PORTS_MAX = FX_KEEP_PORTS };

/* A message that a node with state has; acknowledged when its journal is durable. */
struct fx__owed {
	unsigned port;
	uint64_t seq;
};

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
	struct fx_faults *faults;		  /* owned; NULL: none */
	struct fx_trust *trust;			  /* NULL: peers are taken without keys */
	struct fx_inlet *inlets[FX__PORTS_MAX];	  /* by port; NULL when not connected */
	struct fx_outlet *outlets[FX__PORTS_MAX]; /* by port; NULL for inputs and unconnected */
	uint64_t next_seq[FX__PORTS_MAX];	  /* of outputs of a node with state */
	bool ended[FX__PORTS_MAX];
	struct fx_envelope current; /* what is being processed */
	unsigned current_port;
	bool has_current, taken, in_process;
	unsigned precision[FX__PORTS_MAX]; /* of outputs: dtype that f32 is sent as; 0: f32 */
	bool sent[FX__PORTS_MAX];	   /* stateless: an answer to current went out */
	struct fx__pending *pending;
	size_t pending_len, pending_cap;
	int64_t wait_out_ns; /* within the running callback: waited for credit */
	int64_t frame_ns;    /* within the running callback: what sending took beside that */
	int64_t pumped_ns;   /* when sockets were last handled */
	int64_t rusage_ns;
	struct fx_error broken; /* a message of a producer that cannot be read */
	void **kept;		/* owned: what links borrow */
	size_t kept_len, kept_cap;
	char *scratch;	      /* owned, made on first use */
	char *state;	      /* owned: folder of what the next life needs, or NULL */
	char *state_files;    /* owned, made on first use */
	struct fx_keep *keep; /* owned; NULL for a node that is not given its messages again */
	bool replaying;	      /* what is handed over comes from the journal */
	struct fx_keep_place place;
	struct fx__owed *owed; /* owned */
	size_t owed_len, owed_cap;
	int64_t owed_ns;	/* since when */
	struct fx_error unkept; /* the journal cannot be written */
};

extern const struct fx_node_io fx__host_io;

/* Set by signals: SIGTERM or SIGINT ends, SIGUSR1 asks a source to stop. */
bool fx__host_terminated(void);
bool fx__host_draining(void);
/** It was, and a later life has come to where a former one was: before, its stream must not end, as
 * consumers, which are farther, would take the end for a message that they know. */
bool fx__host_stops(const struct fx__host *h);

/* Publishes that a callback begins: with the message @p seq of input port @p port - 1, or with none
 * (@p port 0: a source, a start, a drain). */
void fx__host_works(const struct fx__host *h, int64_t now_ns, unsigned port, uint64_t seq);
/* ... and that it has ended. */
void fx__host_rests(const struct fx__host *h);

/* Handles all sockets, waiting at most @p timeout_ms for something to come. */
void fx__host_pump(struct fx__host *h, int timeout_ms);
/* Queues on an output port with the right seq; waits for room and slots. */
int fx__host_queue(struct fx__host *h, unsigned port, struct fx_envelope *e, struct fx_error *err);
/* Gives h->current, which came on @p port, to the node. */
int fx__host_hand_over(struct fx__host *h, unsigned port);
/* Makes the links that the wiring names. */
int fx__host_connect(struct fx__host *h, struct fx_error *err);

/* host_precision.c: makes @p b, which is to be sent on @p port, what the graph says. FX_EINVAL when
 * that cannot be; FX_ENOMEM. */
int fx__host_narrow(const struct fx__host *h, unsigned port, struct fx_block *b,
		    struct fx_error *err);
/* The same for a mark. */
void fx__host_narrow_mark(const struct fx__host *h, unsigned port, struct fx_mark *m);
/* Makes h->current what the node takes on @p port. Fails as a callback does. */
int fx__host_widen(struct fx__host *h, unsigned port);

/* host_keep.c: what a node with state needs to live again. All do nothing for other nodes. */
int fx__host_keep_open(struct fx__host *h, struct fx_error *err);
void fx__host_keep_close(struct fx__host *h);
/* Behind init(): the last save, and the messages after it; returns as callbacks do. */
int fx__host_keep_restore(struct fx__host *h);
void fx__host_keep_replayed(struct fx__host *h);
/* Writes h->current down, before the node gets it. */
int fx__host_keep_message(struct fx__host *h);
/* The node has message @p seq: to be acknowledged soon. */
int fx__host_keep_owe(struct fx__host *h, unsigned port, uint64_t seq);
/* Acknowledges what is durable, commits a save; @p idle: do not wait for more. */
void fx__host_keep_pump(struct fx__host *h, bool idle);
/* Between two messages: saves when it is time. */
int fx__host_keep_save(struct fx__host *h);

/* host_aside.c: h->current is not to be given to the node. */
bool fx__host_is_aside(const struct fx__host *h);
/* Writes h->current to the dead-letter folder; *missing is what to tell in its place. */
int fx__host_set_aside(struct fx__host *h, struct fx_mark *missing);
/* Tells the run what will never come. */
void fx__host_note_missing(const struct fx__host *h, const struct fx_mark *m);

/* An inlet's callback: a warning was logged. */
void fx__host_warned(void *context, const char *text);
/* An outlet's callback: all edges have acknowledged. */
void fx__host_acked(void *context, uint64_t seq);

#endif
