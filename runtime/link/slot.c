// SPDX-License-Identifier: Apache-2.0
/* slot.c: blocks whose voxels lie in a slot of a pool. */
#include "link/slot.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "block/heap.h"

/* Who holds the slot: a small owner record behind the block. */
struct loan {
	struct fx_pool *pool;
	struct fx_slots *held;
	unsigned slot, holder;
};

static void slot_release(struct fx_block *b)
{
	struct loan *loan = b->owner;

	if (loan->held)
		fx_slots_set(loan->held, loan->slot, false);
	fx_pool_drop(loan->pool, loan->slot, loan->holder);
	free(loan);
}

void fx__slot_lend(struct fx_block *b, struct fx_pool *pool, unsigned slot, unsigned holder,
		   struct fx_slots *held)
{
	struct loan *loan = malloc(sizeof *loan);

	if (!loan) {
		b->data = NULL;
		return;
	}
	*loan = (struct loan){ pool, held, slot, holder };
	if (held)
		fx_slots_set(held, slot, true);
	b->data = fx_pool_slot(pool, slot);
	b->owner = loan;
	b->release = slot_release;
}

int fx__slot_new(struct fx_pool *pool, bool optional, size_t size, struct fx_block *b)
{
	const int slot = pool ? fx_pool_take(pool) : -1;

	if (slot < 0 && pool && !optional)
		return FX_IDLE;
	if (slot < 0) {
		fx__block_heap(b, fx_alloc_aligned(size));
		return b->data ? FX_OK : FX_ENOMEM;
	}
	fx__slot_lend(b, pool, (unsigned)slot, 0, NULL);
	if (b->data)
		return FX_OK;
	fx_pool_drop(pool, (unsigned)slot, 0);
	return FX_ENOMEM;
}

bool fx__slot_is_of(const struct fx_block *b, const struct fx_pool *pool)
{
	const struct loan *loan = b->owner;

	return b->release == slot_release && loan->pool == pool;
}

int fx__slot_give(struct fx_block *b, const struct fx_pool *pool)
{
	struct loan *loan = b->owner;
	int slot;

	if (!fx__slot_is_of(b, pool))
		return -1;
	slot = (int)loan->slot;
	free(loan);
	b->owner = NULL;
	b->release = NULL;
	return slot;
}

int fx__slot_fill(struct fx_envelope *e, struct fx_pool *pool, unsigned holder,
		  struct fx_slots *held, struct fx_error *err)
{
	const unsigned slot = e->payload.slot;
	int result;

	if (!pool || slot >= fx_pool_slots(pool) || e->payload.codec != FX_CODEC_STORED)
		return fx_error_set(err, FX_ETYPE, "a payload in a slot that is not there");
	if (e->kind == FX_BLOCK) {
		struct fx_block *b = e->message;

		/* again: a welcome that was read after the message was sent has cleared the bit */
		fx_pool_hold(pool, slot, holder);
		fx__slot_lend(b, pool, slot, holder, held);
		if (b->data)
			return FX_OK;
		fx_pool_drop(pool, slot, holder);
		return fx_error_set(err, FX_ENOMEM, "no memory for a block");
	}
	result = fx_wire_fill(e, fx_pool_slot(pool, slot), err);
	fx_pool_drop(pool, slot, holder);
	return result;
}
