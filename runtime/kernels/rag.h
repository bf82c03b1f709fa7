// SPDX-License-Identifier: Apache-2.0
/* rag.h: the graph of labels that touch, with a histogram of the boundary on every contact. */
#ifndef FX_KERNELS_RAG_H
#define FX_KERNELS_RAG_H

#include <stddef.h>
#include <stdint.h>

enum { FX_RAG_BINS = 64 }; /* bin = value / 4 */

/** Evidence of a boundary, 0..255, on the faces between voxels: give one of both. */
struct fx_rag_evidence {
	/** Of a voxel: a face has the larger of its two voxels' values. */
	const uint8_t *boundary;
	/** Of the face between voxel i and its lower neighbour along axis z, y, x (255 minus an
	 * affinity); used when boundary is NULL. */
	const uint8_t *face[3];
};

/** Two labels that touch: a < b. */
struct fx_rag_edge {
	uint32_t a, b;
};

/** Graph over the labels 1..nodes; label 0 takes no part. Zero-initialise; fx_rag_fini(). */
struct fx_rag {
	uint32_t nodes;
	uint32_t *size; /**< owned, nodes + 1: voxels of each label */
	size_t edges_len, edges_cap;
	struct fx_rag_edge *edges; /**< owned, in raster order of the first face */
	size_t hist_cap;
	uint32_t (*hist)[FX_RAG_BINS]; /**< owned, of every edge: faces by evidence */
};

/** Builds the graph of @p labels (zyx, C order, each at most @p nodes): one edge for two labels
 * with a common face (6 neighbours). @p rag must be zeroed. Returns FX_OK, FX_EINVAL for an empty
 * or too large shape or a label above nodes, FX_ENOMEM; fx_rag_fini() after each of them. Serial.
 */
int fx_rag_build(struct fx_rag *rag, const uint32_t *labels, uint32_t nodes, const size_t shape[3],
		 const struct fx_rag_evidence *evidence);
void fx_rag_fini(struct fx_rag *rag);

#endif
