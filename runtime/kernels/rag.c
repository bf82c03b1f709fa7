// SPDX-License-Identifier: Apache-2.0
/* rag.c: region adjacency graph with contact histograms. */
#include "kernels/rag.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "base/map64.h"

void fx_rag_fini(struct fx_rag *rag)
{
	free(rag->size);
	free(rag->edges);
	free(rag->hist);
	memset(rag, 0, sizeof *rag);
}

static bool rag_new_edge(struct fx_rag *rag, uint32_t a, uint32_t b)
{
	size_t i = rag->edges_len;

	if (!fx_grow(&rag->edges, &rag->edges_cap, i + 1, sizeof *rag->edges) ||
	    !fx_grow(&rag->hist, &rag->hist_cap, i + 1, sizeof *rag->hist))
		return false;
	rag->edges[i] = (struct fx_rag_edge){ a, b };
	memset(rag->hist[i], 0, sizeof rag->hist[i]);
	rag->edges_len++;
	return true;
}

/* Counts one face between two labels. */
static bool rag_face(struct fx_rag *rag, struct fx_map64 *index, uint32_t a, uint32_t b,
		     uint8_t value)
{
	uint32_t lo = a < b ? a : b, hi = a < b ? b : a;
	uint64_t *at = fx_map64_at(index, (uint64_t)lo << 32 | hi);

	if (!at)
		return false;
	if (!*at) {
		if (!rag_new_edge(rag, lo, hi))
			return false;
		*at = rag->edges_len;
	}
	rag->hist[*at - 1][value * FX_RAG_BINS / 256]++;
	return true;
}

static uint8_t face_value(const struct fx_rag_evidence *e, int axis, size_t i, size_t lower)
{
	if (!e->boundary)
		return e->face[axis][i];
	return e->boundary[i] > e->boundary[lower] ? e->boundary[i] : e->boundary[lower];
}

/* The row of @p n voxels from @p first on: sizes, and faces to lower neighbours. */
static int rag_row(struct fx_rag *rag, struct fx_map64 *index, const uint32_t *labels, size_t first,
		   size_t n, const size_t step[3], const struct fx_rag_evidence *e)
{
	for (size_t i = first; i < first + n; i++) {
		if (labels[i] > rag->nodes)
			return FX_EINVAL;
		rag->size[labels[i]]++;
		for (int axis = 0; axis < 3 && labels[i]; axis++) {
			size_t lower = i - step[axis];

			if (!step[axis] || (axis == 2 && i == first) || !labels[lower] ||
			    labels[lower] == labels[i])
				continue;
			if (!rag_face(rag, index, labels[i], labels[lower],
				      face_value(e, axis, i, lower)))
				return FX_ENOMEM;
		}
	}
	return FX_OK;
}

int fx_rag_build(struct fx_rag *rag, const uint32_t *labels, uint32_t nodes, const size_t shape[3],
		 const struct fx_rag_evidence *evidence)
{
	struct fx_map64 index = { 0 };
	size_t plane, len, n = shape[2];
	int err = FX_OK;

	if (!shape[0] || !shape[1] || !n || !fx_mul_size(shape[1], n, &plane) ||
	    !fx_mul_size(plane, shape[0], &len) || len >= UINT32_MAX || nodes == UINT32_MAX)
		return FX_EINVAL;
	rag->nodes = nodes;
	rag->size = fx_calloc((size_t)nodes + 1, sizeof *rag->size);
	if (!rag->size)
		return FX_ENOMEM;
	for (size_t row = 0; row < shape[0] * shape[1] && !err; row++) {
		const size_t step[3] = { row >= shape[1] ? plane : 0, row % shape[1] ? n : 0, 1 };

		err = rag_row(rag, &index, labels, row * n, n, step, evidence);
	}
	fx_map64_fini(&index);
	return err;
}
