// SPDX-License-Identifier: Apache-2.0
/* phantom_noise.h: random numbers that depend on a place only, and smooth noise made of them.
 * No function of libm beyond sqrt and floor: the same bytes on every machine. */
#ifndef FX_KERNELS_PHANTOM_NOISE_H
#define FX_KERNELS_PHANTOM_NOISE_H

#include <stddef.h>
#include <stdint.h>

enum { FX_NOISE_TILE = 32, FX_NOISE_LATTICE = FX_NOISE_TILE / 2 + 4 };

/** Mixes 64 bits (the finaliser of SplitMix64; Steele, Lea, Flood, OOPSLA 2014). */
static inline uint64_t fx_noise_mix(uint64_t v)
{
	v += 0x9e3779b97f4a7c15u;
	v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9u;
	v = (v ^ (v >> 27)) * 0x94d049bb133111ebu;
	return v ^ (v >> 31);
}

/** 64 random bits of the place @p z, @p y, @p x. */
static inline uint64_t fx_noise_at(uint64_t seed, int64_t z, int64_t y, int64_t x)
{
	return fx_noise_mix(fx_noise_mix(seed ^ ((uint64_t)z * 0xd6e8feb86659fd93u)) ^
			    ((uint64_t)y * 0xa0761d6478bd642fu) ^
			    ((uint64_t)x * 0xe7037ed1a0b428dbu));
}

/** -1 to below 1 from the low or (after >> 32) the high half of random bits. */
static inline float fx_noise_unit(uint64_t bits)
{
	return (float)(int32_t)(uint32_t)bits * 0x1p-31f;
}

/** The next number of the sequence *state, 0 to below 1. */
static inline double fx_noise_next(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15u;
	return (double)(fx_noise_mix(*state) >> 11) * 0x1p-53;
}

/** A standard normal number (sum of twelve uniform ones; never beyond 6). */
double fx_noise_normal(uint64_t *state);
/** e^v for |v| <= 8, to about 1e-3. */
double fx_noise_exp(double v);
/** Smooth noise along a line, -1 to 1, changing over distances of about 1. */
float fx_noise_line(uint64_t key, double at);
/** Two independent smooth noises in space, -1 to 1, changing over distances of about 1. */
void fx_noise_space(uint64_t seed, const double zyx[3], float out[2]);

/** Smooth noise on voxels: cubic B-splines of random values on a lattice of @p step voxels. */
struct fx_noise_field {
	uint64_t seed;
	int64_t step[3]; /**< z y x, each at least 2 */
	float scale[2];	 /**< of its two components */
};

/** The lattice values that a tile of at most FX_NOISE_TILE voxels a side needs, at one z. */
struct fx_noise_patch {
	int64_t lo[2];
	float v[2][FX_NOISE_LATTICE][FX_NOISE_LATTICE];
};

/** Prepares the tile of @p h x @p w voxels at @p z, @p y, @p x, for one or two components. */
void fx_noise_patch(const struct fx_noise_field *f, int64_t z, int64_t y, int64_t x, int h, int w,
		    int components, struct fx_noise_patch *patch);
/** Adds component @p c at row @p y, columns @p x to @p x + @p w - 1 to @p out. */
void fx_noise_row(const struct fx_noise_field *f, const struct fx_noise_patch *patch, int c,
		  int64_t y, int64_t x, int w, float *out);

#endif
