// SPDX-License-Identifier: Apache-2.0
/* ragstream_graph.c: the graph of a stream at its end, and its state to a file and back. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/ragstream.h"

/* An edge between nodes of the new graph, and where its histogram is. */
struct moved {
	uint32_t a, b;
	size_t edge;
};

static int by_id(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

static int by_nodes(const void *a, const void *b)
{
	const struct moved *x = a, *y = b;

	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	return x->b < y->b ? -1 : x->b > y->b;
}

/* What each of our labels is now. */
static int graph_ids(const struct fx_ragstream *s, const struct fx_labelmap *map, uint64_t *now,
		     struct fx_error *err)
{
	memcpy(now, s->ids, s->nodes_len * sizeof *now);
	return map ? fx_labelmap_apply(map, now, s->nodes_len, err) : FX_OK;
}

/* The ids in ascending order, each once, from (*ids)[1] on; node_of: where each of ours is. */
static int graph_nodes(const struct fx_ragstream *s, const uint64_t *now, struct fx_rag *rag,
		       uint64_t *ids, uint32_t *node_of)
{
	size_t n = 0;

	memcpy(ids + 1, now, s->nodes_len * sizeof *ids);
	qsort(ids + 1, s->nodes_len, sizeof *ids, by_id);
	for (size_t i = 1; i <= s->nodes_len; i++)
		if (!n || ids[n] != ids[i])
			ids[++n] = ids[i];
	rag->nodes = (uint32_t)n;
	rag->size = fx_calloc(n + 1, sizeof *rag->size);
	if (!rag->size)
		return FX_ENOMEM;
	for (size_t i = 0; i < s->nodes_len; i++) {
		const uint64_t *at = bsearch(&now[i], ids + 1, n, sizeof *ids, by_id);
		uint32_t *size;

		node_of[i] = (uint32_t)(at - ids);
		size = &rag->size[node_of[i]];
		*size = s->sizes[i] < UINT32_MAX - *size ? *size + (uint32_t)s->sizes[i] :
							   UINT32_MAX;
	}
	return FX_OK;
}

static void add_hist(uint32_t to[FX_RAG_BINS], const uint32_t from[FX_RAG_BINS])
{
	for (int i = 0; i < FX_RAG_BINS; i++)
		to[i] = from[i] < UINT32_MAX - to[i] ? to[i] + from[i] : UINT32_MAX;
}

/* Edges between nodes that are two, sorted; equal ones are added. */
static int graph_edges(const struct fx_ragstream *s, const uint32_t *node_of, struct fx_rag *rag)
{
	struct moved *moved = fx_calloc(s->edges_len, sizeof *moved);
	size_t len = 0;

	rag->edges = fx_calloc(s->edges_len, sizeof *rag->edges);
	rag->hist = fx_calloc(s->edges_len, sizeof *rag->hist);
	if (!moved || !rag->edges || !rag->hist) {
		free(moved);
		return FX_ENOMEM;
	}
	rag->edges_cap = rag->hist_cap = s->edges_len;
	for (size_t i = 0; i < s->edges_len; i++) {
		const uint32_t a = node_of[s->edges[i].a - 1], b = node_of[s->edges[i].b - 1];

		if (a != b)
			moved[len++] = (struct moved){ a < b ? a : b, a < b ? b : a, i };
	}
	qsort(moved, len, sizeof *moved, by_nodes);
	for (size_t i = 0; i < len; i++) {
		if (!i || by_nodes(&moved[i - 1], &moved[i]) != 0)
			rag->edges[rag->edges_len++] =
				(struct fx_rag_edge){ moved[i].a, moved[i].b };
		add_hist(rag->hist[rag->edges_len - 1], s->hist[moved[i].edge]);
	}
	free(moved);
	return FX_OK;
}

int fx_ragstream_graph(const struct fx_ragstream *s, const struct fx_labelmap *map,
		       struct fx_rag *rag, uint64_t **ids, uint32_t **node_of, struct fx_error *err)
{
	uint64_t *now = fx_calloc(s->nodes_len, sizeof *now);
	int rc = FX_ENOMEM;

	*ids = fx_calloc(s->nodes_len + 1, sizeof **ids);
	*node_of = fx_calloc(s->nodes_len, sizeof **node_of);
	if (now && *ids && *node_of)
		rc = graph_ids(s, map, now, err);
	if (rc == FX_OK)
		rc = graph_nodes(s, now, rag, *ids, *node_of);
	if (rc == FX_OK)
		rc = graph_edges(s, *node_of, rag);
	free(now);
	if (rc == FX_ENOMEM)
		fx_error_set(err, rc, "no memory for a graph of %zu labels, %zu contacts",
			     s->nodes_len, s->edges_len);
	if (rc < 0) {
		free(*ids);
		free(*node_of);
		*ids = NULL;
		*node_of = NULL;
	}
	return rc;
}

static void face_pack(const struct fx_ragstream_face *f, struct fx_pack *to)
{
	const unsigned char axis = (unsigned char)f->axis;
	const size_t n = (size_t)f->cross[0] * (size_t)f->cross[1] * (size_t)f->cross[2];

	fx_pack_put(to, &axis, 1);
	fx_pack_bool(to, f->upper);
	fx_pack_put(to, f->corner, sizeof f->corner);
	fx_pack_put(to, f->cross, sizeof f->cross);
	fx_pack_array(to, f->nodes, n, sizeof *f->nodes);
	fx_pack_put(to, f->value, n);
}

void fx_ragstream_pack(const struct fx_ragstream *s, struct fx_pack *to)
{
	fx_pack_put(to, s->extent, sizeof s->extent);
	fx_pack_array(to, s->ids, s->nodes_len, sizeof *s->ids);
	fx_pack_array(to, s->sizes, s->nodes_len, sizeof *s->sizes);
	fx_pack_array(to, s->edges, s->edges_len, sizeof *s->edges);
	fx_pack_array(to, s->hist, s->edges_len, sizeof *s->hist);
	for (const struct fx_ragstream_face *f = s->faces; f; f = f->next) {
		fx_pack_bool(to, true);
		face_pack(f, to);
	}
	fx_pack_bool(to, false);
}

/* A layer of a face that can be: of the stated size, with nodes that are there. */
static int face_unpack(struct fx_ragstream_face *f, size_t nodes_len, struct fx_unpack *from)
{
	unsigned char axis;
	uint64_t n = 1;
	size_t len;
	void *nodes;

	if (fx_unpack_get(from, &axis, 1) < 0 || axis > 2 || fx_unpack_bool(from, &f->upper) < 0 ||
	    fx_unpack_get(from, f->corner, sizeof f->corner) < 0 ||
	    fx_unpack_get(from, f->cross, sizeof f->cross) < 0)
		return FX_ETYPE;
	f->axis = axis;
	for (int a = 0; a < 3; a++) {
		if (f->cross[a] < 1 || f->cross[a] > INT32_MAX || f->corner[a] > INT64_MAX / 4 ||
		    f->corner[a] < INT64_MIN / 4)
			return FX_ETYPE;
		n = n > UINT32_MAX ? n : n * (uint64_t)f->cross[a];
	}
	if (fx_unpack_array(from, &nodes, &len, sizeof *f->nodes) < 0)
		return FX_ETYPE;
	f->nodes = nodes;
	if (len != n || f->cross[axis] != 1 || !(f->value = fx_calloc(len, 1)))
		return FX_ETYPE;
	for (size_t i = 0; i < len; i++)
		if (f->nodes[i] > nodes_len)
			return FX_ETYPE;
	return fx_unpack_get(from, f->value, len);
}

static int faces_unpack(struct fx_ragstream *s, struct fx_unpack *from)
{
	struct fx_ragstream_face **end = &s->faces;
	bool more;
	int rc;

	while ((rc = fx_unpack_bool(from, &more)) == FX_OK && more) {
		struct fx_ragstream_face *f = calloc(1, sizeof *f);

		if (!f)
			return FX_ENOMEM;
		*end = f;
		end = &f->next;
		rc = face_unpack(f, s->nodes_len, from);
		if (rc < 0)
			return rc;
		s->open_size += sizeof *f + (size_t)f->cross[0] * (size_t)f->cross[1] *
						    (size_t)f->cross[2] * (sizeof *f->nodes + 1);
	}
	return rc;
}

/* The maps follow from the arrays, if labels and pairs are there once and in range. */
static int maps_restore(struct fx_ragstream *s)
{
	for (size_t i = 0; i < s->nodes_len; i++) {
		uint64_t *at = s->ids[i] ? fx_map64_at(&s->index, s->ids[i]) : NULL;

		if (!at || *at)
			return FX_ETYPE;
		*at = i + 1;
	}
	for (size_t i = 0; i < s->edges_len; i++) {
		const struct fx_rag_edge *e = &s->edges[i];
		uint64_t *at;

		if (!e->a || e->a >= e->b || e->b > s->nodes_len)
			return FX_ETYPE;
		at = fx_map64_at(&s->pairs, (uint64_t)e->a << 32 | e->b);
		if (!at || *at)
			return FX_ETYPE;
		*at = i + 1;
	}
	return FX_OK;
}

int fx_ragstream_unpack(struct fx_ragstream *s, struct fx_unpack *from)
{
	void *items[4] = { NULL };
	size_t len[4] = { 0 };
	const size_t size[4] = { sizeof *s->ids, sizeof *s->sizes, sizeof *s->edges,
				 sizeof *s->hist };
	int rc = fx_unpack_get(from, s->extent, sizeof s->extent);

	for (int i = 0; i < 4 && rc == FX_OK; i++)
		rc = fx_unpack_array(from, &items[i], &len[i], size[i]);
	if (rc < 0 || len[0] != len[1] || len[2] != len[3] || len[0] >= UINT32_MAX - 1) {
		for (int i = 0; i < 4; i++)
			free(items[i]);
		return rc < 0 ? rc : FX_ETYPE;
	}
	s->ids = items[0];
	s->sizes = items[1];
	s->edges = items[2];
	s->hist = items[3];
	s->nodes_len = s->nodes_cap = s->sizes_cap = len[0];
	s->edges_len = s->edges_cap = s->hist_cap = len[2];
	rc = maps_restore(s);
	return rc < 0 ? rc : faces_unpack(s, from);
}
