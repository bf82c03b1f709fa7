// SPDX-License-Identifier: Apache-2.0
/* forest.h: vertices and edges of a file to trees with parents before children. */
#ifndef FX_FORMATS_FOREST_H
#define FX_FORMATS_FOREST_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

/** Walks @p len vertices breadth first, from the first of each component, along the @p edges edges
 * whose ends are pairs[2 e] and pairs[2 e + 1]. order[i] is the vertex at place i, parent[i] the
 * place of its parent or -1; both have room for len. FX_EINVAL when an end is no vertex or an edge
 * closes a loop, FX_ENOMEM. */
int fx_forest_walk(size_t len, const uint32_t *pairs, size_t edges, uint32_t *order,
		   int32_t *parent, struct fx_error *err);

#endif
