// SPDX-License-Identifier: Apache-2.0
/* debts.c: messages that an inlet has handed on and not yet acknowledged. */
#include "link/debts.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { PAID_MAX = 1024 };

struct fx__debt *fx__debts_find(const struct fx__debts *d, uint64_t seq)
{
	for (size_t i = 0; i < d->len; i++)
		if (d->items[i].seq == seq)
			return &d->items[i];
	return NULL;
}

bool fx__debts_add(struct fx__debts *d, uint64_t seq, size_t lane)
{
	const struct fx__debt *known = fx__debts_find(d, seq);
	const bool safe = known && known->safe;
	size_t at = d->len;

	if (!fx_grow(&d->items, &d->cap, d->len + 1, sizeof *d->items))
		return false;
	while (at && d->items[at - 1].seq > seq)
		at--;
	memmove(&d->items[at + 1], &d->items[at], (d->len - at) * sizeof *d->items);
	d->items[at] = (struct fx__debt){ .seq = seq, .lane = lane, .safe = safe };
	d->len++;
	return true;
}

bool fx__debts_remember(struct fx__debts *d)
{
	d->paid = fx_calloc(PAID_MAX, sizeof *d->paid);
	return d->paid != NULL;
}

void fx__debts_settle(struct fx__debts *d, bool ordered,
		      void (*paid)(void *context, size_t lane, uint64_t seq), void *context)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->len; i++) {
		const struct fx__debt *debt = &d->items[i];

		if (!debt->safe || (ordered && kept)) {
			d->items[kept++] = *debt;
			continue;
		}
		paid(context, debt->lane, debt->seq);
		if (d->paid)
			d->paid[d->paid_at++ % PAID_MAX] = debt->seq + 1;
	}
	d->len = kept;
}

bool fx__debts_paid(const struct fx__debts *d, uint64_t seq)
{
	for (size_t i = 0; d->paid && i < PAID_MAX; i++)
		if (d->paid[i] == seq + 1)
			return true;
	return false;
}

void fx__debts_fini(struct fx__debts *d)
{
	free(d->items);
	free(d->paid);
	*d = (struct fx__debts){ 0 };
}
