// SPDX-License-Identifier: Apache-2.0
/* forest.h: joins the skeleton pieces of an object to one forest. */
#ifndef FX_KERNELS_FOREST_H
#define FX_KERNELS_FOREST_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/skeletonize.h"

struct fx_forest_options {
	uint64_t dust;	/**< trees of pieces with fewer voxels together are left out */
	double tick_nm; /**< shorter end branches are cut off; 0 keeps all */
};

/** Joins pieces of one object wherever two have a link of the same crossing, deepest first;
 * a crossing that would close a circle is left open. Each
 * tree gets the soma as its root, else the end of the largest radius (ties: lowest z, y, x), and
 * node types by fx_tree_classify(). Trees in order of their first node. @p pieces keep their trees.
 * *forest may have no node.
 * FX_ENOMEM, FX_EINVAL (2^31 nodes or more). */
int fx_forest_join(const struct fx_piece *pieces, size_t len, uint64_t segment,
		   const struct fx_forest_options *options, struct fx_tree **forest);

#endif
