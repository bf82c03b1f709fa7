// SPDX-License-Identifier: Apache-2.0
/* bintree.h: the forks and ends of a tree as a binary tree, as DIADEM compares them. */
#ifndef FX_KERNELS_BINTREE_H
#define FX_KERNELS_BINTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

#include "kernels/treewalk.h"

/** How long a way is. */
struct fx_reach {
	double path, xy, z; /**< by the rules of PyNeval path is that in xy */
};

/** A fork, an end, or the root of a tree. */
struct fx_bin {
	double pos[3];
	int32_t up, left, right; /**< others of the same array, -1: none */
	int32_t place;		 /**< the fork that this one was made for, -1: it is one itself */
	struct fx_reach length;	 /**< of the way up */
	/** Where the ways up, to the left and to the right come through a circle of 1.2 around it;
	 * z and x may be NAN where that lies behind the next fork */
	double to_up[3], to_left[3], to_right[3];
};

struct fx_bintree {
	struct fx_bin *nodes; /**< owned */
	size_t len, cap;
};

/** A tree that can be rooted anywhere. Zero-initialise; fx_reroot_fini(). */
struct fx_reroot {
	const struct fx_tree *tree; /**< borrowed */
	struct fx_treewalk walk;
	int32_t *order; /**< owned: nodes in stack order of the tree as it was */
	int32_t *up;	/**< owned: parent of each node, -1 of a root */
	bool *seen;	/**< owned: in a tree that was rooted */
	int32_t *stack; /**< owned: scratch */
};

void fx_reroot_fini(struct fx_reroot *r);
/** FX_EINVAL, FX_ENOMEM. */
int fx_reroot_open(struct fx_reroot *r, const struct fx_tree *t);
/** Makes @p root the root of its tree, whose nodes become seen. */
void fx_reroot_at(struct fx_reroot *r, int32_t root);
/** Appends the tree of @p root to @p b: first the root itself (up, left, right -1), then each child
 * of it with all behind it as a binary tree, brothers in stack order: nodes with one child are left
 * out, of more than two children the nearest two become one fork in the same place, until there
 * are two. With @p shared such forks have the length and the directions of the one they were made
 * for, whose directions are the sums of all (what PyNeval does, as they share one object). *tops
 * (free()): the top of each, *tops_len. FX_EINVAL, FX_ENOMEM. */
int fx_bintree_add(struct fx_bintree *b, const struct fx_reroot *r, int32_t root, bool shared,
		   int32_t **tops, size_t *tops_len);
/** Distance in xy. */
double fx_bin_distance_xy(const double a[3], const double b[3]);

#endif
