// SPDX-License-Identifier: Apache-2.0
/* alignpair.h: the motion between two prepared sections, from coarse to fine. */
#ifndef FX_KERNELS_ALIGNPAIR_H
#define FX_KERNELS_ALIGNPAIR_H

#include "kernels/affinefit.h"
#include "kernels/regimage.h"

struct fx_pair_how {
	enum fx_motion motion;
	double limit;  /**< voxels: the shift is at most this on each axis; 0 is any */
	int half;      /**< of patches, voxels */
	int reach;     /**< of the last pass, voxels: what bends by more is not seen */
	int grid;      /**< patches on each axis, 3 to 64 */
	double within; /**< voxels of the section: a patch this near to the common motion agrees */
	uint64_t seed;
	/** Where the section is known to lie, within about two voxels: then only the last pass is
	 * made. NULL: it is looked for. */
	const struct fx_affine2 *guess;
};

/** What was found. Zero-initialise; fx_pair_fini() when done. */
struct fx_pair {
	struct fx_affine2 map; /**< voxel of the section -> place in the reference */
	double confidence;     /**< 0 to 1 */
	double rms;	       /**< of the patches that agree, voxels; 0 with no patches */
	size_t len, cap;
	struct fx_patch_match *matches; /**< owned; of the last pass, at full size */
};

/** Registers @p section to @p reference, of one size. The shift of the coarsest level is found by
 * phase correlation (phase.h) of the whole, then patches are matched (patch.h) and the motion is
 * fitted to them (affinefit.h), level by level, with ever smaller reach: tissue moves from section
 * to section, here more and there less, and most patches know better than the whole. At last, all
 * voxels of the full size fit the motion (dense.h). Patches overlap by half at most. The confidence
 * is the part of the patches with a place in the reference that agree, less what would by chance,
 * times the square root of their mean correlation; 0 when no motion is found. Turns of up to about
 * 5 degrees are found. FX_ENOMEM. */
int fx_pair_find(const struct fx_regimage *reference, const struct fx_regimage *section,
		 const struct fx_pair_how *how, struct fx_pair *out);
void fx_pair_fini(struct fx_pair *p);

#endif
