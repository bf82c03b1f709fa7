// SPDX-License-Identifier: Apache-2.0
/* contact.h: where objects pass from one block to the next. */
#ifndef FX_KERNELS_CONTACT_H
#define FX_KERNELS_CONTACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

/** One place where an object crosses a face: a voxel on either side, in one straight line unless
 * the two sides meet only by a corner. */
struct fx_contact {
	size_t a, b;	 /**< index in each plane */
	double depth_nm; /**< distance to the rim of the object in the plane, the smaller of both */
};

/** Contacts of two facing planes of @p height x @p width labels (same id = same object, 0 = none)
 * with pixels of @p step_nm (rows, columns). Voxels that touch by face, edge or corner are in
 * contact. There is one contact for each pair of 8-connected pieces of contact voxels; its voxels
 * are the deepest pair (ties: farthest from the rim of the plane, then the lowest index), so that
 * both blocks find the same ones. Gives *out (free()) in raster order of the pieces, *len of them.
 * FX_EINVAL, FX_ENOMEM. */
int fx_contacts_find(const uint64_t *a, const uint64_t *b, size_t height, size_t width,
		     const double step_nm[2], struct fx_contact **out, size_t *len);

/** A place where an object passes from one block to another: its voxel on either side, global. The
 * same name is found from both blocks, whatever arrived first. */
struct fx_crossing {
	int64_t low[3], high[3];
};
/** Below, equal to or above 0: order of crossings. */
int fx_crossing_compare(const struct fx_crossing *a, const struct fx_crossing *b);

/** A voxel that must be in a skeleton, because of a contact. */
struct fx_link_target {
	uint32_t voxel; /**< index in the block */
	struct fx_crossing crossing;
	double depth_nm;
};

/** A face of a block and the face of the next block that it looks at. */
struct fx_face {
	int64_t origin[3]; /**< of the block, voxels */
	size_t shape[3];   /**< of the block, voxels */
	double voxel_nm[3];
	int axis;  /**< 0..2 */
	bool high; /**< the face is the last plane of the block along axis, else the first */
	const uint64_t *own, *other; /**< ids of both planes, C order of the two other axes */
};
/** Appends a target for each contact of the face to *targets (grown, free()). FX_EINVAL,
 * FX_ENOMEM. */
int fx_face_targets(const struct fx_face *f, struct fx_link_target **targets, size_t *len,
		    size_t *cap);

#endif
