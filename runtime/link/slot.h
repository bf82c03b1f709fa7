// SPDX-License-Identifier: Apache-2.0
/* slot.h: blocks whose voxels lie in a slot of a pool. */
#ifndef FX_LINK_SLOT_H
#define FX_LINK_SLOT_H

#include "link/pool.h"
#include "wire/wire.h"

#include <fornix/block.h>

/* Gives @p b the memory of @p slot, held by @p holder until the block is freed; *held (may be NULL)
 * has every slot that is lent out so. */
void fx__slot_lend(struct fx_block *b, struct fx_pool *pool, unsigned slot, unsigned holder,
		   struct fx_slots *held);
/* Gives @p b a free slot of the producer's own @p pool, or, without a pool, and when none is free
 * and they are @p optional, @p size bytes of the heap. FX_IDLE: none is free yet; FX_ENOMEM. */
int fx__slot_new(struct fx_pool *pool, bool optional, size_t size, struct fx_block *b);
/* Brings in the payload of @p e, which says that it is in a slot of @p pool (may be NULL): voxels
 * stay there, tables and nodes are copied out. */
int fx__slot_fill(struct fx_envelope *e, struct fx_pool *pool, unsigned holder,
		  struct fx_slots *held, struct fx_error *err);
/* The voxels of @p b lie in a slot that it may write, of the producer's own @p pool. */
bool fx__slot_is_of(const struct fx_block *b, const struct fx_pool *pool);
/* Takes the slot of the producer's own @p pool back from @p b, which no longer frees it; -1 when
 * its voxels lie elsewhere. */
int fx__slot_give(struct fx_block *b, const struct fx_pool *pool);

#endif
