// SPDX-License-Identifier: Apache-2.0
/* edgetree.c: line segments in space. */
#include "kernels/edgetree.h"

#include <fornix/error.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { LEAF = 8, DEPTH_MAX = 64 };

/* A segment to be sorted along an axis. */
struct rank {
	double at;
	uint32_t edge;
};

void fx_edgetree_fini(struct fx_edgetree *t)
{
	free(t->order);
	free(t->boxes);
	memset(t, 0, sizeof *t);
}

double fx_point_distance2(const double a[3], const double b[3])
{
	const double z = a[0] - b[0], y = a[1] - b[1], x = a[2] - b[2];

	return z * z + y * y + x * x;
}

void fx_edge_foot(const struct fx_edge *e, const double p[3], double foot[3])
{
	double along = 0, square = 0, t;

	for (int i = 0; i < 3; i++) {
		const double d = e->b[i] - e->a[i];

		along += (p[i] - e->a[i]) * d;
		square += d * d;
	}
	t = square > 0 ? along / square : 0;
	for (int i = 0; i < 3; i++)
		foot[i] = t <= 0 ? e->a[i] : t >= 1 ? e->b[i] : e->a[i] + t * (e->b[i] - e->a[i]);
}

static int rank_compare(const void *a, const void *b)
{
	const struct rank *p = a, *q = b;

	if (p->at != q->at)
		return p->at > q->at ? 1 : -1;
	return (p->edge > q->edge) - (p->edge < q->edge);
}

static void box_around(struct fx_edgetree *t, struct fx_edgebox *box)
{
	for (int a = 0; a < 3; a++) {
		box->lo[a] = (double)INFINITY;
		box->hi[a] = -(double)INFINITY;
	}
	for (uint32_t i = 0; i < box->len; i++) {
		const struct fx_edge *e = &t->edges[t->order[box->first + i]];

		for (int a = 0; a < 3; a++) {
			box->lo[a] = fmin(box->lo[a], fmin(e->a[a], e->b[a]));
			box->hi[a] = fmax(box->hi[a], fmax(e->a[a], e->b[a]));
		}
	}
}

/* Sorts the segments of a box along its longest axis. */
static void box_sort(struct fx_edgetree *t, const struct fx_edgebox *box, struct rank *ranks)
{
	int axis = 0;

	for (int a = 1; a < 3; a++)
		if (box->hi[a] - box->lo[a] > box->hi[axis] - box->lo[axis])
			axis = a;
	for (uint32_t i = 0; i < box->len; i++) {
		const uint32_t e = t->order[box->first + i];

		ranks[i] = (struct rank){ t->edges[e].a[axis] + t->edges[e].b[axis], e };
	}
	qsort(ranks, box->len, sizeof *ranks, rank_compare);
	for (uint32_t i = 0; i < box->len; i++)
		t->order[box->first + i] = ranks[i].edge;
}

static void box_make(struct fx_edgetree *t, uint32_t first, uint32_t len, struct rank *ranks)
{
	const uint32_t self = t->boxes_len++;
	struct fx_edgebox *const box = &t->boxes[self];

	*box = (struct fx_edgebox){ .first = first, .len = len };
	box_around(t, box);
	if (len <= LEAF)
		return;
	box_sort(t, box, ranks);
	box_make(t, first, len / 2, ranks);
	box->right = t->boxes_len;
	box_make(t, first + len / 2, len - len / 2, ranks);
}

int fx_edgetree_build(struct fx_edgetree *t, const struct fx_edge *edges, size_t len)
{
	struct rank *ranks;

	if (len >= (size_t)1 << 30)
		return FX_EINVAL;
	t->edges = edges;
	t->len = (uint32_t)len;
	t->order = fx_calloc(len, sizeof *t->order);
	t->boxes = fx_calloc(len ? 2 * (len / (LEAF / 2)) + 1 : 1, sizeof *t->boxes);
	ranks = fx_calloc(len, sizeof *ranks);
	if (!t->order || !t->boxes || !ranks) {
		free(ranks);
		fx_edgetree_fini(t);
		return FX_ENOMEM;
	}
	for (uint32_t i = 0; i < t->len; i++)
		t->order[i] = i;
	if (len)
		box_make(t, 0, t->len, ranks);
	free(ranks);
	return FX_OK;
}

static double box_distance2(const struct fx_edgebox *box, const double p[3])
{
	double sum = 0;

	for (int a = 0; a < 3; a++) {
		const double d = p[a] < box->lo[a] ? box->lo[a] - p[a] :
				 p[a] > box->hi[a] ? p[a] - box->hi[a] :
						     0;

		sum += d * d;
	}
	return sum;
}

/* The nearest of the segments of a leaf, if it beats what is known. */
static void box_nearest(const struct fx_edgetree *t, const struct fx_edgebox *box,
			const double p[3], double *best, uint32_t *edge)
{
	for (uint32_t i = 0; i < box->len; i++) {
		const uint32_t e = t->order[box->first + i];
		double foot[3], d;

		fx_edge_foot(&t->edges[e], p, foot);
		d = fx_point_distance2(p, foot);
		if (d < *best || (d == *best && e < *edge)) {
			*best = d;
			*edge = e;
		}
	}
}

double fx_edgetree_nearest(const struct fx_edgetree *t, const double p[3], uint32_t *edge)
{
	uint32_t stack[DEPTH_MAX], depth = 0, found = UINT32_MAX;
	double best = (double)INFINITY;

	if (t->boxes_len)
		stack[depth++] = 0;
	while (depth) {
		const uint32_t at = stack[--depth];
		const struct fx_edgebox *box = &t->boxes[at];

		/* a hair more than the best, as rounding may make a box seem further than its
		 * content */
		if (box_distance2(box, p) > best + best * 1e-12)
			continue;
		if (!box->right) {
			box_nearest(t, box, p, &best, &found);
			continue;
		}
		if (box_distance2(box + 1, p) <= box_distance2(&t->boxes[box->right], p)) {
			stack[depth++] = box->right;
			stack[depth++] = at + 1;
		} else {
			stack[depth++] = at + 1;
			stack[depth++] = box->right;
		}
	}
	if (edge)
		*edge = found;
	return best;
}

/* True when the box, wider by radius, holds p. */
static bool box_reaches(const struct fx_edgebox *box, const double p[3], double radius)
{
	for (int a = 0; a < 3; a++)
		if (p[a] < box->lo[a] - radius || p[a] > box->hi[a] + radius)
			return false;
	return true;
}

int fx_edgetree_near(const struct fx_edgetree *t, const double p[3], double radius,
		     int (*found)(uint32_t edge, void *data), void *data)
{
	uint32_t stack[DEPTH_MAX], depth = 0;
	int rc = 0;

	if (t->boxes_len)
		stack[depth++] = 0;
	while (depth && !rc) {
		const uint32_t at = stack[--depth];
		const struct fx_edgebox *box = &t->boxes[at];

		if (!box_reaches(box, p, radius))
			continue;
		if (box->right) {
			stack[depth++] = box->right;
			stack[depth++] = at + 1;
			continue;
		}
		for (uint32_t i = 0; i < box->len && !rc; i++) {
			const uint32_t e = t->order[box->first + i];
			struct fx_edgebox one = { 0 };

			for (int a = 0; a < 3; a++) {
				one.lo[a] = fmin(t->edges[e].a[a], t->edges[e].b[a]);
				one.hi[a] = fmax(t->edges[e].a[a], t->edges[e].b[a]);
			}
			if (box_reaches(&one, p, radius))
				rc = found(e, data);
		}
	}
	return rc;
}

int fx_tree_edges(const struct fx_tree *t, struct fx_edge **edges, int32_t **nodes, size_t *len)
{
	struct fx_edge *e = fx_calloc(t->len, sizeof *e);
	int32_t *of = fx_calloc(t->len, sizeof *of);
	size_t n = 0;

	if (!e || !of) {
		free(e);
		free(of);
		return FX_ENOMEM;
	}
	for (size_t i = 0; i < t->len; i++) {
		const struct fx_tree_node *node = &t->nodes[i];

		if (node->parent < 0)
			continue;
		memcpy(e[n].a, node->pos_nm, sizeof e[n].a);
		memcpy(e[n].b, t->nodes[node->parent].pos_nm, sizeof e[n].b);
		of[n++] = (int32_t)i;
	}
	*edges = e;
	*len = n;
	if (nodes)
		*nodes = of;
	else
		free(of);
	return FX_OK;
}
