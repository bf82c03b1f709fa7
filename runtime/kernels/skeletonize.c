// SPDX-License-Identifier: Apache-2.0
/* skeletonize.c: skeletons of all objects of a label block. */
#include "kernels/skeletonize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/components.h"
#include "kernels/holes.h"
#include "kernels/labeldist.h"

/* The block on its lattice, its voxels and its targets sorted by piece. */
struct bench {
	const struct fx_skeletonize_block *b;
	struct fx_lattice l;
	size_t len; /* voxels of the block */
	uint32_t count;
	uint32_t *piece;  /* of each block voxel */
	float *distance;  /* of each block voxel */
	uint32_t *ids;	  /* lattice */
	float *radius;	  /* lattice */
	uint32_t *voxels; /* lattice indices, by piece */
	size_t *first;	  /* of each piece in voxels: count + 2 of them */
	struct fx_link_target *targets;
	size_t targets_len;
	struct entry *entries; /* by piece */
	size_t entries_len, entries_cap;
	struct fx_teasar *teasar;
};

/* Where a ball of the block before comes in. */
struct entry {
	uint32_t piece, voxel; /* lattice */
	struct fx_ball ball;
};

void fx_piece_fini(struct fx_piece *p)
{
	fx_tree_free(p->tree);
	free(p->links);
	memset(p, 0, sizeof *p);
}

/* Before the nodes and the links of a packed piece. */
struct packed {
	uint64_t voxels, nodes, links, segment, label;
};

int fx_piece_pack(const struct fx_piece *p, void **bytes, size_t *size)
{
	const size_t nodes = p->tree->len * sizeof *p->tree->nodes,
		     links = p->links_len * sizeof *p->links;
	const struct packed head = { p->voxels, p->tree->len, p->links_len, p->tree->segment,
				     p->label };
	char *to = fx_calloc(1, sizeof head + nodes + links);

	if (!to)
		return FX_ENOMEM;
	memcpy(to, &head, sizeof head);
	memcpy(to + sizeof head, p->tree->nodes, nodes);
	memcpy(to + sizeof head + nodes, p->links, links);
	*bytes = to;
	*size = sizeof head + nodes + links;
	return FX_OK;
}

int fx_piece_unpack(const void *bytes, size_t size, struct fx_piece *p)
{
	struct packed head;
	struct fx_piece made = { 0 };
	const char *from = bytes;

	if (size < sizeof head)
		return FX_EINVAL;
	memcpy(&head, from, sizeof head);
	size -= sizeof head;
	from += sizeof head;
	if (head.nodes > size / sizeof *made.tree->nodes ||
	    head.links > size / sizeof *made.links ||
	    head.nodes * sizeof *made.tree->nodes + head.links * sizeof *made.links != size)
		return FX_EINVAL;
	made.label = head.label;
	made.voxels = head.voxels;
	made.links_len = head.links;
	made.tree = fx_tree_new(head.segment, head.nodes);
	made.links = fx_calloc(head.links, sizeof *made.links);
	if (!made.tree || !made.links) {
		fx_piece_fini(&made);
		return FX_ENOMEM;
	}
	memcpy(made.tree->nodes, from, head.nodes * sizeof *made.tree->nodes);
	memcpy(made.links, from + head.nodes * sizeof *made.tree->nodes,
	       head.links * sizeof *made.links);
	*p = made;
	return FX_OK;
}

static uint32_t lattice_of(const struct bench *w, size_t i)
{
	const size_t nx = w->b->shape[2], ny = w->b->shape[1];

	return fx_lattice_index(&w->l, i / nx / ny, i / nx % ny, i % nx);
}

/* Only a block of a single label has no boundary: its faces then count. */
static int bench_distances(struct bench *w)
{
	const struct fx_skeletonize_block *b = w->b;
	int result =
		fx_label_distance(b->labels, FX_U64, b->shape, b->voxel_nm, false, w->distance);

	if (result == FX_OK && isinf(w->distance[0]))
		result = fx_label_distance(b->labels, FX_U64, b->shape, b->voxel_nm, true,
					   w->distance);
	return result;
}

static int bench_voxels(struct bench *w)
{
	w->first = fx_calloc((size_t)w->count + 2, sizeof *w->first);
	if (!w->first)
		return FX_ENOMEM;
	for (size_t i = 0; i < w->len; i++)
		w->first[w->piece[i] + 1]++;
	w->first[1] = 0; /* the background is not listed */
	for (uint32_t p = 1; p <= w->count; p++)
		w->first[p + 1] += w->first[p];
	for (size_t i = 0; i < w->len; i++) {
		const uint32_t at = lattice_of(w, i);

		w->ids[at] = w->piece[i];
		w->radius[at] = w->distance[i];
		if (w->piece[i])
			w->voxels[w->first[w->piece[i]]++] = at;
	}
	memmove(w->first + 2, w->first + 1, w->count * sizeof *w->first);
	w->first[1] = 0;
	return FX_OK;
}

static int target_order(const void *pa, const void *pb)
{
	const struct fx_link_target *a = pa, *b = pb;

	if (a->must != b->must)
		return a->must ? -1 : 1;
	if (a->voxel != b->voxel)
		return a->voxel < b->voxel ? -1 : 1;
	return fx_crossing_compare(&a->crossing, &b->crossing);
}

/* Targets by piece; their voxels become lattice indices. */
static int bench_targets(struct bench *w)
{
	const struct fx_skeletonize_block *b = w->b;
	size_t *next = fx_calloc((size_t)w->count + 2, sizeof *next);
	struct fx_link_target *sorted = fx_calloc(b->targets_len, sizeof *sorted);

	w->targets = fx_calloc(b->targets_len, sizeof *w->targets);
	if (!next || !sorted || !w->targets) {
		free(next);
		free(sorted);
		return FX_ENOMEM;
	}
	for (size_t i = 0; i < b->targets_len; i++)
		sorted[i] = b->targets[i];
	qsort(sorted, b->targets_len, sizeof *sorted, target_order);
	for (size_t i = 0; i < b->targets_len; i++)
		if (sorted[i].voxel < w->len && w->piece[sorted[i].voxel])
			next[w->piece[sorted[i].voxel] + 1]++;
	for (uint32_t p = 1; p <= w->count; p++)
		next[p + 1] += next[p];
	w->targets_len = next[w->count + 1];
	for (size_t i = 0; i < b->targets_len; i++) {
		struct fx_link_target t = sorted[i];
		const uint32_t p = t.voxel < w->len ? w->piece[t.voxel] : 0;

		t.voxel = p ? lattice_of(w, t.voxel) : 0;
		if (p)
			w->targets[next[p]++] = t;
	}
	free(next);
	free(sorted);
	return FX_OK;
}

/* Block voxel of index @p i of the plane @p plane along @p axis. */
static size_t plane_voxel(const size_t shape[3], int axis, size_t plane, size_t i)
{
	const size_t nx = shape[2], ny = shape[1];

	if (axis == 0)
		return plane * ny * nx + i;
	return axis == 1 ? (i / nx * ny + plane) * nx + i % nx : i * nx + plane;
}

static size_t plane_len(const size_t shape[3], int axis)
{
	return shape[0] * shape[1] * shape[2] / shape[axis];
}

static int entry_order(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;

	if (a->piece != b->piece)
		return a->piece < b->piece ? -1 : 1;
	return (a->voxel > b->voxel) - (a->voxel < b->voxel);
}

static int bench_entries(struct bench *w)
{
	const struct fx_skeletonize_block *b = w->b;

	for (int axis = 0; axis < 3; axis++)
		for (size_t i = 0; b->enters[axis] && i < plane_len(b->shape, axis); i++) {
			const size_t voxel = plane_voxel(b->shape, axis, 0, i);
			struct entry e = { w->piece[voxel], lattice_of(w, voxel),
					   b->enters[axis][i] };

			if (!e.piece || e.ball.radius_nm < 0)
				continue;
			for (int a = 0; a < 3; a++)
				e.ball.centre[a] -= b->origin[a];
			if (!fx_grow(&w->entries, &w->entries_cap, w->entries_len + 1,
				     sizeof *w->entries))
				return FX_ENOMEM;
			w->entries[w->entries_len++] = e;
		}
	if (w->entries_len)
		qsort(w->entries, w->entries_len, sizeof *w->entries, entry_order);
	return FX_OK;
}

/* The balls that clear the last planes. */
static int bench_leaves(const struct bench *w, struct fx_ball *leaves[3])
{
	const struct fx_skeletonize_block *b = w->b;

	for (int axis = 0; axis < 3; axis++) {
		const size_t len = plane_len(b->shape, axis);

		leaves[axis] = fx_calloc(len, sizeof *leaves[axis]);
		if (!leaves[axis])
			return FX_ENOMEM;
		for (size_t i = 0; i < len; i++) {
			const size_t voxel = plane_voxel(b->shape, axis, b->shape[axis] - 1, i);
			struct fx_ball *ball = &leaves[axis][i];

			ball->radius_nm = -1;
			if (!w->piece[voxel] ||
			    !fx_teasar_cleared(w->teasar, lattice_of(w, voxel), ball))
				continue;
			for (int a = 0; a < 3; a++)
				ball->centre[a] += b->origin[a];
		}
	}
	return FX_OK;
}

static int bench_init(struct bench *w, const struct fx_skeletonize_block *b)
{
	int result = fx_lattice_init(&w->l, b->shape, b->voxel_nm);

	if (result != FX_OK)
		return result;
	w->b = b;
	w->len = b->shape[0] * b->shape[1] * b->shape[2];
	w->piece = fx_calloc(w->len, sizeof *w->piece);
	w->distance = fx_calloc(w->len, sizeof *w->distance);
	w->ids = fx_calloc(w->l.len, sizeof *w->ids);
	w->radius = fx_calloc(w->l.len, sizeof *w->radius);
	w->voxels = fx_calloc(w->len, sizeof *w->voxels);
	w->teasar = fx_teasar_new(&w->l);
	if (!w->piece || !w->distance || !w->ids || !w->radius || !w->voxels || !w->teasar)
		return FX_ENOMEM;
	result = fx_components(b->labels, FX_U64, b->shape, 26, w->piece, &w->count);
	if (result == FX_OK)
		result = bench_distances(w);
	if (result == FX_OK)
		result = bench_voxels(w);
	if (result == FX_OK)
		result = bench_targets(w);
	return result == FX_OK ? bench_entries(w) : result;
}

static void bench_fini(struct bench *w)
{
	free(w->piece);
	free(w->distance);
	free(w->ids);
	free(w->radius);
	free(w->voxels);
	free(w->first);
	free(w->targets);
	free(w->entries);
	fx_teasar_free(w->teasar);
}

/* The nodes of the targets; several may share one. */
static int piece_link(struct fx_piece *p, const struct fx_link_target *targets, size_t len,
		      const uint32_t *voxels)
{
	p->links = fx_calloc(len, sizeof *p->links);
	if (!p->links)
		return FX_ENOMEM;
	for (size_t i = 0; i < len; i++)
		for (size_t n = 0; n < p->tree->len; n++)
			if (voxels[n] == targets[i].voxel)
				p->links[p->links_len++] =
					(struct fx_link){ targets[i].crossing, targets[i].depth_nm,
							  (uint32_t)n };
	return FX_OK;
}

/* A box of block voxels. */
struct box {
	size_t lo[3], shape[3];
};

/* The box around a piece and a voxel more where the block has one. */
static struct box piece_box(const struct bench *w, const uint32_t *voxels, size_t len)
{
	struct box box = { { SIZE_MAX, SIZE_MAX, SIZE_MAX }, { 0, 0, 0 } };
	size_t at[3];

	for (size_t i = 0; i < len; i++) {
		fx_lattice_voxel(&w->l, voxels[i], at);
		for (int a = 0; a < 3; a++) {
			box.lo[a] = at[a] < box.lo[a] ? at[a] : box.lo[a];
			box.shape[a] = at[a] > box.shape[a] ? at[a] : box.shape[a];
		}
	}
	for (int a = 0; a < 3; a++) {
		const size_t end = box.shape[a] + 2;

		box.lo[a] -= box.lo[a] > 0;
		box.shape[a] = (end < w->b->shape[a] ? end : w->b->shape[a]) - box.lo[a];
	}
	return box;
}

static size_t box_index(const struct box *box, const size_t at[3])
{
	return ((at[0] - box->lo[0]) * box->shape[1] + at[1] - box->lo[1]) * box->shape[2] + at[2] -
	       box->lo[2];
}

/* Distances of a piece as if it had no holes: a nucleus or vacuoles must not hide a soma. */
static int piece_fill(struct bench *w, const uint32_t *voxels, size_t len)
{
	const struct box box = piece_box(w, voxels, len);
	const size_t size = box.shape[0] * box.shape[1] * box.shape[2];
	uint32_t *mask = fx_calloc(size, sizeof *mask);
	float *distance = fx_calloc(size, sizeof *distance);
	size_t at[3];
	int result = mask && distance ? FX_OK : FX_ENOMEM;

	for (size_t i = 0; result == FX_OK && i < len; i++) {
		fx_lattice_voxel(&w->l, voxels[i], at);
		mask[box_index(&box, at)] = 1;
	}
	if (result == FX_OK)
		result = fx_holes_fill(mask, box.shape);
	if (result == FX_OK)
		result =
			fx_label_distance(mask, FX_U32, box.shape, w->b->voxel_nm, false, distance);
	if (result == FX_OK && isinf(distance[0]))
		result = fx_label_distance(mask, FX_U32, box.shape, w->b->voxel_nm, true, distance);
	for (size_t i = 0; result == FX_OK && i < len; i++) {
		fx_lattice_voxel(&w->l, voxels[i], at);
		w->radius[voxels[i]] = distance[box_index(&box, at)];
	}
	free(mask);
	free(distance);
	return result;
}

static bool piece_is_wide(const struct bench *w, const struct fx_teasar_object *o, double nm)
{
	for (size_t i = 0; i < o->len; i++)
		if ((double)w->radius[o->voxels[i]] > nm)
			return true;
	return false;
}

static int piece_run(struct bench *w, const struct fx_teasar_options *options,
		     struct fx_teasar_object *o, const struct fx_link_target *targets, size_t len,
		     struct fx_piece *p)
{
	uint32_t *voxels = NULL, *wanted = fx_calloc(len, sizeof *wanted);
	int result;

	if (!wanted)
		return FX_ENOMEM;
	for (size_t i = 0; i < len; i++) {
		wanted[i] = targets[i].voxel;
		o->targets_len += targets[i].must;
	}
	o->targets = wanted;
	o->hints = wanted + o->targets_len;
	o->hints_len = len - o->targets_len;
	result = fx_teasar_trace(w->teasar, o, options, w->b->origin, &p->tree, &voxels);
	if (result == FX_OK)
		p->tree->segment = p->label;
	if (result == FX_OK)
		result = piece_link(p, targets, o->targets_len, voxels);
	free(wanted);
	free(voxels);
	return result;
}

static int piece_trace(struct bench *w, const struct fx_teasar_options *options, uint32_t id,
		       const struct fx_link_target *targets, size_t targets_len,
		       const struct entry *entries, size_t entries_len, struct fx_piece *p)
{
	struct fx_ball *balls = fx_calloc(entries_len, sizeof *balls);
	struct fx_ball_entry *places = fx_calloc(entries_len, sizeof *places);
	struct fx_teasar_object o = { .ids = w->ids,
				      .id = id,
				      .radius_nm = w->radius,
				      .voxels = w->voxels + w->first[id],
				      .len = w->first[id + 1] - w->first[id],
				      .entries = places,
				      .entries_len = entries_len,
				      .balls = balls,
				      .balls_len = entries_len };
	int result = balls && places ? FX_OK : FX_ENOMEM;

	p->voxels = o.len;
	if (result == FX_OK && piece_is_wide(w, &o, options->soma_detection_nm))
		result = piece_fill(w, o.voxels, o.len);
	if (result == FX_OK) {
		for (size_t i = 0; i < entries_len; i++) {
			balls[i] = entries[i].ball;
			places[i] = (struct fx_ball_entry){ entries[i].voxel, (uint32_t)i };
		}
		result = piece_run(w, options, &o, targets, targets_len, p);
	}
	free(balls);
	free(places);
	return result;
}

static uint64_t label_of(const struct bench *w, uint32_t id)
{
	size_t at[3];

	fx_lattice_voxel(&w->l, w->voxels[w->first[id]], at);
	return w->b->labels[(at[0] * w->b->shape[1] + at[1]) * w->b->shape[2] + at[2]];
}

/* Traces all pieces into @p made, which has room for them. */
static int bench_trace(struct bench *w, const struct fx_teasar_options *options,
		       struct fx_skeletons *made)
{
	int result = FX_OK;
	size_t t = 0, t_end, e = 0, e_end;

	for (uint32_t id = 1; result == FX_OK && id <= w->count; id++, t = t_end, e = e_end) {
		for (t_end = t; t_end < w->targets_len && w->ids[w->targets[t_end].voxel] == id;)
			t_end++;
		for (e_end = e; e_end < w->entries_len && w->entries[e_end].piece == id;)
			e_end++;
		if (t == t_end && w->first[id + 1] - w->first[id] < w->b->dust)
			continue;
		made->pieces[made->len].label = label_of(w, id);
		result = piece_trace(w, options, id, w->targets + t, t_end - t, w->entries + e,
				     e_end - e, &made->pieces[made->len++]);
	}
	return result;
}

void fx_skeletons_fini(struct fx_skeletons *s)
{
	for (size_t i = 0; i < s->len; i++)
		fx_piece_fini(&s->pieces[i]);
	free(s->pieces);
	for (int axis = 0; axis < 3; axis++)
		free(s->leaves[axis]);
	memset(s, 0, sizeof *s);
}

int fx_skeletonize(const struct fx_skeletonize_block *b, const struct fx_teasar_options *options,
		   struct fx_skeletons *made)
{
	struct bench w = { 0 };
	int result = bench_init(&w, b);

	memset(made, 0, sizeof *made);
	if (result == FX_OK && !(made->pieces = fx_calloc(w.count, sizeof *made->pieces)))
		result = FX_ENOMEM;
	if (result == FX_OK)
		result = bench_trace(&w, options, made);
	if (result == FX_OK)
		result = bench_leaves(&w, made->leaves);
	bench_fini(&w);
	if (result != FX_OK)
		fx_skeletons_fini(made);
	return result;
}
