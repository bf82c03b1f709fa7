// SPDX-License-Identifier: Apache-2.0
/* pcg.h: PCG32 random numbers (O'Neill, HMC-CS-2014-0905): same seed, same numbers. */
#ifndef FX_NN_PCG_H
#define FX_NN_PCG_H

#include <math.h>
#include <stdint.h>

/** The state is the whole generator: save and restore it as it is. */
struct fx_pcg {
	uint64_t state, inc;
};

/** 32 random bits. */
static inline uint32_t fx_pcg_next(struct fx_pcg *r)
{
	const uint64_t old = r->state;
	const uint32_t mixed = (uint32_t)(((old >> 18) ^ old) >> 27), turn = (uint32_t)(old >> 59);

	r->state = old * 6364136223846793005u + r->inc;
	return mixed >> turn | mixed << ((32 - turn) & 31);
}

/** Starts sequence number @p stream of @p seed. */
static inline struct fx_pcg fx_pcg_seed(uint64_t seed, uint64_t stream)
{
	struct fx_pcg r = { 0, stream << 1 | 1 };

	fx_pcg_next(&r);
	r.state += seed;
	fx_pcg_next(&r);
	return r;
}

/** Evenly from 0 to below 1. */
static inline double fx_pcg_unit(struct fx_pcg *r)
{
	return fx_pcg_next(r) * 0x1p-32;
}

/** Evenly from @p lo to below @p hi. */
static inline double fx_pcg_range(struct fx_pcg *r, double lo, double hi)
{
	return lo + (hi - lo) * fx_pcg_unit(r);
}

/** Evenly from 0 to @p n - 1 (n at least 1); the bias is below n / 2^32. */
static inline uint32_t fx_pcg_below(struct fx_pcg *r, uint32_t n)
{
	return (uint32_t)((uint64_t)fx_pcg_next(r) * n >> 32);
}

/** Normally, mean 0, deviation 1 (Box and Muller; two draws each). */
static inline double fx_pcg_normal(struct fx_pcg *r)
{
	const double u = (fx_pcg_next(r) + 1.0) * 0x1p-32, v = fx_pcg_unit(r);

	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

#endif
