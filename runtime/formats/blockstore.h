// SPDX-License-Identifier: Apache-2.0
/* blockstore.h: label blocks put aside in one scratch file, compressed, found again by place. */
#ifndef FX_FORMATS_BLOCKSTORE_H
#define FX_FORMATS_BLOCKSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "base/map64.h"
#include "formats/blobstore.h"

/** A block that was put aside; its voxels lie in the file. */
struct fx_aside {
	struct fx_block header; /**< without data and halo */
	bool is_live;		/**< until it is dropped */
};

/** Zero-initialise, open; fx_blockstore_close() when done. In memory it holds only headers. */
struct fx_blockstore {
	struct fx_blobstore *scratch; /**< owned, the voxels by number; NULL when not open */
	size_t live;
	size_t len, cap;
	struct fx_aside *blocks; /**< owned */
	struct fx_map64 places;	 /**< origin of a live block to its number + 1 */
};

/** Makes a file called @p name in folder @p dir. FX_EIO, FX_ENOMEM. */
int fx_blockstore_open(struct fx_blockstore *s, const char *dir, const char *name,
		       struct fx_error *err);
/** Puts the headers, with the file made durable, and takes them back to a zeroed store, as of
 * blobstore.h. FX_ETYPE, FX_EIO, FX_ENOMEM. */
int fx_blockstore_pack(struct fx_blockstore *s, struct fx_pack *to, struct fx_error *err);
int fx_blockstore_unpack(struct fx_blockstore *s, const char *dir, const char *name,
			 struct fx_unpack *from, struct fx_error *err);
/** Takes a zeroed store too. */
void fx_blockstore_close(struct fx_blockstore *s);
/** Puts the core of @p b aside (one channel). Gives its number, which stays valid. FX_EIO,
 * FX_ENOMEM, FX_EINVAL when it is too large, all halo, or its core starts outside of z 0..2^24-1, y
 * and x 0..2^20-1. */
int fx_blockstore_put(struct fx_blockstore *s, const struct fx_block *b, size_t *number,
		      struct fx_error *err);
/** Reads block @p number back as a heap block without halo; fx_block_free(). NULL on error. */
struct fx_block *fx_blockstore_get(const struct fx_blockstore *s, size_t number,
				   struct fx_error *err);
/** Number of the block whose core starts at @p origin (the last one put there), or SIZE_MAX. */
size_t fx_blockstore_find(const struct fx_blockstore *s, const int64_t origin[3]);
/** Forgets block @p number. */
void fx_blockstore_drop(struct fx_blockstore *s, size_t number);
/** Looks up the label at each of @p n voxels (zyx, global), reading each block once: labels[i] is
 * that of voxels[i], 0 where no stored block lies. The blocks lie on a grid. FX_EIO, FX_ENOMEM,
 * FX_EINVAL. */
int fx_blockstore_lookup(const struct fx_blockstore *s, int64_t (*voxels)[3], size_t n,
			 uint64_t *labels, struct fx_error *err);

#endif
