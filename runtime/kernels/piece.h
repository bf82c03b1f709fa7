// SPDX-License-Identifier: Apache-2.0
/* piece.h: the skeleton of a piece of an object, and how it goes on in other blocks. */
#ifndef FX_KERNELS_PIECE_H
#define FX_KERNELS_PIECE_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

#include "kernels/crossing.h"

/** Where the skeleton of a piece goes on in another block. */
struct fx_link {
	struct fx_crossing crossing;
	double depth_nm; /**< of the contact */
	uint32_t node;	 /**< of the piece's tree */
};

/** A 26-connected piece of an object in one block, and its skeleton. */
struct fx_piece {
	uint64_t label;
	uint64_t voxels;
	struct fx_tree *tree; /**< owned; one root */
	size_t links_len;
	struct fx_link *links; /**< owned */
};
void fx_piece_fini(struct fx_piece *p);
/** The piece as bytes for this process to keep: *bytes (free()), *size. FX_ENOMEM. */
int fx_piece_pack(const struct fx_piece *p, void **bytes, size_t *size);
/** Reads what fx_piece_pack() gave; FX_EINVAL when the sizes do not fit, FX_ENOMEM. */
int fx_piece_unpack(const void *bytes, size_t size, struct fx_piece *p);

#endif
