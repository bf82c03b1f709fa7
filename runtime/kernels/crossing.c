// SPDX-License-Identifier: Apache-2.0
/* crossing.c: which places the skeletons of neighbouring blocks are joined at. */
#include "kernels/crossing.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "kernels/components.h"
#include "kernels/contact.h"

int fx_crossing_compare(const struct fx_crossing *a, const struct fx_crossing *b)
{
	for (int i = 0; i < 3; i++)
		if (a->low[i] != b->low[i])
			return a->low[i] < b->low[i] ? -1 : 1;
	for (int i = 0; i < 3; i++)
		if (a->high[i] != b->high[i])
			return a->high[i] < b->high[i] ? -1 : 1;
	return 0;
}

/* Index in a plane -> voxel of the block, zyx. */
static void face_voxel(const struct fx_face *f, size_t i, size_t plane, size_t at[3])
{
	const int row = f->axis == 0 ? 1 : 0, column = f->axis == 2 ? 1 : 2;

	at[f->axis] = plane;
	at[row] = i / f->shape[column];
	at[column] = i % f->shape[column];
}

static struct fx_link_target face_target(const struct fx_face *f, const struct fx_contact *c)
{
	const size_t plane = f->high ? f->shape[f->axis] - 1 : 0;
	struct fx_link_target t = { .depth_nm = c->depth_nm,
				    .must = f->own == f->other && !(c->edges & f->inner) };
	size_t low[3], high[3];
	const size_t *own = f->high ? low : high;

	face_voxel(f, c->a, plane, low);
	face_voxel(f, c->b, plane, high);
	t.voxel = (uint32_t)((own[0] * f->shape[1] + own[1]) * f->shape[2] + own[2]);
	for (int a = 0; a < 3; a++) {
		t.crossing.low[a] = f->origin[a] + (int64_t)low[a];
		t.crossing.high[a] = f->origin[a] + (int64_t)high[a];
	}
	t.crossing.low[f->axis] -= !f->high;
	t.crossing.high[f->axis] += f->high;
	return t;
}

int fx_face_targets(const struct fx_face *f, struct fx_link_target **targets, size_t *len,
		    size_t *cap)
{
	const int row = f->axis == 0 ? 1 : 0, column = f->axis == 2 ? 1 : 2;
	const double step_nm[2] = { f->voxel_nm[row], f->voxel_nm[column] };
	struct fx_contact *contacts;
	size_t n;
	int result = fx_contacts_find(f->high ? f->own : f->other, f->high ? f->other : f->own,
				      f->shape[row], f->shape[column], step_nm, &contacts, &n);

	if (result != FX_OK)
		return result;
	if (fx_grow(targets, cap, *len + n, sizeof **targets))
		for (size_t i = 0; i < n; i++)
			(*targets)[(*len)++] = face_target(f, &contacts[i]);
	else
		result = FX_ENOMEM;
	free(contacts);
	return result;
}

int fx_crossing_pieces(const uint64_t *labels, const size_t shape[3],
		       const struct fx_link_target *targets, size_t len, uint32_t *piece,
		       uint32_t *count)
{
	uint32_t *all;
	size_t voxels;
	int result;

	if (!fx_mul_size(shape[0], shape[1], &voxels) || !fx_mul_size(voxels, shape[2], &voxels))
		return FX_EINVAL;
	all = fx_calloc(voxels, sizeof *all);
	if (!all)
		return FX_ENOMEM;
	result = fx_components(labels, FX_U64, shape, 26, all, count);
	for (size_t i = 0; result == FX_OK && i < len; i++)
		piece[i] = targets[i].voxel < voxels ? all[targets[i].voxel] : 0;
	free(all);
	return result;
}

static int end_by_crossing(const void *pa, const void *pb)
{
	const struct fx_crossing_end *a = pa, *b = pb;
	const int order = fx_crossing_compare(&a->target.crossing, &b->target.crossing);

	return order ? order : (a->piece > b->piece) - (a->piece < b->piece);
}

static int end_by_block(const void *pa, const void *pb)
{
	const struct fx_crossing_end *a = pa, *b = pb;

	if (a->block != b->block)
		return a->block < b->block ? -1 : 1;
	if (a->target.voxel != b->target.voxel)
		return a->target.voxel < b->target.voxel ? -1 : 1;
	return fx_crossing_compare(&a->target.crossing, &b->target.crossing);
}

/* Two ends of one crossing: the first of them, in order of crossings. */
struct pair {
	double depth_nm;
	size_t first;
};

static int pair_order(const void *pa, const void *pb)
{
	const struct pair *a = pa, *b = pb;

	if (a->depth_nm > b->depth_nm || a->depth_nm < b->depth_nm)
		return a->depth_nm > b->depth_nm ? -1 : 1;
	return (a->first > b->first) - (a->first < b->first);
}

static size_t set_root(size_t *set, size_t i)
{
	while (set[i] != i) {
		set[i] = set[set[i]];
		i = set[i];
	}
	return i;
}

static size_t pairs_list(struct fx_crossing_end *ends, size_t len, struct pair *pairs)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (i + 1 == len || fx_crossing_compare(&ends[i].target.crossing,
							&ends[i + 1].target.crossing) != 0)
			continue;
		pairs[n++] = (struct pair){ ends[i].target.depth_nm, i };
		i++;
	}
	return n;
}

int fx_crossing_choose(struct fx_crossing_end *ends, size_t len, size_t pieces)
{
	struct pair *pairs = fx_calloc(len / 2 + 1, sizeof *pairs);
	size_t *set = fx_calloc(pieces, sizeof *set);
	size_t n;

	if (!pairs || !set || !len) {
		const int result = pairs && set ? FX_OK : FX_ENOMEM;

		free(pairs);
		free(set);
		return result;
	}
	for (size_t i = 0; i < pieces; i++)
		set[i] = i;
	qsort(ends, len, sizeof *ends, end_by_crossing);
	n = pairs_list(ends, len, pairs);
	qsort(pairs, n, sizeof *pairs, pair_order);
	for (size_t i = 0; i < n; i++) {
		struct fx_crossing_end *end = &ends[pairs[i].first];
		const size_t a = set_root(set, end[0].piece), b = set_root(set, end[1].piece);

		set[a < b ? b : a] = a < b ? a : b;
		end[0].target.must = end[1].target.must = a != b;
	}
	qsort(ends, len, sizeof *ends, end_by_block);
	free(pairs);
	free(set);
	return FX_OK;
}
