// SPDX-License-Identifier: Apache-2.0
/* ffn_seeds.h: where flood-filling begins: the points deepest between edges. */
#ifndef FX_KERNELS_FFN_SEEDS_H
#define FX_KERNELS_FFN_SEEDS_H

#include "kernels/ffn.h"

enum { FX_FFN_SIGMA_MAX = 64, FX_FFN_SPACING_MAX = 64 };

/** Constants of the seeds; the published ones are 49/6, 1e-4, 42, 3. */
struct fx_ffn_seeding {
	double sigma;	 /**< voxels, above 0 to FX_FFN_SIGMA_MAX: smoothing of the edge strength
			    that is the threshold of edges */
	double noise;	 /**< times a random number of 0 to 1: what breaks ties of distances */
	uint32_t random; /**< seed of the random numbers */
	size_t spacing;	 /**< voxels: a seed is the highest within this along each axis */
	const uint8_t *excluded; /**< borrowed, NULL: none; voxels that count as edges */
};

/** Seeds of a normalised image of @p shape (zyx) and voxel edges @p voxel (any unit): 3-D Sobel
 * edge strength above its own Gaussian is edge; local maxima of the distance to the edges, in units
 * of the shortest voxel edge, plus noise; only those at least @p margin and @p spacing voxels
 * inside of the volume; in the order of z, y, x. Gives *seeds (free()) and *len. Without any edge,
 * or in a volume too small, there are none. Not finite voxels of the image make no sense. FX_EINVAL
 * for constants out of range, a shape that is empty or of 2^31 voxels or more, or a voxel edge that
 * is not positive; FX_ENOMEM. Same bits for any thread count. Method: PolicyPeaks of google/ffn,
 * with the arithmetic of the libraries it calls: float32 between steps, double inside. */
int fx_ffn_seeds(struct fx_ffn_pos **seeds, size_t *len, const float *image, const size_t shape[3],
		 const double voxel[3], const size_t margin[3], const struct fx_ffn_seeding *s);

/** Edge strength: root of the sum of squares of the Sobel filters along each axis (derivative
 * -1, 0, 1; smoothing 1, 2, 1 along the others; edge voxels repeated outside). FX_ENOMEM. */
int fx_ffn_edges(float *edges, const float *image, const size_t shape[3]);

/** Mersenne twister MT19937 (Matsumoto and Nishimura, ACM TOMACS 8:3, 1998). */
struct fx_mt19937 {
	uint32_t state[624];
	size_t next;
};
void fx_mt19937_init(struct fx_mt19937 *m, uint32_t seed);
/** The next number of 53 bit from 0 to below 1. */
double fx_mt19937_real(struct fx_mt19937 *m);

#endif
