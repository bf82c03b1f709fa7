// SPDX-License-Identifier: Apache-2.0
/* phase.h: the translation between two images by phase correlation.
 * C. D. Kuglin, D. C. Hines, "The phase correlation image alignment method", Proc. IEEE Int. Conf.
 * on Cybernetics and Society (1975), 163-165. Both images lose their mean and are tapered towards
 * their edges; of the quotient of their spectra only the phase is kept, weighed by a band of
 * frequencies; its inverse transform has a peak at the shift. A peak stands for up to four shifts,
 * as the transform is periodic; the one of the highest peaks is taken whose overlap correlates best
 * (S. Preibisch, S. Saalfeld, P. Tomancak, Bioinformatics 25:1463, 2009), so that it works with a
 * small overlap, as in mosaics. Then the overlap is correlated alone, so that both images show the
 * same and the taper pulls nowhere: how far its peak stands out is the confidence. Between voxels
 * it is the top of a quadric through the correlations at the nine nearest whole shifts, of both
 * images in that band: with noise, they are closer to the truth than phases are. */
#ifndef FX_KERNELS_PHASE_H
#define FX_KERNELS_PHASE_H

#include "kernels/plane.h"

/** How to look. FX_PHASE_DEFAULT suits sections of microscopes. */
struct fx_phase {
	double low;	  /**< frequencies below are damped; cycles per voxel, 0 for none */
	double high;	  /**< frequencies above are damped: noise; above 0, to about 0.5 */
	double taper;	  /**< part of each side that is tapered at either end, 0 to 0.5 */
	double expect[2]; /**< where the shift is looked for, y x, voxels */
	/** At most this far from there on each axis (two voxels more when the peak leads there);
	 * 0 or less is any. The images are cut to what can overlap then. */
	double limit[2];
	double overlap; /**< part of the smaller image that must overlap, above 0 to 1 */
	int candidates; /**< peaks that are tried, 1 to 16 */
};

#define FX_PHASE_DEFAULT                                                                           \
	{                                                                                          \
		.low = 0.01, .high = 0.2, .taper = 0.25, .overlap = 0.1, .candidates = 5           \
	}

struct fx_shift {
	/** Voxel (y, x) of the second image shows what is at (y + by[0], x + by[1]) of the first:
	 * the place of the second image's corner in the first. */
	double by[2];
	/** How much of the peak stands above all others, 0 to 1: by chance mostly below 0.1 and
	 * seldom above 0.3; above 0.5 when the shift is clear. 0 when nothing was found. */
	double confidence;
	double peak;	    /**< height: 1 when the phases of the whole band agree */
	double correlation; /**< of the band where they overlap (Pearson), nearest whole shift */
	double overlap;	    /**< part of the smaller image */
};

/** Shift of @p b to @p a, which may differ in size. Cost: two transforms of the size of the larger,
 * rounded up to fx_fft2_size(), and two of the overlap. FX_EINVAL for an image without voxels, of
 * more than 2^24 on a side or of another dtype, or options out of range; FX_ENOMEM. When no shift
 * is allowed, or an image is flat, @p out is the expected shift with confidence 0. */
int fx_phase_shift(const struct fx_plane *a, const struct fx_plane *b, const struct fx_phase *how,
		   struct fx_shift *out);

#endif
