// SPDX-License-Identifier: Apache-2.0
/* treeset.c: trees that came in any order. */
#include "block/treeset.h"

#include <fornix/error.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "block/treepack.h"

void fx_treeset_fini(struct fx_treeset *s)
{
	for (size_t i = 0; i < s->len; i++)
		fx_tree_free(s->trees[i]);
	free(s->trees);
	memset(s, 0, sizeof *s);
}

int fx_treeset_add(struct fx_treeset *s, struct fx_tree *t, struct fx_error *err)
{
	int rc = t && fx_grow(&s->trees, &s->cap, s->len + 1, sizeof *s->trees) ?
			 FX_OK :
			 fx_error_set(err, FX_ENOMEM, "no memory for %zu trees", s->len + 1);

	for (size_t i = 0; rc == FX_OK && i < t->len; i++)
		if (t->nodes[i].parent >= (int64_t)i)
			rc = fx_error_set(err, FX_ETYPE,
					  "tree of segment %" PRIu64 ": node %zu has parent %d, "
					  "which must come before it",
					  t->segment, i, t->nodes[i].parent);
	if (rc < 0)
		fx_tree_free(t);
	else
		s->trees[s->len++] = t;
	return rc;
}

static int node_compare(const struct fx_tree_node *p, const struct fx_tree_node *q)
{
	for (int a = 0; a < 3; a++)
		if (p->pos_nm[a] != q->pos_nm[a])
			return p->pos_nm[a] > q->pos_nm[a] ? 1 : -1;
	return (p->parent > q->parent) - (p->parent < q->parent);
}

static int tree_compare(const void *a, const void *b)
{
	struct fx_tree *p, *q;
	int order;

	memcpy(&p, a, sizeof p);
	memcpy(&q, b, sizeof q);
	order = (p->segment > q->segment) - (p->segment < q->segment);
	if (!order)
		order = (p->len > q->len) - (p->len < q->len);
	for (size_t i = 0; !order && i < p->len; i++)
		order = node_compare(&p->nodes[i], &q->nodes[i]);
	return order;
}

void fx_treeset_sort(struct fx_treeset *s)
{
	if (s->len)
		qsort(s->trees, s->len, sizeof *s->trees, tree_compare);
}

struct fx_tree *fx_treeset_join(const struct fx_treeset *s, size_t first, size_t len)
{
	size_t nodes = 0, at = 0;
	struct fx_tree *all;

	for (size_t i = 0; i < len; i++) {
		if (s->trees[first + i]->len > INT32_MAX - nodes)
			return NULL;
		nodes += s->trees[first + i]->len;
	}
	all = fx_tree_new(len ? s->trees[first]->segment : 0, nodes);
	for (size_t i = 0; all && i < len; i++) {
		const struct fx_tree *t = s->trees[first + i];
		const int32_t base = (int32_t)at;

		for (size_t k = 0; k < t->len; k++, at++) {
			all->nodes[at] = t->nodes[k];
			all->nodes[at].parent =
				t->nodes[k].parent < 0 ? -1 : base + t->nodes[k].parent;
		}
	}
	return all;
}

size_t fx_treeset_run(const struct fx_treeset *s, size_t first)
{
	size_t end = first;

	while (end < s->len && s->trees[end]->segment == s->trees[first]->segment)
		end++;
	return end - first;
}

void fx_treeset_pack(const struct fx_treeset *s, struct fx_pack *to)
{
	const uint64_t len = s->len;

	fx_pack_put(to, &len, sizeof len);
	for (size_t i = 0; i < s->len; i++)
		fx_tree_pack(s->trees[i], to);
}

int fx_treeset_unpack(struct fx_treeset *s, struct fx_unpack *from)
{
	uint64_t len;
	int rc = fx_unpack_get(from, &len, sizeof len);

	for (uint64_t i = 0; rc == FX_OK && i < len; i++) {
		struct fx_tree *t = NULL;

		rc = fx_tree_unpack(&t, from);
		if (rc == FX_OK)
			rc = fx_treeset_add(s, t, NULL);
	}
	return rc;
}
