// SPDX-License-Identifier: Apache-2.0
/* morphometry.c: the shape of a tree in numbers. */
#include "kernels/morphometry.h"

#include <fornix/error.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/compensated.h"
#include "kernels/edgetree.h"
#include "kernels/treewalk.h"

enum { SPHERES = 64, SPHERES_MAX = 1 << 20 };

struct measure {
	const struct fx_tree *t;
	struct fx_treewalk walk;
	int32_t *root;	   /* owned: of each node */
	double *from_root; /* owned: straight distance */
	uint32_t *order;   /* owned: forks above a node; then Horton-Strahler numbers */
};

void fx_morphometry_fini(struct fx_morphometry *m)
{
	free(m->sholl);
	memset(m, 0, sizeof *m);
}

static int measure_open(struct measure *m)
{
	int rc = fx_treewalk_open(&m->walk, m->t);

	if (rc < 0)
		return rc;
	m->root = fx_calloc(m->t->len, sizeof *m->root);
	m->from_root = fx_calloc(m->t->len, sizeof *m->from_root);
	m->order = fx_calloc(m->t->len, sizeof *m->order);
	if (!m->root || !m->from_root || !m->order)
		return FX_ENOMEM;
	for (size_t i = 0; i < m->t->len; i++) {
		const struct fx_tree_node *n = &m->t->nodes[i];

		m->root[i] = n->parent < 0 ? (int32_t)i : m->root[n->parent];
		m->from_root[i] =
			sqrt(fx_point_distance2(n->pos_nm, m->t->nodes[m->root[i]].pos_nm));
	}
	return FX_OK;
}

static void measure_fini(struct measure *m)
{
	fx_treewalk_fini(&m->walk);
	free(m->root);
	free(m->from_root);
	free(m->order);
}

/* True where a branch begins or ends. */
static bool is_branch_end(const struct measure *m, size_t i)
{
	return m->t->nodes[i].parent < 0 || fx_treewalk_children(&m->walk, i) != 1;
}

static void measure_nodes(const struct measure *m, struct fx_morphometry *out)
{
	struct fx_sum length = { 0 }, radius = { 0 }, surface = { 0 }, volume = { 0 };
	const double pi = 3.14159265358979323846;
	double lo[3] = { (double)INFINITY, (double)INFINITY, (double)INFINITY },
	       hi[3] = { -(double)INFINITY, -(double)INFINITY, -(double)INFINITY };

	for (size_t i = 0; i < m->t->len; i++) {
		const struct fx_tree_node *n = &m->t->nodes[i];
		const size_t children = fx_treewalk_children(&m->walk, i);
		const bool root = n->parent < 0;

		out->trees += root;
		out->stems += root ? children : 0;
		out->forks += !root && children > 1;
		out->tips += !root && !children;
		fx_sum_add(&length, m->walk.up[i]);
		fx_sum_add(&radius, n->radius_nm);
		fx_sum_add(&surface, 2 * pi * n->radius_nm * m->walk.up[i]);
		fx_sum_add(&volume, pi * n->radius_nm * n->radius_nm * m->walk.up[i]);
		out->path_max = fmax(out->path_max, m->walk.path[i]);
		out->far_max = fmax(out->far_max, m->from_root[i]);
		for (int a = 0; a < 3; a++) {
			lo[a] = fmin(lo[a], n->pos_nm[a]);
			hi[a] = fmax(hi[a], n->pos_nm[a]);
		}
	}
	for (int a = 0; m->t->len && a < 3; a++)
		out->span[a] = hi[a] - lo[a];
	out->nodes = m->t->len;
	out->length = fx_sum_value(&length);
	out->radius_mean = m->t->len ? fx_sum_value(&radius) / (double)m->t->len : 0;
	out->surface = fx_sum_value(&surface);
	out->volume = fx_sum_value(&volume);
}

/* Where the branch that ends at node i begins, and how long it is. */
static size_t branch_start(const struct measure *m, size_t i, double *length)
{
	size_t at = i;

	*length = 0;
	do {
		*length += m->walk.up[at];
		at = (size_t)m->t->nodes[at].parent;
	} while (!is_branch_end(m, at));
	return at;
}

static void measure_branches(const struct measure *m, struct fx_morphometry *out)
{
	struct fx_sum tortuosity = { 0 }, contraction = { 0 };
	size_t counted = 0;

	for (size_t i = 0; i < m->t->len; i++) {
		double length, straight;
		size_t start;

		if (m->t->nodes[i].parent < 0 || !is_branch_end(m, i))
			continue;
		start = branch_start(m, i, &length);
		out->branches++;
		straight =
			sqrt(fx_point_distance2(m->t->nodes[i].pos_nm, m->t->nodes[start].pos_nm));
		if (!(straight > 0))
			continue;
		counted++;
		fx_sum_add(&tortuosity, length / straight);
		fx_sum_add(&contraction, straight / length);
	}
	out->tortuosity = counted ? fx_sum_value(&tortuosity) / (double)counted : 0;
	out->contraction = counted ? fx_sum_value(&contraction) / (double)counted : 0;
}

static void measure_orders(struct measure *m, struct fx_morphometry *out)
{
	for (size_t i = 0; i < m->t->len; i++) {
		const int32_t up = m->t->nodes[i].parent;

		if (up >= 0)
			m->order[i] =
				m->order[up] + (m->t->nodes[up].parent >= 0 &&
						fx_treewalk_children(&m->walk, (size_t)up) > 1);
		out->order_max = m->order[i] > out->order_max ? m->order[i] : out->order_max;
	}
	for (size_t i = m->t->len; i--;) {
		uint32_t highest = 1, twice = 0;

		for (int32_t c = m->walk.first[i]; c < m->walk.first[i + 1]; c++) {
			const uint32_t order = m->order[m->walk.child[c]];

			if (order > highest || (order == highest && !twice)) {
				highest = order;
				twice = 1;
			} else if (order == highest) {
				twice = 2;
			}
		}
		m->order[i] = highest + (twice > 1);
		out->strahler = m->order[i] > out->strahler ? m->order[i] : out->strahler;
	}
}

static int measure_sholl(const struct measure *m, double step, struct fx_morphometry *out)
{
	if (!(step > 0))
		step = out->far_max / SPHERES;
	if (!(step > 0))
		return FX_OK;
	if (!(out->far_max / step < SPHERES_MAX))
		return FX_EINVAL;
	out->sholl_step = step;
	out->sholl_len = (size_t)(out->far_max / step);
	out->sholl = fx_calloc(out->sholl_len, sizeof *out->sholl);
	if (!out->sholl)
		return FX_ENOMEM;
	for (size_t i = 0; i < m->t->len; i++) {
		const int32_t up = m->t->nodes[i].parent;
		const double a = m->from_root[i], b = up < 0 ? a : m->from_root[up];

		/* spheres with the one end inside and the other one on it or outside */
		for (size_t s = (size_t)(fmin(a, b) / step); s < out->sholl_len; s++) {
			const double r = (double)(s + 1) * step;

			if (r > fmax(a, b))
				break;
			out->sholl[s] += r > fmin(a, b);
		}
	}
	for (size_t s = 0; s < out->sholl_len; s++)
		if (out->sholl[s] > out->sholl_max) {
			out->sholl_max = out->sholl[s];
			out->sholl_radius = (double)(s + 1) * step;
		}
	return FX_OK;
}

int fx_morphometry_measure(const struct fx_tree *t, double sholl_step, struct fx_morphometry *out)
{
	struct measure m = { .t = t };
	int rc;

	memset(out, 0, sizeof *out);
	rc = measure_open(&m);
	if (rc == FX_OK) {
		measure_nodes(&m, out);
		measure_branches(&m, out);
		measure_orders(&m, out);
		rc = measure_sholl(&m, sholl_step, out);
	}
	measure_fini(&m);
	if (rc < 0)
		fx_morphometry_fini(out);
	return rc;
}
