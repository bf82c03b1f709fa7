// SPDX-License-Identifier: Apache-2.0
/* labelstore.c: label blocks kept in a scratch file. */
#include "formats/labelstore.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map64.h"

enum { FACES = 6, TABLE = 6, VOXELS = 7, KEYS = 8 }; /* byte strings of a block */
enum { VOXELS_MAX = 1 << 28 };

void fx_labelstore_fini(struct fx_labelstore *s)
{
	free(s->blocks);
	memset(s, 0, sizeof *s);
}

static int origin_order(const int64_t a[3], const int64_t b[3])
{
	for (int i = 0; i < 3; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

/* First block that does not come before @p origin. */
static size_t store_place(const struct fx_labelstore *s, const int64_t origin[3])
{
	size_t lo = 0, hi = s->len;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (origin_order(s->blocks[mid].origin, origin) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct fx_stored *fx_labelstore_find(const struct fx_labelstore *s, const int64_t origin[3])
{
	const size_t i = store_place(s, origin);

	return i < s->len && origin_order(s->blocks[i].origin, origin) == 0 ? &s->blocks[i] : NULL;
}

static uint64_t voxel_at(const struct fx_block *b, size_t i)
{
	if (b->dtype == FX_U16)
		return ((const uint16_t *)b->data)[i];
	if (b->dtype == FX_U32)
		return ((const uint32_t *)b->data)[i];
	return ((const uint64_t *)b->data)[i];
}

/* Labels of a block as numbers. */
struct numbered {
	uint32_t *index;
	uint64_t *table;
	size_t len, cap;
	struct fx_map64 number;
};

static int number_of(struct numbered *n, uint64_t label, uint32_t *number)
{
	uint64_t *at = fx_map64_at(&n->number, label);

	if (!at)
		return FX_ENOMEM;
	if (!*at) {
		if (!fx_grow(&n->table, &n->cap, n->len + 1, sizeof *n->table))
			return FX_ENOMEM;
		n->table[n->len++] = label;
		*at = n->len;
	}
	*number = (uint32_t)*at;
	return FX_OK;
}

static int number_core(struct numbered *n, const struct fx_block *b, const size_t shape[3])
{
	uint64_t last = 0;
	uint32_t number = 0;
	size_t to = 0;

	for (size_t z = 0; z < shape[0]; z++)
		for (size_t y = 0; y < shape[1]; y++) {
			const size_t row = ((z + b->halo_lo[0]) * b->shape[1] + y + b->halo_lo[1]) *
						   b->shape[2] +
					   b->halo_lo[2];

			for (size_t x = 0; x < shape[2]; x++) {
				const uint64_t label = voxel_at(b, row + x);

				if (label != last && !label)
					number = 0;
				else if (label != last && number_of(n, label, &number) != FX_OK)
					return FX_ENOMEM;
				last = label;
				n->index[to++] = number;
			}
		}
	return FX_OK;
}

static size_t face_len(const size_t shape[3], int axis)
{
	return shape[0] * shape[1] * shape[2] / shape[axis];
}

static void face_copy(uint32_t *face, const uint32_t *index, const size_t shape[3], int axis,
		      bool high)
{
	size_t lo[3] = { 0, 0, 0 }, hi[3] = { shape[0], shape[1], shape[2] };

	lo[axis] = high ? shape[axis] - 1 : 0;
	hi[axis] = lo[axis] + 1;
	for (size_t z = lo[0]; z < hi[0]; z++)
		for (size_t y = lo[1]; y < hi[1]; y++)
			for (size_t x = lo[2]; x < hi[2]; x++)
				*face++ = index[(z * shape[1] + y) * shape[2] + x];
}

static int store_bytes(struct fx_blobstore *to, const struct fx_stored *b, const struct numbered *n,
		       struct fx_error *err)
{
	const size_t len = b->shape[0] * b->shape[1] * b->shape[2];
	uint32_t *face = fx_calloc(len, sizeof *face);
	int result = face ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory for a label block");

	for (int i = 0; result == FX_OK && i < FACES; i++) {
		face_copy(face, n->index, b->shape, i / 2, i % 2);
		result = fx_blobstore_put(to, b->key + (uint64_t)i, face,
					  face_len(b->shape, i / 2) * sizeof *face, err);
	}
	free(face);
	if (result == FX_OK)
		result = fx_blobstore_put(to, b->key + TABLE, n->table, n->len * sizeof *n->table,
					  err);
	if (result == FX_OK)
		result = fx_blobstore_put(to, b->key + VOXELS, n->index, len * sizeof *n->index,
					  err);
	return result;
}

static int store_insert(struct fx_labelstore *s, const struct fx_stored *b, struct fx_error *err)
{
	const size_t at = store_place(s, b->origin);

	if (!fx_grow(&s->blocks, &s->cap, s->len + 1, sizeof *s->blocks))
		return fx_error_set(err, FX_ENOMEM, "no memory for a list of %zu blocks", s->len);
	memmove(s->blocks + at + 1, s->blocks + at, (s->len - at) * sizeof *s->blocks);
	s->blocks[at] = *b;
	s->len++;
	s->next_key += KEYS;
	for (int a = 0; a < 3; a++)
		s->cell[a] = b->shape[a] > s->cell[a] ? b->shape[a] : s->cell[a];
	return FX_OK;
}

static int stored_place(const struct fx_labelstore *s, const struct fx_block *b,
			struct fx_stored *to, struct fx_error *err)
{
	const struct fx_region core = fx_block_core(b);
	size_t len = 1;

	if (b->channels != 1 || !(b->dtype & (FX_U16 | FX_U32 | FX_U64)))
		return fx_error_set(err, FX_ETYPE, "label blocks are u16, u32 or u64, not %s",
				    fx_dtype_name(b->dtype));
	to->key = s->next_key;
	for (int a = 0; a < 3; a++) {
		to->origin[a] = core.lo[a];
		to->shape[a] = core.lo[a] < core.hi[a] ? (size_t)(core.hi[a] - core.lo[a]) : 0;
		if (!fx_mul_size(len, to->shape[a], &len) || !len || len > VOXELS_MAX)
			return fx_error_set(err, FX_EINVAL, "a label block has 1 to %d voxels",
					    VOXELS_MAX);
	}
	if (fx_labelstore_find(s, to->origin))
		return fx_error_set(err, FX_EINVAL, "two label blocks at %jd %jd %jd",
				    (intmax_t)to->origin[0], (intmax_t)to->origin[1],
				    (intmax_t)to->origin[2]);
	return FX_OK;
}

int fx_labelstore_put(struct fx_labelstore *s, struct fx_blobstore *to, const struct fx_block *b,
		      struct fx_error *err)
{
	struct fx_stored stored;
	struct numbered n = { 0 };
	int result = stored_place(s, b, &stored, err);

	if (result != FX_OK)
		return result;
	n.index = fx_calloc(stored.shape[0] * stored.shape[1] * stored.shape[2], sizeof *n.index);
	if (!n.index || number_core(&n, b, stored.shape) != FX_OK)
		result = fx_error_set(err, FX_ENOMEM, "no memory for a label block");
	if (result == FX_OK)
		result = store_bytes(to, &stored, &n, err);
	if (result == FX_OK)
		result = store_insert(s, &stored, err);
	free(n.index);
	free(n.table);
	fx_map64_fini(&n.number);
	return result;
}

int fx_labelstore_next(const struct fx_labelstore *s, const struct fx_stored *b, int axis,
		       bool high, const struct fx_stored **next, struct fx_error *err)
{
	int64_t at[3] = { b->origin[0], b->origin[1], b->origin[2] };

	at[axis] += high ? (int64_t)b->shape[axis] : -(int64_t)s->cell[axis];
	*next = fx_labelstore_find(s, at);
	for (int a = 0; *next && a < 3; a++)
		if (a != axis ? (*next)->shape[a] != b->shape[a] :
				!high && (*next)->shape[a] != s->cell[a])
			return fx_error_set(err, FX_EINVAL,
					    "label blocks at %jd %jd %jd and %jd %jd %jd do not "
					    "lie on one grid",
					    (intmax_t)b->origin[0], (intmax_t)b->origin[1],
					    (intmax_t)b->origin[2], (intmax_t)at[0],
					    (intmax_t)at[1], (intmax_t)at[2]);
	return FX_OK;
}

/* The byte string @p key, @p len numbers, as labels. */
static int store_read(const struct fx_blobstore *from, const struct fx_stored *b, uint64_t key,
		      size_t len, uint64_t **labels, struct fx_error *err)
{
	void *index = NULL, *table = NULL;
	size_t index_size, table_size;
	uint64_t *made = NULL;
	int result = fx_blobstore_get(from, key, &index, &index_size, err);

	if (result == FX_OK)
		result = fx_blobstore_get(from, b->key + TABLE, &table, &table_size, err);
	if (result == FX_OK && !(made = fx_calloc(len, sizeof *made)))
		result = fx_error_set(err, FX_ENOMEM, "no memory for a label block");
	if (result == FX_OK && index_size != len * sizeof(uint32_t))
		result = fx_error_set(err, FX_EIO, "scratch file: %zu numbers for %zu voxels",
				      index_size / sizeof(uint32_t), len);
	for (size_t i = 0; result == FX_OK && i < len; i++) {
		const uint32_t number = ((const uint32_t *)index)[i];

		if (number > table_size / sizeof(uint64_t))
			result = fx_error_set(err, FX_EIO, "scratch file: a label without number");
		else
			made[i] = number ? ((const uint64_t *)table)[number - 1] : 0;
	}
	free(index);
	free(table);
	if (result == FX_OK)
		*labels = made;
	else
		free(made);
	return result;
}

int fx_labelstore_get(const struct fx_blobstore *from, const struct fx_stored *b, uint64_t **labels,
		      struct fx_error *err)
{
	return store_read(from, b, b->key + VOXELS, b->shape[0] * b->shape[1] * b->shape[2], labels,
			  err);
}

int fx_labelstore_face(const struct fx_blobstore *from, const struct fx_stored *b, int axis,
		       bool high, uint64_t **labels, struct fx_error *err)
{
	return store_read(from, b, b->key + (uint64_t)axis * 2 + high, face_len(b->shape, axis),
			  labels, err);
}

void fx_labelstore_drop(struct fx_blobstore *from, const struct fx_stored *b)
{
	for (uint64_t i = 0; i < KEYS; i++)
		fx_blobstore_drop(from, b->key + i);
}

void fx_labelstore_pack(const struct fx_labelstore *s, struct fx_pack *to)
{
	fx_pack_put(to, &s->next_key, sizeof s->next_key);
	fx_pack_array(to, s->blocks, s->len, sizeof *s->blocks);
}

static bool stored_good(const struct fx_labelstore *s, size_t i)
{
	const struct fx_stored *b = &s->blocks[i];
	size_t len = 1;

	for (int a = 0; a < 3; a++)
		if (!b->shape[a] || !fx_mul_size(len, b->shape[a], &len) || len > VOXELS_MAX ||
		    b->origin[a] > INT64_MAX / 4 || b->origin[a] < INT64_MIN / 4)
			return false;
	return !i || origin_order(b[-1].origin, b->origin) < 0;
}

int fx_labelstore_unpack(struct fx_labelstore *s, struct fx_unpack *from)
{
	void *blocks;
	int result;

	if (fx_unpack_get(from, &s->next_key, sizeof s->next_key) < 0)
		return FX_ETYPE;
	result = fx_unpack_array(from, &blocks, &s->len, sizeof *s->blocks);
	s->blocks = blocks;
	s->cap = s->len;
	for (size_t i = 0; result == FX_OK && i < s->len; i++) {
		if (!stored_good(s, i))
			return FX_ETYPE;
		for (int a = 0; a < 3; a++)
			s->cell[a] = s->blocks[i].shape[a] > s->cell[a] ? s->blocks[i].shape[a] :
									  s->cell[a];
	}
	return result;
}
