// SPDX-License-Identifier: Apache-2.0
/* phantom_trace.c: the exact centre lines of a phantom. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/phantom_priv.h"

enum { TYPE_FORK = 5, TYPE_END = 6 };

/* The voxel whose displaced place is nearest to that of the site: a fixed point, because the
 * displacement has slopes below 1. False when it is outside of the section. */
static bool find_voxel(const struct fx_phantom *p, const struct phantom_site *s, int64_t out[2])
{
	const double size[2] = { (double)p->spec.height, (double)p->spec.width };
	double at[2] = { (double)s->pos[0], (double)s->pos[1] };

	for (int round = 0; round < 8; round++) {
		float there[2];
		double moved = 0;

		for (int a = 0; a < 2; a++)
			out[a] = (int64_t)floor(at[a] / p->spec.voxel_nm[a + 1] + 0.5);
		fx_phantom_warp(p, out[0], out[1], there);
		for (int a = 0; a < 2; a++) {
			const double next = (double)out[a] * p->spec.voxel_nm[a + 1] +
					    (double)(s->pos[a] - there[a]);

			moved = fmax(moved, fabs(next - at[a]));
			at[a] = next;
		}
		if (moved < 0.25 * p->spec.voxel_nm[1])
			break;
	}
	for (int a = 0; a < 2; a++)
		if (out[a] < 0 || (double)out[a] >= size[a])
			return false;
	return true;
}

/* Looks for a voxel of the site's own neurite at or beside its place: to s->last. */
static enum phantom_sight see(const struct fx_phantom *p, struct phantom_site *s)
{
	static const int beside[][2] = { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 0, -1 }, { -1, 0 } };
	const double voxel = fmax(p->spec.voxel_nm[1], p->spec.voxel_nm[2]);
	int64_t at[2];

	if (!find_voxel(p, s, at))
		return PHANTOM_OUTSIDE;
	for (size_t k = 0; k < sizeof beside / sizeof *beside; k++) {
		const int64_t y = at[0] + beside[k][0], x = at[1] + beside[k][1];
		int32_t owner;

		if (y < 0 || x < 0 || y >= (int64_t)p->spec.height || x >= (int64_t)p->spec.width)
			continue;
		owner = fx_phantom_owner(p, y, x);
		if (owner < 0 || p->sites[owner].neurite != s->neurite)
			continue;
		s->last = (struct fx_tree_node){
			.pos_nm = { (double)p->z * p->spec.voxel_nm[0],
				    (double)y * p->spec.voxel_nm[1],
				    (double)x * p->spec.voxel_nm[2] },
			.radius_nm = fmax((double)(s->gap + s->radius) / 2, voxel / 2),
		};
		return PHANTOM_SEEN;
	}
	return PHANTOM_HIDDEN;
}

static int out_of_memory(struct fx_error *err)
{
	return fx_error_set(err, FX_ENOMEM, "no memory for the centre lines of the phantom");
}

static int queue(struct fx_phantom *p, struct phantom_neurite *n, struct fx_error *err)
{
	struct fx_tree *t;

	if (n->len == 0)
		return FX_OK;
	if (p->done_first == p->done_len)
		p->done_first = p->done_len = 0;
	t = fx_tree_new(n->id, n->len);
	if (!t || !fx_grow(&p->done, &p->done_cap, p->done_len + 1, sizeof(struct fx_tree *))) {
		fx_tree_free(t);
		return out_of_memory(err);
	}
	memcpy(t->nodes, n->nodes, n->len * sizeof *t->nodes);
	t->confidence = 1;
	p->done[p->done_len++] = t;
	n->len = 0;
	return FX_OK;
}

/* Makes @p node the site's last, behind the one before. */
static int append(struct fx_phantom *p, struct phantom_site *s, const struct fx_tree_node *node,
		  struct fx_error *err)
{
	struct phantom_neurite *n = &p->neurites[s->neurite];

	if (!fx_grow(&n->nodes, &n->cap, n->len + 1, sizeof *n->nodes))
		return out_of_memory(err);
	s->tail = *node;
	s->tail.parent = s->node;
	s->node = (int32_t)n->len;
	n->nodes[n->len++] = s->tail;
	s->fresh = s->wants_node = false;
	return FX_OK;
}

/* A branch goes on from the last node of the process that it left. */
static void join(struct fx_phantom *p, struct phantom_site *s)
{
	if (s->from < 0)
		return;
	s->node = p->sites[s->from].node;
	s->tail = p->sites[s->from].tail;
	if (s->node >= 0)
		p->neurites[s->neurite].nodes[s->node].type = TYPE_FORK;
	s->from = -1;
}

static double distance(const struct fx_tree_node *a, const struct fx_tree_node *b)
{
	double sum = 0;

	for (int i = 0; i < 3; i++)
		sum += (a->pos_nm[i] - b->pos_nm[i]) * (a->pos_nm[i] - b->pos_nm[i]);
	return sqrt(sum);
}

static int extend(struct fx_phantom *p, struct phantom_site *s, struct fx_error *err)
{
	int code = FX_OK;

	join(p, s);
	if (s->sight == PHANTOM_OUTSIDE) {
		if (s->fresh)
			code = append(p, s, &s->last, err);
		s->node = -1;
		s->wants_node = false;
		return code;
	}
	if (s->sight == PHANTOM_HIDDEN)
		return FX_OK;
	s->fresh = true;
	if (s->node < 0 || s->wants_node || distance(&s->last, &s->tail) >= p->spec.node_nm)
		code = append(p, s, &s->last, err);
	return code;
}

/* Gives out what very long neurites have; their processes go on from copies of their last
 * nodes. */
static int cut(struct fx_phantom *p, struct fx_error *err)
{
	bool any = false;
	int code = FX_OK;

	for (size_t i = 0; i < p->neurites_len && code == FX_OK; i++) {
		p->neurites[i].cut = p->neurites[i].len >= p->spec.piece_len;
		if (!p->neurites[i].cut)
			continue;
		any = true;
		code = queue(p, &p->neurites[i], err);
	}
	for (size_t i = 0; any && i < p->sites_len && code == FX_OK; i++) {
		struct phantom_site *s = &p->sites[i];
		const bool fresh = s->fresh, wants_node = s->wants_node;
		const struct fx_tree_node tail = s->tail;

		if (s->state == PHANTOM_FREE || !p->neurites[s->neurite].cut || s->node < 0)
			continue;
		s->node = -1;
		code = append(p, s, &tail, err);
		s->fresh = fresh;
		s->wants_node = wants_node;
	}
	return code;
}

int fx_phantom_trace(struct fx_phantom *p, struct fx_error *err)
{
	const size_t n = p->sites_len;
	int code = cut(p, err);

#pragma omp parallel for schedule(static) if (n > 400)
	for (size_t i = 0; i < n; i++)
		if (p->sites[i].state != PHANTOM_FREE)
			p->sites[i].sight = see(p, &p->sites[i]);
	/* those that branched first: their branches go on from the node that they get now
	 */
	for (int branching = 1; branching >= 0; branching--)
		for (size_t i = 0; i < n && code == FX_OK; i++) {
			struct phantom_site *s = &p->sites[i];

			if (s->state != PHANTOM_FREE && (s->from < 0 && s->wants_node) == branching)
				code = extend(p, s, err);
		}
	return code;
}

int fx_phantom_trace_end(struct fx_phantom *p, size_t i, bool tip, struct fx_error *err)
{
	struct phantom_site *s = &p->sites[i];
	struct phantom_neurite *n = &p->neurites[s->neurite];
	int code = FX_OK;

	join(p, s);
	if (s->fresh)
		code = append(p, s, &s->last, err);
	if (code < 0)
		return code;
	if (tip && s->node >= 0 && n->nodes[s->node].type == 0)
		n->nodes[s->node].type = TYPE_END;
	if (s->mate >= 0 && p->sites[s->mate].from == (int32_t)i)
		join(p, &p->sites[s->mate]);
	return n->sites == 1 ? queue(p, n, err) : FX_OK;
}

struct fx_tree *fx_phantom_take_tree(struct fx_phantom *p)
{
	return p->done_first < p->done_len ? p->done[p->done_first++] : NULL;
}
