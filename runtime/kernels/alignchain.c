// SPDX-License-Identifier: Apache-2.0
/* alignchain.c: places of sections that fit what is known of pairs of them, all at once. */
#include "kernels/alignchain.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/spd.h"

enum { PLACES = 5, REWEIGHTS = 8 };

/* The system: a node that is not fixed has a column for each of the basis functions 1, y, x. A map
 * is p + sum of the basis times its coefficients, which differ for y and x: two right sides. */
struct system {
	struct fx_chain *c;
	size_t basis, n;
	size_t *column; /* owned, of each node; SIZE_MAX when it is fixed */
	double *normal; /* owned, n x n */
	double *right;	/* owned, n x 2 */
	double middle[2], half[2];
};

/* One equation: sum of factors times columns is value. */
struct equation {
	size_t len, column[6];
	double factor[6], value[2];
};

static void system_fini(struct system *s)
{
	free(s->column);
	free(s->normal);
	free(s->right);
}

static int system_init(struct system *s, struct fx_chain *c)
{
	size_t n = 0, squares;
	bool held = false;

	*s = (struct system){ .c = c, .basis = c->motion == FX_MOTION_SHIFT ? 1 : 3 };
	s->middle[0] = ((double)c->height - 1) / 2;
	s->middle[1] = ((double)c->width - 1) / 2;
	s->half[0] = fmax(1, s->middle[0]);
	s->half[1] = fmax(1, s->middle[1]);
	s->column = fx_calloc(c->nodes_len, sizeof *s->column);
	if (!s->column)
		return FX_ENOMEM;
	for (size_t i = 0; i < c->nodes_len; i++)
		held |= c->nodes[i].fixed;
	if (!held && c->nodes_len)
		c->nodes[0].map = fx_affine2_shift(0, 0);
	for (size_t i = 0; i < c->nodes_len; i++) {
		const bool fixed = c->nodes[i].fixed || (!held && i == 0);

		s->column[i] = fixed ? SIZE_MAX : n;
		n += fixed ? 0 : s->basis;
	}
	s->n = n;
	if (!fx_mul_size(n, n, &squares))
		return FX_ENOMEM;
	s->normal = fx_calloc(squares, sizeof *s->normal);
	s->right = fx_calloc(2 * n, sizeof *s->right);
	return s->normal && s->right ? FX_OK : FX_ENOMEM;
}

static void system_basis(const struct system *s, const double p[2], double to[3])
{
	to[0] = 1;
	to[1] = (p[0] - s->middle[0]) / s->half[0];
	to[2] = (p[1] - s->middle[1]) / s->half[1];
}

/* Adds @p sign times the map of a node at @p p. */
static void equation_add(const struct system *s, struct equation *e, size_t node, const double p[2],
			 double sign)
{
	double to[2], b[3];

	if (s->column[node] == SIZE_MAX) {
		fx_affine2_apply(&s->c->nodes[node].map, p, to);
		e->value[0] -= sign * to[0];
		e->value[1] -= sign * to[1];
		return;
	}
	system_basis(s, p, b);
	for (size_t i = 0; i < s->basis; i++) {
		e->column[e->len] = s->column[node] + i;
		e->factor[e->len++] = sign * b[i];
	}
	e->value[0] -= sign * p[0];
	e->value[1] -= sign * p[1];
}

static void system_add(struct system *s, const struct equation *e, double weight)
{
	for (size_t i = 0; i < e->len; i++) {
		for (size_t j = 0; j < e->len; j++)
			s->normal[e->column[i] * s->n + e->column[j]] +=
				weight * e->factor[i] * e->factor[j];
		for (size_t a = 0; a < 2; a++)
			s->right[e->column[i] * 2 + a] += weight * e->factor[i] * e->value[a];
	}
}

/* Corners, two thirds of the way from the middle, and the middle. */
static void system_place(const struct system *s, int k, double p[2])
{
	p[0] = s->middle[0] + (k < 4 ? (k & 1 ? 0.67 : -0.67) * s->half[0] : 0);
	p[1] = s->middle[1] + (k < 4 ? (k & 2 ? 0.67 : -0.67) * s->half[1] : 0);
}

/* What the tissue moves by at @p p between the sections of an edge. */
static void chain_moved(const struct system *s, const struct fx_chain_edge *edge, const double p[2],
			double by[2])
{
	const double gap = s->c->nodes[edge->one].z - s->c->nodes[edge->other].z;
	double b[3];

	system_basis(s, p, b);
	for (int a = 0; a < 2; a++) {
		by[a] = 0;
		for (size_t i = 0; i < s->basis; i++)
			by[a] += gap * s->c->moves[a][i] * b[i];
	}
}

/* How far an edge is off, squared, with the maps as they are. */
static double chain_error(const struct system *s, const struct fx_chain_edge *edge)
{
	double sum = 0;

	for (int k = 0; k < PLACES; k++) {
		double p[2], q[2], a[2], b[2], by[2];

		system_place(s, k, p);
		fx_affine2_apply(&edge->map, p, q);
		fx_affine2_apply(&s->c->nodes[edge->one].map, p, a);
		fx_affine2_apply(&s->c->nodes[edge->other].map, q, b);
		chain_moved(s, edge, p, by);
		for (int i = 0; i < 2; i++)
			sum += (a[i] - b[i] + by[i]) * (a[i] - b[i] + by[i]);
	}
	return sum / PLACES;
}

static void system_edges(struct system *s, bool weigh)
{
	const double scale = s->c->within * s->c->within;

	for (size_t i = 0; i < s->c->edges_len; i++) {
		const struct fx_chain_edge *edge = &s->c->edges[i];
		const double weight = edge->weight / (weigh ? 1 + chain_error(s, edge) / scale : 1);

		for (int k = 0; k < PLACES; k++) {
			struct equation e = { 0 };
			double p[2], q[2], by[2];

			system_place(s, k, p);
			fx_affine2_apply(&edge->map, p, q);
			chain_moved(s, edge, p, by);
			e.value[0] = -by[0];
			e.value[1] = -by[1];
			equation_add(s, &e, edge->one, p, 1);
			equation_add(s, &e, edge->other, q, -1);
			system_add(s, &e, weight / PLACES);
		}
	}
}

static void system_springs(struct system *s)
{
	for (size_t i = 0; i + 1 < s->c->nodes_len; i++) {
		const double gap = s->c->nodes[i + 1].z - s->c->nodes[i].z;

		for (int k = 0; k < PLACES; k++) {
			struct equation e = { 0 };
			double p[2];

			system_place(s, k, p);
			equation_add(s, &e, i, p, 1);
			equation_add(s, &e, i + 1, p, -1);
			system_add(s, &e, s->c->spring / fmax(1, gap) / PLACES);
		}
	}
}

/* Pulls the coefficients of a node to 0; what it weighs is what holds it to earlier ones. */
static void system_pulls(struct system *s)
{
	for (size_t i = 0; i < s->c->nodes_len; i++) {
		double weight = 0;

		for (size_t k = 0; k < s->c->edges_len; k++)
			weight += s->c->edges[k].one == i ? s->c->edges[k].weight : 0;
		for (size_t b = 0; b < s->basis && s->column[i] != SIZE_MAX; b++)
			s->normal[(s->column[i] + b) * (s->n + 1)] +=
				weight * s->c->nodes[i].pull[b ? 0 : 1];
	}
}

static void system_read(const struct system *s)
{
	for (size_t i = 0; i < s->c->nodes_len; i++) {
		struct fx_affine2 *map = &s->c->nodes[i].map;

		if (s->column[i] == SIZE_MAX)
			continue;
		*map = fx_affine2_shift(0, 0);
		for (size_t a = 0; a < 2; a++) {
			const double *c = s->right + 2 * s->column[i] + a;

			map->m[a][2] += c[0];
			for (size_t b = 1; b < s->basis; b++) {
				map->m[a][b - 1] += c[2 * b] / s->half[b - 1];
				map->m[a][2] -= c[2 * b] / s->half[b - 1] * s->middle[b - 1];
			}
		}
	}
}

int fx_chain_solve(struct fx_chain *c)
{
	struct system s;
	int failed = system_init(&s, c);

	for (int i = 0; i < REWEIGHTS && failed >= 0 && s.n; i++) {
		memset(s.normal, 0, s.n * s.n * sizeof *s.normal);
		memset(s.right, 0, 2 * s.n * sizeof *s.right);
		for (size_t k = 0; k < s.n; k++) /* what nothing holds */
			s.normal[k * (s.n + 1)] = 1e-9;
		system_edges(&s, i > 0);
		system_springs(&s);
		system_pulls(&s);
		failed = fx_spd_solve(s.normal, s.right, s.n, 2) ? FX_OK : FX_EINVAL;
		if (failed >= 0)
			system_read(&s);
	}
	system_fini(&s);
	return failed;
}
