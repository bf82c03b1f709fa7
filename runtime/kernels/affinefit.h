// SPDX-License-Identifier: Apache-2.0
/* affinefit.h: the affine map that most matches agree on.
 * M. A. Fischler, R. C. Bolles, "Random sample consensus", CACM 24:381 (1981): maps through few
 * random matches are judged by how many others they fit; then iteratively reweighted least squares
 * with the biweight of Beaton and Tukey (Technometrics 16:147, 1974). */
#ifndef FX_KERNELS_AFFINEFIT_H
#define FX_KERNELS_AFFINEFIT_H

#include <stdint.h>

#include "kernels/patch.h"

enum fx_motion { FX_MOTION_SHIFT, FX_MOTION_AFFINE };

struct fx_affine_fit {
	enum fx_motion motion;
	double within; /**< voxels: a match this far off fits; half weight about there */
	double most;   /**< the linear part differs from 1 by at most this */
	uint64_t seed;
};

struct fx_affine_fitted {
	struct fx_affine2 map;
	size_t agree; /**< matches that fit */
	double rms;   /**< of those, voxels */
};

/** Fits @p map so that map(from) is near to. Matches weigh as r squared. False when there are fewer
 * than 2 (shift) or 6 matches, or no map fits that many. Same matches and seed, same bits. */
bool fx_affine_fit(const struct fx_patch_match *m, size_t len, const struct fx_affine_fit *how,
		   struct fx_affine_fitted *out);

#endif
