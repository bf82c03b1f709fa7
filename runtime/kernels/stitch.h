// SPDX-License-Identifier: Apache-2.0
/* stitch.h: joins the labels of overlapping blocks to one segmentation, while blocks arrive. */
#ifndef FX_KERNELS_STITCH_H
#define FX_KERNELS_STITCH_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "kernels/slab.h"

/** Blocks have cores that tile the volume (a grid of any cell size, clipped at the ends) and halos
 * that reach into their neighbours. Two blocks that share a face are compared in the strip around
 * it that both labelled: cross section of the cores, depth of the smaller halo on either side
 * (slab.h has the rule). Blocks that meet at an edge only are joined through their neighbours.
 * A label that has voxels in the halo of a block only gets no id, but competes in the match.
 *
 * The provisional id of a label is the place of its first voxel (raster order) in the core of its
 * block: (z + 1) << 40 | y << 20 | x. So it is unique without any knowledge of the grid, never 0,
 * and segments numbered by their smallest provisional id come in raster order of their first
 * voxels: the same numbers however the volume was cut, as long as the same pieces were found one.
 *
 * Memory: of each block only the strips at faces whose other block has not come yet, as runs, and
 * the ids in them. An id that no such strip has any more is closed: what is known of it is handed
 * out, and forgotten. Results depend on the set of blocks, not on their order. */
struct fx_stitch;

enum { FX_STITCH_Z_MAX = (1 << 23) - 2, FX_STITCH_YX_MAX = (1 << 20) - 1 };

/** NULL without memory. */
struct fx_stitch *fx_stitch_new(const struct fx_stitch_rule *rule);
void fx_stitch_free(struct fx_stitch *s);
/** Takes a block of labels (u8, u16, u32, u64; 0 is unassigned), fills @p core (z y x of the core,
 * C order) with provisional ids, and gives in *pairs the ids that met and those found to be one
 * (valid until the next call). FX_EINVAL when it lies outside of 0..MAX, has a halo as large as
 * itself, came before, or does not fit its neighbour's face; FX_ETYPE, FX_ENOMEM. */
int fx_stitch_add(struct fx_stitch *s, const struct fx_block *b, uint64_t *core,
		  const struct fx_stitch_pairs **pairs, struct fx_error *err);
/** No more blocks with a core in @p r will come: frees what waits for one. FX_ENOMEM. */
int fx_stitch_done(struct fx_stitch *s, struct fx_region r);
/** No more blocks will come: closes all ids. FX_ENOMEM. */
int fx_stitch_end(struct fx_stitch *s);
/** The ids that the last of the three calls above closed, as *rows rows (id, a smaller id of its
 * segment), or (id, id) for the smallest of a segment; valid until the next of them. Every id is in
 * one row at last. */
const uint64_t (*fx_stitch_closed(const struct fx_stitch *s, size_t *rows))[2];
/** Bytes held for blocks that have not come, and the number of ids that are not closed. */
size_t fx_stitch_open_size(const struct fx_stitch *s);
size_t fx_stitch_open_ids(const struct fx_stitch *s);
/** Puts all that is known, and takes it back to a new one of the same rule. FX_ETYPE, FX_ENOMEM. */
int fx_stitch_pack(const struct fx_stitch *s, struct fx_pack *to);
int fx_stitch_unpack(struct fx_stitch *s, struct fx_unpack *from);

#endif
