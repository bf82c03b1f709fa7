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
