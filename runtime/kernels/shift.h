// SPDX-License-Identifier: Apache-2.0
/* shift.h: how far parts of one section lie from the same parts of another, and how alike they are.
 */
#ifndef FX_KERNELS_SHIFT_H
#define FX_KERNELS_SHIFT_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

/** A section to be compared: grey values, and means of 2 x 2 of them times 4. Zero-initialise. */
struct fx_grey {
	size_t height, width;
	uint16_t *full; /**< owned, height x width */
	uint32_t *half; /**< owned, height / 2 x width / 2 */
};

/** A place for sections of that size. FX_ENOMEM. */
int fx_grey_init(struct fx_grey *p, size_t height, size_t width);
void fx_grey_fini(struct fx_grey *p);
/** Takes over a whole section of u8 or u16. */
void fx_grey_fill(struct fx_grey *p, const void *voxels, enum fx_dtype dtype);
/** Makes the means anew, after full was written. */
void fx_grey_halve(struct fx_grey *p);
/** Copies the box of @p height x @p width at @p y @p x (even numbers) from one to another. */
void fx_grey_copy(struct fx_grey *to, const struct fx_grey *from, size_t y, size_t x, size_t height,
		  size_t width);

/** Where a patch was found. */
struct fx_shift {
	double y, x; /**< the patch of a lies so many voxels further on in b; parts of voxels */
	double similarity; /**< normalised cross-correlation there, -1 to 1; 0 when one is flat */
	double power;	   /**< variance of the patch in a */
};

/** Looks for the patch of @p a at @p y @p x of @p height x @p width in @p b, at shifts of at most
 * @p reach voxels along either axis: all of them with halved sections, then those around the best,
 * then a parabola through its neighbours. At the rim the patch is cut, or moved inwards, so that
 * all shifts fit; in a section too small for that it is taken to lie where it is, similarity 1.
 * Planes are of one size. Exact sums: the same bits for any number of threads, which may call it at
 * once. */
void fx_shift_find(struct fx_shift *s, const struct fx_grey *a, const struct fx_grey *b, size_t y,
		   size_t x, size_t height, size_t width, size_t reach);

#endif
