// SPDX-License-Identifier: Apache-2.0
/* closedids.c: the table of final ids, made on disk layer by layer. */
#include "formats/closedids.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Rows in memory before they are written; bits of an id below its layer: 64 sections of
 * kernels/stitch.h. */
enum { ROWS = 1 << 16, LAYER_BITS = 46 };

static const char file_name[] = "closed-ids";

typedef uint64_t row[2];

/* The store has strings of rows by their number, and tables of final ids by their layer. */
static uint64_t table_key(uint32_t layer)
{
	return UINT64_C(1) << 63 | layer;
}

static uint32_t layer_of(uint64_t id)
{
	return (uint32_t)(id >> LAYER_BITS);
}

static int by_id(const void *pa, const void *pb)
{
	const uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return (a > b) - (a < b);
}

void fx_closed_ids_fini(struct fx_closed_ids *c)
{
	fx_blobstore_close(c->store);
	free(c->rows);
	free(c->layers);
	memset(c, 0, sizeof *c);
}

static int no_memory(struct fx_error *err)
{
	return fx_error_set(err, FX_ENOMEM, "no memory for final ids");
}

/* Writes the rows in memory, a string for each layer. */
static int ids_write(struct fx_closed_ids *c, const char *dir, struct fx_error *err)
{
	int result = FX_OK;

	if (!c->store && !(c->store = fx_blobstore_named(dir, file_name, err)))
		return err->code;
	if (c->len)
		qsort(c->rows, c->len, sizeof(row), by_id);
	for (size_t i = 0, end; i < c->len && result == FX_OK; i = end) {
		const uint32_t layer = layer_of(c->rows[i][0]);

		for (end = i + 1; end < c->len && layer_of(c->rows[end][0]) == layer;)
			end++;
		if (!fx_grow(&c->layers, &c->layers_cap, c->strings + 1, sizeof *c->layers))
			return no_memory(err);
		result = fx_blobstore_put(c->store, c->strings, c->rows[i], (end - i) * sizeof(row),
					  err);
		c->layers[c->strings++] = layer;
	}
	c->len = 0;
	return result;
}

int fx_closed_ids_put(struct fx_closed_ids *c, const char *dir, const uint64_t (*rows)[2],
		      size_t len, struct fx_error *err)
{
	if (!fx_grow(&c->rows, &c->cap, c->len + len, sizeof(row)))
		return no_memory(err);
	if (len)
		memcpy(c->rows + c->len, rows, len * sizeof(row));
	c->len += len;
	return c->len < ROWS ? FX_OK : ids_write(c, dir, err);
}

/* The rows of one layer, and their final ids; 0 while it is not known. */
struct layer {
	uint32_t number;
	row *rows; /* owned, ascending */
	size_t len, cap;
	uint64_t *final; /* owned */
	row *back;	 /* owned; of rows that refer to a layer before: that id, and their place */
	size_t back_len;
};

static void layer_fini(struct layer *l)
{
	free(l->rows);
	free(l->final);
	free(l->back);
}

static int layer_load(struct fx_closed_ids *c, struct layer *l, struct fx_error *err)
{
	for (size_t i = 0; i < c->strings; i++) {
		void *bytes;
		size_t size;
		int result;

		if (c->layers[i] != l->number)
			continue;
		result = fx_blobstore_get(c->store, i, &bytes, &size, err);
		if (result < 0)
			return result;
		if (!fx_grow(&l->rows, &l->cap, l->len + size / sizeof(row), sizeof(row))) {
			free(bytes);
			return no_memory(err);
		}
		memcpy(l->rows + l->len, bytes, size);
		l->len += size / sizeof(row);
		free(bytes);
		fx_blobstore_drop(c->store, i);
	}
	qsort(l->rows, l->len, sizeof(row), by_id);
	l->final = fx_calloc(l->len, sizeof *l->final);
	l->back = fx_calloc(l->len, sizeof(row));
	return l->final && l->back ? FX_OK : no_memory(err);
}

/* Place of the row of @p id. */
static int find_row(const row *rows, size_t len, uint64_t id, size_t *place, struct fx_error *err)
{
	const row key = { id, 0 };
	const row *found = len ? bsearch(key, rows, len, sizeof(row), by_id) : NULL;

	if (!found)
		return fx_error_set(err, FX_EINVAL, "id %" PRIu64 " has no final id", id);
	*place = (size_t)(found - rows);
	return FX_OK;
}

/* Final ids that rows have from ids of layers before, whose tables are loaded one by one. */
static int layer_refer_back(const struct fx_closed_ids *c, struct layer *l, struct fx_error *err)
{
	int result = FX_OK;

	for (size_t i = 0; i < l->len; i++)
		if (layer_of(l->rows[i][1]) < l->number) {
			l->back[l->back_len][0] = l->rows[i][1];
			l->back[l->back_len++][1] = i;
		}
	if (l->back_len)
		qsort(l->back, l->back_len, sizeof(row), by_id);
	for (size_t i = 0; i < l->back_len && result == FX_OK;) {
		const uint32_t other = layer_of(l->back[i][0]);
		void *table;
		size_t size, place;

		result = fx_blobstore_get(c->store, table_key(other), &table, &size, err);
		if (result < 0)
			return result;
		for (; i < l->back_len && layer_of(l->back[i][0]) == other; i++) {
			result = find_row(table, size / sizeof(row), l->back[i][0], &place, err);
			if (result < 0)
				break;
			l->final[l->back[i][1]] = ((const row *)table)[place][1];
		}
		free(table);
	}
	return result;
}

/* Final ids of the rest, from the smallest id on: that which a row refers to has its own. */
static int layer_number(struct layer *l, uint64_t *segments, struct fx_error *err)
{
	for (size_t i = 0; i < l->len; i++) {
		size_t place;
		int result;

		if (l->final[i])
			continue;
		if (l->rows[i][1] == l->rows[i][0]) {
			l->final[i] = ++*segments;
			continue;
		}
		result = find_row((const row *)l->rows, i, l->rows[i][1], &place, err);
		if (result < 0)
			return result;
		l->final[i] = l->final[place];
	}
	for (size_t i = 0; i < l->len; i++)
		l->rows[i][1] = l->final[i];
	return FX_OK;
}

static int layer_give(const struct layer *l, fx_closed_ids_take *take, void *context)
{
	int result = FX_OK;

	for (size_t i = 0; i < l->len && result == FX_OK; i += ROWS)
		result = take(context, (const uint64_t(*)[2])l->rows + i,
			      l->len - i < ROWS ? l->len - i : ROWS);
	return result;
}

/* The layer behind @p layer that has rows; false when there is none. */
static bool next_layer(const struct fx_closed_ids *c, int64_t *layer)
{
	int64_t best = INT64_MAX;

	for (size_t i = 0; i < c->strings; i++)
		if (c->layers[i] > *layer && c->layers[i] < best)
			best = c->layers[i];
	*layer = best;
	return best != INT64_MAX;
}

int fx_closed_ids_number(struct fx_closed_ids *c, const char *dir, fx_closed_ids_take *take,
			 void *context, uint64_t *segments, uint64_t *len, struct fx_error *err)
{
	int64_t at = -1;
	int result = ids_write(c, dir, err);

	*segments = *len = 0;
	while (result == FX_OK && next_layer(c, &at)) {
		struct layer l = { .number = (uint32_t)at };

		result = layer_load(c, &l, err);
		if (result == FX_OK)
			result = layer_refer_back(c, &l, err);
		if (result == FX_OK)
			result = layer_number(&l, segments, err);
		if (result == FX_OK)
			result = fx_blobstore_put(c->store, table_key(l.number), l.rows,
						  l.len * sizeof(row), err);
		if (result == FX_OK)
			result = layer_give(&l, take, context);
		*len += l.len;
		layer_fini(&l);
	}
	fx_closed_ids_fini(c);
	return result;
}

int fx_closed_ids_pack(struct fx_closed_ids *c, struct fx_pack *to, struct fx_error *err)
{
	fx_pack_array(to, c->rows, c->len, sizeof(row));
	fx_pack_array(to, c->layers, c->strings, sizeof *c->layers);
	return c->store ? fx_blobstore_pack(c->store, to, err) : FX_OK;
}

int fx_closed_ids_unpack(struct fx_closed_ids *c, const char *dir, struct fx_unpack *from,
			 struct fx_error *err)
{
	void *rows = NULL, *layers = NULL;
	int result = fx_unpack_array(from, &rows, &c->len, sizeof(row));

	if (result == FX_OK)
		result = fx_unpack_array(from, &layers, &c->strings, sizeof *c->layers);
	c->rows = rows;
	c->cap = c->len;
	c->layers = layers;
	c->layers_cap = c->strings;
	if (result == FX_OK && c->strings &&
	    !(c->store = fx_blobstore_unpack(dir, file_name, from, err)))
		return err->code;
	return result;
}
