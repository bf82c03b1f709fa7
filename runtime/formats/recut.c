// SPDX-License-Identifier: Apache-2.0
/* recut.c: a stored label volume cut anew. */
#include "formats/recut.h"

#include <stdlib.h>
#include <string.h>

/* The volume and its cells. */
struct cut {
	int64_t lo[3];
	size_t shape[3], cell[3], count[3];
};

static struct cut cut_of(const struct fx_labelstore *s, const size_t edge[3])
{
	struct cut c = { 0 };

	for (int a = 0; a < 3; a++) {
		int64_t hi = s->blocks[0].origin[a];

		c.lo[a] = hi;
		for (size_t i = 0; i < s->len; i++) {
			const int64_t lo = s->blocks[i].origin[a],
				      end = lo + (int64_t)s->blocks[i].shape[a];

			c.lo[a] = lo < c.lo[a] ? lo : c.lo[a];
			hi = end > hi ? end : hi;
		}
		c.shape[a] = (size_t)(hi - c.lo[a]);
		c.count[a] = (c.shape[a] + edge[a] - 1) / edge[a];
		c.cell[a] = (c.shape[a] + c.count[a] - 1) / c.count[a];
		c.count[a] = (c.shape[a] + c.cell[a] - 1) / c.cell[a];
	}
	return c;
}

/* Where cell number @p i begins, and its shape. */
static void cut_cell(const struct cut *c, size_t i, int64_t origin[3], size_t shape[3])
{
	const size_t at[3] = { i / c->count[2] / c->count[1], i / c->count[2] % c->count[1],
			       i % c->count[2] };

	for (int a = 0; a < 3; a++) {
		const size_t lo = at[a] * c->cell[a], rest = c->shape[a] - lo;

		origin[a] = c->lo[a] + (int64_t)lo;
		shape[a] = rest < c->cell[a] ? rest : c->cell[a];
	}
}

static bool cut_is_there(const struct cut *c, const struct fx_labelstore *s)
{
	for (size_t i = 0; i < c->count[0] * c->count[1] * c->count[2]; i++) {
		const struct fx_stored *b;
		int64_t origin[3];
		size_t shape[3];

		cut_cell(c, i, origin, shape);
		b = fx_labelstore_find(s, origin);
		if (!b || memcmp(b->shape, shape, sizeof shape) != 0)
			return false;
	}
	return true;
}

/* Copies what a block and a cell share. */
static int copy_shared(struct fx_block *cell, const struct fx_blobstore *in,
		       const struct fx_stored *b, struct fx_error *err)
{
	size_t from[3], to[3], len[3];
	uint64_t *labels;
	int result;

	for (int a = 0; a < 3; a++) {
		const int64_t lo = b->origin[a] > cell->origin[a] ? b->origin[a] : cell->origin[a],
			      b_end = b->origin[a] + (int64_t)b->shape[a],
			      cell_end = cell->origin[a] + (int64_t)cell->shape[a],
			      hi = b_end < cell_end ? b_end : cell_end;

		if (hi <= lo)
			return FX_OK;
		from[a] = (size_t)(lo - b->origin[a]);
		to[a] = (size_t)(lo - cell->origin[a]);
		len[a] = (size_t)(hi - lo);
	}
	result = fx_labelstore_get(in, b, &labels, err);
	if (result != FX_OK)
		return result;
	for (size_t z = 0; z < len[0]; z++)
		for (size_t y = 0; y < len[1]; y++)
			memcpy((uint64_t *)cell->data +
				       ((to[0] + z) * cell->shape[1] + to[1] + y) * cell->shape[2] +
				       to[2],
			       labels + ((from[0] + z) * b->shape[1] + from[1] + y) * b->shape[2] +
				       from[2],
			       len[2] * sizeof *labels);
	free(labels);
	return FX_OK;
}

static int put_cell(const struct cut *c, size_t i, const struct fx_labelstore *s,
		    struct fx_blobstore *in, struct fx_labelstore *made, struct fx_error *err)
{
	struct fx_block *cell;
	int64_t origin[3];
	size_t shape[3];
	int result = FX_OK;

	cut_cell(c, i, origin, shape);
	cell = fx_block_new(FX_U64, shape[0], shape[1], shape[2]);
	if (!cell)
		return fx_error_set(err, FX_ENOMEM, "no memory for %zu x %zu x %zu labels",
				    shape[0], shape[1], shape[2]);
	memcpy(cell->origin, origin, sizeof origin);
	memset(cell->data, 0, fx_block_len(cell) * sizeof(uint64_t));
	for (size_t b = 0; result == FX_OK && b < s->len; b++)
		result = copy_shared(cell, in, &s->blocks[b], err);
	if (result == FX_OK)
		result = fx_labelstore_put(made, in, cell, err);
	fx_block_free(cell);
	return result;
}

/* Blocks that overlap or leave the grid are nobody's cut of one volume. */
static int check_grid(const struct fx_labelstore *s, struct fx_error *err)
{
	const struct fx_stored *next;
	int result = FX_OK;

	for (size_t i = 0; result == FX_OK && i < s->len; i++)
		for (int side = 0; result == FX_OK && side < 6; side++)
			result = fx_labelstore_next(s, &s->blocks[i], side / 2, side % 2, &next,
						    err);
	return result;
}

int fx_labelstore_recut(struct fx_labelstore *s, struct fx_blobstore *in, const size_t edge[3],
			struct fx_error *err)
{
	struct fx_labelstore made = { .next_key = s->next_key };
	struct cut c;
	int result = check_grid(s, err);

	if (result != FX_OK || !s->len)
		return result;
	c = cut_of(s, edge);
	if (cut_is_there(&c, s))
		return FX_OK;
	for (size_t i = 0; result == FX_OK && i < c.count[0] * c.count[1] * c.count[2]; i++)
		result = put_cell(&c, i, s, in, &made, err);
	if (result != FX_OK) {
		fx_labelstore_fini(&made);
		return result;
	}
	for (size_t b = 0; b < s->len; b++)
		fx_labelstore_drop(in, &s->blocks[b]);
	fx_labelstore_fini(s);
	*s = made;
	return FX_OK;
}
