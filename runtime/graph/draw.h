// SPDX-License-Identifier: Apache-2.0
/* draw.h: a graph as a picture and as JSON. */
#ifndef FX_GRAPH_DRAW_H
#define FX_GRAPH_DRAW_H

#include <stdio.h>

#include "graph/graph.h"

/** GraphViz: nodes coloured by role, edges labelled "port -> port" and with what flows. */
void fx_draw_dot(const struct fx_graph *g, FILE *out);
/** SVG by the program "dot" of GraphViz. FX_ENOENT when it is not installed, FX_EIO when it
 * fails; nothing is written then. */
int fx_draw_svg(const struct fx_graph *g, FILE *out, struct fx_error *err);
/** {"file", "params": [{"name", "help", "required", "value"}], "nodes": [{"name", "type",
 * "workers", "line", "options": {name: value}}], "edges": [{"from": "node.port", "to": "node.port",
 * "sends"}]}. Bytes that are not UTF-8 become "?". FX_ENOMEM. */
int fx_draw_json(const struct fx_graph *g, FILE *out);

#endif
