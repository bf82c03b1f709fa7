// SPDX-License-Identifier: Apache-2.0
/* unionfind.h: disjoint sets of u64 keys; the root of a set is its smallest key. */
#ifndef FX_KERNELS_UNIONFIND_H
#define FX_KERNELS_UNIONFIND_H

#include <stddef.h>
#include <stdint.h>

#include "base/map64.h"

struct fx_unionfind_node {
	uint64_t key;
	size_t parent; /**< index of a node of the same set with a key that is not larger */
};

/** Zero-initialise; fx_unionfind_fini() when done. The sets depend on what was joined, never on
 * the order of the calls. Path halving after Tarjan and van Leeuwen 1984. */
struct fx_unionfind {
	struct fx_map64 index; /**< key to index in nodes */
	size_t len, cap;
	struct fx_unionfind_node *nodes; /**< owned */
};

void fx_unionfind_fini(struct fx_unionfind *u);
/** Enters @p key as a set of its own when it is new. FX_ENOMEM. */
int fx_unionfind_add(struct fx_unionfind *u, uint64_t key);
/** Makes the sets of @p a and @p b one, entering both. FX_ENOMEM. */
int fx_unionfind_join(struct fx_unionfind *u, uint64_t a, uint64_t b);
/** Smallest key of the set of @p key; @p key itself when it was never entered. */
uint64_t fx_unionfind_find(struct fx_unionfind *u, uint64_t key);

#endif
