// SPDX-License-Identifier: Apache-2.0
/* labelstore.h: label blocks kept in a scratch file, with their faces at hand. */
#ifndef FX_FORMATS_LABELSTORE_H
#define FX_FORMATS_LABELSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "formats/blobstore.h"

/** A block of a store: where it lies, without halo. */
struct fx_stored {
	int64_t origin[3]; /**< voxels */
	size_t shape[3];
	uint64_t key; /**< of its first byte string in the scratch file */
};

/** Blocks of a grid in order of their origin (z, y, x). Zero-initialise; fx_labelstore_fini(). */
struct fx_labelstore {
	size_t cell[3]; /**< of the grid: the largest block so far; only the last ones are smaller
			 */
	size_t len, cap;
	struct fx_stored *blocks; /**< owned */
	uint64_t next_key;	  /**< keys from here on are free */
};
void fx_labelstore_fini(struct fx_labelstore *s);
/** Puts which blocks there are, and takes that back to a zeroed one. FX_ETYPE, FX_ENOMEM. */
void fx_labelstore_pack(const struct fx_labelstore *s, struct fx_pack *to);
int fx_labelstore_unpack(struct fx_labelstore *s, struct fx_unpack *from);
/** Keeps the core of @p b (u16, u32 or u64 labels) in @p to. FX_EINVAL when a block of that origin
 * is there or the block is not a label block of at most 2^28 voxels; FX_ENOMEM, FX_EIO. */
int fx_labelstore_put(struct fx_labelstore *s, struct fx_blobstore *to, const struct fx_block *b,
		      struct fx_error *err);
/** The block whose origin is @p origin, or NULL; valid until the next put. */
const struct fx_stored *fx_labelstore_find(const struct fx_labelstore *s, const int64_t origin[3]);
/** The block before (@p high: behind) @p b along @p axis, *next NULL when there is none. FX_EINVAL
 * when they do not lie on one grid. */
int fx_labelstore_next(const struct fx_labelstore *s, const struct fx_stored *b, int axis,
		       bool high, const struct fx_stored **next, struct fx_error *err);
/** Labels of a block, zyx: *labels (free()). FX_EIO, FX_ENOMEM. */
int fx_labelstore_get(const struct fx_blobstore *from, const struct fx_stored *b, uint64_t **labels,
		      struct fx_error *err);
/** Labels of one face of a block, C order of the two other axes: *labels (free()). @p axis 0..2;
 * @p high: its last plane, else its first. FX_EIO, FX_ENOMEM. */
int fx_labelstore_face(const struct fx_blobstore *from, const struct fx_stored *b, int axis,
		       bool high, uint64_t **labels, struct fx_error *err);
/** Forgets the bytes of a block; its place stays known. */
void fx_labelstore_drop(struct fx_blobstore *from, const struct fx_stored *b);

#endif
