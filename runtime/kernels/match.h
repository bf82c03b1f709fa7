// SPDX-License-Identifier: Apache-2.0
/* match.h: histogram matching of 8-bit grey values. */
#ifndef FX_KERNELS_MATCH_H
#define FX_KERNELS_MATCH_H

#include <stdint.h>

enum { FX_MATCH_BINS = 256 };

/** Fades @p acc: after @p half_life calls a weight is halved; 0 forgets at once. Then adds
 * @p counts, without bin @p padding (-1 excludes nothing). */
void fx_match_learn(double acc[FX_MATCH_BINS], const uint64_t counts[FX_MATCH_BINS],
		    double half_life, int padding);
/** The table that gives grey values with histogram @p source the distribution of histogram
 * @p reference (weights >= 0): v goes to the point where the reference's cumulative distribution,
 * linear between grey values, reaches the source's at v (Gonzalez and Woods, Digital Image
 * Processing, 3.3.2; Franco-Barranco et al. 2022 with interpolation), rounded. Monotone but for
 * @p padding, which stays as it is and counts in neither (-1: none). The identity when either
 * histogram is empty or both are the same (at values that occur). */
void fx_match_table(const double source[FX_MATCH_BINS], const double reference[FX_MATCH_BINS],
		    int padding, uint8_t table[FX_MATCH_BINS]);

#endif
