// SPDX-License-Identifier: Apache-2.0
/* treewalk.h: a tree seen from its parents. */
#ifndef FX_KERNELS_TREEWALK_H
#define FX_KERNELS_TREEWALK_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

/** The children of each node of a tree. Zero-initialise; fx_treewalk_fini(). */
struct fx_treewalk {
	size_t len;
	int32_t *first; /**< owned: children of node i are child[first[i]] ... child[first[i + 1] -
			   1]; those of number len are the roots */
	int32_t *child; /**< owned: ascending in each family */
	double *path;	/**< owned: length of the way to the root */
	double *up;	/**< owned: length of the edge to the parent, 0 of a root */
};

void fx_treewalk_fini(struct fx_treewalk *w);
/** FX_EINVAL when a parent is not before its child or a position is not finite, FX_ENOMEM. */
int fx_treewalk_open(struct fx_treewalk *w, const struct fx_tree *t);
/** Number of children of node @p i; of the roots for i == w->len. */
size_t fx_treewalk_children(const struct fx_treewalk *w, size_t i);
/** The nodes in preorder, the last of brothers first: what a stack gives that takes all children of
 * what it gives. @p order has room for w->len. FX_ENOMEM. */
int fx_treewalk_stack_order(const struct fx_treewalk *w, int32_t *order);
/** A copy with every position divided by @p unit (zyx) and radii by unit[2]; NULL without memory.
 */
struct fx_tree *fx_tree_in_units(const struct fx_tree *t, const double unit[3]);

#endif
