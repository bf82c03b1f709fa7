// SPDX-License-Identifier: Apache-2.0
/* parcels.c: a list of parcels. */
#include "link/parcels.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { DROP_WAITING_MAX = 2 };

bool fx__parcels_insert(struct fx__parcels *l, size_t at, struct fx__parcel *p)
{
	if (!fx_grow(&l->items, &l->cap, l->len + 1, sizeof(struct fx__parcel *)))
		return false;
	memmove(&l->items[at + 1], &l->items[at], (l->len - at) * sizeof(struct fx__parcel *));
	l->items[at] = p;
	l->len++;
	return true;
}

bool fx__parcels_insert_in_order(struct fx__parcels *l, struct fx__parcel *p)
{
	size_t at = l->len;

	while (at && l->items[at - 1]->seq > p->seq)
		at--;
	return fx__parcels_insert(l, at, p);
}

struct fx__parcel *fx__parcels_remove(struct fx__parcels *l, size_t at)
{
	struct fx__parcel *p = l->items[at];

	l->len--;
	memmove(&l->items[at], &l->items[at + 1], (l->len - at) * sizeof(struct fx__parcel *));
	return p;
}

int64_t fx__parcels_since(const struct fx__parcels *flight, const struct fx__parcels *waiting)
{
	if (flight->len)
		return flight->items[0]->queued_ns;
	return waiting && waiting->len ? waiting->items[0]->queued_ns : 0;
}

void fx__parcels_fini(struct fx__parcels *l)
{
	for (size_t i = 0; i < l->len; i++)
		fx__parcel_unref(l->items[i]);
	free(l->items);
}

uint64_t fx__parcels_lowest(const struct fx__parcels *l, uint64_t most)
{
	for (size_t i = 0; i < l->len; i++)
		if (l->items[i]->seq < most)
			most = l->items[i]->seq;
	return most;
}

/* Where there are more than may wait, marks not counted: which one is to be dropped; else -1. */
static long parcels_excess(const struct fx__parcels *l, enum fx_drop drop)
{
	size_t data = 0, oldest = 0, newest = 0;

	for (size_t i = l->len; i-- > 0;) {
		if (!l->items[i]->data)
			continue;
		oldest = i;
		newest = data++ ? newest : i;
	}
	if (data <= DROP_WAITING_MAX)
		return -1;
	return (long)(drop == FX_DROP_OLD ? oldest : newest);
}

void fx__parcels_shed(struct fx__parcels *l, enum fx_drop drop, struct fx_lane_stats *s)
{
	long at;

	while (drop && (at = parcels_excess(l, drop)) >= 0) {
		fx__parcel_unref(fx__parcels_remove(l, (size_t)at));
		atomic_fetch_add(&s->sent, 1);
		atomic_fetch_add(&s->dropped, 1);
	}
}
