// SPDX-License-Identifier: Apache-2.0
/* labelmap.c: from the provisional ids of a label stream to final ones. */
#include "kernels/labelmap.h"

#include <string.h>

void fx_labelmap_fini(struct fx_labelmap *m)
{
	fx_map64_fini(&m->parent);
	fx_map64_fini(&m->final_id);
	m->has_final = false;
}

/* An id that was never entered, or entered as 0, is its own root. */
static uint64_t map_root(const struct fx_labelmap *m, uint64_t id)
{
	const uint64_t *parent;

	while ((parent = fx_map64_find(&m->parent, id)) && *parent)
		id = *parent;
	return id;
}

static int map_join(struct fx_labelmap *m, uint64_t a, uint64_t b)
{
	const uint64_t ra = map_root(m, a), rb = map_root(m, b), low = ra < rb ? ra : rb;
	const uint64_t path[4] = { ra, rb, a, b };

	for (int i = 0; i < 4; i++) {
		uint64_t *parent = path[i] == low ? NULL : fx_map64_at(&m->parent, path[i]);

		if (parent)
			*parent = low;
		else if (path[i] != low)
			return FX_ENOMEM;
	}
	return FX_OK;
}

static int map_row(struct fx_labelmap *m, bool is_final, uint64_t a, uint64_t b)
{
	uint64_t *to;

	if (!is_final)
		return map_join(m, a, b);
	to = fx_map64_at(&m->final_id, a);
	if (!to)
		return FX_ENOMEM;
	*to = b;
	m->has_final = true;
	return FX_OK;
}

int fx_labelmap_add(struct fx_labelmap *m, const struct fx_record *r, struct fx_error *err)
{
	const bool is_final = strcmp(r->kind, "final-ids") == 0;

	if (!is_final && strcmp(r->kind, "equivalence") != 0)
		return FX_OK;
	if (r->rows && r->columns != 2)
		return fx_error_set(err, FX_EINVAL, "record %s: %u columns, not 2", r->kind,
				    r->columns);
	for (size_t i = 0; i < r->rows; i++) {
		const uint64_t a = r->table[2 * i], b = r->table[2 * i + 1];

		if (!a || !b)
			return fx_error_set(err, FX_EINVAL,
					    "record %s, row %zu: label 0 stands for nothing",
					    r->kind, i);
		if (map_row(m, is_final, a, b) != FX_OK)
			return fx_error_set(err, FX_ENOMEM, "no memory for %zu label ids",
					    m->parent.len + m->final_id.len);
	}
	return FX_OK;
}

int fx_labelmap_find(const struct fx_labelmap *m, uint64_t label, uint64_t *id,
		     struct fx_error *err)
{
	const uint64_t *to = fx_map64_find(&m->final_id, label);

	if (m->has_final && label && !to)
		return fx_error_set(err, FX_ENOENT, "label %ju has no final id", (uintmax_t)label);
	*id = to ? *to : map_root(m, label);
	return FX_OK;
}

int fx_labelmap_apply(const struct fx_labelmap *m, uint64_t *labels, size_t len,
		      struct fx_error *err)
{
	uint64_t last = 0, id = 0;

	for (size_t i = 0; i < len; i++) {
		if (labels[i] != last) {
			const int result = fx_labelmap_find(m, labels[i], &id, err);

			if (result != FX_OK)
				return result;
			last = labels[i];
		}
		labels[i] = id;
	}
	return FX_OK;
}

int fx_labelmap_pack(const struct fx_labelmap *m, struct fx_pack *to)
{
	fx_pack_bool(to, m->has_final);
	if (fx_map64_pack(&m->parent, to) < 0)
		return FX_ENOMEM;
	return fx_map64_pack(&m->final_id, to);
}

int fx_labelmap_unpack(struct fx_labelmap *m, struct fx_unpack *from)
{
	int result = fx_unpack_bool(from, &m->has_final);

	if (result == FX_OK)
		result = fx_map64_unpack(&m->parent, from);
	if (result == FX_OK)
		result = fx_map64_unpack(&m->final_id, from);
	for (size_t i = 0; result == FX_OK && i < m->parent.cap; i++) /* no circles */
		if (m->parent.slots[i].used && m->parent.slots[i].value >= m->parent.slots[i].key)
			result = FX_ETYPE;
	return result;
}
