// SPDX-License-Identifier: Apache-2.0
/* pyneval.h: scores of a tracing by the rules of PyNeval (Zhang et al. 2022, Frontiers in
 * Neuroinformatics 15:767936), so that published figures can be met. The first tree is the test,
 * the second one gold; positions and radii are taken as they are, in the unit of the thresholds. */
#ifndef FX_KERNELS_PYNEVAL_H
#define FX_KERNELS_PYNEVAL_H

#include <stddef.h>

#include <fornix/block.h>

/** Substantial spatial distance. */
struct fx_pyneval_ssd {
	double score;		  /**< mean of the two mean distances of nodes that are far */
	double recall, precision; /**< share of gold and test nodes that are not */
	size_t gold, test;	  /**< nodes, up-sampled */
};
/** Every edge is cut into floor(length / @p up_sample) (2) equal pieces, which gives new nodes. A
 * node is far when the nearest *node* of the other tree is @p threshold (2) or more away. FX_EINVAL
 * as fx_treewalk_open(), without a node, when up_sample is not positive, and above 2^26 nodes;
 * FX_ENOMEM. */
int fx_pyneval_ssd(const struct fx_tree *test, const struct fx_tree *gold, double threshold,
		   double up_sample, struct fx_pyneval_ssd *out);

/** Matched length. */
struct fx_pyneval_length {
	double recall, precision;
	double gold, test; /**< lengths */
};
/** An edge of gold is matched when both ends have an edge of the test within @p radius (2) times
 * their own radius, the way between the two feet along the test is as long as the edge to within
 * @p share (0.2) of its length, and no part of that way was used before. Nearest edges are tried
 * first, edges of gold from the last child to the first. FX_EINVAL, FX_ENOMEM. */
int fx_pyneval_length(const struct fx_tree *test, const struct fx_tree *gold, double radius,
		      double share, struct fx_pyneval_length *out);

/** Critical nodes: ends (roots with one child too) and forks. */
struct fx_pyneval_critical {
	size_t gold, test, matched;
	double recall, precision;
	double total, mean; /**< distances of matched ones; 0 without any */
};
/** As many as can be are matched one to one within @p distance (2), then so that the sum of
 * distances is least. FX_EINVAL, also when more than 2^18 pairs are within it: the unit is then
 * hardly right; FX_ENOMEM. */
int fx_pyneval_critical(const struct fx_tree *test, const struct fx_tree *gold, double distance,
			struct fx_pyneval_critical *out);

#endif
