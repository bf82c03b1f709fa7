// SPDX-License-Identifier: Apache-2.0
/* alignchain.h: places of sections that fit what is known of pairs of them, all at once. */
#ifndef FX_KERNELS_ALIGNCHAIN_H
#define FX_KERNELS_ALIGNCHAIN_H

#include "kernels/affinefit.h"

/** A section. */
struct fx_chain_node {
	struct fx_affine2 map; /**< voxel -> aligned place; given when fixed, else filled */
	bool fixed;
	double z;	/**< its number: what is between two is in proportion */
	double pull[2]; /**< towards standing still: of the linear part, and of the shift; as part
			   of the weight of its edges */
};

/** Voxel p of section @p one shows what is at map(p) of section @p other. */
struct fx_chain_edge {
	size_t one, other; /**< nodes */
	struct fx_affine2 map;
	double weight;
};

struct fx_chain {
	enum fx_motion motion;
	size_t height, width; /**< of the sections, voxels */
	double within;	      /**< voxels: an edge that is this far off weighs half */
	double spring;	      /**< weight between neighbours: holds those without edges */
	/** By how much the tissue itself moves along y and x from one section to the next: at the
	 * middle, and more at the middle of the bottom edge and of the right one. */
	double moves[2][3];
	struct fx_chain_node *nodes; /**< borrowed, in order of z */
	size_t nodes_len;
	const struct fx_chain_edge *edges; /**< borrowed */
	size_t edges_len;
};

/** Fills the maps of the nodes that are not fixed: they minimise the weighted squares of
 * T_one(p) - T_other(map(p)) + what the tissue moves between both over the edges, at five places p
 * of the section (its corners, closer to the middle, and its middle); of T_a(p) - T_b(p) over
 * neighbours a and b, with a tiny weight over their distance; and of T(p) - p, the pull. Edges are
 * weighed again by the Cauchy function of their errors. With no fixed node the first one stands
 * still: else errors would shrink all to a point, where they are smallest. FX_ENOMEM; FX_EINVAL for
 * numbers that are not finite. */
int fx_chain_solve(struct fx_chain *c);

#endif
