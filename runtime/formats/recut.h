// SPDX-License-Identifier: Apache-2.0
/* recut.h: a stored label volume cut anew, so that what is made of it does not depend on how it
 * came. */
#ifndef FX_FORMATS_RECUT_H
#define FX_FORMATS_RECUT_H

#include "formats/labelstore.h"

/** Cuts the volume that the blocks of @p s cover into as few equal cells of at most @p edge voxels
 * (zyx, above 0) along each axis as can be; what no block covers is 0. @p s then has the cells, and
 * the blocks are dropped from @p in; nothing is done when they are the cells. FX_EINVAL for blocks
 * that do not lie on one grid, or cells of more than 2^28 voxels; FX_EIO, FX_ENOMEM: then @p s is
 * as before, but for byte strings that nobody asks for. */
int fx_labelstore_recut(struct fx_labelstore *s, struct fx_blobstore *in, const size_t edge[3],
			struct fx_error *err);

#endif
