// SPDX-License-Identifier: Apache-2.0
/* scores.h: scores as the fields of a record, under the names that scripts read. */
#ifndef FX_KERNELS_SCORES_H
#define FX_KERNELS_SCORES_H

#include <fornix/block.h>

#include "kernels/contingency.h"
#include "kernels/erl.h"
#include "kernels/metrics.h"

/** A number under a name. */
struct fx_named {
	const char *name;
	double value;
};
/** Adds GROUP.NAME for each of @p n fields. FX_ENOMEM. */
int fx_scores_add_named(struct fx_record *r, const char *group, const struct fx_named *fields,
			size_t n);
/** Adds RULE.voi_split, .voi_merge, .voi, .arand, .arand_pairs, .rand_split, .rand_merge, .rand_f,
 * .rand_index, .cremi (the root of voi times arand) and .voxels. FX_ENOMEM. */
int fx_scores_add_rule(struct fx_record *r, enum fx_rule rule, const struct fx_seg_scores *s);
/** Adds the fields of every rule under which a voxel of @p pairs counts, with those of
 * fx_objects_add(), and truth_segments (bodies other than 0). Gives the number of rules that are
 * left out for want of voxels. FX_ENOMEM. */
int fx_scores_add_rules(struct fx_record *r, const struct fx_contingency *pairs,
			unsigned *left_out);
/** Adds erl.strict_nm (fx_erl_compute() with 1 node) and, computed with @p tolerance_nodes,
 * erl.tolerant_nm, .tolerance_nodes, .ceiling_nm, .normalised, .correct, .omitted, .split, .merged,
 * .edges, .correct_edges, .omitted_edges, .split_edges, .merged_edges, .merging_segments, .trees
 * (skeletons) and .length_nm. FX_EINVAL as fx_erl_compute(), FX_ENOMEM.
 */
int fx_scores_add_erl(struct fx_record *r, const struct fx_erl_node *nodes, size_t len,
		      uint64_t tolerance_nodes, struct fx_error *err);
/** One record of kind "neuron" for each skeleton, ascending: skeleton, length_nm, run_nm, correct,
 * omitted, split, merged, segments, edges; computed with @p tolerance_nodes. Calls @p send for
 * each, which takes it and may fail; gives what failed. FX_EINVAL, FX_ENOMEM. */
int fx_scores_neurons(const struct fx_erl_node *nodes, size_t len, uint64_t tolerance_nodes,
		      int (*send)(struct fx_record *r, void *data), void *data,
		      struct fx_error *err);
/** Adds voxels, segments (ids other than 0 in @p sizes, a table against truth 0) and
 * assigned_fraction (the share of voxels that are in one). FX_ENOMEM. */
int fx_scores_add_sizes(struct fx_record *r, const struct fx_contingency *sizes);

#endif
