// SPDX-License-Identifier: Apache-2.0
/* erl.h: expected run length: how far one can follow a neuron before the segmentation errs. */
#ifndef FX_KERNELS_ERL_H
#define FX_KERNELS_ERL_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "block/treeset.h"

/** One node of a truth skeleton, with the segment that lies at its place. */
struct fx_erl_node {
	uint64_t skeleton; /**< truth id: nodes of the same id are one skeleton */
	uint64_t segment;  /**< 0 is unassigned */
	double pos_nm[3];
	int64_t parent; /**< index of the other end of its edge, -1 when it has none */
};

/** Lengths in nm; shares of the total length, which sum to 1. */
struct fx_erl_scores {
	double erl_nm;
	double ceiling_nm; /**< the ERL of perfect labels */
	double normalised; /**< erl_nm / ceiling_nm */
	double correct, omitted, split, merged;
	double length_nm;
	uint64_t merging_segments, skeletons;
	uint64_t edges, correct_edges, omitted_edges, split_edges, merged_edges;
};

/** One skeleton; lengths in nm, shares of its length. */
struct fx_erl_neuron {
	uint64_t skeleton;
	double length_nm;
	double run_nm; /**< sum over segments of (length of correct edges)^2, by its length */
	double correct, omitted, split, merged;
	uint64_t edges;
	uint64_t segments; /**< that have at least the tolerated number of its nodes, but 0 */
};

/** Expected run length after Januszewski et al. 2018 (Flood-filling networks), by the rules of
 * funlib.evaluate: an edge is omitted if either end has segment 0; else split if its ends differ;
 * else merged if its segment is a merging one (non-zero, with nodes of two or more skeletons); else
 * correct. ERL = sum over skeletons and segments of (length of their correct edges)^2, by the total
 * length. Before that a node whose (skeleton, segment) has fewer than @p min_nodes nodes is set to
 * segment 0: 1 is the strict form, more tolerates small contacts, as mergers and as run alike.
 * Lengths are Euclidean in double. FX_EINVAL when a parent is out of range, a position is not
 * finite, or no edge has length; FX_ENOMEM. */
int fx_erl_compute(const struct fx_erl_node *nodes, size_t len, uint64_t min_nodes,
		   struct fx_erl_scores *out, struct fx_error *err);
/** The same by skeleton: *neurons (free()), ascending by id, *len of them. The run lengths,
 * weighted by length, have fx_erl_compute()'s ERL as their mean. A skeleton without length has
 * zeros. Errors as above. */
int fx_erl_neurons(const struct fx_erl_node *nodes, size_t len, uint64_t min_nodes,
		   struct fx_erl_neuron **neurons, size_t *neurons_len, struct fx_error *err);
/** The nodes of truth trees (segment = truth id) one after the other, in an order that does not
 * depend on theirs: @p set is sorted; segment 0 each. Gives *nodes (free()) and *len. FX_ENOMEM. */
int fx_erl_nodes(struct fx_treeset *set, struct fx_erl_node **nodes, size_t *len,
		 struct fx_error *err);
/** voxels[i] (zyx) = the voxel of node i: position by voxel size, rounded; -1 where that is not a
 * voxel index below 2^31. */
void fx_erl_voxels(const struct fx_erl_node *nodes, size_t len, const double voxel_nm[3],
		   int64_t (*voxels)[3]);

#endif
