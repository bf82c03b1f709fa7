// SPDX-License-Identifier: Apache-2.0
/* crossing.h: which places the skeletons of neighbouring blocks are joined at. */
#ifndef FX_KERNELS_CROSSING_H
#define FX_KERNELS_CROSSING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

/** A place where an object passes from one block to another: its voxel on either side, global. The
 * same name is found from both blocks, whatever arrived first. */
struct fx_crossing {
	int64_t low[3], high[3];
};
/** Below, equal to or above 0: order of crossings. */
int fx_crossing_compare(const struct fx_crossing *a, const struct fx_crossing *b);

/** A voxel that a skeleton should reach, because the object goes on behind it. */
struct fx_link_target {
	uint32_t voxel; /**< index in the block */
	struct fx_crossing crossing;
	double depth_nm;
	bool must; /**< be reached; else it is only the best place to end, where nothing cleared it
		    */
};

/** A face of a block and the face of the next block that it looks at. */
struct fx_face {
	int64_t origin[3]; /**< of the block, voxels */
	size_t shape[3];   /**< of the block, voxels */
	double voxel_nm[3];
	int axis;  /**< 0..2 */
	bool high; /**< the face is the last plane of the block along axis, else the first */
	/** Ids of both planes, C order of the two other axes; other may be own at the rim of the
	 * volume, behind which objects are thought to go on. */
	const uint64_t *own, *other;
	unsigned inner; /**< edges of the face behind which there is a block, as in fx_contact */
};
/** Appends a target for each contact of the face to *targets (grown, free()). At the rim of the
 * volume those must be reached that do not go on in the next block. FX_EINVAL,
 * FX_ENOMEM. */
int fx_face_targets(const struct fx_face *f, struct fx_link_target **targets, size_t *len,
		    size_t *cap);

/** One side of a crossing. */
struct fx_crossing_end {
	struct fx_link_target target;
	uint32_t block; /**< any number of the block */
	uint32_t piece; /**< of an object, counted over all blocks from 0 */
};
/** The piece (1.., 0 outside of labels) that each target of a block lies in: 26-connected pieces of
 * @p labels (zyx, @p shape), numbered as fx_components() does; *count is how many there are.
 * FX_EINVAL, FX_ENOMEM. */
int fx_crossing_pieces(const uint64_t *labels, const size_t shape[3],
		       const struct fx_link_target *targets, size_t len, uint32_t *piece,
		       uint32_t *count);
/** Chooses the crossings that join all that hangs together and no more: a spanning forest of the
 * pieces, deepest crossings first (ties: order of crossings). Sets must on these, not on the
 * others; those with one end only, at the rim of the volume, stay as they are. @p ends come back
 * sorted by block, then voxel.
 * @p pieces is the number of pieces of all blocks. FX_ENOMEM. */
int fx_crossing_choose(struct fx_crossing_end *ends, size_t len, size_t pieces);

#endif
