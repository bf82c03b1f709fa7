// SPDX-License-Identifier: Apache-2.0
/* tree.c: the skeleton. */
#include <fornix/block.h>

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"

struct fx_tree *fx_tree_new(uint64_t segment, size_t len)
{
	struct fx_tree *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->nodes = fx_calloc(len, sizeof *t->nodes);
	if (!t->nodes) {
		free(t);
		return NULL;
	}
	t->segment = segment;
	t->confidence = 1;
	t->len = len;
	return t;
}

void fx_tree_free(struct fx_tree *t)
{
	if (!t)
		return;
	free(t->nodes);
	free(t);
}

double fx_tree_length_nm(const struct fx_tree *t)
{
	double sum = 0;

	for (size_t i = 0; i < t->len; i++) {
		const struct fx_tree_node *n = &t->nodes[i];

		if (n->parent < 0)
			continue;
		const struct fx_tree_node *p = &t->nodes[n->parent];
		const double dz = n->pos_nm[0] - p->pos_nm[0], dy = n->pos_nm[1] - p->pos_nm[1],
			     dx = n->pos_nm[2] - p->pos_nm[2];

		sum += sqrt(dz * dz + dy * dy + dx * dx);
	}
	return sum;
}
