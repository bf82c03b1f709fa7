// SPDX-License-Identifier: Apache-2.0
/* treepack.c: trees in what a node saves. */
#include "block/treepack.h"

#include <math.h>
#include <stdlib.h>

void fx_tree_pack(const struct fx_tree *t, struct fx_pack *to)
{
	fx_pack_put(to, &t->segment, sizeof t->segment);
	fx_pack_put(to, &t->confidence, sizeof t->confidence);
	fx_pack_array(to, t->nodes, t->len, sizeof *t->nodes);
}

static bool tree_good(const struct fx_tree *t)
{
	for (size_t i = 0; i < t->len; i++) {
		const struct fx_tree_node *n = &t->nodes[i];

		if (n->parent < -1 || (n->parent >= 0 && (size_t)n->parent >= i) ||
		    !isfinite(n->pos_nm[0]) || !isfinite(n->pos_nm[1]) || !isfinite(n->pos_nm[2]) ||
		    !isfinite(n->radius_nm))
			return false;
	}
	return isfinite(t->confidence);
}

int fx_tree_unpack(struct fx_tree **out, struct fx_unpack *from)
{
	struct fx_tree *t = calloc(1, sizeof *t);
	void *nodes;
	int result = FX_ETYPE;

	if (!t)
		return FX_ENOMEM;
	if (fx_unpack_get(from, &t->segment, sizeof t->segment) == FX_OK &&
	    fx_unpack_get(from, &t->confidence, sizeof t->confidence) == FX_OK) {
		result = fx_unpack_array(from, &nodes, &t->len, sizeof *t->nodes);
		t->nodes = nodes;
	}
	if (result == FX_OK && !tree_good(t))
		result = FX_ETYPE;
	if (result < 0)
		fx_tree_free(t);
	else
		*out = t;
	return result;
}
