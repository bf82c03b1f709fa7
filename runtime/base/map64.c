// SPDX-License-Identifier: Apache-2.0
/* map64.c: hash map from u64 to u64. */
#include "base/map64.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* splitmix64 finaliser */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static struct fx_map64_slot *map_slot(const struct fx_map64 *m, uint64_t key)
{
	size_t i = mix(key) & (m->cap - 1);

	while (m->slots[i].used && m->slots[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

static bool map_grow(struct fx_map64 *m)
{
	struct fx_map64 bigger = { .len = m->len, .cap = m->cap ? 2 * m->cap : 16 };

	bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].used)
			*map_slot(&bigger, m->slots[i].key) = m->slots[i];
	free(m->slots);
	*m = bigger;
	return true;
}

void fx_map64_fini(struct fx_map64 *m)
{
	free(m->slots);
	memset(m, 0, sizeof *m);
}

uint64_t *fx_map64_at(struct fx_map64 *m, uint64_t key)
{
	struct fx_map64_slot *slot;

	if (2 * (m->len + 1) > m->cap && !map_grow(m))
		return NULL;
	slot = map_slot(m, key);
	if (!slot->used) {
		*slot = (struct fx_map64_slot){ key, 0, true };
		m->len++;
	}
	return &slot->value;
}

const uint64_t *fx_map64_find(const struct fx_map64 *m, uint64_t key)
{
	const struct fx_map64_slot *slot = m->cap ? map_slot(m, key) : NULL;

	return slot && slot->used ? &slot->value : NULL;
}

/* Entries behind that the gap would hide from their place move up into it. */
void fx_map64_remove(struct fx_map64 *m, uint64_t key)
{
	struct fx_map64_slot *slot = m->cap ? map_slot(m, key) : NULL;
	size_t gap, mask = m->cap - 1;

	if (!slot || !slot->used)
		return;
	gap = (size_t)(slot - m->slots);
	for (size_t i = (gap + 1) & mask; m->slots[i].used; i = (i + 1) & mask) {
		const size_t home = mix(m->slots[i].key) & mask;

		if (((i - home) & mask) >= ((i - gap) & mask)) {
			m->slots[gap] = m->slots[i];
			gap = i;
		}
	}
	m->slots[gap].used = false;
	m->len--;
}

struct entry {
	uint64_t key, value;
};

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

int fx_map64_pack(const struct fx_map64 *m, struct fx_pack *to)
{
	struct entry *sorted = fx_calloc(m->len, sizeof *sorted);
	size_t n = 0;

	if (!sorted)
		return FX_ENOMEM;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].used)
			sorted[n++] = (struct entry){ m->slots[i].key, m->slots[i].value };
	qsort(sorted, n, sizeof *sorted, by_key);
	fx_pack_array(to, sorted, n, sizeof *sorted);
	free(sorted);
	return FX_OK;
}

int fx_map64_unpack(struct fx_map64 *m, struct fx_unpack *from)
{
	void *items;
	size_t n;
	const struct entry *e;
	int result = fx_unpack_array(from, &items, &n, sizeof *e);

	e = items;
	for (size_t i = 0; result == FX_OK && i < n; i++) {
		uint64_t *at = fx_map64_at(m, e[i].key);

		if (!at)
			result = FX_ENOMEM;
		else if (m->len != i + 1)
			result = FX_ETYPE; /* came twice */
		else
			*at = e[i].value;
	}
	free(items);
	return result;
}
