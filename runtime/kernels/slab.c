// SPDX-License-Identifier: Apache-2.0
/* slab.c: strips of labels around the faces of blocks. */
#include "kernels/slab.h"

#include <fornix/error.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/contingency.h"
#include "kernels/runs.h"

/* Voxels of one label in a strip, and the label of the other block that shares most of them. */
struct share {
	uint64_t voxels, best_voxels;
	uint32_t best;
};

void fx_slab_free(struct fx_slab *s)
{
	if (!s)
		return;
	free(s->first);
	free(s->runs);
	free(s->ids);
	free(s);
}

size_t fx_slab_size(const struct fx_slab *s)
{
	return sizeof *s + (s->planes + 1) * sizeof *s->first + s->runs_cap * sizeof *s->runs +
	       s->ids_len * sizeof *s->ids;
}

/* Adds n voxels to the plane that starts at run plane_start. */
static bool slab_push(struct fx_slab *s, size_t plane_start, uint32_t label, size_t n)
{
	if (s->runs_len > plane_start && s->runs[s->runs_len - 1].label == label) {
		s->runs[s->runs_len - 1].len += (uint32_t)n;
		return true;
	}
	if (!fx_grow(&s->runs, &s->runs_cap, s->runs_len + 1, sizeof *s->runs))
		return false;
	s->runs[s->runs_len++] = (struct fx_slab_run){ label, (uint32_t)n };
	return true;
}

/* Adds a line of n voxels, step apart. */
static bool slab_line(struct fx_slab *s, size_t plane_start, const uint32_t *line, size_t n,
		      size_t step)
{
	for (size_t j = 0, end; j < n; j = end) {
		if (step == 1)
			end = j + fx_run_len(line, sizeof *line, j, n);
		else
			for (end = j + 1; end < n && line[end * step] == line[j * step];)
				end++;
		if (!slab_push(s, plane_start, line[j * step], end - j))
			return false;
	}
	return true;
}

/* The runs of plane p (from 0); the two axes of the plane are u and v, v the faster one. */
static bool slab_plane(struct fx_slab *s, const struct fx_block *b, size_t p,
		       const uint32_t *labels)
{
	const size_t stride[3] = { b->shape[1] * b->shape[2], b->shape[2], 1 };
	const int u = s->axis == 0 ? 1 : 0, v = s->axis == 2 ? 1 : 2;
	const size_t start = s->runs_len;
	const uint32_t *plane = labels + (size_t)(s->lo - b->origin[s->axis]) * stride[s->axis] +
				p * stride[s->axis] + b->halo_lo[u] * stride[u] +
				b->halo_lo[v] * stride[v];

	s->first[p] = start;
	for (size_t i = 0; i < (size_t)s->cross[u]; i++)
		if (!slab_line(s, start, plane + i * stride[u], (size_t)s->cross[v], stride[v]))
			return false;
	return true;
}

static void slab_place(struct fx_slab *s, const struct fx_block *b)
{
	const struct fx_region all = fx_block_region(b), core = fx_block_core(b);
	const int a = s->axis;
	const int64_t face = s->upper ? core.lo[a] : core.hi[a];
	const int64_t depth = s->upper ? b->halo_lo[a] : b->halo_hi[a];
	const int64_t lo = face - depth > all.lo[a] ? face - depth : all.lo[a];
	const int64_t hi = face + depth < all.hi[a] ? face + depth : all.hi[a];

	for (int i = 0; i < 3; i++) {
		s->corner[i] = core.lo[i];
		s->cross[i] = core.hi[i] - core.lo[i];
	}
	s->corner[a] = face;
	s->cross[a] = 1;
	s->lo = lo;
	s->planes = (size_t)(hi - lo);
}

struct fx_slab *fx_slab_cut(const struct fx_block *b, int axis, bool upper, const uint32_t *labels,
			    const uint64_t *ids, size_t ids_len)
{
	struct fx_slab *s = calloc(1, sizeof *s);
	bool done;

	if (!s)
		return NULL;
	s->axis = axis;
	s->upper = upper;
	s->ids_len = ids_len;
	slab_place(s, b);
	s->first = fx_calloc(s->planes + 1, sizeof *s->first);
	s->ids = fx_calloc(ids_len, sizeof *s->ids);
	done = s->first && s->ids;
	if (done)
		memcpy(s->ids, ids, ids_len * sizeof *ids);
	for (size_t p = 0; done && p < s->planes; p++)
		done = slab_plane(s, b, p, labels);
	if (!done) {
		fx_slab_free(s);
		return NULL;
	}
	s->first[s->planes] = s->runs_len;
	return s;
}

/* Counts the pairs on a plane that both strips have; c gets label pairs without 0. */
static int match_plane(const struct fx_slab *l, size_t lp, const struct fx_slab *u, size_t up,
		       struct share *ls, struct share *us, struct fx_contingency *c)
{
	size_t i = l->first[lp], j = u->first[up];
	uint32_t i_used = 0, j_used = 0;

	while (i < l->first[lp + 1] && j < u->first[up + 1]) {
		const struct fx_slab_run a = l->runs[i], b = u->runs[j];
		const uint32_t a_left = a.len - i_used, b_left = b.len - j_used;
		const uint32_t n = a_left < b_left ? a_left : b_left;

		ls[a.label].voxels += n;
		us[b.label].voxels += n;
		if (a.label && b.label && fx_contingency_count(c, a.label, b.label, n) < 0)
			return FX_ENOMEM;
		i_used = n == a_left ? 0 : i_used + n;
		j_used = n == b_left ? 0 : j_used + n;
		i += n == a_left;
		j += n == b_left;
	}
	return FX_OK;
}

static int match_count(const struct fx_slab *l, const struct fx_slab *u, struct share *ls,
		       struct share *us, struct fx_contingency *c)
{
	const int64_t lo = l->lo > u->lo ? l->lo : u->lo;
	const int64_t l_hi = l->lo + (int64_t)l->planes, u_hi = u->lo + (int64_t)u->planes;
	const int64_t hi = l_hi < u_hi ? l_hi : u_hi;

	for (int64_t p = lo; p < hi; p++)
		if (match_plane(l, (size_t)(p - l->lo), u, (size_t)(p - u->lo), ls, us, c) < 0)
			return FX_ENOMEM;
	return FX_OK;
}

static void share_offer(struct share *s, uint64_t n, uint64_t partner)
{
	if (n > s->best_voxels) { /* pairs come sorted: ties keep the smaller label */
		s->best_voxels = n;
		s->best = (uint32_t)partner;
	}
}

static int pairs_push(struct fx_stitch_pairs *out, const struct fx_stitch_meeting *m)
{
	if (!fx_grow(&out->seen, &out->seen_cap, out->seen_len + 1, sizeof *out->seen) ||
	    !fx_grow(&out->ids, &out->cap, out->len + 1, sizeof *out->ids))
		return FX_ENOMEM;
	out->seen[out->seen_len++] = *m;
	if (m->joined)
		memcpy(out->ids[out->len++], m->id, sizeof m->id);
	return FX_OK;
}

static bool match_joins(const struct fx_pair *pair, const struct share *a, const struct share *b,
			const struct fx_stitch_rule *rule)
{
	const uint64_t smaller = a->voxels < b->voxels ? a->voxels : b->voxels;
	const bool a_best = a->best == pair->truth, b_best = b->best == pair->seg;

	if (rule->match == FX_STITCH_TOUCH)
		return true;
	if ((double)pair->count < rule->fraction * (double)smaller)
		return false;
	if (rule->match == FX_STITCH_OVERLAP)
		return true;
	return rule->match == FX_STITCH_MUTUAL ? a_best && b_best : a_best || b_best;
}

/* What was decided of a pair that shares voxels, if both have an id. */
static int match_pair(const struct fx_slab *l, const struct fx_slab *u, const struct share *a,
		      const struct share *b, const struct fx_pair *pair,
		      const struct fx_stitch_rule *rule, struct fx_stitch_pairs *out)
{
	const uint64_t id_a = l->ids[pair->seg], id_b = u->ids[pair->truth];
	struct fx_stitch_meeting m = { .id = { id_a, id_b },
				       .shared = pair->count,
				       .voxels = { a->voxels, b->voxels },
				       .joined = match_joins(pair, a, b, rule) };

	if (!id_a || !id_b)
		return FX_OK;
	if (id_a > id_b) {
		m.id[0] = id_b;
		m.id[1] = id_a;
		m.voxels[0] = b->voxels;
		m.voxels[1] = a->voxels;
	}
	return pairs_push(out, &m);
}

static int match_decide(const struct fx_slab *l, const struct fx_slab *u, struct share *ls,
			struct share *us, const struct fx_contingency *c,
			const struct fx_stitch_rule *rule, struct fx_stitch_pairs *out)
{
	struct fx_pair *pairs = fx_contingency_sorted(c);
	int rc = pairs ? FX_OK : FX_ENOMEM;

	for (size_t k = 0; rc == FX_OK && k < c->len; k++) {
		share_offer(&ls[pairs[k].seg], pairs[k].count, pairs[k].truth);
		share_offer(&us[pairs[k].truth], pairs[k].count, pairs[k].seg);
	}
	for (size_t k = 0; rc == FX_OK && k < c->len; k++)
		rc = match_pair(l, u, &ls[pairs[k].seg], &us[pairs[k].truth], &pairs[k], rule, out);
	free(pairs);
	return rc;
}

int fx_slab_match(const struct fx_slab *lower, const struct fx_slab *upper,
		  const struct fx_stitch_rule *rule, struct fx_stitch_pairs *out)
{
	struct fx_contingency c = { 0 };
	struct share *ls, *us;
	int rc = FX_ENOMEM;

	if (memcmp(lower->cross, upper->cross, sizeof lower->cross) != 0)
		return FX_ETYPE;
	ls = fx_calloc(lower->ids_len, sizeof *ls);
	us = fx_calloc(upper->ids_len, sizeof *us);
	if (ls && us)
		rc = match_count(lower, upper, ls, us, &c);
	if (rc == FX_OK)
		rc = match_decide(lower, upper, ls, us, &c, rule, out);
	fx_contingency_fini(&c);
	free(ls);
	free(us);
	return rc;
}

void fx_slab_pack(const struct fx_slab *s, struct fx_pack *to)
{
	const unsigned char axis = (unsigned char)s->axis;

	fx_pack_put(to, &axis, sizeof axis);
	fx_pack_bool(to, s->upper);
	fx_pack_put(to, s->corner, sizeof s->corner);
	fx_pack_put(to, s->cross, sizeof s->cross);
	fx_pack_put(to, &s->lo, sizeof s->lo);
	fx_pack_array(to, s->first, s->planes + 1, sizeof *s->first);
	fx_pack_array(to, s->runs, s->runs_len, sizeof *s->runs);
	fx_pack_array(to, s->ids, s->ids_len, sizeof *s->ids);
}

/* The runs of each plane cover the cross section, with labels that have an id. */
static bool slab_good(const struct fx_slab *s)
{
	uint64_t area = 1;

	for (int a = 0; a < 3; a++) {
		if (s->cross[a] < 1 || s->cross[a] > INT32_MAX || s->corner[a] > INT64_MAX / 4 ||
		    s->corner[a] < INT64_MIN / 4)
			return false;
		area *= a == s->axis ? 1 : (uint64_t)s->cross[a];
	}
	if (s->planes > INT32_MAX || s->lo > INT64_MAX / 4 || s->lo < INT64_MIN / 4 ||
	    s->first[0] != 0 || s->first[s->planes] != s->runs_len)
		return false;
	for (size_t p = 0; p < s->planes; p++) {
		uint64_t sum = 0;

		if (s->first[p + 1] < s->first[p] || s->first[p + 1] > s->runs_len)
			return false;
		for (size_t i = s->first[p]; i < s->first[p + 1]; i++) {
			if (!s->runs[i].len || s->runs[i].label >= s->ids_len)
				return false;
			sum += s->runs[i].len;
		}
		if (sum != area)
			return false;
	}
	return true;
}

static int slab_arrays(struct fx_slab *s, struct fx_unpack *from)
{
	void *items;
	int result = fx_unpack_array(from, &items, &s->planes, sizeof *s->first);

	s->first = items;
	if (result == FX_OK && !s->planes--)
		return FX_ETYPE;
	if (result == FX_OK) {
		result = fx_unpack_array(from, &items, &s->runs_len, sizeof *s->runs);
		s->runs = items;
		s->runs_cap = s->runs_len;
	}
	if (result == FX_OK) {
		result = fx_unpack_array(from, &items, &s->ids_len, sizeof *s->ids);
		s->ids = items;
	}
	return result;
}

int fx_slab_unpack(struct fx_slab **out, struct fx_unpack *from)
{
	struct fx_slab *s = calloc(1, sizeof *s);
	unsigned char axis;
	int result = FX_ETYPE;

	if (!s)
		return FX_ENOMEM;
	if (fx_unpack_get(from, &axis, sizeof axis) == FX_OK && axis < 3 &&
	    fx_unpack_bool(from, &s->upper) == FX_OK &&
	    fx_unpack_get(from, s->corner, sizeof s->corner) == FX_OK &&
	    fx_unpack_get(from, s->cross, sizeof s->cross) == FX_OK &&
	    fx_unpack_get(from, &s->lo, sizeof s->lo) == FX_OK) {
		s->axis = axis;
		result = slab_arrays(s, from);
	}
	if (result == FX_OK && !slab_good(s))
		result = FX_ETYPE;
	if (result < 0)
		fx_slab_free(s);
	else
		*out = s;
	return result;
}
