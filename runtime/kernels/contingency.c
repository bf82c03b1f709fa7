// SPDX-License-Identifier: Apache-2.0
/* contingency.c: how often each pair of labels meets. */
#include "kernels/contingency.h"

#include <fornix/error.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/runs.h"

void fx_contingency_fini(struct fx_contingency *c)
{
	free(c->slots);
	free(c->places);
	memset(c, 0, sizeof *c);
}

/* One to one: rows do not share a hash. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static size_t pair_hash(uint64_t seg, uint64_t truth)
{
	uint64_t x = seg * 0x9e3779b97f4a7c15u + truth * 0xd1b54a32d192ed03u;

	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
	return (size_t)(x ^ (x >> 32));
}

static size_t pair_slot(const struct fx_contingency *c, uint64_t seg, uint64_t truth)
{
	size_t i = pair_hash(seg, truth) & (c->cap - 1);

	while (c->slots[i].count && (c->slots[i].seg != seg || c->slots[i].truth != truth))
		i = (i + 1) & (c->cap - 1);
	return i;
}

static bool pair_grow(struct fx_contingency *c)
{
	struct fx_contingency bigger = { .len = c->len,
					 .cap = c->cap ? 2 * c->cap : 64,
					 .placed = c->placed };

	bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
	bigger.places = c->placed ? calloc(bigger.cap, sizeof *bigger.places) : NULL;
	if (!bigger.slots || (c->placed && !bigger.places)) {
		fx_contingency_fini(&bigger);
		return false;
	}
	for (size_t i = 0; i < c->cap; i++) {
		size_t to;

		if (!c->slots[i].count)
			continue;
		to = pair_slot(&bigger, c->slots[i].seg, c->slots[i].truth);
		bigger.slots[to] = c->slots[i];
		if (c->placed)
			bigger.places[to] = c->places[i];
	}
	free(c->slots);
	free(c->places);
	*c = bigger;
	return true;
}

/* Counts, and tells the slot. */
static int pair_count(struct fx_contingency *c, uint64_t seg, uint64_t truth, uint64_t count,
		      size_t *slot)
{
	if (2 * (c->len + 1) > c->cap && !pair_grow(c))
		return FX_ENOMEM;
	*slot = pair_slot(c, seg, truth);
	if (!c->slots[*slot].count) {
		c->slots[*slot] = (struct fx_pair){ seg, truth, 0 };
		if (c->placed)
			c->places[*slot] = (struct fx_place){ UINT64_MAX, UINT64_MAX, { 0 } };
		c->len++;
	}
	c->slots[*slot].count += count;
	return FX_OK;
}

int fx_contingency_count(struct fx_contingency *c, uint64_t seg, uint64_t truth, uint64_t count)
{
	size_t slot;

	return pair_count(c, seg, truth, count, &slot);
}

static bool place_beats(const struct fx_place *a, const struct fx_place *b)
{
	return a->row < b->row || (a->row == b->row && a->column < b->column);
}

/* Where a row lies. */
struct row {
	uint64_t hash;
	int64_t at[3];
};

/* A run from @p start on, of @p len voxels: its voxels are hashed only where its row is the lowest,
 * which is seldom. */
static void place_run(struct fx_place *best, const struct row *row, size_t start, size_t len)
{
	if (row->hash > best->row)
		return;
	for (size_t i = start; i < start + len; i++) {
		const int64_t x = row->at[2] + (int64_t)i;
		const struct fx_place p = { row->hash,
					    mix((uint64_t)x + 1),
					    { row->at[0], row->at[1], x } };

		if (place_beats(&p, best))
			*best = p;
	}
}

const struct fx_place *fx_contingency_place(const struct fx_contingency *c, uint64_t seg,
					    uint64_t truth)
{
	const size_t slot = c->cap ? pair_slot(c, seg, truth) : 0;

	return c->placed && c->cap && c->slots[slot].count && c->places[slot].row != UINT64_MAX ?
		       &c->places[slot] :
		       NULL;
}

static bool is_label_type(enum fx_dtype dtype)
{
	return dtype == FX_U8 || dtype == FX_U16 || dtype == FX_U32 || dtype == FX_U64;
}

static int count_run(struct fx_contingency *c, uint64_t seg, uint64_t truth, const struct row *row,
		     size_t start, size_t len)
{
	size_t slot;
	const int rc = pair_count(c, seg, truth, len, &slot);

	if (rc == FX_OK && row)
		place_run(&c->places[slot], row, start, len);
	return rc;
}

/* @p row may be NULL. */
static int count_row(struct fx_contingency *c, const void *seg, enum fx_dtype seg_dtype,
		     const void *truth, enum fx_dtype truth_dtype, size_t n, const struct row *row)
{
	uint64_t s = 0, t = 0;
	size_t start = 0;

	if (!is_label_type(seg_dtype) || (truth && !is_label_type(truth_dtype)))
		return FX_ETYPE;
	for (size_t i = 0; i < n; i += FX_RUNS_BITS) {
		const size_t len = n - i < FX_RUNS_BITS ? n - i : FX_RUNS_BITS;
		uint64_t begins = fx_runs_begin(seg, seg_dtype, i, len);

		if (truth)
			begins |= fx_runs_begin(truth, truth_dtype, i, len);
		for (; begins; begins &= begins - 1) {
			const size_t at = i + (size_t)__builtin_ctzll(begins);

			if (at > start && count_run(c, s, t, row, start, at - start) < 0)
				return FX_ENOMEM;
			s = fx_label_at(seg, seg_dtype, at);
			t = truth ? fx_label_at(truth, truth_dtype, at) : 0;
			start = at;
		}
	}
	return n ? count_run(c, s, t, row, start, n - start) : FX_OK;
}

int fx_contingency_add(struct fx_contingency *c, const void *seg, enum fx_dtype seg_dtype,
		       const void *truth, enum fx_dtype truth_dtype, size_t n)
{
	return count_row(c, seg, seg_dtype, truth, truth_dtype, n, NULL);
}

static const void *row_at(const struct fx_block *b, int64_t z, int64_t y, int64_t x)
{
	const size_t row = (size_t)(z - b->origin[0]) * b->shape[1] + (size_t)(y - b->origin[1]);

	return (const char *)b->data +
	       (row * b->shape[2] + (size_t)(x - b->origin[2])) * fx_dtype_size(b->dtype);
}

int fx_contingency_add_blocks(struct fx_contingency *c, const struct fx_block *seg,
			      const struct fx_block *truth, uint64_t *voxels)
{
	struct fx_region r = fx_block_core(seg);

	if (truth)
		r = fx_region_intersect(r, fx_block_core(truth));
	if (fx_region_empty(r))
		return FX_OK;
	for (int64_t z = r.lo[0]; z < r.hi[0]; z++)
		for (int64_t y = r.lo[1]; y < r.hi[1]; y++) {
			const size_t n = (size_t)(r.hi[2] - r.lo[2]);
			const struct row row = { mix(((uint64_t)z << 32 ^ (uint64_t)y) + 1),
						 { z, y, r.lo[2] } };
			const int rc = count_row(c, row_at(seg, z, y, r.lo[2]), seg->dtype,
						 truth ? row_at(truth, z, y, r.lo[2]) : NULL,
						 truth ? truth->dtype : seg->dtype, n,
						 c->placed ? &row : NULL);

			if (rc < 0)
				return rc;
			*voxels += n;
		}
	return FX_OK;
}

int fx_contingency_relabel(const struct fx_contingency *c, const struct fx_map64 *ids,
			   struct fx_contingency *out, uint64_t *unknown)
{
	bool missing = false;

	out->placed = c->placed;
	for (size_t i = 0; i < c->cap; i++) {
		size_t slot;

		const struct fx_pair *p = &c->slots[i];
		const uint64_t *id = p->count && p->seg ? fx_map64_find(ids, p->seg) : NULL;

		if (!p->count)
			continue;
		if (p->seg && !id) {
			*unknown = missing && *unknown < p->seg ? *unknown : p->seg;
			missing = true;
			continue;
		}
		if (pair_count(out, id ? *id : 0, p->truth, p->count, &slot) < 0)
			return FX_ENOMEM;
		if (c->placed && place_beats(&c->places[i], &out->places[slot]))
			out->places[slot] = c->places[i];
	}
	return missing ? FX_ENOENT : FX_OK;
}

static int pair_by_truth(const void *a, const void *b)
{
	const struct fx_pair *p = a, *q = b;

	if (p->truth != q->truth)
		return p->truth > q->truth ? 1 : -1;
	return (p->seg > q->seg) - (p->seg < q->seg);
}

struct fx_pair *fx_contingency_sorted(const struct fx_contingency *c)
{
	struct fx_pair *pairs = fx_calloc(c->len, sizeof *pairs);
	size_t n = 0;

	if (!pairs)
		return NULL;
	for (size_t i = 0; i < c->cap; i++)
		if (c->slots[i].count)
			pairs[n++] = c->slots[i];
	qsort(pairs, n, sizeof *pairs, pair_by_truth);
	return pairs;
}

int fx_contingency_pack(const struct fx_contingency *c, struct fx_pack *to)
{
	struct fx_pair *pairs = fx_contingency_sorted(c);

	if (!pairs)
		return FX_ENOMEM;
	fx_pack_array(to, pairs, c->len, sizeof *pairs);
	fx_pack_bool(to, c->placed);
	for (size_t i = 0; c->placed && i < c->len; i++)
		fx_pack_put(to, &c->places[pair_slot(c, pairs[i].seg, pairs[i].truth)],
			    sizeof *c->places);
	free(pairs);
	return FX_OK;
}

int fx_contingency_unpack(struct fx_contingency *c, struct fx_unpack *from)
{
	void *items;
	size_t n, slot;
	const struct fx_pair *p;
	int result = fx_unpack_array(from, &items, &n, sizeof *p);

	p = items;
	if (result == FX_OK)
		result = fx_unpack_bool(from, &c->placed);
	for (size_t i = 0; result == FX_OK && i < n; i++) {
		if (!p[i].count || (i && pair_by_truth(&p[i - 1], &p[i]) >= 0))
			result = FX_ETYPE;
		else
			result = pair_count(c, p[i].seg, p[i].truth, p[i].count, &slot);
		if (result == FX_OK && c->placed)
			result = fx_unpack_get(from, &c->places[slot], sizeof *c->places);
	}
	free(items);
	return result;
}
