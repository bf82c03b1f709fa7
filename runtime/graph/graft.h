// SPDX-License-Identifier: Apache-2.0
/* graft.h: changes to a checked graph: a reader more, or a source in place of what was before. */
#ifndef FX_GRAPH_GRAFT_H
#define FX_GRAPH_GRAFT_H

#include "graph/graph.h"

/** A node to be put in. */
struct fx_graft {
	const struct fx_node_type *type; /**< of one input, or of one output */
	const struct fx_param *options;
	size_t options_len;
};

/** Finds "NODE.OUTPUT". FX_ENOENT with what there is. */
int fx_graph_output(const struct fx_graph *g, const char *name, size_t *node, unsigned *port,
		    struct fx_error *err);
/** Adds a node called @p name that reads output @p port of @p node. */
int fx_graft_reader(struct fx_graph *g, const char *name, const struct fx_graft *graft, size_t node,
		    unsigned port, struct fx_error *err);
/** Puts a source in place of @p node, which sends what came from its output @p port. What read its
 * other outputs is left without, which must be optional inputs; nodes before it that nobody reads
 * any more go. FX_EINVAL when a required input is left. */
int fx_graft_source(struct fx_graph *g, const struct fx_graft *graft, size_t node, unsigned port,
		    struct fx_error *err);

#endif
