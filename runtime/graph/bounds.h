// SPDX-License-Identifier: Apache-2.0
/* bounds.h: the keys of a node that say what its processes may take: hang, limit. */
#ifndef FX_GRAPH_BOUNDS_H
#define FX_GRAPH_BOUNDS_H

#include "graph/graph.h"

/** @p key is one of them. */
bool fx_bounds_has(const char *key);
/** Sets the bound @p key from @p text, a number with an optional unit ("90 s", "2 GiB"); an empty
 * text: as if the key were not there. */
int fx_bounds_set(struct fx_bounds *b, const char *key, const char *text, struct fx_error *err);

#endif
