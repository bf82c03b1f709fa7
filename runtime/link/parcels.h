// SPDX-License-Identifier: Apache-2.0
/* parcels.h: a list of parcels, in the order in which they are to go out. */
#ifndef FX_LINK_PARCELS_H
#define FX_LINK_PARCELS_H

#include "link/outlet.h"
#include "link/parcel.h"

/* Zero-initialise; holds a reference to each. */
struct fx__parcels {
	struct fx__parcel **items;
	size_t len, cap;
};

/* Takes a reference that the caller holds; false without memory, with nothing taken. */
bool fx__parcels_insert(struct fx__parcels *l, size_t at, struct fx__parcel *p);
/* The same, behind all of the same or a lower seq. */
bool fx__parcels_insert_in_order(struct fx__parcels *l, struct fx__parcel *p);
/* Gives the reference to the caller. */
struct fx__parcel *fx__parcels_remove(struct fx__parcels *l, size_t at);
/* When the first of @p flight, or else of @p waiting (may be NULL), was queued, by fx_now_ns(); 0
 * when there is none. */
int64_t fx__parcels_since(const struct fx__parcels *flight, const struct fx__parcels *waiting);
void fx__parcels_fini(struct fx__parcels *l);
/* The lowest seq in it, or @p most when none is lower. */
uint64_t fx__parcels_lowest(const struct fx__parcels *l, uint64_t most);
/* Drops, and counts, what is too much for a consumer that is slow: of more than two blocks, trees
 * and records that wait the oldest or newest, marks never. Nothing when @p drop is FX_DROP_NONE. */
void fx__parcels_shed(struct fx__parcels *l, enum fx_drop drop, struct fx_lane_stats *s);

#endif
