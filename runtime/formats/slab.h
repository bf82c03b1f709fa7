// SPDX-License-Identifier: Apache-2.0
/* slab.h: some sections of a volume in chunks, decoded, so that reading section by section decodes
 * a chunk once, or as rarely as memory allows. */
#ifndef FX_FORMATS_SLAB_H
#define FX_FORMATS_SLAB_H

#include <fornix/block.h>
#include <fornix/error.h>

enum { FX_SLAB_MAX = 512 << 20 }; /**< bytes of the sections that are kept, unless told otherwise */

/** Set the first members; the rest is zero at first. */
struct fx_slab {
	size_t shape[3], chunk[3]; /**< voxels of the volume and of a chunk, zyx */
	enum fx_dtype dtype;
	size_t max; /**< bytes; 0: FX_SLAB_MAX */
	/** Pastes chunk @p grid into @p into where both overlap; *there is false when there is no
	 * such chunk and its voxels are what stands for that. */
	int (*load)(void *context, const size_t grid[3], struct fx_block *into, bool *there,
		    struct fx_error *err);
	void *context;

	struct fx_block *kept; /**< owned: sections from its origin on; NULL: none */
	uint8_t *filled;       /**< owned: columns of chunks that are in it */
	size_t loads;	       /**< calls of load() so far */
};

/** Fills @p b, inside of the volume. The sections from the first one on are kept to the end of its
 * layer of chunks, or as many as fit in max: a layer of L bytes is decoded ceil(L / max) times. A
 * section above max is not kept: then each of its reads decodes the chunks that it touches. A chunk
 * that is not there is looked for again each time. */
int fx_slab_read(struct fx_slab *s, struct fx_block *b, struct fx_error *err);
/** Forgets what is kept. Takes a zeroed one too. */
void fx_slab_fini(struct fx_slab *s);

#endif
