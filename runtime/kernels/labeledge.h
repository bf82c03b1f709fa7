// SPDX-License-Identifier: Apache-2.0
/* labeledge.h: where true labels have their boundaries. */
#ifndef FX_KERNELS_LABELEDGE_H
#define FX_KERNELS_LABELEDGE_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

/** What a voxel of labels is. */
enum fx_label_edge {
	FX_LABEL_INSIDE = 0,
	FX_LABEL_EDGE = 1,     /**< one of its 6 neighbours has another label */
	FX_LABEL_UNKNOWN = 255 /**< its label is 0 */
};

/** Tells voxel (z, y, x) of @p labels (u8, u16, u32 or u64) apart for the row (z, y) of local
 * coordinates: enum fx_label_edge to edge[0..shape[2]-1]. Neighbours of label 0, or outside of the
 * block, do not count. */
void fx_label_edge_row(uint8_t *edge, const struct fx_block *labels, size_t z, size_t y);

#endif
