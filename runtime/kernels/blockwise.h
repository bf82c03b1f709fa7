// SPDX-License-Identifier: Apache-2.0
/* blockwise.h: skeletons of a label volume that is at hand block by block only. */
#ifndef FX_KERNELS_BLOCKWISE_H
#define FX_KERNELS_BLOCKWISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/forest.h"
#include "kernels/skeletonize.h"

/** A block of the volume; blocks lie on one grid, in order of origin (z, y, x). */
struct fx_blockwise_block {
	int64_t origin[3]; /**< voxels */
	size_t shape[3];
	size_t before[3],
		behind[3]; /**< number of the next block along each axis; SIZE_MAX: none */
};

/** Where the labels are and where to leave things. Ids are final: same id = same object, 0 = none.
 * Each returns FX_OK or an error, which ends the work. */
struct fx_blockwise_io {
	void *context;
	/** All labels of a block, zyx; the caller frees. */
	int (*labels)(void *context, size_t block, uint64_t **labels);
	/** First plane along @p axis, with @p high the last, C order; the caller frees. */
	int (*face)(void *context, size_t block, int axis, bool high, uint64_t **labels);
	/** Keeps bytes under a key that is new; keys are below 2^63. */
	int (*put)(void *context, uint64_t key, const void *bytes, size_t size);
	int (*get)(void *context, uint64_t key, void **bytes, size_t *size);
	void (*drop)(void *context, uint64_t key);
	/** Takes a finished forest. */
	int (*tree)(void *context, struct fx_tree *tree);
};

struct fx_blockwise_options {
	struct fx_teasar_options teasar;
	struct fx_forest_options forest;
	double voxel_nm[3];
};

/** Traces all objects: one forest for each id that is not all dust, in order of ids. Memory: one
 * block, the places where objects cross faces, the pieces of one object. Errors: FX_ENOMEM,
 * FX_EINVAL, and those of @p io.
 * Method: pieces are joined at the deepest voxel of each contact, as kimimaro documents it for
 * fix_borders, but only at contacts of a spanning forest, so that no circle arises; and what the
 * balls of the block before reach into a block is cleared there from the start, so that an object
 * that is cut along its length does not get two skeletons side by side. */
int fx_blockwise_trace(const struct fx_blockwise_block *blocks, size_t len,
		       const struct fx_blockwise_options *options,
		       const struct fx_blockwise_io *io);

#endif
