// SPDX-License-Identifier: Apache-2.0
/* contact.h: where objects pass from one block to the next. */
#ifndef FX_KERNELS_CONTACT_H
#define FX_KERNELS_CONTACT_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

/** One place where an object crosses a face: a voxel on either side, in one straight line unless
 * the two sides meet only by a corner. */
struct fx_contact {
	size_t a, b;	 /**< index in each plane */
	double depth_nm; /**< distance to the rim of the object in the plane, the smaller of both */
	unsigned edges;	 /**< of plane a that the contact reaches: 1, 2 first, last row, 4, 8 column
			  */
};

/** Contacts of two facing planes of @p height x @p width labels (same id = same object, 0 = none)
 * with pixels of @p step_nm (rows, columns). Voxels that touch by face, edge or corner are in
 * contact. There is one contact for each pair of 8-connected pieces of contact voxels; its voxels
 * are the deepest pair (the rim of the plane counts as a boundary; ties: nearest to the centre of
 * the contact, then the lowest index), so that both blocks find the same ones. Gives *out (free())
 * in raster order of the pieces, *len of them. FX_EINVAL, FX_ENOMEM. */
int fx_contacts_find(const uint64_t *a, const uint64_t *b, size_t height, size_t width,
		     const double step_nm[2], struct fx_contact **out, size_t *len);

#endif
