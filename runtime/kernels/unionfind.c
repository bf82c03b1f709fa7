// SPDX-License-Identifier: Apache-2.0
/* unionfind.c: disjoint sets of u64 keys. */
#include "kernels/unionfind.h"

#include <fornix/error.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void fx_unionfind_fini(struct fx_unionfind *u)
{
	fx_map64_fini(&u->index);
	free(u->nodes);
	memset(u, 0, sizeof *u);
}

/* Index of key's node, entered when new; SIZE_MAX without memory. */
static size_t uf_node(struct fx_unionfind *u, uint64_t key)
{
	const uint64_t *known = fx_map64_find(&u->index, key);
	uint64_t *at;

	if (known)
		return (size_t)*known;
	if (!fx_grow(&u->nodes, &u->cap, u->len + 1, sizeof *u->nodes) ||
	    !(at = fx_map64_at(&u->index, key)))
		return SIZE_MAX;
	*at = u->len;
	u->nodes[u->len] = (struct fx_unionfind_node){ key, u->len };
	return u->len++;
}

static size_t uf_root(struct fx_unionfind *u, size_t i)
{
	while (u->nodes[i].parent != i) {
		u->nodes[i].parent = u->nodes[u->nodes[i].parent].parent;
		i = u->nodes[i].parent;
	}
	return i;
}

int fx_unionfind_add(struct fx_unionfind *u, uint64_t key)
{
	return uf_node(u, key) == SIZE_MAX ? FX_ENOMEM : FX_OK;
}

int fx_unionfind_join(struct fx_unionfind *u, uint64_t a, uint64_t b)
{
	size_t i = uf_node(u, a), j = uf_node(u, b);

	if (i == SIZE_MAX || j == SIZE_MAX)
		return FX_ENOMEM;
	i = uf_root(u, i);
	j = uf_root(u, j);
	if (u->nodes[i].key < u->nodes[j].key)
		u->nodes[j].parent = i;
	else
		u->nodes[i].parent = j;
	return FX_OK;
}

uint64_t fx_unionfind_find(struct fx_unionfind *u, uint64_t key)
{
	const uint64_t *known = fx_map64_find(&u->index, key);

	return known ? u->nodes[uf_root(u, (size_t)*known)].key : key;
}

static int uf_by_key(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

int fx_unionfind_number(struct fx_unionfind *u, uint64_t **table, size_t *rows, uint64_t *sets)
{
	uint64_t *out = fx_calloc(u->len, 2 * sizeof *out);
	uint64_t *numbers = fx_calloc(u->len, sizeof *numbers), n = 0;

	if (!out || !numbers) {
		free(out);
		free(numbers);
		return FX_ENOMEM;
	}
	for (size_t i = 0; i < u->len; i++) {
		out[2 * i] = u->nodes[i].key;
		out[2 * i + 1] = i;
	}
	qsort(out, u->len, 2 * sizeof *out, uf_by_key);
	for (size_t i = 0; i < u->len; i++) {
		const size_t own = (size_t)out[2 * i + 1], root = uf_root(u, own);

		if (root == own)
			numbers[own] = ++n;
		out[2 * i + 1] = numbers[root]; /* the root is the smallest: numbered before */
	}
	free(numbers);
	*table = out;
	*rows = u->len;
	*sets = n;
	return FX_OK;
}

void fx_unionfind_pack(const struct fx_unionfind *u, struct fx_pack *to)
{
	fx_pack_array(to, u->nodes, u->len, sizeof *u->nodes);
}

/* A parent is another node only when its key is smaller: so there are no circles. */
static bool uf_good(const struct fx_unionfind *u, size_t i)
{
	const struct fx_unionfind_node *n = &u->nodes[i];

	return n->parent < u->len && (n->parent == i || u->nodes[n->parent].key < n->key);
}

int fx_unionfind_unpack(struct fx_unionfind *u, struct fx_unpack *from)
{
	void *nodes;
	const int result = fx_unpack_array(from, &nodes, &u->cap, sizeof *u->nodes);

	u->nodes = nodes;
	u->len = u->cap;
	for (size_t i = 0; result == FX_OK && i < u->len; i++) {
		uint64_t *at = fx_map64_at(&u->index, u->nodes[i].key);

		if (!at)
			return FX_ENOMEM;
		if (*at || u->index.len != i + 1 || !uf_good(u, i))
			return FX_ETYPE;
		*at = i;
	}
	return result;
}
