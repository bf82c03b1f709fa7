// SPDX-License-Identifier: Apache-2.0
/* chance.h: faults that happen by chance, and again in the same places with the same seed. */
#ifndef FX_BASE_CHANCE_H
#define FX_BASE_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FX_CHANCE_START = 1 }; /**< of fx_chance_mix() */

/** An identity of what it was before and @p size more bytes: 64-bit FNV-1a, going on from @p before
 * (begin with FX_CHANCE_START). */
uint64_t fx_chance_mix(uint64_t before, const void *data, size_t size);
/** Well mixed bits (splitmix64; Steele et al., OOPSLA 2014) of a seed, of what may happen, and of
 * whom it may happen to. The same for the same, on every machine. */
uint64_t fx_chance_bits(uint64_t seed, uint64_t what, uint64_t whom);
/** True for a part @p rate (0..1) of all @p whom. */
bool fx_chance(uint64_t seed, uint64_t what, uint64_t whom, double rate);

#endif
