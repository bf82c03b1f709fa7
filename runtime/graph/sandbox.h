// SPDX-License-Identifier: Apache-2.0
/* sandbox.h: a graph of someone else may only touch what the user has named. */
#ifndef FX_GRAPH_SANDBOX_H
#define FX_GRAPH_SANDBOX_H

#include "graph/graph.h"

/** Where the paths of a graph may lead, links and dots resolved. Zero-initialise. */
struct fx_sandbox {
	char **readable; /**< owned: the graph's folder, and what given parameters name */
	size_t readable_len;
	char *writable; /**< owned: the parameter "out" when it was given; else NULL */
};

/** Finds the places of @p g: to read, the folder of its file and every file or folder that a
 * parameter from the command line names; to write, the parameter `out` from there. Then checks
 * every option that is a path: one that leads elsewhere, also by a link, is told in @p errors with
 * its place. What the graph itself says is not trusted, nor are its defaults; other hosts than
 * `here` are refused, as to start something there is to run a command. */
void fx_sandbox_check(struct fx_sandbox *s, const struct fx_graph *g,
		      struct fx_graph_errors *errors);
void fx_sandbox_fini(struct fx_sandbox *s);

#endif
