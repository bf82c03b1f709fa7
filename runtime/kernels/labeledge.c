// SPDX-License-Identifier: Apache-2.0
/* labeledge.c: boundaries of true labels. */
#include "kernels/labeledge.h"

#include <stdbool.h>

#include "block/voxel.h"

static bool differs(const struct fx_block *b, size_t i, size_t neighbour)
{
	const uint64_t other = fx_voxel_label(b->data, b->dtype, neighbour);

	return other && other != fx_voxel_label(b->data, b->dtype, i);
}

void fx_label_edge_row(uint8_t *edge, const struct fx_block *labels, size_t z, size_t y)
{
	const size_t *n = labels->shape, w = n[2], plane = n[1] * w, row = z * plane + y * w;

	for (size_t x = 0; x < w; x++) {
		const size_t i = row + x;
		const bool found = (z > 0 && differs(labels, i, i - plane)) ||
				   (z + 1 < n[0] && differs(labels, i, i + plane)) ||
				   (y > 0 && differs(labels, i, i - w)) ||
				   (y + 1 < n[1] && differs(labels, i, i + w)) ||
				   (x > 0 && differs(labels, i, i - 1)) ||
				   (x + 1 < w && differs(labels, i, i + 1));

		edge[x] = !fx_voxel_label(labels->data, labels->dtype, i) ? FX_LABEL_UNKNOWN :
			  found						  ? FX_LABEL_EDGE :
									    FX_LABEL_INSIDE;
	}
}
