// SPDX-License-Identifier: Apache-2.0
/* agglomerate.h: merges labels that touch over a weak boundary, weakest first. */
#ifndef FX_KERNELS_AGGLOMERATE_H
#define FX_KERNELS_AGGLOMERATE_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/rag.h"

struct fx_agglomerate_params {
	/** A contact is merged while its score (0..1) is below this. */
	double threshold;
	/** Score = this quantile (0..1) of the contact's evidence; below 0: the mean. */
	double quantile;
	/** Faces of evidence 1 that are added to every contact: small contacts merge later. */
	double prior_faces;
	/** Two labels of at least this many voxels each merge only when their contact has at
	 * least large_contact * size^(2/3) faces, size of the smaller; 0 is no such rule. */
	double large_voxels, large_contact;
	/** In the end labels of fewer voxels join the neighbour of the lowest score, whatever
	 * it is; 0 is none. */
	double dust_voxels;
};

/** Merges along edges of @p rag, the lowest score first (ties: the edge that comes first in the
 * graph); the histograms of edges that become one are added. Gives root[label], 0..nodes, the new
 * label: compact 1..*count in order of the smallest old label, root[0] = 0. Edge histograms of
 * @p rag are used up. Returns FX_OK or FX_ENOMEM. Serial. */
int fx_agglomerate(uint32_t *root, uint32_t *count, struct fx_rag *rag,
		   const struct fx_agglomerate_params *p);

/** A merge: labels a < b, each the smallest of its segment at that time, with the voxels of both
 * (at most UINT32_MAX), and the faces and score of their contact. */
struct fx_agglomerate_merge {
	uint32_t a, b, a_voxels, b_voxels;
	double faces, score;
};

/** Zero-initialise; free(merges). */
struct fx_agglomerate_log {
	size_t len, cap;
	struct fx_agglomerate_merge *merges; /**< owned, in the order they were made */
};

/** fx_agglomerate(), with every merge appended to @p log. */
int fx_agglomerate_logged(uint32_t *root, uint32_t *count, struct fx_rag *rag,
			  const struct fx_agglomerate_params *p, struct fx_agglomerate_log *log);

/** The score of a contact: see fx_agglomerate_params. 1 without faces. */
double fx_contact_score(const uint32_t hist[FX_RAG_BINS], const struct fx_agglomerate_params *p);

#endif
