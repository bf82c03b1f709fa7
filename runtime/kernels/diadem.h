// SPDX-License-Identifier: Apache-2.0
/* diadem.h: the DIADEM score of a tracing. */
#ifndef FX_KERNELS_DIADEM_H
#define FX_KERNELS_DIADEM_H

#include <stdbool.h>
#include <stddef.h>

#include <fornix/block.h>

/** Limits, in the unit of the trees. */
struct fx_diadem_options {
	double xy, z;		  /**< how far apart two nodes may be */
	double xy_error, z_error; /**< how much two ways may differ, as a share of their length */
	bool shared_forks;	  /**< forks of three and more as PyNeval takes them, see below */
};

/** FX_DIADEM_DEFAULT: 2, 1, 0.05, 0.05, those of PyNeval; no shared forks. */
#define FX_DIADEM_DEFAULT                                                                          \
	{                                                                                          \
		2, 1, 0.05, 0.05, false                                                            \
	}

struct fx_diadem_score {
	double score;	      /**< matched / weight, 0 to 1; 0 when there is nothing */
	double weight;	      /**< of all forks and ends of gold, and of what is too much */
	double matched;	      /**< weight of those that were found */
	size_t missed;	      /**< forks and ends of gold that were not */
	size_t continuations; /**< forks that were not, but the way through them was */
	size_t distant;	      /**< of these, found further away */
	double excess;	      /**< weight of what the test has too much */
};

/** DIADEM score after Gillette et al. 2011 (Neuroinformatics 9:233) by the rules of PyNeval: a fork
 * or end of gold is found when the test has one near it and the ways to an ancestor that both have
 * near each other are equally long; each weighs as many as there are ends behind it. Both trees are
 * first rooted at nodes that lie nearer than half the radius of the gold node: the first of gold
 * that has one, from the last child to the first. A tree of the test without a partner counts
 * for nothing, one of gold is missed. Forks of three and more are several forks in one place: in
 * PyNeval (shared_forks) these share one object, so that the way to the place counts twice and
 * directions add up. Where a way leaves a node is known in y too, and a coordinate of -1 is one
 * like any other, which PyNeval forgets. FX_EINVAL as fx_treewalk_open(), and when a node has more
 * than 1024 children; FX_ENOMEM. */
int fx_diadem_compute(const struct fx_tree *test, const struct fx_tree *gold,
		      const struct fx_diadem_options *options, struct fx_diadem_score *out);

#endif
