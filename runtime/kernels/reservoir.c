// SPDX-License-Identifier: Apache-2.0
/* reservoir.c: bottom-k sampling of rows. */
#include "kernels/reservoir.h"

#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"

/* A key and where its row lies. */
struct place {
	uint64_t key;
	size_t at;
};

uint64_t fx_reservoir_key(uint64_t seed, uint64_t place)
{
	uint64_t z = place + (seed + 1) * 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

bool fx_reservoir_wants(const struct fx_reservoir *r, uint64_t key)
{
	return !r->limit || key < r->limit;
}

static int by_key(const void *a, const void *b)
{
	const struct place *p = a, *q = b;

	return p->key < q->key ? -1 : p->key > q->key;
}

/* Sorts by key and keeps the first rows. */
static int reservoir_cut(struct fx_reservoir *r)
{
	const size_t keep = r->len < r->most ? r->len : r->most;
	struct place *order = fx_calloc(r->len, sizeof *order);
	float *rows = fx_calloc(2 * r->most * r->width, sizeof *rows);

	if (!order || !rows) {
		free(order);
		free(rows);
		return FX_ENOMEM;
	}
	for (size_t i = 0; i < r->len; i++)
		order[i] = (struct place){ r->keys[i], i };
	qsort(order, r->len, sizeof *order, by_key);
	for (size_t i = 0; i < keep; i++) {
		r->keys[i] = order[i].key;
		memcpy(rows + i * r->width, r->rows + order[i].at * r->width,
		       r->width * sizeof *rows);
	}
	free(order);
	free(r->rows);
	r->rows = rows;
	r->len = keep;
	if (keep == r->most)
		r->limit = r->keys[keep - 1];
	return FX_OK;
}

int fx_reservoir_add(struct fx_reservoir *r, uint64_t key, const float *row, size_t step)
{
	size_t room, size;
	int err = FX_OK;

	if (!r->keys) {
		if (!fx_mul_size(r->most, 2, &room) || !fx_mul_size(room, r->width, &size))
			return FX_ENOMEM;
		r->keys = fx_calloc(room, sizeof *r->keys);
		r->rows = fx_calloc(size, sizeof *r->rows);
	}
	if (!r->keys || !r->rows)
		return FX_ENOMEM;
	if (r->len == 2 * r->most)
		err = reservoir_cut(r);
	if (err || !fx_reservoir_wants(r, key))
		return err;
	for (size_t i = 0; i < r->width; i++)
		r->rows[r->len * r->width + i] = row[i * step];
	r->keys[r->len++] = key;
	return FX_OK;
}

int fx_reservoir_close(struct fx_reservoir *r)
{
	return r->len ? reservoir_cut(r) : FX_OK;
}

void fx_reservoir_fini(struct fx_reservoir *r)
{
	free(r->keys);
	free(r->rows);
	r->keys = NULL;
	r->rows = NULL;
	r->len = 0;
}
