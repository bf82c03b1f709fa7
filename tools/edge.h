// SPDX-License-Identifier: Apache-2.0
/* edge.h: an edge of a run by its name, to visit it. */
#ifndef FX_TOOLS_EDGE_H
#define FX_TOOLS_EDGE_H

#include "conduct/view.h"
#include "link/visit.h"

/** An output, of all instances of its node. Zero-initialise; edge_fini() when done. */
struct edge {
	char node[64], port[64];
	const char **endpoints; /**< owned list of borrowed texts */
	size_t endpoints_len;
	unsigned parts; /**< in which it is numbered (link/turn.h) */
};

/** Finds "NODE.PORT" or "NODE.PORT:CONSUMER" in a run. FX_ENOENT with the edges there are. */
int edge_find(const struct fx_view *v, const char *name, struct edge *e, struct fx_error *err);
void edge_fini(struct edge *e);
/** Visits it as fx_visit_new(). */
struct fx_visit *edge_visit(const struct edge *e, const char *kind, uint32_t messages,
			    uint64_t bytes, struct fx_error *err);
/** Tells on stderr, once, when all instances have said welcome: from now on nothing is missed. */
void edge_tell(const struct edge *e, const struct fx_visit *v, bool *told);

#endif
