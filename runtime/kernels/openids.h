// SPDX-License-Identifier: Apache-2.0
/* openids.h: disjoint sets of ids, of which only those are kept that may still be joined. */
#ifndef FX_KERNELS_OPENIDS_H
#define FX_KERNELS_OPENIDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/map64.h"
#include "base/pack.h"

struct fx_open_id;

/** Ids are held by what may join them. An id that nothing holds, and that no other id was joined
 * to, is closed: it becomes a row (id, a smaller id of its set), or (id, id) where it is the
 * smallest, and is forgotten. So the rows of all ids give the sets, while memory is that of the
 * ids which are held, and of some on the way from them to the smallest of their set.
 * Zero-initialise; fx_open_ids_fini(). */
struct fx_open_ids {
	struct fx_map64 index;			   /**< id to place in nodes */
	struct fx_open_id *nodes;		   /**< owned */
	size_t len, cap;			   /**< places of nodes, free ones included */
	size_t *free_places, free_len, free_cap;   /**< owned */
	size_t *touched, touched_len, touched_cap; /**< owned; that may be closed */
	uint64_t (*closed)[2]; /**< owned; the rows of the last fx_open_ids_close() */
	size_t closed_len, closed_cap;
};

void fx_open_ids_fini(struct fx_open_ids *o);
/** Enters @p id, which is not 0, as a set of its own when it is new. FX_ENOMEM. */
int fx_open_ids_add(struct fx_open_ids *o, uint64_t id);
/** Holds @p id once more, or once less; it must be there. FX_ENOMEM. */
void fx_open_ids_hold(struct fx_open_ids *o, uint64_t id);
int fx_open_ids_release(struct fx_open_ids *o, uint64_t id);
/** Makes the sets of @p a and @p b one; both must be there. FX_ENOMEM. */
int fx_open_ids_join(struct fx_open_ids *o, uint64_t a, uint64_t b);
/** Puts the rows of all ids that may be closed into closed. FX_ENOMEM. */
int fx_open_ids_close(struct fx_open_ids *o);
/** The same with all that are left: nothing holds them any more. FX_ENOMEM. */
int fx_open_ids_close_all(struct fx_open_ids *o);
/** Puts the ids but not what holds them, and takes them back to a zeroed one. FX_ETYPE, FX_ENOMEM.
 */
int fx_open_ids_pack(const struct fx_open_ids *o, struct fx_pack *to);
int fx_open_ids_unpack(struct fx_open_ids *o, struct fx_unpack *from);

#endif
