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
	uint64_t *paid; /**< owned, or NULL: a ring of what was paid last, plus 1 */
	size_t paid_at;
};

/** The first of @p seq, or NULL. */
struct fx__debt *fx__debts_find(const struct fx__debts *d, uint64_t seq);
/** A copy of a message that is safe is safe. False without memory. */
bool fx__debts_add(struct fx__debts *d, uint64_t seq, size_t lane);
/** From now on keeps in mind what was paid: the last 1024. False without memory. */
bool fx__debts_remember(struct fx__debts *d);
/** Takes out, and hands to paid(), what may be acknowledged: all that is safe, or, @p ordered, what
 * is safe before anything that is not. */
void fx__debts_settle(struct fx__debts *d, bool ordered,
		      void (*paid)(void *context, size_t lane, uint64_t seq), void *context);
/** @p seq was acknowledged, and not long ago. */
bool fx__debts_paid(const struct fx__debts *d, uint64_t seq);
/** Frees what it owns. */
void fx__debts_fini(struct fx__debts *d);

#endif
