// SPDX-License-Identifier: Apache-2.0
/* map64.h: hash map from u64 to u64. */
#ifndef FX_BASE_MAP64_H
#define FX_BASE_MAP64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pack.h"

/** One entry; a slot is in use when @p used. */
struct fx_map64_slot {
	uint64_t key, value;
	bool used;
};

/** Open addressing with linear probing. Zero-initialise; fx_map64_fini() when done. */
struct fx_map64 {
	size_t len, cap;	     /**< entries, slots (a power of two or 0) */
	struct fx_map64_slot *slots; /**< owned; may be walked, in no promised order */
};

void fx_map64_fini(struct fx_map64 *m);
/** Pointer to the value of @p key, entered as 0 when it was not there; valid until the next call.
 * NULL without memory. */
uint64_t *fx_map64_at(struct fx_map64 *m, uint64_t key);
/** Pointer to the value of @p key, or NULL. */
const uint64_t *fx_map64_find(const struct fx_map64 *m, uint64_t key);
/** Forgets @p key, fine when it is not there. */
void fx_map64_remove(struct fx_map64 *m, uint64_t key);
/** Puts the entries by their keys, and takes them back to a zeroed map. FX_ETYPE, FX_ENOMEM. */
int fx_map64_pack(const struct fx_map64 *m, struct fx_pack *to);
int fx_map64_unpack(struct fx_map64 *m, struct fx_unpack *from);

#endif
