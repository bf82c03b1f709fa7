// SPDX-License-Identifier: Apache-2.0
/* inbox.c: messages that were received and are not yet handed on. */
#include "link/inbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

bool fx__inbox_put(struct fx__inbox *in, const struct fx_envelope *e, size_t lane)
{
	size_t at = in->len;

	if (!fx_grow(&in->items, &in->cap, in->len + 1, sizeof *in->items))
		return false;
	while (at && in->items[at - 1].envelope.seq > e->seq)
		at--;
	memmove(&in->items[at + 1], &in->items[at], (in->len - at) * sizeof *in->items);
	in->items[at] = (struct fx__arrival){ *e, lane };
	in->len++;
	return true;
}

bool fx__inbox_has(const struct fx__inbox *in, uint64_t seq)
{
	for (size_t i = 0; i < in->len; i++)
		if (in->items[i].envelope.seq == seq)
			return true;
	return false;
}

struct fx__arrival fx__inbox_take(struct fx__inbox *in)
{
	const struct fx__arrival first = in->items[0];

	in->len--;
	memmove(in->items, in->items + 1, in->len * sizeof *in->items);
	return first;
}

void fx__inbox_fini(struct fx__inbox *in)
{
	for (size_t i = 0; i < in->len; i++)
		fx_envelope_fini(&in->items[i].envelope);
	free(in->items);
	*in = (struct fx__inbox){ 0 };
}
