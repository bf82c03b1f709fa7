// SPDX-License-Identifier: Apache-2.0
/* slot.c: blocks whose voxels lie in a slot of a pool. */
#include "link/slot.h"

#include <stdlib.h>

/* Who holds the slot: a small owner record behind the block. */
struct loan {
	struct fx_pool *pool;
	uint64_t *held;
	unsigned slot, holder;
};

static void slot_release(struct fx_block *b)
{
	struct loan *loan = b->owner;

	if (loan->held)
		*loan->held &= ~((uint64_t)1 << loan->slot);
	fx_pool_drop(loan->pool, loan->slot, loan->holder);
	free(loan);
}

void fx__slot_lend(struct fx_block *b, struct fx_pool *pool, unsigned slot, unsigned holder,
		   uint64_t *held)
{
	struct loan *loan = malloc(sizeof *loan);

	if (!loan) {
		b->data = NULL;
		return;
	}
	*loan = (struct loan){ pool, held, slot, holder };
	if (held)
		*held |= (uint64_t)1 << slot;
	b->data = fx_pool_slot(pool, slot);
	b->owner = loan;
	b->release = slot_release;
}

int fx__slot_give(struct fx_block *b, const struct fx_pool *pool)
{
	struct loan *loan = b->owner;
	int slot;

	if (b->release != slot_release || loan->pool != pool)
		return -1;
	slot = (int)loan->slot;
	free(loan);
	b->owner = NULL;
	b->release = NULL;
	return slot;
}
