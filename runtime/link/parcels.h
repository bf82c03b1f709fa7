// SPDX-License-Identifier: Apache-2.0
/* parcels.h: a list of parcels, each a reference that the list holds. */
#ifndef FX_LINK_PARCELS_H
#define FX_LINK_PARCELS_H

#include "link/parcel.h"

/** Zero-initialise; fx__parcels_fini() when done. */
struct fx__parcels {
	struct fx__parcel **items;
	size_t len, cap;
};

/** Puts @p p at place @p at <= len; false without memory. */
bool fx__parcels_insert(struct fx__parcels *l, size_t at, struct fx__parcel *p);
/** Puts it behind all whose seq is not greater. */
bool fx__parcels_insert_in_order(struct fx__parcels *l, struct fx__parcel *p);
/** Takes the one at @p at < len out: the reference is the caller's. */
struct fx__parcel *fx__parcels_remove(struct fx__parcels *l, size_t at);
/** When the first of @p flight, or else of @p waiting (may be NULL), was queued, by fx_now_ns(); 0
 * when there is none. */
int64_t fx__parcels_since(const struct fx__parcels *flight, const struct fx__parcels *waiting);
/** Drops all references and frees. */
void fx__parcels_fini(struct fx__parcels *l);

#endif
