// SPDX-License-Identifier: Apache-2.0
/* quality.h: how good an image of a section is: focus, noise, contrast, stripes, saturation. */
#ifndef FX_KERNELS_QUALITY_H
#define FX_KERNELS_QUALITY_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

/** A part of an image of grey values (u8 or u16) of @p stride voxels a row. */
struct fx_picture {
	const void *voxels; /**< borrowed; of the whole image */
	enum fx_dtype dtype;
	size_t stride, y, x, height, width;
};

enum { FX_QUALITY_LAGS = 4 };

/** What is counted in a part of an image; those of several parts can be added. */
struct fx_quality_sums {
	uint64_t voxels, low, high; /**< all; those of the lowest and the highest grey value */
	uint64_t sum;
	double square;			     /**< of grey values */
	double diff[2][FX_QUALITY_LAGS];     /**< squared differences along y and x, by lag */
	double pairs[2][FX_QUALITY_LAGS];    /**< and how many */
	double profile[2], profile_pairs[2]; /**< the same between means of rows and of columns */
	double onset; /**< largest mean difference of 32 voxels to the row above */
	double onset_square, onset_cells;  /**< squares of all of these, and how many */
	double deviation, deviation_cells; /**< absolute, of means of 4 x 4 voxels */
};

/** Figures of an image, in grey values; squares of these where a name says power. */
struct fx_quality {
	double mean, sd;
	double noise;  /**< power of what neighbours do not share: white noise */
	double signal; /**< power of what they share, within 16 voxels */
	double snr;    /**< signal / noise */
	double cnr;    /**< between the mean of the bright and of the dark half, in noise sd */
	double focus;  /**< part of the differences within 16 voxels that is there within 3: 0..1 */
	double stripes;	  /**< power of differences of rows (or columns, if larger) by the signal */
	double streak;	  /**< the sharpest beginning of a bright row, in deviations of such
			     differences */
	double low, high; /**< share of voxels of the lowest, of the highest grey value */
};

/** Counts in @p p (at least one voxel), and adds that to @p sums. Exact sums: the same for any
 * number of threads. */
void fx_quality_count(struct fx_quality_sums *sums, const struct fx_picture *p);
/** Adds @p from to @p to. */
void fx_quality_add(struct fx_quality_sums *to, const struct fx_quality_sums *from);
/** The figures.
 * Noise is white and the image is smooth, so the mean squared difference D(k) of voxels at distance
 * k is 2 noise + 2 (power - autocovariance(k)), even in k: D at 1, 2, 3 gives 2 noise as its value
 * at 0 (the idea of Thong, Sim, Phang, Scanning 23:328, 2001, with an even polynomial). Focus is
 * (D(3) - D(1)) / (D(16) - D(1)): noise, gain and offset cancel. Along x, the direction of the
 * scan, so that rows of different brightness do not count as noise; focus is of both axes. */
void fx_quality_measure(struct fx_quality *q, const struct fx_quality_sums *sums);

#endif
