// SPDX-License-Identifier: Apache-2.0
/* treescores.h: scores of a tracing as the fields of a record, under the names that scripts read.
 */
#ifndef FX_KERNELS_TREESCORES_H
#define FX_KERNELS_TREESCORES_H

#include <fornix/block.h>
#include <fornix/error.h>

/** Limits, in the unit of the trees. */
struct fx_treescore_options {
	double far;	  /**< ESA, DSA, PDS: distance from which on a point differs */
	double tolerance; /**< nodes, length, critical nodes: distance within which they are found
			   */
};

/** Adds distance.esa, .esa_12, .esa_21, .dsa, .pds, .pds_12, .pds_21, .max (fx_treedist_compute();
 * 1 is @p test); nodes., length.recall, .precision, .f1 (fx_treecover_compute()); critical.recall,
 * .precision, .f1, .test, .truth, .matched, .mean; diadem.score, .weight, .matched, .missed,
 * .continuations, .distant, .excess; pyneval.ssd.score, .recall, .precision, .f1,
 * pyneval.length.recall, .precision, .f1, pyneval.diadem.score with PyNeval's own limits.
 * FX_EINVAL, FX_ENOMEM. */
int fx_treescores_add(struct fx_record *r, const struct fx_tree *test, const struct fx_tree *truth,
		      const struct fx_treescore_options *options, struct fx_error *err);
/** Adds what fx_morphometry_measure() says of @p t as @p prefix.NAME; .sholl is a text of numbers.
 * @p prefix is at most 40 letters long. */
int fx_treescores_add_shape(struct fx_record *r, const char *prefix, const struct fx_tree *t,
			    double sholl_step, struct fx_error *err);

#endif
