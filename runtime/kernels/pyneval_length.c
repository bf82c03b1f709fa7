// SPDX-License-Identifier: Apache-2.0
/* pyneval_length.c: matched length by the rules of PyNeval. An edge is named by its lower node. */
#include "kernels/pyneval.h"

#include <fornix/error.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/compensated.h"
#include "kernels/edgetree.h"
#include "kernels/treewalk.h"

static const double used_gap = 0.001; /* by how much a used part of an edge ends before its end */

/* A used part of an edge, as shares of its length from the lower node; a list for each edge. */
struct part {
	double from, to;
	size_t next; /* index + 1, 0 ends the list */
};

/* An edge of the test near an end of an edge of gold. */
struct hit {
	double distance, foot[3];
	int32_t node; /* lower node of the edge */
	int32_t rank;
};

struct length {
	const struct fx_tree *test, *gold;
	struct fx_treewalk test_walk, gold_walk;
	struct fx_edge *edges; /* owned: of the test */
	int32_t *edge_nodes;   /* owned */
	int32_t *rank;	       /* owned: by node of the test: its place in the order of nodes */
	int32_t *order;	       /* owned: nodes of gold in the order they are looked at */
	struct fx_edgetree tree;
	struct part *parts; /* owned */
	size_t parts_len, parts_cap;
	size_t *used; /* owned: by node of the test: first part of its edge, index + 1 */
	bool *whole;  /* owned: by node of the test: its whole edge is used */
	struct fx_sum matched_gold, matched_test;
};

/* What lies near one point. */
struct hits {
	const struct length *l;
	struct hit *at; /* owned */
	size_t len, cap;
	double point[3], radius;
};

/* The way between two feet along the test. */
struct way {
	const struct hit *ends[2];
	int32_t top; /* node that both ends lie below, or at; -1: they are not in one tree */
	double length;
	struct part parts[2]; /* of the edges at its ends; the first alone when they are one */
};

static int hits_found(uint32_t edge, void *data)
{
	struct hits *h = data;
	struct hit hit = { .node = h->l->edge_nodes[edge] };

	/* an edge without length is none */
	if (!(h->l->test_walk.up[hit.node] > 0))
		return FX_OK;
	fx_edge_foot(&h->l->edges[edge], h->point, hit.foot);
	hit.distance = sqrt(fx_point_distance2(h->point, hit.foot));
	hit.rank = h->l->rank[hit.node];
	if (hit.distance > h->radius)
		return FX_OK;
	if (!fx_grow(&h->at, &h->cap, h->len + 1, sizeof *h->at))
		return FX_ENOMEM;
	h->at[h->len++] = hit;
	return FX_OK;
}

static int hit_compare(const void *a, const void *b)
{
	const struct hit *p = a, *q = b;

	if (p->distance != q->distance)
		return p->distance > q->distance ? 1 : -1;
	return (p->rank > q->rank) - (p->rank < q->rank);
}

static int hits_look(struct hits *h, const struct fx_tree_node *n, double radius)
{
	int rc;

	h->len = 0;
	h->radius = radius * n->radius_nm;
	memcpy(h->point, n->pos_nm, sizeof h->point);
	rc = h->radius >= 0 ? fx_edgetree_near(&h->l->tree, h->point, h->radius, hits_found, h) :
			      FX_OK;
	if (rc == FX_OK && h->len)
		qsort(h->at, h->len, sizeof *h->at, hit_compare);
	return rc;
}

/* The lowest node that a and b both lie below, or are; -1 without. Parents come before children. */
static int32_t common(const struct fx_tree *t, int32_t a, int32_t b)
{
	while (a != b && a >= 0 && b >= 0) {
		if (a > b)
			a = t->nodes[a].parent;
		else
			b = t->nodes[b].parent;
	}
	return a == b ? a : -1;
}

static double foot_to(const struct length *l, const struct hit *h, int32_t node)
{
	return sqrt(fx_point_distance2(h->foot, l->test->nodes[node].pos_nm));
}

/* Both feet on one edge. */
static void way_along(const struct length *l, struct way *w)
{
	const struct hit *a = w->ends[0], *b = w->ends[1];
	const double from = foot_to(l, a, a->node) / l->test_walk.up[a->node];
	const double to = foot_to(l, b, a->node) / l->test_walk.up[a->node];

	w->top = a->node;
	w->length = sqrt(fx_point_distance2(a->foot, b->foot));
	w->parts[0] = (struct part){ fmin(from, to), fmax(from, to) - used_gap, 0 };
}

static void way_find(const struct length *l, const struct hit *a, const struct hit *b,
		     struct way *w)
{
	*w = (struct way){ .ends = { a, b } };
	if (a->node == b->node) {
		way_along(l, w);
		return;
	}
	w->top = common(l->test, a->node, b->node);
	for (int i = 0; w->top >= 0 && i < 2; i++) {
		const struct hit *h = w->ends[i];
		const double share = foot_to(l, h, h->node) / l->test_walk.up[h->node];
		const int32_t up = l->test->nodes[h->node].parent;

		if (h->node == w->top) { /* down to the edge's lower node, where the way goes on */
			w->length += foot_to(l, h, h->node);
			w->parts[i] = (struct part){ 0, share - used_gap, 0 };
		} else {
			w->length += foot_to(l, h, up) + l->test_walk.path[up] -
				     l->test_walk.path[w->top];
			w->parts[i] = (struct part){ share, 1 - used_gap, 0 };
		}
	}
}

/* True when a part of the edge can be used: nothing of it was. Parts end in both their ends. */
static bool part_free(const struct length *l, int32_t node, const struct part *p)
{
	if (l->whole[node])
		return false;
	for (size_t i = l->used[node]; i && p->from <= p->to; i = l->parts[i - 1].next) {
		const struct part *q = &l->parts[i - 1];

		if (p->from != p->to && q->from != q->to && p->from <= q->to && q->from <= p->to)
			return false;
	}
	return true;
}

static int part_use(struct length *l, int32_t node, struct part p)
{
	if (!(p.from < p.to))
		return FX_OK;
	if (!fx_grow(&l->parts, &l->parts_cap, l->parts_len + 1, sizeof *l->parts))
		return FX_ENOMEM;
	p.next = l->used[node];
	l->parts[l->parts_len++] = p;
	l->used[node] = l->parts_len;
	return FX_OK;
}

/* The edges between the one at end i and the top: whether all are free; or all become used. */
static bool way_between(struct length *l, const struct way *w, int i, bool use)
{
	int32_t node = w->ends[i]->node;

	if (node != w->top)
		node = l->test->nodes[node].parent;
	for (; node != w->top; node = l->test->nodes[node].parent) {
		if (use)
			l->whole[node] = true;
		else if (l->whole[node] || l->used[node])
			return false;
	}
	return true;
}

/* Uses a way when all of it is free. */
static int way_use(struct length *l, const struct way *w, bool *done)
{
	const int ends = w->ends[0]->node == w->ends[1]->node ? 1 : 2;
	int rc = FX_OK;

	*done = true;
	for (int i = 0; *done && i < ends; i++)
		*done = way_between(l, w, i, false) && part_free(l, w->ends[i]->node, &w->parts[i]);
	for (int i = 0; *done && rc == FX_OK && i < ends; i++) {
		way_between(l, w, i, true);
		rc = part_use(l, w->ends[i]->node, w->parts[i]);
	}
	return rc;
}

static int edge_match(struct length *l, int32_t node, const struct hits ends[2], double share)
{
	const double length = l->gold_walk.up[node];
	bool done = false;
	int rc = FX_OK;

	for (size_t a = 0; rc == FX_OK && !done && a < ends[0].len; a++)
		for (size_t b = 0; rc == FX_OK && !done && b < ends[1].len; b++) {
			struct way w;

			/* the way is not shorter than the straight one */
			if (sqrt(fx_point_distance2(ends[0].at[a].foot, ends[1].at[b].foot)) >
			    (1 + share) * length * (1 + 1e-9))
				continue;
			way_find(l, &ends[0].at[a], &ends[1].at[b], &w);
			if (w.top < 0 || !(fabs(w.length - length) < share * length))
				continue;
			rc = way_use(l, &w, &done);
			if (done) {
				fx_sum_add(&l->matched_gold, length);
				fx_sum_add(&l->matched_test, w.length);
			}
		}
	return rc;
}

static int length_open(struct length *l)
{
	size_t edges;
	int rc = fx_treewalk_open(&l->test_walk, l->test);

	if (rc == FX_OK)
		rc = fx_treewalk_open(&l->gold_walk, l->gold);
	if (rc == FX_OK)
		rc = fx_tree_edges(l->test, &l->edges, &l->edge_nodes, &edges);
	if (rc == FX_OK)
		rc = fx_edgetree_build(&l->tree, l->edges, edges);
	if (rc < 0)
		return rc;
	l->order = fx_calloc(l->test->len > l->gold->len ? l->test->len : l->gold->len,
			     sizeof *l->order);
	l->rank = fx_calloc(l->test->len, sizeof *l->rank);
	l->used = fx_calloc(l->test->len, sizeof *l->used);
	l->whole = fx_calloc(l->test->len, sizeof *l->whole);
	if (!l->order || !l->rank || !l->used || !l->whole)
		return FX_ENOMEM;
	rc = fx_treewalk_stack_order(&l->test_walk, l->order);
	for (size_t i = 0; rc == FX_OK && i < l->test->len; i++)
		l->rank[l->order[i]] = (int32_t)i;
	return rc == FX_OK ? fx_treewalk_stack_order(&l->gold_walk, l->order) : rc;
}

static void length_fini(struct length *l)
{
	fx_treewalk_fini(&l->test_walk);
	fx_treewalk_fini(&l->gold_walk);
	fx_edgetree_fini(&l->tree);
	free(l->edges);
	free(l->edge_nodes);
	free(l->rank);
	free(l->order);
	free(l->parts);
	free(l->used);
	free(l->whole);
}

static double total(const struct fx_treewalk *w)
{
	struct fx_sum sum = { 0 };

	for (size_t i = 0; i < w->len; i++)
		fx_sum_add(&sum, w->up[i]);
	return fx_sum_value(&sum);
}

int fx_pyneval_length(const struct fx_tree *test, const struct fx_tree *gold, double radius,
		      double share, struct fx_pyneval_length *out)
{
	struct length l = { .test = test, .gold = gold };
	struct hits ends[2] = { { .l = &l }, { .l = &l } };
	int rc = length_open(&l);

	memset(out, 0, sizeof *out);
	for (size_t i = 0; rc == FX_OK && i < gold->len; i++) {
		const struct fx_tree_node *n = &gold->nodes[l.order[i]];

		if (n->parent < 0)
			continue;
		rc = hits_look(&ends[0], n, radius);
		if (rc == FX_OK)
			rc = hits_look(&ends[1], &gold->nodes[n->parent], radius);
		if (rc == FX_OK)
			rc = edge_match(&l, l.order[i], ends, share);
	}
	if (rc == FX_OK) {
		out->gold = total(&l.gold_walk);
		out->test = total(&l.test_walk);
		if (out->gold > 0)
			out->recall = fmin(1, fx_sum_value(&l.matched_gold) / out->gold);
		if (out->test > 0)
			out->precision = fmin(1, fx_sum_value(&l.matched_test) / out->test);
	}
	free(ends[0].at);
	free(ends[1].at);
	length_fini(&l);
	return rc;
}
