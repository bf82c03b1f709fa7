// SPDX-License-Identifier: Apache-2.0
/* pool.h: payload slots in memory that producer and consumers of one host share.
 *
 * A pool is a memfd that the conductor makes and every process of its edges inherits: nothing has
 * to be cleaned up after any crash. It belongs to one producing instance. Each slot has a set of
 * holder bits: bit 0 is the producer (until the message is acknowledged), bit i the i-th consumer
 * (until it has let go of the voxels). A slot is free when none is set. A process that is
 * started again clears the bits of its former life. Pages are touched only as far as slots are
 * used, and the lowest free slot is taken first, so the resident memory is what the credits allow.
 */
#ifndef FX_LINK_POOL_H
#define FX_LINK_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

enum {
	FX_POOL_SLOTS = 64,	 /**< as a rule */
	FX_POOL_SLOTS_MAX = 256, /**< for a producer with many consumers */
	FX_POOL_HOLDERS = 256,	 /**< the producer and its consumers */
	FX_POOL_WORDS = FX_POOL_HOLDERS / 64,
};

/** A set of slots. One thread adds, and any may remove. */
struct fx_slots {
	_Atomic uint64_t bits[FX_POOL_SLOTS_MAX / 64];
};

struct fx_pool;

/** Makes the memfd of a pool of @p slots (1..FX_POOL_SLOTS_MAX) with full (sparse) size; the
 * descriptor or a negative code. */
int fx_pool_create(unsigned slots, struct fx_error *err);
/** Maps a pool. @p writable: the producer. The descriptor stays the caller's. */
struct fx_pool *fx_pool_map(int fd, bool writable, struct fx_error *err);
void fx_pool_unmap(struct fx_pool *p);
/** Takes the lowest free slot for the producer; -1 when none is free. */
int fx_pool_take(struct fx_pool *p);
/** Adds or removes one holder of a slot. */
void fx_pool_hold(struct fx_pool *p, unsigned slot, unsigned holder);
void fx_pool_drop(struct fx_pool *p, unsigned slot, unsigned holder);
/** Removes @p holder from every slot that is not in @p except (may be NULL). */
void fx_pool_forget(struct fx_pool *p, unsigned holder, const struct fx_slots *except);
/** Start of a slot, of FX_WIRE_PAYLOAD_MAX bytes. NULL when there is no such slot. */
void *fx_pool_slot(const struct fx_pool *p, unsigned slot);
/** How many there are. */
unsigned fx_pool_slots(const struct fx_pool *p);
/** Slots that somebody holds. */
unsigned fx_pool_used(const struct fx_pool *p);

bool fx_slots_has(const struct fx_slots *s, unsigned slot);
void fx_slots_set(struct fx_slots *s, unsigned slot, bool on);

#endif
