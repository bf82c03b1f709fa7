// SPDX-License-Identifier: Apache-2.0
/* histogram.h: counts of grey values, of one section or of the last few, and what follows from
 * them.
 */
#ifndef FX_KERNELS_HISTOGRAM_H
#define FX_KERNELS_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

#include "base/pack.h"

/** Grey values of @p dtype: 256 (u8), 65536 (u16), 0 for others. */
size_t fx_histogram_bins(enum fx_dtype dtype);
/** Adds the @p n voxels at @p voxels (u8 or u16) to @p counts, one bin a grey value. */
void fx_histogram_count(uint64_t *counts, const void *voxels, enum fx_dtype dtype, size_t n);
/** Sum of @p counts. */
uint64_t fx_histogram_total(const uint64_t *counts, size_t bins);
/** The smallest grey value that at least @p percent (0..100) of the voxels do not exceed: an order
 * statistic, the inverse of the empirical distribution (type 1 of Hyndman and Fan 1996); 0 % is the
 * minimum. 0 without voxels. */
double fx_histogram_percentile(const uint64_t *counts, size_t bins, double percent);
/** Mean and standard deviation (of the population); zeros without voxels. */
void fx_histogram_moments(const uint64_t *counts, size_t bins, double *mean, double *sd);

/** Sum of the histograms of the last few sections. */
struct fx_histogram {
	size_t bins, window, len, next;
	uint64_t *sum;	/**< owned, bins: of the sections in the window */
	uint64_t *last; /**< owned, bins: of the section that was pushed last */
	uint64_t *ring; /**< owned, window x bins */
};

/** @p bins and @p window at least 1. FX_ENOMEM. */
int fx_histogram_init(struct fx_histogram *h, size_t bins, size_t window);
/** Takes a zeroed one. */
void fx_histogram_fini(struct fx_histogram *h);
/** Puts the sections in the window, and takes them back to one of the same bins and window.
 * FX_ETYPE, FX_ENOMEM. */
void fx_histogram_pack(const struct fx_histogram *h, struct fx_pack *to);
int fx_histogram_unpack(struct fx_histogram *h, struct fx_unpack *from);
/** Takes up @p last as the newest section; the oldest one leaves a full window. */
void fx_histogram_push(struct fx_histogram *h);

#endif
