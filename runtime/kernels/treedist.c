// SPDX-License-Identifier: Apache-2.0
/* treedist.c: how far two tracings of a neuron lie apart. */
#include "kernels/treedist.h"

#include <fornix/error.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/compensated.h"
#include "kernels/edgetree.h"

/* What the points of one edge add up to. */
struct tally {
	double all, far, max;
	size_t points, far_points;
};

static const double edge_points_max = 16777216, all_points_max = 1099511627776.0;

static double edge_length(const struct fx_edge *e)
{
	return sqrt(fx_point_distance2(e->a, e->b));
}

static void edge_tally(const struct fx_edge *e, const struct fx_edgetree *other, double far,
		       struct tally *t)
{
	t->points = (size_t)(1 + edge_length(e) + 0.5);
	for (size_t j = 0; j < t->points; j++) {
		double p[3], d;

		for (int i = 0; i < 3; i++)
			p[i] = t->points > 1 ? e->a[i] + (e->b[i] - e->a[i]) * (double)j /
								 (double)(t->points - 1) :
					       e->a[i];
		d = sqrt(fx_edgetree_nearest(other, p, NULL));
		t->all += d;
		t->max = fmax(t->max, d);
		if (d >= far) {
			t->far += d;
			t->far_points++;
		}
	}
}

/* True when the points of all edges, one each `step` of length, are not too many. */
static bool edges_are_short(const struct fx_edge *e, size_t len, double step)
{
	double sum = 0;

	for (size_t i = 0; i < len; i++) {
		const double n = edge_length(&e[i]) / step;

		if (!(n < edge_points_max))
			return false;
		sum += n;
	}
	return sum < all_points_max;
}

/* All points of the edges against the other tree. The sum over edges is taken in their order. */
static int direction(const struct fx_edge *edges, size_t len, const struct fx_edgetree *other,
		     double far, struct tally *out)
{
	struct tally *tallies = fx_calloc(len, sizeof *tallies);
	struct fx_sum all = { 0 }, far_sum = { 0 };

	if (!tallies)
		return FX_ENOMEM;
#pragma omp parallel for schedule(dynamic, 64)
	for (size_t i = 0; i < len; i++)
		edge_tally(&edges[i], other, far, &tallies[i]);
	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < len; i++) {
		fx_sum_add(&all, tallies[i].all);
		fx_sum_add(&far_sum, tallies[i].far);
		out->max = fmax(out->max, tallies[i].max);
		out->points += tallies[i].points;
		out->far_points += tallies[i].far_points;
	}
	out->all = fx_sum_value(&all);
	out->far = fx_sum_value(&far_sum);
	free(tallies);
	return FX_OK;
}

static void distances(const struct tally *a, const struct tally *b, struct fx_treedist *out)
{
	double far = 0;
	int ways = 0;

	out->esa12 = a->all / (double)a->points;
	out->esa21 = b->all / (double)b->points;
	out->esa = (out->esa12 + out->esa21) / 2;
	if (a->far_points) {
		far += a->far / (double)a->far_points;
		ways++;
	}
	if (b->far_points) {
		far += b->far / (double)b->far_points;
		ways++;
	}
	out->dsa = ways ? far / ways : 0;
	out->pds12 = (double)a->far_points / (double)a->points;
	out->pds21 = (double)b->far_points / (double)b->points;
	out->pds = (out->pds12 + out->pds21) / 2;
	out->max = fmin(a->max, b->max);
	out->points[0] = a->points;
	out->points[1] = b->points;
}

/* Two trees as edges, and those for questions. */
struct pair {
	struct fx_edge *edges[2]; /* owned */
	size_t len[2];
	struct fx_edgetree trees[2];
};

static void pair_fini(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		free(p->edges[i]);
		fx_edgetree_fini(&p->trees[i]);
	}
}

static int pair_open(struct pair *p, const struct fx_tree *a, const struct fx_tree *b)
{
	int rc = fx_tree_edges(a, &p->edges[0], NULL, &p->len[0]);

	if (rc == FX_OK)
		rc = fx_tree_edges(b, &p->edges[1], NULL, &p->len[1]);
	for (int i = 0; rc == FX_OK && i < 2; i++)
		rc = fx_edgetree_build(&p->trees[i], p->edges[i], p->len[i]);
	return rc;
}

int fx_treedist_compute(const struct fx_tree *a, const struct fx_tree *b, double far,
			struct fx_treedist *out)
{
	struct pair p = { 0 };
	struct tally there, back;
	int rc = pair_open(&p, a, b);

	*out = (struct fx_treedist){ -1, -1, -1, -1, -1, -1, -1, -1, { 0, 0 } };
	for (int i = 0; rc == FX_OK && i < 2; i++)
		if (!edges_are_short(p.edges[i], p.len[i], 1))
			rc = FX_EINVAL;
	if (rc == FX_OK && p.len[0] && p.len[1]) {
		rc = direction(p.edges[0], p.len[0], &p.trees[1], far, &there);
		if (rc == FX_OK)
			rc = direction(p.edges[1], p.len[1], &p.trees[0], far, &back);
		if (rc == FX_OK)
			distances(&there, &back, out);
	}
	pair_fini(&p);
	return rc;
}

static double edge_covered(const struct fx_edge *e, const struct fx_edgetree *other,
			   double tolerance, double *length)
{
	const double pieces = fmax(1, ceil(edge_length(e) / (tolerance / 4)));
	size_t near = 0;

	*length = edge_length(e);
	for (size_t j = 0; j < (size_t)pieces; j++) {
		double p[3];

		for (int i = 0; i < 3; i++)
			p[i] = e->a[i] + (e->b[i] - e->a[i]) * ((double)j + 0.5) / pieces;
		near += fx_edgetree_nearest(other, p, NULL) <= tolerance * tolerance;
	}
	return *length * (double)near / pieces;
}

static void cover(const struct fx_edge *edges, size_t len, const struct fx_edgetree *other,
		  double tolerance, double *share, double *total)
{
	struct fx_sum all = { 0 }, near = { 0 };

	for (size_t i = 0; i < len; i++) {
		double length;

		fx_sum_add(&near, edge_covered(&edges[i], other, tolerance, &length));
		fx_sum_add(&all, length);
	}
	*total = fx_sum_value(&all);
	*share = *total > 0 ? fmin(1, fx_sum_value(&near) / *total) : 0;
}

/* A tree's places: its edges, and its nodes as edges without length (a tree may be one node). */
static int places(const struct fx_tree *t, struct fx_edge **out, size_t *len)
{
	struct fx_edge *e = fx_calloc(t->len, sizeof *e);

	if (!e)
		return FX_ENOMEM;
	for (size_t i = 0; i < t->len; i++) {
		const int32_t up = t->nodes[i].parent;

		memcpy(e[i].a, t->nodes[i].pos_nm, sizeof e[i].a);
		memcpy(e[i].b, t->nodes[up < 0 ? (int32_t)i : up].pos_nm, sizeof e[i].b);
	}
	*out = e;
	*len = t->len;
	return FX_OK;
}

static double nodes_covered(const struct fx_tree *t, const struct fx_edgetree *other,
			    double tolerance)
{
	size_t near = 0;

	for (size_t i = 0; i < t->len; i++)
		near += fx_edgetree_nearest(other, t->nodes[i].pos_nm, NULL) <=
			tolerance * tolerance;
	return t->len ? (double)near / (double)t->len : 0;
}

int fx_treecover_compute(const struct fx_tree *a, const struct fx_tree *b, double tolerance,
			 struct fx_treecover *out)
{
	const struct fx_tree *const trees[2] = { a, b };
	struct pair p = { 0 };
	int rc = FX_OK;

	memset(out, 0, sizeof *out);
	for (int i = 0; rc == FX_OK && i < 2; i++) {
		rc = places(trees[i], &p.edges[i], &p.len[i]);
		if (rc == FX_OK && !edges_are_short(p.edges[i], p.len[i], tolerance / 4))
			rc = FX_EINVAL;
		if (rc == FX_OK)
			rc = fx_edgetree_build(&p.trees[i], p.edges[i], p.len[i]);
	}
	for (int i = 0; rc == FX_OK && i < 2; i++) {
		out->nodes[i] = nodes_covered(trees[i], &p.trees[1 - i], tolerance);
		cover(p.edges[i], p.len[i], &p.trees[1 - i], tolerance, &out->length[i],
		      &out->total[i]);
	}
	pair_fini(&p);
	return rc;
}
