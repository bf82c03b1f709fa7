// SPDX-License-Identifier: Apache-2.0
/* slab.h: the strip of labels around a face between two blocks, kept as runs, and its matching. */
#ifndef FX_KERNELS_SLAB_H
#define FX_KERNELS_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

#include "base/pack.h"

struct fx_slab_run {
	uint32_t label, len;
};

/** What one block saw around one of its faces: planes parallel to the face, each over the cross
 * section of the block's core, in raster order of the other two axes. */
struct fx_slab {
	struct fx_slab *next; /**< for the keeper */
	int axis;	      /**< the face is normal to it */
	bool upper;	      /**< cut from the block above the face (the larger coordinates) */
	int64_t corner[3];    /**< low corner of the core above the face */
	int64_t cross[3];     /**< voxels of the cross section; 1 along the axis */
	int64_t lo;	      /**< coordinate of the first plane */
	size_t planes;
	size_t *first; /**< owned; planes + 1 indices into runs */
	size_t runs_len, runs_cap;
	struct fx_slab_run *runs; /**< owned; no run crosses from plane to plane */
	size_t ids_len;
	uint64_t *ids; /**< owned; id of each label; 0 when it has no voxel in the core */
};

/** How two labels must match: each is the label that the other shares most voxels with (ties: the
 * label met first); one of the two suffices; however many others each shares voxels with; or one
 * voxel is enough. From the first to the last there are fewer splits, but a merger between two
 * neurons in one block spreads to more pieces of both. */
enum fx_stitch_match {
	FX_STITCH_MUTUAL,
	FX_STITCH_EITHER,
	FX_STITCH_OVERLAP,
	FX_STITCH_TOUCH, /**< whatever the fraction */
};

/** When are two labels one? Both blocks labelled the strip. A pair that shares n_ab voxels of it
 * is one neuron when n_ab >= fraction * min(n_a, n_b), with n_a and n_b the voxels of each label in
 * the strip, and they match. Label 0 never matches. */
struct fx_stitch_rule {
	double fraction; /**< 0 to 1 */
	enum fx_stitch_match match;
};

/** Two ids that share voxels of a strip, and what was decided: the smaller id first. */
struct fx_stitch_meeting {
	uint64_t id[2], shared, voxels[2], joined; /**< voxels in the strip; joined is 0 or 1 */
};
enum { FX_STITCH_MEETING_COLUMNS = 6 }; /* numbers in one */

/** Pairs of ids that are one: 2 numbers each, the smaller first; and all pairs that were looked at.
 * Zero-initialise; free(ids), free(seen). */
struct fx_stitch_pairs {
	size_t len, cap; /**< in pairs */
	uint64_t (*ids)[2];
	size_t seen_len, seen_cap;
	struct fx_stitch_meeting *seen;
};

/** Cuts the strip at one face of @p b: the halo beyond the face and as many planes of the block
 * on this side. @p labels holds the block's voxels as dense labels 0..ids_len-1, @p ids their ids
 * (copied). @p upper says that the block lies above the face. NULL without memory. */
struct fx_slab *fx_slab_cut(const struct fx_block *b, int axis, bool upper, const uint32_t *labels,
			    const uint64_t *ids, size_t ids_len);
void fx_slab_free(struct fx_slab *s);
/** Bytes that a slab holds. */
size_t fx_slab_size(const struct fx_slab *s);
/** Puts a slab; the one taken back is a new one in *s. FX_ETYPE, FX_ENOMEM. */
void fx_slab_pack(const struct fx_slab *s, struct fx_pack *to);
int fx_slab_unpack(struct fx_slab **s, struct fx_unpack *from);
/** Appends to @p out the ids that meet, and those that are one under @p rule, from the planes that
 * both slabs of a face have. Depends on the slabs alone, not on which came first. FX_ETYPE when the
 * cross sections differ, FX_ENOMEM. */
int fx_slab_match(const struct fx_slab *lower, const struct fx_slab *upper,
		  const struct fx_stitch_rule *rule, struct fx_stitch_pairs *out);

#endif
