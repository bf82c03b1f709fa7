// SPDX-License-Identifier: Apache-2.0
/* agglomerate.c: greedy merging of a region adjacency graph with a priority queue. */
#include "kernels/agglomerate.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"

/* Edges of one node; dead ones and ones moved elsewhere are skipped when walked. */
struct adjacency {
	uint32_t *edges; /* owned */
	size_t len, cap;
};

/* A promise to look at an edge: stale when the edge has changed since. */
struct pending {
	double score;
	uint32_t edge, version;
};

struct merger {
	struct fx_rag *rag;
	const struct fx_agglomerate_params *p;
	uint32_t *parent;		/* owned, of union-find */
	struct adjacency *around;	/* owned, by root */
	uint32_t *version;		/* owned, by edge; UINT32_MAX is dead */
	uint32_t *link;			/* owned, by node: edge to the root at hand + 1, or 0 */
	uint32_t *smallest;		/* owned, by root: the smallest label in it */
	struct fx_agglomerate_log *log; /* or NULL */
	struct pending *heap;		/* owned */
	size_t heap_len, heap_cap;
};

double fx_contact_score(const uint32_t hist[FX_RAG_BINS], const struct fx_agglomerate_params *p)
{
	double faces = 0, sum = 0, below = 0, wanted;

	for (int i = 0; i < FX_RAG_BINS; i++) {
		faces += hist[i];
		sum += hist[i] * (i + 0.5);
	}
	if (!(faces > 0))
		return 1;
	faces += p->prior_faces;
	if (p->quantile < 0)
		return (sum / FX_RAG_BINS + p->prior_faces) / faces;
	wanted = p->quantile * faces;
	for (int i = 0; i < FX_RAG_BINS; i++) {
		if (hist[i] && below + hist[i] >= wanted)
			return (i + (wanted - below) / hist[i]) / FX_RAG_BINS;
		below += hist[i];
	}
	return 1;
}

static double contact_faces(const uint32_t hist[FX_RAG_BINS])
{
	double faces = 0;

	for (int i = 0; i < FX_RAG_BINS; i++)
		faces += hist[i];
	return faces;
}

static uint32_t find_root(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i) {
		parent[i] = parent[parent[i]];
		i = parent[i];
	}
	return i;
}

static bool pending_before(const struct pending *a, const struct pending *b)
{
	return a->score < b->score || (a->score <= b->score && a->edge < b->edge);
}

static bool heap_push(struct merger *m, struct pending item)
{
	size_t i = m->heap_len;

	if (!fx_grow(&m->heap, &m->heap_cap, i + 1, sizeof *m->heap))
		return false;
	m->heap_len++;
	while (i && pending_before(&item, &m->heap[(i - 1) / 2])) {
		m->heap[i] = m->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	m->heap[i] = item;
	return true;
}

static struct pending heap_pop(struct merger *m)
{
	struct pending top = m->heap[0], last = m->heap[--m->heap_len];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < m->heap_len) {
		if (child + 1 < m->heap_len && pending_before(&m->heap[child + 1], &m->heap[child]))
			child++;
		if (!pending_before(&m->heap[child], &last))
			break;
		m->heap[i] = m->heap[child];
		i = child;
	}
	if (m->heap_len)
		m->heap[i] = last;
	return top;
}

static bool adjacency_add(struct adjacency *a, uint32_t edge)
{
	if (!fx_grow(&a->edges, &a->cap, a->len + 1, sizeof *a->edges))
		return false;
	a->edges[a->len++] = edge;
	return true;
}

/* Queues the edge when its score is below @p limit. */
static bool offer(struct merger *m, uint32_t edge, double limit)
{
	double score = fx_contact_score(m->rag->hist[edge], m->p);

	if (score >= limit)
		return true;
	return heap_push(m, (struct pending){ score, edge, m->version[edge] });
}

static uint32_t other_end(const struct fx_rag_edge *e, uint32_t node)
{
	return e->a == node ? e->b : e->a;
}

/* Drops dead edges from the list of @p node and notes the others in link[] of their far ends. */
static void link_neighbours(struct merger *m, uint32_t node)
{
	struct adjacency *a = &m->around[node];
	size_t len = 0;

	for (size_t i = 0; i < a->len; i++) {
		uint32_t edge = a->edges[i];

		if (m->version[edge] == UINT32_MAX)
			continue;
		a->edges[len++] = edge;
		m->link[other_end(&m->rag->edges[edge], node)] = edge + 1;
	}
	a->len = len;
}

static void unlink_neighbours(struct merger *m, uint32_t node)
{
	const struct adjacency *a = &m->around[node];

	for (size_t i = 0; i < a->len; i++)
		m->link[other_end(&m->rag->edges[a->edges[i]], node)] = 0;
}

/* Counts of a stream may be large: they stop at the end of their range. */
static uint32_t added(uint32_t a, uint32_t b)
{
	return b < UINT32_MAX - a ? a + b : UINT32_MAX;
}

/* Adds the contact @p edge of a swallowed node to the contact @p with. */
static void join_edges(struct merger *m, uint32_t with, uint32_t edge)
{
	for (int i = 0; i < FX_RAG_BINS; i++)
		m->rag->hist[with][i] = added(m->rag->hist[with][i], m->rag->hist[edge][i]);
	m->version[with]++;
	m->version[edge] = UINT32_MAX;
}

/* The edge @p edge from @p gone now belongs to @p kept. Scores change only where edges join. */
static bool move_edge(struct merger *m, uint32_t edge, uint32_t kept, uint32_t gone, double limit)
{
	struct fx_rag_edge *e = &m->rag->edges[edge];
	uint32_t far = other_end(e, gone), with = m->link[far];

	if (with) {
		join_edges(m, with - 1, edge);
		return offer(m, with - 1, limit);
	}
	e->a = kept;
	e->b = far;
	return adjacency_add(&m->around[kept], edge);
}

/* Writes a merge of two roots down, and gives the smallest label of both to @p kept. */
static bool note(struct merger *m, uint32_t edge, uint32_t kept, uint32_t gone)
{
	const bool forth = m->smallest[kept] < m->smallest[gone];
	const uint32_t a = forth ? kept : gone, b = forth ? gone : kept;
	struct fx_agglomerate_log *log = m->log;

	if (log) {
		if (!fx_grow(&log->merges, &log->cap, log->len + 1, sizeof *log->merges))
			return false;
		log->merges[log->len++] =
			(struct fx_agglomerate_merge){ m->smallest[a],
						       m->smallest[b],
						       m->rag->size[a],
						       m->rag->size[b],
						       contact_faces(m->rag->hist[edge]),
						       fx_contact_score(m->rag->hist[edge], m->p) };
	}
	m->smallest[kept] = m->smallest[a];
	return true;
}

/* Merges the ends of @p edge. */
static bool merge(struct merger *m, uint32_t edge, double limit)
{
	uint32_t a = m->rag->edges[edge].a, b = m->rag->edges[edge].b;
	bool a_kept = m->around[a].len > m->around[b].len ||
		      (m->around[a].len == m->around[b].len && a < b);
	uint32_t kept = a_kept ? a : b, gone = a_kept ? b : a;
	struct adjacency moved = m->around[gone];
	bool good = note(m, edge, kept, gone);

	m->version[edge] = UINT32_MAX;
	m->parent[gone] = kept;
	m->rag->size[kept] = added(m->rag->size[kept], m->rag->size[gone]);
	link_neighbours(m, kept);
	for (size_t i = 0; i < moved.len && good; i++)
		if (m->version[moved.edges[i]] != UINT32_MAX)
			good = move_edge(m, moved.edges[i], kept, gone, limit);
	unlink_neighbours(m, kept);
	free(moved.edges);
	memset(&m->around[gone], 0, sizeof m->around[gone]);
	return good;
}

static bool refused(const struct merger *m, uint32_t edge)
{
	const struct fx_rag_edge *e = &m->rag->edges[edge];
	uint32_t a = m->rag->size[e->a], b = m->rag->size[e->b], smaller = a < b ? a : b;

	if (!(m->p->large_voxels > 0) || smaller < m->p->large_voxels)
		return false;
	return contact_faces(m->rag->hist[edge]) < m->p->large_contact * pow(smaller, 2.0 / 3);
}

/* Is one of both ends of the edge dust? */
static bool dusty(const struct merger *m, uint32_t edge)
{
	const struct fx_rag_edge *e = &m->rag->edges[edge];

	return m->rag->size[e->a] < m->p->dust_voxels || m->rag->size[e->b] < m->p->dust_voxels;
}

/* Merges all that wait; with @p dust only where an end is dust, at any score. */
static bool merge_all(struct merger *m, bool dust)
{
	double limit = dust ? (double)INFINITY : m->p->threshold;

	for (uint32_t i = 0; i < m->rag->edges_len; i++)
		if (m->version[i] != UINT32_MAX && !offer(m, i, limit))
			return false;
	while (m->heap_len) {
		struct pending next = heap_pop(m);

		if (m->version[next.edge] != next.version)
			continue;
		if (dust ? !dusty(m, next.edge) : refused(m, next.edge))
			continue;
		if (!merge(m, next.edge, limit))
			return false;
	}
	return true;
}

static bool merger_init(struct merger *m)
{
	struct fx_rag *rag = m->rag;
	size_t nodes = (size_t)rag->nodes + 1;

	m->parent = fx_calloc(nodes, sizeof *m->parent);
	m->around = fx_calloc(nodes, sizeof *m->around);
	m->link = fx_calloc(nodes, sizeof *m->link);
	m->version = fx_calloc(rag->edges_len, sizeof *m->version);
	m->smallest = fx_calloc(nodes, sizeof *m->smallest);
	if (!m->parent || !m->around || !m->link || !m->version || !m->smallest)
		return false;
	for (size_t i = 0; i < nodes; i++)
		m->parent[i] = m->smallest[i] = (uint32_t)i;
	for (size_t i = 0; i < rag->edges_len; i++)
		if (!adjacency_add(&m->around[rag->edges[i].a], (uint32_t)i) ||
		    !adjacency_add(&m->around[rag->edges[i].b], (uint32_t)i))
			return false;
	return true;
}

static void merger_fini(struct merger *m)
{
	for (size_t i = 0; m->around && i <= m->rag->nodes; i++)
		free(m->around[i].edges);
	free(m->around);
	free(m->parent);
	free(m->link);
	free(m->version);
	free(m->smallest);
	free(m->heap);
}

/* Numbers the roots in order of their smallest label, through link[], zero by now. */
static uint32_t number_roots(struct merger *m, uint32_t *root)
{
	uint32_t count = 0;

	root[0] = 0;
	for (uint32_t i = 1; i <= m->rag->nodes; i++) {
		uint32_t r = find_root(m->parent, i);

		if (!m->link[r])
			m->link[r] = ++count;
		root[i] = m->link[r];
	}
	return count;
}

int fx_agglomerate_logged(uint32_t *root, uint32_t *count, struct fx_rag *rag,
			  const struct fx_agglomerate_params *p, struct fx_agglomerate_log *log)
{
	struct merger m = { .rag = rag, .p = p, .log = log };
	bool good;

	good = rag->edges_len < UINT32_MAX && merger_init(&m) && merge_all(&m, false);
	if (good && p->dust_voxels > 0)
		good = merge_all(&m, true);
	if (good)
		*count = number_roots(&m, root);
	merger_fini(&m);
	return good ? FX_OK : FX_ENOMEM;
}

int fx_agglomerate(uint32_t *root, uint32_t *count, struct fx_rag *rag,
		   const struct fx_agglomerate_params *p)
{
	return fx_agglomerate_logged(root, count, rag, p, NULL);
}
