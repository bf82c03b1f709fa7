// SPDX-License-Identifier: Apache-2.0
/* morphometry.h: the shape of a tree in numbers. */
#ifndef FX_KERNELS_MORPHOMETRY_H
#define FX_KERNELS_MORPHOMETRY_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

/** Lengths in the unit of the tree. */
struct fx_morphometry {
	size_t nodes, trees;
	size_t forks;	 /**< nodes with two children or more, roots not counted */
	size_t tips;	 /**< nodes without a child, roots not counted */
	size_t branches; /**< from roots and forks to the next fork or tip */
	size_t stems;	 /**< children of roots */
	double length;
	double span[3];		  /**< zyx: largest less smallest position */
	double path_max, far_max; /**< from a root: along the tree, straight */
	double tortuosity;	  /**< mean over branches of length / distance of their ends */
	double contraction;	  /**< mean over branches of distance / length */
	double radius_mean;	  /**< over nodes */
	double surface, volume;	  /**< edges as cylinders of the lower node's radius */
	uint32_t strahler;	  /**< Horton-Strahler number: an end is 1, what joins two of the
				     highest is one more */
	uint32_t order_max;	  /**< most forks on a way from a root, roots without */
	double sholl_step;	  /**< distance of the spheres around each root; sphere i has i + 1
				     steps of radius */
	size_t sholl_len;
	uint32_t *sholl;     /**< owned: edges that pass each sphere, summed over trees */
	uint32_t sholl_max;  /**< most of them */
	double sholl_radius; /**< the first radius with as many */
};

void fx_morphometry_fini(struct fx_morphometry *m);
/** Measures @p t. Branches of which both ends are one place count in neither mean. Sholl analysis
 * (Sholl 1953) with spheres @p sholl_step apart; 0: a 64th of far_max. FX_EINVAL as
 * fx_treewalk_open(), or with more than 2^20 spheres; FX_ENOMEM. */
int fx_morphometry_measure(const struct fx_tree *t, double sholl_step, struct fx_morphometry *out);

#endif
