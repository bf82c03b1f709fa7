// SPDX-License-Identifier: Apache-2.0
/* reservoir.h: a random choice of rows from a stream of any length and in any order. */
#ifndef FX_KERNELS_RESERVOIR_H
#define FX_KERNELS_RESERVOIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Keeps the @p most rows of the lowest keys (bottom-k sampling; Cohen and Kaplan, PODC 2007): with
 * keys that are hashes of the rows' places the choice is even and does not depend on their order.
 * Zero-initialise and set the first part; fx_reservoir_fini() when done. */
struct fx_reservoir {
	size_t most, width; /**< rows to keep, and numbers in a row; at least 1 */

	size_t len;	/**< rows at hand, at most 2 * most before fx_reservoir_close() */
	uint64_t limit; /**< keys at or above are not wanted; 0 while all are */
	uint64_t *keys; /**< owned */
	float *rows;	/**< owned */
};

/** Well mixed bits of @p place (splitmix64; Steele et al., OOPSLA 2014): different places have
 * different keys. */
uint64_t fx_reservoir_key(uint64_t seed, uint64_t place);
/** The row of @p key would be kept. */
bool fx_reservoir_wants(const struct fx_reservoir *r, uint64_t key);
/** Takes a copy of a row, number i of which is row[i * step]; no key may come twice. FX_ENOMEM. */
int fx_reservoir_add(struct fx_reservoir *r, uint64_t key, const float *row, size_t step);
/** Ends the choice: len rows, at most @p most, in order of their keys. FX_ENOMEM. */
int fx_reservoir_close(struct fx_reservoir *r);
void fx_reservoir_fini(struct fx_reservoir *r);

#endif
