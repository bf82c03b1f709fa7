// SPDX-License-Identifier: Apache-2.0
/* decided.h: what a source decided by the clock, or by what lay in a folder, and a later life must
 * decide alike, because others have heard it: an append-only log of marks in fx_state_dir(). A
 * decision is durable before it is sent. A save refers to none of it, so it is never cut. */
#ifndef FX_NODE_DECIDED_H
#define FX_NODE_DECIDED_H

#include <fornix/node.h>

#include "base/seglog.h"

/** Zero-initialise; fx_decided_close() when done. */
struct fx_decided {
	struct fx_seglog *log; /**< owned */
	uint64_t next;	       /**< the decision of a former life that comes next */
};

/** Opens the log of this node, for its init(). Fails by fx_fail(). */
int fx_decided_open(struct fx_decided *d, struct fx_node *node);
/** Takes a zeroed one. */
void fx_decided_close(struct fx_decided *d);
/** The next decision of a former life; FX_END when it made no more. Call d->next++ when it is
 * carried out. Fails by fx_fail(). */
int fx_decided_peek(struct fx_decided *d, struct fx_node *node, struct fx_mark *m);
/** Writes a decision down, behind all others; fails when former ones are not carried out yet: they
 * were made behind this one. */
int fx_decided_add(struct fx_decided *d, struct fx_node *node, const struct fx_mark *m);

#endif
