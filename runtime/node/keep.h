// SPDX-License-Identifier: Apache-2.0
/* keep.h: what a node with state keeps on disk for its next life: a journal of the messages that
 * were handed to it, in that order, and now and then a save of what it knows, so that the journal
 * before it can go. Files of one folder: journal/, saved, files/. */
#ifndef FX_NODE_KEEP_H
#define FX_NODE_KEEP_H

#include "node/instance.h"
#include "wire/wire.h"

enum { FX_KEEP_PORTS = 16 };

/** Where a life stands between two messages: part of every save. */
struct fx_keep_place {
	uint64_t next_in[FX_KEEP_PORTS];    /**< by input: seq of the next message to hand on */
	uint64_t next_out[FX_KEEP_PORTS];   /**< by output: seq of the next message to send */
	uint64_t record;		    /**< of the journal: the first that is not in it */
	bool ended[FX_KEEP_PORTS];	    /**< by input: END came */
	bool opened[FX_KEEP_PORTS];	    /**< by port: OPEN came in, or went out ... */
	struct fx_mark open[FX_KEEP_PORTS]; /**< ... and what it said */
	uint64_t open_seq[FX_KEEP_PORTS];
};

struct fx_keep;

/** Opens the folder, made when it is not there, of this node alone. A save is due when the journal
 * has grown by @p save_mib MiB and the size of the last save; without a journal, every second, or,
 * with 0, always. NULL with a reason. */
struct fx_keep *fx_keep_open(const char *folder, unsigned save_mib, struct fx_error *err);
void fx_keep_close(struct fx_keep *k);
/** A former life left a save: fx_keep_load() will call the node's load(). */
bool fx_keep_returns(const struct fx_keep *k);

/** Appends a message that is about to be handed to the node on input @p port. */
int fx_keep_message(struct fx_keep *k, unsigned port, const struct fx_envelope *e,
		    struct fx_error *err);
/** Bytes that the last message took in the journal; *raw: if its payload had not been coded. */
uint64_t fx_keep_written(const struct fx_keep *k, uint64_t *raw);
/** Number of the message that is appended, or read, next. */
uint64_t fx_keep_number(const struct fx_keep *k);
/** Makes all messages so far durable. */
int fx_keep_sync(struct fx_keep *k, struct fx_error *err);

/** What former lives left, in order. First the save: calls the node's load() and fills @p place;
 * without one @p place is zeros. */
int fx_keep_load(struct fx_keep *k, struct fx_node *node, struct fx_keep_place *place,
		 struct fx_error *err);
/** Then each message behind it, and before them those which the node asked for by fx_needs(): they
 * have numbers below place.record. Its port and the message (the caller's); FX_END behind the last.
 */
int fx_keep_next(struct fx_keep *k, unsigned *port, struct fx_envelope *e, struct fx_error *err);

/** True when the journal has grown so much that a save is worth its cost. */
bool fx_keep_due(const struct fx_keep *k);
/** Saves by the node's save() at @p place (its record is filled in). It takes the place of the
 * former one by fx_keep_commit(), not before: until then that and the journal behind it count. */
int fx_keep_save(struct fx_keep *k, struct fx_node *node, struct fx_keep_place *place,
		 struct fx_error *err);
/** The save that waits, or NULL: to be committed when what was sent before it is acknowledged. */
const struct fx_keep_place *fx_keep_waiting(const struct fx_keep *k);
int fx_keep_commit(struct fx_keep *k, struct fx_error *err);

#endif
