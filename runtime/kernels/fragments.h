// SPDX-License-Identifier: Apache-2.0
/* fragments.h: from a boundary map to segments: distance-seeded watershed, then agglomeration.
 * The map may come from filters or from a network. */
#ifndef FX_KERNELS_FRAGMENTS_H
#define FX_KERNELS_FRAGMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/agglomerate.h"
#include "kernels/rag.h"

/** Lengths are in voxels of the finest axis. */
struct fx_fragments_params {
	double seed_boundary; /**< 0..1: seeds lie where the evidence is below this */
	double seed_smooth;   /**< sigma that the distance to the boundary is smoothed by */
	double seed_radius;   /**< a seed is the largest within a box of this radius */
};

/** Cuts a volume into fragments: seeds at the maxima of the smoothed distance to the evidence at
 * or above seed_boundary, flooded over @p boundary (zyx, C order, 255 = membrane). @p voxel: the
 * voxel's edges in any unit. labels become 1..*count; every voxel has one, unless nothing is below
 * seed_boundary: then all are 0 and *count is 0. Returns FX_OK, FX_EINVAL for an empty or too large
 * shape or a voxel edge that is not positive, FX_ENOMEM. Same bits for any thread count. */
int fx_fragments(uint32_t *labels, uint32_t *count, const uint8_t *boundary, const size_t shape[3],
		 const double voxel[3], const struct fx_fragments_params *p);

/** Lengths are in voxels of the finest axis. */
struct fx_fragments_depths {
	double seed_depth;  /**< seeds lie where the smoothed map is above this */
	double seed_smooth; /**< sigma that the map is smoothed by */
	double seed_radius; /**< a seed is the largest within a box of this radius */
};

/** Cuts a volume into fragments: seeds at the maxima of @p depth (how far inside a body a voxel is,
 * in any unit), smoothed, flooded by fx_faces_flood() over @p face. Otherwise as
 * fx_fragments(): all are 0 when nothing is above seed_depth. */
int fx_fragments_faces(uint32_t *labels, uint32_t *count, const float *depth,
		       const uint8_t *const face[3], const size_t shape[3], const double voxel[3],
		       const struct fx_fragments_depths *p);

/** Merges the fragments 1..*count in @p labels by fx_agglomerate() on the graph of @p evidence;
 * labels and *count become those of the segments, compact, 0 stays 0. Errors as fx_rag_build(). */
int fx_fragments_merge(uint32_t *labels, uint32_t *count, const size_t shape[3],
		       const struct fx_rag_evidence *evidence,
		       const struct fx_agglomerate_params *p);

#endif
