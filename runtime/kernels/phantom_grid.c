// SPDX-License-Identifier: Apache-2.0
/* phantom_grid.c: finds the sites of a phantom near a place. */
#include "kernels/phantom_priv.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"

int fx_phantom_grid_init(struct fx_phantom *p)
{
	struct phantom_grid *g = &p->grid;
	size_t bins;

	g->bin = (float)p->spec.spacing_nm;
	for (int a = 0; a < 2; a++) {
		const float n = ceilf((p->domain_hi[a] - p->domain_lo[a]) / g->bin);

		g->lo[a] = p->domain_lo[a];
		g->n[a] = (int32_t)fmaxf(n, 1);
	}
	if (!fx_mul_size((size_t)g->n[0], (size_t)g->n[1], &bins) || bins > INT32_MAX)
		return FX_ENOMEM;
	g->head = fx_calloc(bins, sizeof *g->head);
	if (!g->head)
		return FX_ENOMEM;
	fx_phantom_grid_build(p);
	return FX_OK;
}

static int32_t bin_of(const struct phantom_grid *g, int axis, float v)
{
	const float b = floorf((v - g->lo[axis]) / g->bin), last = (float)(g->n[axis] - 1);

	return b < 0 ? 0 : (int32_t)(b > last ? last : b);
}

void fx_phantom_grid_add(struct fx_phantom *p, int32_t i)
{
	struct phantom_grid *g = &p->grid;
	struct phantom_site *s = &p->sites[i];
	int32_t *head = g->head + (bin_of(g, 0, s->pos[0]) * g->n[1] + bin_of(g, 1, s->pos[1]));

	s->next = *head;
	*head = i;
	s->extent = phantom_root(s->half[0] * s->half[0] + s->half[1] * s->half[1]);
	s->extent += s->radius > 0 ? s->radius : 0;
	p->reach = s->extent > p->reach ? s->extent : p->reach;
}

void fx_phantom_grid_build(struct fx_phantom *p)
{
	const size_t bins = (size_t)p->grid.n[0] * (size_t)p->grid.n[1];

	p->reach = 0;
	for (size_t b = 0; b < bins; b++)
		p->grid.head[b] = -1;
	for (size_t i = p->sites_len; i-- > 0;)
		if (p->sites[i].state != PHANTOM_FREE)
			fx_phantom_grid_add(p, (int32_t)i);
}

void phantom_walk_start(struct phantom_walk *w, const struct fx_phantom *p, float y, float x,
			float r)
{
	const float at[2] = { y, x };

	w->p = p;
	for (int a = 0; a < 2; a++) {
		w->lo[a] = bin_of(&p->grid, a, at[a] - r);
		w->hi[a] = bin_of(&p->grid, a, at[a] + r);
	}
	w->row = w->lo[0];
	w->column = w->lo[1] - 1;
	w->next = -1;
}

float fx_phantom_gap(const struct fx_phantom *p, float y, float x, int32_t skip, int32_t mate,
		     float far)
{
	struct phantom_walk w;
	float gap = far, off[2];
	int32_t i;

	phantom_walk_start(&w, p, y, x, p->reach + far);
	while ((i = phantom_walk_next(&w)) >= 0) {
		float d;

		if (i == skip || i == mate || !phantom_may_reach(&p->sites[i], y, x, gap))
			continue;
		d = phantom_axis(&p->sites[i], y, x, off) - p->sites[i].radius;
		gap = d < gap ? d : gap;
	}
	return gap;
}
