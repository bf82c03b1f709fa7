// SPDX-License-Identifier: Apache-2.0
/* clahe.h: contrast-limited adaptive histogram equalisation.
 * K. Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV (1994),
 * 474-485; no code of it is used. An image is divided into regions; a grey value goes to its rank
 * in the clipped histogram of a region; a voxel takes the bilinear mean of the maps of the four
 * regions whose centres surround it, so that regions show no edges. */
#ifndef FX_KERNELS_CLAHE_H
#define FX_KERNELS_CLAHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

/** The two regions whose centres surround a voxel on one axis, and the weight of the second. */
struct fx_clahe_place {
	size_t first, second;
	double weight;
};

/** Zero-initialise; fx_clahe_fini() when done. */
struct fx_clahe {
	size_t height, width; /**< of the image */
	size_t ny, nx;	      /**< regions: region i spans [i * size / n, (i + 1) * size / n) */
	enum fx_dtype dtype;
	size_t bins;		       /**< 256 for u8, 4096 for u16 */
	uint64_t *work;		       /**< owned, bins: histogram of one region */
	uint16_t *bin;		       /**< owned: bin of each grey value */
	uint8_t *maps;		       /**< owned, ny x nx x bins */
	struct fx_clahe_place *across; /**< owned, width */
};

/** Regions of about @p side voxels: round(size / side) of them on each axis, at least 1, equal to
 * within one voxel. FX_ETYPE for voxels other than u8 and u16, FX_ENOMEM. */
int fx_clahe_init(struct fx_clahe *c, size_t height, size_t width, size_t side,
		  enum fx_dtype dtype);
/** Takes a zeroed one. */
void fx_clahe_fini(struct fx_clahe *c);
/** Makes the maps of @p image (height x width). Bins: of u8 its 256 grey values; of u16 4096 equal
 * steps from @p low to @p high, which should be the minimum and maximum. In each region the
 * histogram of n voxels is clipped at max(1, ceil(clip * n / bins)), @p clip >= 1; what is cut off
 * is spread evenly over the bins, none of them above the limit, the remainder one by one in equal
 * strides from bin 0 on. Bin b goes to 255 * (voxels in bins up to b) / n, rounded down. With
 * @p skip_zero voxels of value 0 are left out and a region with nothing else maps all to 0. A
 * region with a single bin in use is equalised like any other: the result is finite. */
void fx_clahe_learn(struct fx_clahe *c, const void *image, double low, double high, double clip,
		    bool skip_zero);
/** Writes @p n voxels of row @p y from @p x on, given as @p row, to @p dst; rounded half up. With
 * @p skip_zero value 0 stays 0. */
void fx_clahe_apply(const struct fx_clahe *c, const void *row, size_t y, size_t x, size_t n,
		    bool skip_zero, uint8_t *dst);
/** Clips @p counts at @p limit and spreads the excess, as above. limit * bins must be at least the
 * number of voxels. */
void fx_clahe_clip(uint64_t *counts, size_t bins, uint64_t limit);

#endif
