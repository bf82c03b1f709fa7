// SPDX-License-Identifier: Apache-2.0
/* debts.h: messages that an inlet has handed on and not yet acknowledged. */
#ifndef FX_LINK_DEBTS_H
#define FX_LINK_DEBTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fx__debt {
	uint64_t seq;
	size_t lane;
	bool safe; /**< may be acknowledged */
};

/** Sorted by seq; of one seq there may be several, a copy from each lane. Zero-initialise. */
struct fx__debts {
	struct fx__debt *items; /**< owned */
	size_t len, cap;
};

/** The first of @p seq, or NULL. */
struct fx__debt *fx__debts_find(const struct fx__debts *d, uint64_t seq);
/** A copy of a message that is safe is safe. False without memory. */
bool fx__debts_add(struct fx__debts *d, uint64_t seq, size_t lane);

#endif
