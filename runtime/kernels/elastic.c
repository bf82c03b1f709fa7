// SPDX-License-Identifier: Apache-2.0
/* elastic.c: displacements at the nodes of a mesh, bilinear between them. */
#include "kernels/elastic.h"

#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"

enum { STEPS_MOST = 400, INVERT_STEPS = 20 };

int fx_mesh_init(struct fx_mesh *m, size_t height, size_t width, double step)
{
	size_t n;

	*m = (struct fx_mesh){ .step = step };
	if (!(step >= 1) || !height || !width)
		return FX_EINVAL;
	m->height = (size_t)ceil((double)(height - 1) / step) + 1;
	m->width = (size_t)ceil((double)(width - 1) / step) + 1;
	m->height = m->height < 2 ? 2 : m->height;
	m->width = m->width < 2 ? 2 : m->width;
	if (!fx_mul_size(m->height, m->width, &n) || !fx_mul_size(n, 2, &n))
		return FX_ENOMEM;
	m->by = fx_calloc(n, sizeof *m->by);
	return m->by ? FX_OK : FX_ENOMEM;
}

void fx_mesh_fini(struct fx_mesh *m)
{
	free(m->by);
	*m = (struct fx_mesh){ 0 };
}

/* The four nodes around a place, and their weights. */
static void mesh_nodes(const struct fx_mesh *m, const double p[2], size_t node[4], double w[4])
{
	const size_t sides[2] = { m->height, m->width };
	size_t lo[2];
	double t[2];

	for (int a = 0; a < 2; a++) {
		const double at = fmax(0, fmin(p[a] / m->step, (double)(sides[a] - 1)));

		lo[a] = (size_t)at;
		lo[a] = lo[a] > sides[a] - 2 ? sides[a] - 2 : lo[a];
		t[a] = at - (double)lo[a];
	}
	for (size_t k = 0; k < 4; k++) {
		node[k] = (lo[0] + k / 2) * m->width + lo[1] + k % 2;
		w[k] = (k / 2 ? t[0] : 1 - t[0]) * (k % 2 ? t[1] : 1 - t[1]);
	}
}

void fx_mesh_at(const struct fx_mesh *m, const double p[2], double by[2])
{
	size_t node[4];
	double w[4];

	mesh_nodes(m, p, node, w);
	by[0] = by[1] = 0;
	for (int k = 0; k < 4; k++)
		for (int a = 0; a < 2; a++)
			by[a] += w[k] * m->by[2 * node[k] + (size_t)a];
}

/* What is solved: (data + stiffness * bending + pull) v = right, for one axis at a time. */
struct problem {
	const struct fx_mesh *m;
	const struct fx_bend *seen;
	size_t len;
	double stiffness, pull;
};

/* Adds stiffness times the square of sum of c[k] v[i[k]], derived: to += c (c . v). */
static void bend_add(const size_t *i, const double *c, size_t n, double stiffness, const double *v,
		     double *to)
{
	double sum = 0;

	for (size_t k = 0; k < n; k++)
		sum += c[k] * v[i[k]];
	for (size_t k = 0; k < n; k++)
		to[i[k]] += stiffness * c[k] * sum;
}

/* The thin plate at node (j, i): second differences along y and x, and twice the mixed one. */
static void mesh_plate(const struct problem *p, size_t j, size_t i, const double *v, double *to)
{
	static const double second[3] = { 1, -2, 1 }, mixed[4] = { 1, -1, -1, 1 };
	const size_t h = p->m->height, w = p->m->width, at = j * w + i;
	const size_t down[3] = { at - w, at, at + w }, across[3] = { at - 1, at, at + 1 },
		     both[4] = { at, at + 1, at + w, at + w + 1 };

	if (j > 0 && j + 1 < h)
		bend_add(down, second, 3, p->stiffness, v, to);
	if (i > 0 && i + 1 < w)
		bend_add(across, second, 3, p->stiffness, v, to);
	if (j + 1 < h && i + 1 < w)
		bend_add(both, mixed, 4, 2 * p->stiffness, v, to);
}

static void problem_apply(const struct problem *p, const double *v, double *to)
{
	const size_t n = p->m->height * p->m->width;

	for (size_t i = 0; i < n; i++)
		to[i] = p->pull * v[i];
	for (size_t k = 0; k < p->len; k++) {
		size_t node[4];
		double w[4];

		mesh_nodes(p->m, p->seen[k].at, node, w);
		bend_add(node, w, 4, p->seen[k].weight, v, to);
	}
	for (size_t i = 0; i < n; i++)
		mesh_plate(p, i / p->m->width, i % p->m->width, v, to);
}

/* Right side for @p axis, and the diagonal of what the data and the pull give, at least. */
static void problem_right(const struct problem *p, int axis, double *right, double *diagonal)
{
	const size_t n = p->m->height * p->m->width;

	for (size_t i = 0; i < n; i++) {
		right[i] = 0;
		diagonal[i] = p->pull + 14 * p->stiffness + 1e-12;
	}
	for (size_t k = 0; k < p->len; k++) {
		size_t node[4];
		double w[4];

		mesh_nodes(p->m, p->seen[k].at, node, w);
		for (int c = 0; c < 4; c++) {
			right[node[c]] += p->seen[k].weight * w[c] * p->seen[k].by[axis];
			diagonal[node[c]] += p->seen[k].weight * w[c] * w[c];
		}
	}
}

static double dot(const double *a, const double *b, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* Conjugate gradients from 0; @p work has room for 4 n more. */
static void problem_solve(const struct problem *p, const double *diagonal, double *right, double *v,
			  double *work)
{
	const size_t n = p->m->height * p->m->width;
	double *z = work, *d = work + n, *ad = work + 2 * n, rz, end;

	memset(v, 0, n * sizeof *v);
	for (size_t i = 0; i < n; i++)
		d[i] = z[i] = right[i] / diagonal[i];
	rz = dot(right, z, n);
	end = 1e-16 * rz;
	for (int step = 0; step < STEPS_MOST && rz > end; step++) {
		double alpha, before = rz, by;

		problem_apply(p, d, ad);
		by = dot(d, ad, n);
		if (!(by > 0))
			return;
		alpha = rz / by;
		for (size_t i = 0; i < n; i++) {
			v[i] += alpha * d[i];
			right[i] -= alpha * ad[i];
			z[i] = right[i] / diagonal[i];
		}
		rz = dot(right, z, n);
		for (size_t i = 0; i < n; i++)
			d[i] = z[i] + rz / before * d[i];
	}
}

int fx_mesh_fit(struct fx_mesh *m, const struct fx_bend *seen, size_t len, double stiffness,
		double pull)
{
	const struct problem p = { m, seen, len, stiffness, pull };
	const size_t n = m->height * m->width;
	size_t all;
	double *work;

	if (!fx_mul_size(n, 6, &all))
		return FX_ENOMEM;
	work = fx_calloc(all, sizeof *work);
	if (!work)
		return FX_ENOMEM;
	for (int axis = 0; axis < 2; axis++) {
		problem_right(&p, axis, work, work + n);
		problem_solve(&p, work + n, work, work + 2 * n, work + 3 * n);
		for (size_t i = 0; i < n; i++)
			m->by[2 * i + (size_t)axis] = work[2 * n + i];
	}
	free(work);
	return FX_OK;
}

void fx_mesh_invert(const struct fx_mesh *m, struct fx_mesh *back)
{
	for (size_t i = 0; i < back->height * back->width; i++) {
		const double q[2] = { (double)(i / back->width) * back->step,
				      (double)(i % back->width) * back->step };
		double by[2] = { 0, 0 };

		for (int k = 0; k < INVERT_STEPS; k++) {
			const double p[2] = { q[0] - by[0], q[1] - by[1] };

			fx_mesh_at(m, p, by);
		}
		back->by[2 * i] = -by[0];
		back->by[2 * i + 1] = -by[1];
	}
}
