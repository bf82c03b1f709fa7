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
#include "kernels/visit.h"

/* A box of block voxels. */
struct box {
	size_t lo[3], shape[3];
};

/* The block, its voxels and its targets sorted by piece. */
struct bench {
	const struct fx_skeletonize_block *b;
	const struct fx_teasar_options *options;
	size_t len; /* voxels of the block */
	uint32_t count;
	uint32_t *piece;  /* of each voxel */
	float *distance;  /* of each voxel */
	uint32_t *voxels; /* by piece, rising */
	size_t *first;	  /* of each piece in voxels: count + 2 of them */
	struct fx_link_target *targets;
	size_t targets_len;
	struct entry *entries; /* by piece */
	size_t entries_len, entries_cap;
	struct job *jobs; /* the largest pieces first */
	size_t jobs_len;
};

/* A piece to trace. */
struct job {
	uint32_t id;
	size_t slot; /* of the result */
	size_t size, targets, targets_len, entries, entries_len;
};

/* What one thread works with: a lattice around one piece after the other. */
struct worker {
	const struct bench *w;
	struct fx_lattice l;
	struct box box; /* that the lattice lies around */
	struct fx_teasar *teasar;
	uint8_t *flags; /* FX_VOXEL_IN in the piece, 0 elsewhere */
	float *radius;
	size_t cap;	  /* of both */
	uint32_t *voxels; /* of the piece, as lattice indices */
	size_t voxels_cap;
};

/* Where a ball of the block before comes in. */
struct entry {
	uint32_t piece, voxel;
	struct fx_ball ball;
};

static void block_voxel(const struct fx_skeletonize_block *b, size_t i, size_t at[3])
{
	const size_t row = i / b->shape[2];

	at[2] = i - row * b->shape[2];
	at[1] = row % b->shape[1];
	at[0] = row / b->shape[1];
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
	for (size_t i = 0; i < w->len; i++)
		if (w->piece[i])
			w->voxels[w->first[w->piece[i]]++] = (uint32_t)i;
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

/* Targets by piece. */
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
		const uint32_t p = sorted[i].voxel < w->len ? w->piece[sorted[i].voxel] : 0;

		if (p)
			w->targets[next[p]++] = sorted[i];
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

/* The other way round: index in its plane along @p axis of block voxel @p at. */
static size_t plane_index(const size_t shape[3], int axis, const size_t at[3])
{
	return at[axis == 0 ? 1 : 0] * shape[axis == 2 ? 1 : 2] + at[axis == 2 ? 1 : 2];
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
			const struct entry e = { w->piece[voxel], (uint32_t)voxel,
						 b->enters[axis][i] };

			if (!e.piece || e.ball.radius_nm < 0)
				continue;
			if (!fx_grow(&w->entries, &w->entries_cap, w->entries_len + 1,
				     sizeof *w->entries))
				return FX_ENOMEM;
			w->entries[w->entries_len++] = e;
		}
	if (w->entries_len)
		qsort(w->entries, w->entries_len, sizeof *w->entries, entry_order);
	return FX_OK;
}

static int leaves_init(const struct fx_skeletonize_block *b, struct fx_ball *leaves[3])
{
	for (int axis = 0; axis < 3; axis++) {
		const size_t len = plane_len(b->shape, axis);

		leaves[axis] = fx_calloc(len, sizeof *leaves[axis]);
		if (!leaves[axis])
			return FX_ENOMEM;
		for (size_t i = 0; i < len; i++)
			leaves[axis][i].radius_nm = -1;
	}
	return FX_OK;
}

static int job_order(const void *pa, const void *pb)
{
	const struct job *a = pa, *b = pb;

	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

/* All pieces that are to be traced, each with its targets and entries. */
static int bench_jobs(struct bench *w)
{
	size_t t = 0, e = 0;

	w->jobs = fx_calloc(w->count, sizeof *w->jobs);
	if (!w->jobs)
		return FX_ENOMEM;
	for (uint32_t id = 1; id <= w->count; id++) {
		struct job j = { .id = id, .slot = w->jobs_len, .targets = t, .entries = e };

		j.size = w->first[id + 1] - w->first[id];
		while (t < w->targets_len && w->piece[w->targets[t].voxel] == id)
			t++;
		while (e < w->entries_len && w->entries[e].piece == id)
			e++;
		j.targets_len = t - j.targets;
		j.entries_len = e - j.entries;
		if (fx_visit_targets(w->targets + j.targets, j.targets_len, w->b->shape) != FX_OK)
			return FX_ENOMEM;
		if (j.targets_len || j.size >= w->b->dust)
			w->jobs[w->jobs_len++] = j;
	}
	if (w->jobs_len)
		qsort(w->jobs, w->jobs_len, sizeof *w->jobs, job_order);
	return FX_OK;
}

static int bench_init(struct bench *w, const struct fx_skeletonize_block *b)
{
	struct fx_lattice whole; /* that of a piece is no larger */
	int result = fx_lattice_init(&whole, b->shape, b->voxel_nm);

	if (result != FX_OK)
		return result;
	w->b = b;
	w->len = b->shape[0] * b->shape[1] * b->shape[2];
	w->piece = fx_calloc_huge(w->len, sizeof *w->piece);
	w->distance = fx_calloc_huge(w->len, sizeof *w->distance);
	w->voxels = fx_calloc_huge(w->len, sizeof *w->voxels);
	if (!w->piece || !w->distance || !w->voxels)
		return FX_ENOMEM;
	result = fx_components(b->labels, FX_U64, b->shape, 26, w->piece, &w->count);
	if (result == FX_OK)
		result = bench_distances(w);
	if (result == FX_OK)
		result = bench_voxels(w);
	if (result == FX_OK)
		result = bench_targets(w);
	if (result == FX_OK)
		result = bench_entries(w);
	return result == FX_OK ? bench_jobs(w) : result;
}

static void bench_fini(struct bench *w)
{
	free(w->piece);
	free(w->distance);
	free(w->voxels);
	free(w->first);
	free(w->targets);
	free(w->entries);
	free(w->jobs);
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

static struct box piece_box(const struct bench *w, const uint32_t *voxels, size_t len)
{
	struct box box = { { SIZE_MAX, SIZE_MAX, SIZE_MAX }, { 0, 0, 0 } };
	size_t at[3];

	for (size_t i = 0; i < len; i++) {
		block_voxel(w->b, voxels[i], at);
		for (int a = 0; a < 3; a++) {
			box.lo[a] = at[a] < box.lo[a] ? at[a] : box.lo[a];
			box.shape[a] = at[a] > box.shape[a] ? at[a] : box.shape[a];
		}
	}
	for (int a = 0; a < 3; a++)
		box.shape[a] += 1 - box.lo[a];
	return box;
}

/* The same and a voxel more on each side where the block has one. */
static struct box box_wider(const struct bench *w, struct box box)
{
	for (int a = 0; a < 3; a++) {
		const size_t end = box.lo[a] + box.shape[a] + 1;

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
static int piece_fill(struct worker *k, const struct job *j)
{
	const struct fx_skeletonize_block *b = k->w->b;
	const uint32_t *voxels = k->w->voxels + k->w->first[j->id];
	const struct box box = box_wider(k->w, k->box);
	const size_t size = box.shape[0] * box.shape[1] * box.shape[2];
	uint32_t *mask = fx_calloc(size, sizeof *mask);
	float *distance = fx_calloc(size, sizeof *distance);
	size_t at[3];
	int result = mask && distance ? FX_OK : FX_ENOMEM;

	for (size_t i = 0; result == FX_OK && i < j->size; i++) {
		block_voxel(b, voxels[i], at);
		mask[box_index(&box, at)] = 1;
	}
	if (result == FX_OK)
		result = fx_holes_fill(mask, box.shape);
	if (result == FX_OK)
		result = fx_label_distance(mask, FX_U32, box.shape, b->voxel_nm, false, distance);
	if (result == FX_OK && isinf(distance[0]))
		result = fx_label_distance(mask, FX_U32, box.shape, b->voxel_nm, true, distance);
	for (size_t i = 0; result == FX_OK && i < j->size; i++) {
		block_voxel(b, voxels[i], at);
		k->radius[k->voxels[i]] = distance[box_index(&box, at)];
	}
	free(mask);
	free(distance);
	return result;
}

static bool piece_is_wide(const struct worker *k, size_t len, double nm)
{
	for (size_t i = 0; i < len; i++)
		if ((double)k->radius[k->voxels[i]] > nm)
			return true;
	return false;
}

static uint32_t worker_index(const struct worker *k, size_t voxel)
{
	size_t at[3];

	block_voxel(k->w->b, voxel, at);
	return fx_lattice_index(&k->l, at[0] - k->box.lo[0], at[1] - k->box.lo[1],
				at[2] - k->box.lo[2]);
}

static bool worker_fit(struct worker *k, size_t len)
{
	if (k->l.len > k->cap) {
		free(k->flags);
		free(k->radius);
		k->cap = 0;
		k->flags = fx_calloc_huge(k->l.len, sizeof *k->flags);
		k->radius = fx_calloc_huge(k->l.len, sizeof *k->radius);
		if (!k->flags || !k->radius)
			return false;
		k->cap = k->l.len;
	}
	return fx_grow(&k->voxels, &k->voxels_cap, len, sizeof *k->voxels);
}

/* Lays the lattice around a piece. */
static int worker_load(struct worker *k, const struct job *j)
{
	const struct bench *w = k->w;
	const uint32_t *voxels = w->voxels + w->first[j->id];
	int result;

	k->box = piece_box(w, voxels, j->size);
	result = fx_lattice_init(&k->l, k->box.shape, w->b->voxel_nm);
	if (result == FX_OK && !worker_fit(k, j->size))
		result = FX_ENOMEM;
	for (size_t i = 0; result == FX_OK && i < j->size; i++) {
		const uint32_t at = worker_index(k, voxels[i]);

		k->voxels[i] = at;
		k->flags[at] = FX_VOXEL_IN;
		k->radius[at] = w->distance[voxels[i]];
	}
	if (result == FX_OK && piece_is_wide(k, j->size, w->options->soma_detection_nm))
		result = piece_fill(k, j);
	return result;
}

/* The balls by which a piece is cleared in the last planes of the block. */
static void worker_leaves(const struct worker *k, const struct job *j, struct fx_ball *leaves[3])
{
	const struct fx_skeletonize_block *b = k->w->b;
	const uint32_t *voxels = k->w->voxels + k->w->first[j->id];
	struct fx_ball ball;
	size_t at[3];

	for (size_t i = 0; i < j->size; i++) {
		block_voxel(b, voxels[i], at);
		for (int axis = 0; axis < 3; axis++) {
			if (at[axis] + 1 < b->shape[axis] ||
			    !fx_teasar_cleared(k->teasar, k->flags, k->voxels[i], &ball))
				continue;
			for (int a = 0; a < 3; a++)
				ball.centre[a] += b->origin[a] + (int64_t)k->box.lo[a];
			leaves[axis][plane_index(b->shape, axis, at)] = ball;
		}
	}
}

static int worker_run(struct worker *k, const struct job *j, struct fx_teasar_object *o,
		      struct fx_link_target *targets, uint32_t *wanted, struct fx_piece *p)
{
	const struct bench *w = k->w;
	uint32_t *voxels = NULL;
	int64_t origin[3];
	int result;

	for (size_t i = 0; i < j->targets_len; i++) {
		targets[i] = w->targets[j->targets + i];
		wanted[i] = targets[i].voxel = worker_index(k, targets[i].voxel);
		o->targets_len += targets[i].must;
	}
	for (int a = 0; a < 3; a++)
		origin[a] = w->b->origin[a] + (int64_t)k->box.lo[a];
	o->targets = wanted;
	o->hints = wanted + o->targets_len;
	o->hints_len = j->targets_len - o->targets_len;
	result = fx_teasar_trace(k->teasar, o, w->options, origin, &p->tree, &voxels);
	if (result == FX_OK)
		p->tree->segment = p->label;
	if (result == FX_OK)
		result = piece_link(p, targets, o->targets_len, voxels);
	free(voxels);
	return result;
}

static int worker_trace(struct worker *k, const struct job *j, struct fx_piece *p)
{
	const struct entry *entries = k->w->entries + j->entries;
	struct fx_ball *balls = fx_calloc(j->entries_len, sizeof *balls);
	struct fx_ball_entry *places = fx_calloc(j->entries_len, sizeof *places);
	struct fx_link_target *targets = fx_calloc(j->targets_len, sizeof *targets);
	uint32_t *wanted = fx_calloc(j->targets_len, sizeof *wanted);
	struct fx_teasar_object o = { .l = &k->l,
				      .flags = k->flags,
				      .radius_nm = k->radius,
				      .voxels = k->voxels,
				      .len = j->size,
				      .entries = places,
				      .entries_len = j->entries_len,
				      .balls = balls,
				      .balls_len = j->entries_len };
	int result = balls && places && targets && wanted ? FX_OK : FX_ENOMEM;

	for (size_t i = 0; result == FX_OK && i < j->entries_len; i++) {
		balls[i] = entries[i].ball;
		for (int a = 0; a < 3; a++)
			balls[i].centre[a] -= k->w->b->origin[a] + (int64_t)k->box.lo[a];
		places[i] =
			(struct fx_ball_entry){ worker_index(k, entries[i].voxel), (uint32_t)i };
	}
	if (result == FX_OK)
		result = worker_run(k, j, &o, targets, wanted, p);
	free(balls);
	free(places);
	free(targets);
	free(wanted);
	return result;
}

static int worker_piece(struct worker *k, const struct job *j, struct fx_skeletons *made)
{
	const struct bench *w = k->w;
	struct fx_piece *p = &made->pieces[j->slot];
	int result = k->teasar ? worker_load(k, j) : FX_ENOMEM;

	p->label = w->b->labels[w->voxels[w->first[j->id]]];
	p->voxels = j->size;
	if (result == FX_OK)
		result = worker_trace(k, j, p);
	if (result != FX_OK)
		return result;
	worker_leaves(k, j, made->leaves);
	for (size_t i = 0; i < j->size; i++)
		k->flags[k->voxels[i]] = 0;
	return FX_OK;
}

/* Traces all pieces into @p made, which has room for them. Each has its own place there, and they
 * share no voxel, so that it does not matter which thread takes which. */
static int bench_trace(const struct bench *w, struct fx_skeletons *made)
{
	int result = FX_OK;

#pragma omp parallel reduction(min : result)
	{
		struct worker k = { .w = w, .teasar = fx_teasar_new() };
		int mine = FX_OK;

#pragma omp for schedule(dynamic)
		for (size_t i = 0; i < w->jobs_len; i++)
			if (mine == FX_OK)
				mine = worker_piece(&k, &w->jobs[i], made);
		result = mine;
		fx_teasar_free(k.teasar);
		free(k.flags);
		free(k.radius);
		free(k.voxels);
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
	struct bench w = { .options = options };
	int result = bench_init(&w, b);

	memset(made, 0, sizeof *made);
	if (result == FX_OK && !(made->pieces = fx_calloc(w.jobs_len, sizeof *made->pieces)))
		result = FX_ENOMEM;
	if (result == FX_OK) {
		made->len = w.jobs_len;
		result = leaves_init(b, made->leaves);
	}
	if (result == FX_OK)
		result = bench_trace(&w, made);
	bench_fini(&w);
	if (result != FX_OK)
		fx_skeletons_fini(made);
	return result;
}
