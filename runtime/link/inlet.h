// SPDX-License-Identifier: Apache-2.0
/* inlet.h: the consuming end of the edge of one input port, from all instances of its producer.
 *
 * Ordered (one consuming instance): messages are handed on in the order of the stream, whatever the
 * producer's workers do; what was handed on before is dropped as a duplicate. Unordered (one of
 * several workers): each is handed on as it comes. Nothing is acknowledged before fx_inlet_ack(),
 * unless there is a spool: then what is durable there. */
#ifndef FX_LINK_INLET_H
#define FX_LINK_INLET_H

#include <zmq.h>

#include "link/pool.h"
#include "link/stats.h"
#include "link/trust.h"
#include "wire/wire.h"

/** The way from one producing instance. */
struct fx_inlet_lane {
	const char *endpoint; /**< borrowed for life */
	int pool_fd;	      /**< of the producer, or -1: payloads come in frames */
	unsigned holder;      /**< own bit in it */
	struct fx_lane_stats *stats;
};

struct fx_inlet_config {
	void *zmq;
	const char *node, *port; /**< own names; borrowed for life */
	unsigned instance, epoch;
	bool ordered;
	bool gaps;	/**< messages may have been dropped before: what comes is handed on as it
			 * comes, END when it has come on all lanes */
	unsigned parts; /**< of the producer, or of one before stateless nodes (turn.h); 0: 1 */
	uint32_t credit_messages; /**< for each lane */
	uint64_t credit_bytes;
	const char *spool_dir; /**< what comes is written there and acknowledged; NULL: no spool */
	uint64_t spool_bytes;  /**< most that it may take */
	/** A warning was logged. From fx_inlet_pump(). May be NULL. */
	void (*warned)(void *context, const char *text);
	void *context;
	_Atomic uint64_t *floor;      /**< where an ordered inlet tells what is acknowledged */
	const struct fx_trust *trust; /**< shows the own key; NULL: none; borrowed for life */
	size_t lanes_len;
	const struct fx_inlet_lane *lanes; /**< borrowed for life */
	int64_t hello_ms;		   /**< time between greetings; 0: 1000 */
	struct fx_faults *faults;	   /**< borrowed for life; NULL: the network is sound */
};

struct fx_inlet;

struct fx_inlet *fx_inlet_new(const struct fx_inlet_config *config, struct fx_error *err);
void fx_inlet_free(struct fx_inlet *in);
/** Number of things to poll with zmq_poll(), and the i-th; the sockets themselves are read by
 * fx_inlet_pump() only. */
size_t fx_inlet_items(const struct fx_inlet *in);
zmq_pollitem_t fx_inlet_item(const struct fx_inlet *in, size_t i);
/** Something is there that polling does not tell: call fx_inlet_pump() without waiting. */
bool fx_inlet_ready(const struct fx_inlet *in);
/** Receives what has come, says hello, sends acknowledgements that are due. Never blocks. The
 * number of frames that were refused. What was refused is sent again; @p err (may be NULL) tells
 * why when that was of no use three times. */
unsigned fx_inlet_pump(struct fx_inlet *in, struct fx_error *err);
/** True once memory was missing for a message or its acknowledgement: the edge would wait for it
 * for ever, so this process must fail. */
bool fx_inlet_failed(const struct fx_inlet *in);
/** The next message that may be handed on, or NULL. Borrowed until fx_inlet_pop(). */
const struct fx_envelope *fx_inlet_peek(const struct fx_inlet *in);
/** Hands it on: @p e->message is the caller's. To be acknowledged by fx_inlet_ack(e->seq). */
bool fx_inlet_pop(struct fx_inlet *in, struct fx_envelope *e);
/** All that was derived from @p seq is safe. Sent at once when much is due, else with a pump. */
void fx_inlet_ack(struct fx_inlet *in, uint64_t seq);
/** Blocks outside of @p want are of no use from now on: their places may come as SKIP. The
 * producers are told with the next pump. Not with a spool. */
void fx_inlet_want(struct fx_inlet *in, struct fx_region want);
/** The OPEN mark, as soon as it was received; NULL before. */
const struct fx_mark *fx_inlet_opened(const struct fx_inlet *in);
/** The place behind message @p seq, with which a later life begins. */
uint64_t fx_inlet_after(const struct fx_inlet *in, uint64_t seq);
/** True once: OPEN came again to an ordered inlet of a later life, which does not hand it on. Those
 * who consume from this process may be new as well and need it from here, as message *seq. */
bool fx_inlet_reopens(struct fx_inlet *in, uint64_t *seq);
/** Before the first pump of an ordered inlet: what comes before @p first was handed on in a former
 * life, and is a duplicate. */
void fx_inlet_begin(struct fx_inlet *in, uint64_t first);
/** As if @p open had been received: a former life had got it. */
void fx_inlet_open(struct fx_inlet *in, const struct fx_mark *open);

#endif
