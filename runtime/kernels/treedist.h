// SPDX-License-Identifier: Apache-2.0
/* treedist.h: how far two tracings of a neuron lie apart. */
#ifndef FX_KERNELS_TREEDIST_H
#define FX_KERNELS_TREEDIST_H

#include <stddef.h>

#include <fornix/block.h>

/** Distances between two trees, in their unit, and shares. All -1 when a tree has fewer than two
 * nodes or no edge. */
struct fx_treedist {
	double esa12, esa21; /**< mean distance of the points of one from the other */
	double esa;	     /**< entire structure average: mean of the two */
	double dsa;	     /**< different structure average: mean over far points alone */
	double pds12, pds21; /**< share of points that are far */
	double pds;	     /**< percentage of different structure, 0 to 1: mean of the two */
	double max;	     /**< the smaller of the two largest distances */
	size_t points[2];    /**< of either tree */
};

/** Distances after Peng et al. 2010 (Nature Biotechnology 28:348) by the rules of Vaa3D's
 * neuron_distance: every edge becomes floor(1.5 + length) points, evenly from the node to its
 * parent (one point: the node), points at nodes once for each edge; a point's distance is that to
 * the nearest place on an edge of the other tree; it is far at @p far or more (Vaa3D: 2 voxels).
 * DSA is the mean of the two means over far points; of one when the other has none, 0 without any.
 * Positions are taken as they are (pos_nm in whatever unit): the density of the points depends on
 * it. FX_EINVAL when an edge would have more than 2^24 points, or all together 2^40, FX_ENOMEM. */
int fx_treedist_compute(const struct fx_tree *a, const struct fx_tree *b, double far,
			struct fx_treedist *out);

/** Recall and precision in length: what share of a tree runs within @p tolerance of the other. */
struct fx_treecover {
	double nodes[2];  /**< share of the nodes of a and b that lie within it */
	double length[2]; /**< share of the length of a and b; 0 when there is none */
	double total[2];  /**< lengths */
};

/** Nodes count when their distance to the nearest edge (or node) of the other tree is at most @p
 * tolerance > 0. Edges are cut into pieces of at most a quarter of it, each of which counts when
 * its middle lies within it. Errors as above. */
int fx_treecover_compute(const struct fx_tree *a, const struct fx_tree *b, double tolerance,
			 struct fx_treecover *out);

#endif
