// SPDX-License-Identifier: Apache-2.0
/* lone.h: one node in memory, without links: give it messages, get what it sends. For tests, and to
 * look at a node under a debugger. */
#ifndef FX_NODE_LONE_H
#define FX_NODE_LONE_H

#include "link/stats.h"
#include "node/instance.h"

enum { FX_LONE_PORTS = 16 };

struct fx_lone {
	struct fx_node node;
	enum fx_kind waiting[FX_LONE_PORTS];
	void *message[FX_LONE_PORTS];
	bool unconnected[FX_LONE_PORTS], has_open[FX_LONE_PORTS], stopping;
	struct fx_mark open[FX_LONE_PORTS];
	/** Gets what the node sends: a message, which is its own then, or a mark when @p message is
	 * NULL. FX_OK or an error. */
	int (*sent)(void *context, unsigned port, enum fx_kind kind, void *message,
		    const struct fx_mark *mark);
	void *context;
	char warning[512];		/**< the last; "" when there was none */
	struct fx_instance_stats stats; /**< gauges of fx_progress() */
	bool too_many_gauges;		/**< more than there is place for */
	char folder[64], scratch[80];	/**< as in a run: the node's own lies in that of all */
	const char *state_dir;		/**< borrowed; NULL: that for scratch files */
};

/** Prepares @p l, which must stay where it is; then set sent and context, options, and call
 * fx_node_start(). All ports count as connected. fx_lone_fini() also after a failure: FX_ENOMEM, or
 * FX_EINVAL when the type has too many ports. */
int fx_lone_init(struct fx_lone *l, const struct fx_node_type *type, const char *name,
		 struct fx_error *err);
/** Calls finish(); frees everything that waits. */
void fx_lone_fini(struct fx_lone *l);
/** Gives a message (consumed) to input @p port and calls process(); its result. */
int fx_lone_give(struct fx_lone *l, unsigned port, enum fx_kind kind, void *message);
/** Gives a mark to input @p port: calls mark(), or passes it to every output. OPEN is remembered.
 */
int fx_lone_mark(struct fx_lone *l, unsigned port, const struct fx_mark *m);

#endif
