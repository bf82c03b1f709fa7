// SPDX-License-Identifier: Apache-2.0
/* outlet.h: the producing end of all edges of one output port.
 *
 * Every message is named by its place in the output's stream. It is kept until each edge has
 * acknowledged it; what a consumer had not acknowledged when it vanished goes out again. On an edge
 * to several workers each message goes to one of them, OPEN and END to all; the parts of a node
 * with a key have an edge each. END is sent when all
 * before it is acknowledged. What waits goes out in order of seq, when there is credit, or when all
 * that is in flight comes after it: a consumer may wait for it. An edge that drops holds nothing
 * back: a message counts there as acknowledged from the start. See docs/protocol.md. */
#ifndef FX_LINK_OUTLET_H
#define FX_LINK_OUTLET_H

#include "link/pool.h"
#include "link/stats.h"
#include "link/trust.h"
#include "wire/wire.h"

/** The way to one consuming instance. */
struct fx_outlet_lane {
	unsigned holder; /**< its bit in the pool */
	struct fx_lane_stats *stats;
};

/** What happens when a consumer is slow. */
enum fx_drop {
	FX_DROP_NONE, /**< its producer waits */
	FX_DROP_OLD,  /**< the oldest block, tree or record that waits is dropped ... */
	FX_DROP_NEW,  /**< ... or the newest; the producer never waits for this consumer */
};

struct fx_outlet_edge {
	const char *node, *port; /**< the consumer; borrowed for life */
	size_t lanes_len;
	const struct fx_outlet_lane *lanes; /**< borrowed for life */
	enum fx_drop drop;
	enum fx_way way; /**< for payloads in frames */
	unsigned first;	 /**< instance of the consumer that its first lane leads to */
};

struct fx_outlet_config {
	void *zmq;		 /**< context */
	const char *node, *port; /**< own names; borrowed for life */
	unsigned instance, epoch;
	unsigned parts;		/**< among which this node's work is parted (turn.h); 0: 1 */
	const char *endpoint;	/**< to bind */
	int listen_fd;		/**< a listening socket to use for it, or -1 */
	struct fx_trust *trust; /**< only peers with an allowed key; NULL: any; borrowed for life */
	const char *guests;	/**< endpoint for guests, or NULL; borrowed for life */
	_Atomic uint64_t *untapped; /**< counts what taps were too slow for; with guests */
	struct fx_pool *pool;	    /**< NULL: payloads travel in frames, coded as the edges say */
	bool slots_optional; /**< when no slot is free: as without a pool, instead of FX_IDLE */
	bool repeats; /**< messages are queued in order of seq, in a later life from an earlier one
		       * on: what an edge has acknowledged does not go out again */
	size_t edges_len;
	const struct fx_outlet_edge *edges; /**< borrowed for life */
	/** Every edge that does not drop has acknowledged @p seq. */
	void (*acked)(void *context, uint64_t seq);
	void *context;
	int64_t silence_ms;	  /**< least time between greetings that tell of loss; 0: 500 */
	struct fx_faults *faults; /**< borrowed for life; NULL: the network is sound */
};

struct fx_outlet;

struct fx_outlet *fx_outlet_new(const struct fx_outlet_config *config, struct fx_error *err);
void fx_outlet_free(struct fx_outlet *o);
/** The ZeroMQ socket to poll for input. */
void *fx_outlet_socket(const struct fx_outlet *o);
/** That of its guests as well; NULL when it takes none. */
void *fx_outlet_guests(const struct fx_outlet *o);
/** Handles what consumers have sent, then sends what credit allows. Never blocks. The number of
 * frames that were refused. */
unsigned fx_outlet_pump(struct fx_outlet *o);
/** True while message @p seq may be queued: few are waiting on every edge, or all that wait come
 * after it. */
bool fx_outlet_room(const struct fx_outlet *o, uint64_t seq);
/** Queues a message, in any order of seq. Consumes e->message, also on failure. Voxels that do not
 * lie in the pool are copied there: FX_IDLE (nothing consumed) when no slot is free yet. */
int fx_outlet_queue(struct fx_outlet *o, struct fx_envelope *e, struct fx_error *err);
/** All messages below are acknowledged on every edge, also those of former lives. */
uint64_t fx_outlet_floor(const struct fx_outlet *o);
/** True when END is acknowledged by all. */
bool fx_outlet_settled(const struct fx_outlet *o);
/** Gives @p b the memory of a free slot; FX_IDLE when there is none yet, FX_EINVAL when @p size is
 * over the limit. Without a pool: heap memory. */
int fx_outlet_voxels(struct fx_outlet *o, size_t size, struct fx_block *b);

#endif
