// SPDX-License-Identifier: Apache-2.0
/* teasar.h: the skeleton of one object. */
#ifndef FX_KERNELS_TEASAR_H
#define FX_KERNELS_TEASAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "kernels/geodesic.h"

/** Parameters, named and preset as kimimaro documents them (github.com/seung-lab/kimimaro). */
struct fx_teasar_options {
	double scale, const_nm;		  /**< a path clears radius * scale + const_nm (1.5, 300) */
	double pdrf_scale, pdrf_exponent; /**< of the penalty for leaving the middle (1e5, 4) */
	double soma_detection_nm;	  /**< radius from which holes are filled to look (750) */
	double soma_acceptance_nm;	  /**< radius from which it is a soma (3500) */
	double soma_scale, soma_const_nm; /**< what a soma clears (2, 300) */
};

/** One 26-connected object on a lattice. */
struct fx_teasar_object {
	const struct fx_lattice *l;
	uint8_t *flags;		 /**< lattice; FX_VOXEL_IN in the object, else 0; is written to */
	const float *radius_nm;	 /**< lattice: distance to the boundary, finite in the object */
	const uint32_t *voxels;	 /**< lattice indices of the object, rising */
	size_t len;		 /**< at least 1 */
	const uint32_t *targets; /**< voxels that must be in the skeleton; the first is the root */
	size_t targets_len;
	const uint32_t *hints; /**< voxels to go to as long as they are not cleared */
	size_t hints_len;
	/** Balls of skeletons outside of the lattice that clear voxels from the start; ball counts
	 * in balls. */
	const struct fx_ball_entry *entries;
	size_t entries_len;
	const struct fx_ball *balls;
	size_t balls_len;
};

/** Working memory for one object after the other, of one voxel size; one thread. It grows with the
 * largest lattice. */
struct fx_teasar;
/** NULL without memory. */
struct fx_teasar *fx_teasar_new(void);
void fx_teasar_free(struct fx_teasar *t);

/** Skeleton of @p o as one tree, *tree owned by the caller: nodes at @p origin (voxels zyx) +
 * voxel, times voxel size; radius from @p o; type 1 for a soma, else 0 (fx_tree_classify() sets the
 * rest). *voxels (free()) gets the lattice index of each node. Same input, same bytes. FX_ENOMEM.
 * Method: TEASAR (Sato et al., Pacific Graphics 2000, 281) with a penalised distance
 * pdrf_scale * (1 - radius / largest radius^1.01)^pdrf_exponent + distance to root / largest one.
 * Each way goes from the voxel farthest from the root that is not cleared to the tree as it is. */
int fx_teasar_trace(struct fx_teasar *t, const struct fx_teasar_object *o,
		    const struct fx_teasar_options *options, const int64_t origin[3],
		    struct fx_tree **tree, uint32_t **voxels);

/** The ball that cleared voxel @p voxel of the object that was traced last, whose flags are still
 * as they were left: false when none did. The centre is a voxel of its lattice. */
bool fx_teasar_cleared(const struct fx_teasar *t, const uint8_t *flags, uint32_t voxel,
		       struct fx_ball *ball);

/** Sets the types of nodes that are not soma: 5 where three ways or more meet, 6 where at most one
 * ends, else 0. FX_ENOMEM. */
int fx_tree_classify(struct fx_tree *tree);

#endif
