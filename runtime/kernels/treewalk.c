// SPDX-License-Identifier: Apache-2.0
/* treewalk.c: a tree seen from its parents. */
#include "kernels/treewalk.h"

#include <fornix/error.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/edgetree.h"

void fx_treewalk_fini(struct fx_treewalk *w)
{
	free(w->first);
	free(w->child);
	free(w->path);
	free(w->up);
	memset(w, 0, sizeof *w);
}

static int tree_check(const struct fx_tree *t)
{
	if (t->len >= INT32_MAX)
		return FX_EINVAL;
	for (size_t i = 0; i < t->len; i++) {
		const struct fx_tree_node *n = &t->nodes[i];

		if (n->parent >= (int64_t)i ||
		    !isfinite(n->pos_nm[0] + n->pos_nm[1] + n->pos_nm[2] + n->radius_nm))
			return FX_EINVAL;
	}
	return FX_OK;
}

static size_t family(const struct fx_tree *t, size_t i)
{
	return t->nodes[i].parent < 0 ? t->len : (size_t)t->nodes[i].parent;
}

static void fill(struct fx_treewalk *w, const struct fx_tree *t)
{
	for (size_t i = 0; i < t->len; i++)
		w->first[family(t, i) + 1]++;
	for (size_t i = 0; i <= t->len; i++)
		w->first[i + 1] += w->first[i];
	/* first[f] runs through the family; its end is then the start of the next one */
	for (size_t i = 0; i < t->len; i++)
		w->child[w->first[family(t, i)]++] = (int32_t)i;
	memmove(w->first + 1, w->first, (t->len + 1) * sizeof *w->first);
	w->first[0] = 0;
	for (size_t i = 0; i < t->len; i++) {
		const int32_t up = t->nodes[i].parent;

		if (up < 0)
			continue;
		w->up[i] = sqrt(fx_point_distance2(t->nodes[i].pos_nm, t->nodes[up].pos_nm));
		w->path[i] = w->path[up] + w->up[i];
	}
}

int fx_treewalk_open(struct fx_treewalk *w, const struct fx_tree *t)
{
	if (tree_check(t) < 0)
		return FX_EINVAL;
	w->len = t->len;
	w->first = fx_calloc(t->len + 2, sizeof *w->first);
	w->child = fx_calloc(t->len, sizeof *w->child);
	w->path = fx_calloc(t->len, sizeof *w->path);
	w->up = fx_calloc(t->len, sizeof *w->up);
	if (!w->first || !w->child || !w->path || !w->up) {
		fx_treewalk_fini(w);
		return FX_ENOMEM;
	}
	fill(w, t);
	return FX_OK;
}

size_t fx_treewalk_children(const struct fx_treewalk *w, size_t i)
{
	return (size_t)(w->first[i + 1] - w->first[i]);
}

int fx_treewalk_stack_order(const struct fx_treewalk *w, int32_t *order)
{
	int32_t *stack = fx_calloc(w->len + 1, sizeof *stack);
	size_t depth = 0, n = 0, at = w->len;

	if (!stack)
		return FX_ENOMEM;
	for (;;) {
		for (int32_t c = w->first[at]; c < w->first[at + 1]; c++)
			stack[depth++] = w->child[c];
		if (!depth)
			break;
		order[n++] = stack[--depth];
		at = (size_t)order[n - 1];
	}
	free(stack);
	return FX_OK;
}

struct fx_tree *fx_tree_in_units(const struct fx_tree *t, const double unit[3])
{
	struct fx_tree *copy = fx_tree_new(t->segment, t->len);

	for (size_t i = 0; copy && i < t->len; i++) {
		copy->nodes[i] = t->nodes[i];
		for (int a = 0; a < 3; a++)
			copy->nodes[i].pos_nm[a] /= unit[a];
		copy->nodes[i].radius_nm /= unit[2];
	}
	if (copy)
		copy->confidence = t->confidence;
	return copy;
}
