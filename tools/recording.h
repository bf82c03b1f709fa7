// SPDX-License-Identifier: Apache-2.0
/* recording.h: what the commands about recordings share. */
#ifndef FX_TOOLS_RECORDING_H
#define FX_TOOLS_RECORDING_H

#include <jansson.h>

#include "graph/graph.h"

/** Adds to @p g a node that records, as "NODE.OUTPUT=FOLDER" says. CMD_GO, or an exit code after a
 * message. */
int recording_add(struct fx_graph *g, const struct fx_registry *r, const char *what);
/** JSON text of what is told about a recording: of which edge, and of which graph with which
 * parameters (object of texts; borrowed). free(); NULL without memory. */
char *recording_about(const char *edge, const char *graph, const json_t *params);

#endif
