// SPDX-License-Identifier: Apache-2.0
/* openids.c: disjoint sets of ids, of which only those are kept that may still be joined. */
#include "kernels/openids.h"

#include <fornix/error.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct fx_open_id {
	uint64_t id;	 /* 0: the place is free */
	size_t parent;	 /* place of an id of the same set that is smaller, or its own */
	uint32_t holds;	 /* by what may join it */
	size_t children; /* ids that have it for a parent */
};

void fx_open_ids_fini(struct fx_open_ids *o)
{
	fx_map64_fini(&o->index);
	free(o->nodes);
	free(o->free_places);
	free(o->touched);
	free(o->closed);
	memset(o, 0, sizeof *o);
}

static int ids_touch(struct fx_open_ids *o, size_t place)
{
	if (!fx_grow(&o->touched, &o->touched_cap, o->touched_len + 1, sizeof *o->touched))
		return FX_ENOMEM;
	o->touched[o->touched_len++] = place;
	return FX_OK;
}

int fx_open_ids_add(struct fx_open_ids *o, uint64_t id)
{
	uint64_t *at;
	size_t place;

	if (fx_map64_find(&o->index, id))
		return FX_OK;
	if (!o->free_len && !fx_grow(&o->nodes, &o->cap, o->len + 1, sizeof *o->nodes))
		return FX_ENOMEM;
	place = o->free_len ? o->free_places[o->free_len - 1] : o->len;
	if (ids_touch(o, place) < 0 || !(at = fx_map64_at(&o->index, id)))
		return FX_ENOMEM;
	*at = place;
	o->nodes[place] = (struct fx_open_id){ .id = id, .parent = place };
	if (o->free_len)
		o->free_len--;
	else
		o->len++;
	return FX_OK;
}

static struct fx_open_id *ids_find(struct fx_open_ids *o, uint64_t id)
{
	return &o->nodes[*fx_map64_find(&o->index, id)];
}

void fx_open_ids_hold(struct fx_open_ids *o, uint64_t id)
{
	ids_find(o, id)->holds++;
}

int fx_open_ids_release(struct fx_open_ids *o, uint64_t id)
{
	struct fx_open_id *n = ids_find(o, id);

	n->holds--;
	return n->holds ? FX_OK : ids_touch(o, (size_t)(n - o->nodes));
}

/* Place of the smallest id of the set; each id on the way becomes a child of its grandparent (path
 * halving, Tarjan and van Leeuwen 1984). */
static int ids_root(struct fx_open_ids *o, size_t place, size_t *root)
{
	struct fx_open_id *const n = o->nodes;
	int result = FX_OK;

	while (result == FX_OK && n[place].parent != place) {
		const size_t parent = n[place].parent, above = n[parent].parent;

		if (above != parent) {
			n[place].parent = above;
			n[above].children++;
			if (!--n[parent].children)
				result = ids_touch(o, parent);
		}
		place = above;
	}
	*root = place;
	return result;
}

int fx_open_ids_join(struct fx_open_ids *o, uint64_t a, uint64_t b)
{
	struct fx_open_id *const n = o->nodes;
	size_t i, j;

	if (ids_root(o, (size_t)(ids_find(o, a) - n), &i) < 0 ||
	    ids_root(o, (size_t)(ids_find(o, b) - n), &j) < 0)
		return FX_ENOMEM;
	if (i == j)
		return FX_OK;
	if (n[i].id > n[j].id) {
		const size_t swap = i;

		i = j;
		j = swap;
	}
	n[j].parent = i;
	n[i].children++;
	return FX_OK;
}

/* Closes an id, and those above it that only it kept. */
static int id_close(struct fx_open_ids *o, size_t place)
{
	struct fx_open_id *const n = o->nodes;

	while (n[place].id && !n[place].holds && !n[place].children) {
		const size_t parent = n[place].parent;

		if (!fx_grow(&o->closed, &o->closed_cap, o->closed_len + 1, sizeof *o->closed) ||
		    !fx_grow(&o->free_places, &o->free_cap, o->free_len + 1,
			     sizeof *o->free_places))
			return FX_ENOMEM;
		o->closed[o->closed_len][0] = n[place].id;
		o->closed[o->closed_len++][1] = n[parent].id;
		fx_map64_remove(&o->index, n[place].id);
		o->free_places[o->free_len++] = place;
		n[place].id = 0;
		if (parent != place)
			n[parent].children--;
		place = parent;
	}
	return FX_OK;
}

int fx_open_ids_close(struct fx_open_ids *o)
{
	int result = FX_OK;

	o->closed_len = 0;
	for (size_t i = 0; i < o->touched_len && result == FX_OK; i++)
		result = id_close(o, o->touched[i]);
	o->touched_len = 0;
	return result;
}

int fx_open_ids_close_all(struct fx_open_ids *o)
{
	int result = FX_OK;

	o->closed_len = o->touched_len = 0;
	for (size_t i = 0; i < o->len; i++)
		o->nodes[i].holds = 0;
	for (size_t i = 0; i < o->len && result == FX_OK; i++)
		result = id_close(o, i);
	return result;
}

static int row_order(const void *pa, const void *pb)
{
	uint64_t a, b;

	memcpy(&a, pa, sizeof a);
	memcpy(&b, pb, sizeof b);
	return (a > b) - (a < b);
}

int fx_open_ids_pack(const struct fx_open_ids *o, struct fx_pack *to)
{
	uint64_t(*rows)[2] = fx_calloc(o->index.len, sizeof *rows);
	size_t n = 0;

	if (!rows)
		return FX_ENOMEM;
	for (size_t i = 0; i < o->len; i++)
		if (o->nodes[i].id) {
			rows[n][0] = o->nodes[i].id;
			rows[n++][1] = o->nodes[o->nodes[i].parent].id;
		}
	if (n)
		qsort(rows, n, sizeof *rows, row_order);
	fx_pack_array(to, rows, n, sizeof *rows);
	free(rows);
	return FX_OK;
}

/* Ids rise, and a parent that is another id is smaller: so it is there, and there are no circles.
 */
static int ids_take(struct fx_open_ids *o, const uint64_t row[2], uint64_t before)
{
	const uint64_t *parent = NULL;
	struct fx_open_id *n;

	if (row[0] <= before || row[1] > row[0] || fx_open_ids_add(o, row[0]) < 0 ||
	    !(parent = fx_map64_find(&o->index, row[1])))
		return FX_ETYPE;
	n = ids_find(o, row[0]);
	n->parent = (size_t)*parent;
	if (row[1] < row[0])
		o->nodes[n->parent].children++;
	return FX_OK;
}

int fx_open_ids_unpack(struct fx_open_ids *o, struct fx_unpack *from)
{
	void *items = NULL;
	size_t n;
	int result = fx_unpack_array(from, &items, &n, 2 * sizeof(uint64_t));
	const uint64_t(*rows)[2] = (const uint64_t(*)[2])items;

	for (size_t i = 0; result == FX_OK && i < n; i++)
		result = ids_take(o, rows[i], i ? rows[i - 1][0] : 0);
	o->touched_len = 0; /* what holds them comes yet */
	free(items);
	return result;
}
