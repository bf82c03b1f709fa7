// SPDX-License-Identifier: Apache-2.0
/* fold.h: finds folds of a section: long dark bands. */
#ifndef FX_KERNELS_FOLD_H
#define FX_KERNELS_FOLD_H

#include "kernels/quality.h"

/** What usually tells a fold from tissue: standard deviations below the mean. */
#define FX_FOLD_DEVIATIONS 2.0

/** The longest dark band. */
struct fx_fold {
	double length;	     /**< diagonal of its box by the shorter side of the image; 0: none */
	size_t lo[2], hi[2]; /**< its box in voxels of the picture, y x */
};

/** Looks for a fold in @p p: cells of 4 x 4 voxels darker than the mean of all by @p deviations
 * standard deviations, 8-connected (gaps of one cell are bridged), whose area is less than a
 * quarter of the square of their length. FX_ENOMEM. */
int fx_fold_find(struct fx_fold *fold, const struct fx_picture *p, double deviations);

#endif
