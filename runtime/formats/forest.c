// SPDX-License-Identifier: Apache-2.0
/* forest.c: vertices and edges of a file to trees. */
#include "formats/forest.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct walk {
	size_t len, edges;
	const uint32_t *pairs;
	uint32_t *begin, *other; /* owned: neighbours of v are other[begin[v] .. begin[v + 1]] */
	uint32_t *place;	 /* owned: of a vertex, or UINT32_MAX */
};

/* Sorts the ends of edges by vertex; false when one is no vertex. */
static bool walk_neighbours(struct walk *w)
{
	for (size_t e = 0; e < 2 * w->edges; e++) {
		if (w->pairs[e] >= w->len)
			return false;
		w->begin[w->pairs[e] + 1]++;
	}
	for (size_t v = 0; v < w->len; v++)
		w->begin[v + 1] += w->begin[v];
	for (size_t e = 2 * w->edges; e-- > 0;) /* begin[v + 1], the end of v, goes to its begin */
		w->other[--w->begin[w->pairs[e] + 1]] = w->pairs[e ^ 1];
	memmove(w->begin, w->begin + 1, w->len * sizeof *w->begin);
	w->begin[w->len] = (uint32_t)(2 * w->edges);
	return true;
}

/* Puts the neighbours of the vertex at place `at` that have none yet at the end; the new end. */
static size_t walk_on(const struct walk *w, size_t at, size_t end, uint32_t *order, int32_t *parent)
{
	const uint32_t v = order[at];

	for (uint32_t i = w->begin[v]; i < w->begin[v + 1]; i++) {
		const uint32_t n = w->other[i];

		if (w->place[n] != UINT32_MAX)
			continue;
		parent[end] = (int32_t)at;
		w->place[n] = (uint32_t)end;
		order[end++] = n;
	}
	return end;
}

/* False when an edge closes a loop: then there are more than a tree has. */
static bool walk_all(const struct walk *w, uint32_t *order, int32_t *parent)
{
	size_t end = 0, at = 0, roots = 0;

	memset(w->place, 0xff, w->len * sizeof *w->place);
	for (size_t root = 0; root < w->len; root++) {
		if (w->place[root] != UINT32_MAX)
			continue;
		parent[end] = -1;
		w->place[root] = (uint32_t)end;
		order[end++] = (uint32_t)root;
		roots++;
		for (; at < end; at++)
			end = walk_on(w, at, end, order, parent);
	}
	return w->edges == w->len - roots;
}

int fx_forest_walk(size_t len, const uint32_t *pairs, size_t edges, uint32_t *order,
		   int32_t *parent, struct fx_error *err)
{
	struct walk w = { .len = len, .edges = edges, .pairs = pairs };
	bool memory, tree = false;

	if (len > INT32_MAX || edges > INT32_MAX)
		return fx_error_set(err, FX_EINVAL, "more than 2^31 vertices or edges");
	w.begin = fx_calloc(len + 2, sizeof *w.begin);
	w.other = fx_calloc(2 * edges, sizeof *w.other);
	w.place = fx_calloc(len, sizeof *w.place);
	memory = w.begin && w.other && w.place;
	if (memory)
		tree = walk_neighbours(&w) && walk_all(&w, order, parent);
	free(w.begin);
	free(w.other);
	free(w.place);
	if (!memory)
		return fx_error_set(err, FX_ENOMEM, "no memory for a skeleton");
	return tree ? FX_OK :
		      fx_error_set(err, FX_EINVAL, "edges of the skeleton do not make trees");
}
