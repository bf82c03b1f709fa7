// SPDX-License-Identifier: Apache-2.0
/* heap.h: blocks whose voxels lie on the heap. */
#ifndef FX_BLOCK_HEAP_H
#define FX_BLOCK_HEAP_H

#include <fornix/block.h>

/** Gives @p b the voxels @p data (from fx_alloc_aligned()), freed with the block. */
void fx__block_heap(struct fx_block *b, void *data);

#endif
