// SPDX-License-Identifier: Apache-2.0
/* nearest.h: "did you mean": the candidate name with the fewest edits. */
#ifndef FX_BASE_NEAREST_H
#define FX_BASE_NEAREST_H

#include <stddef.h>

/** The best candidate for @p word so far; zero-initialise. */
struct fx_nearest {
	const char *name; /**< borrowed from the candidates; NULL while none is near */
	size_t distance;
};

/** Offers @p candidate; it is kept when it is nearer than the others and near at all (edits at
 * most a third of the longer name, or 2). */
void fx_nearest_offer(struct fx_nearest *best, const char *word, const char *candidate);

#endif
