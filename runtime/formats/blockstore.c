// SPDX-License-Identifier: Apache-2.0
/* blockstore.c: label blocks put aside in a scratch file. */
#include "formats/blockstore.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "block/voxel.h"

/* A voxel that is asked for: where, and the block that holds it. */
struct wanted {
	size_t block, voxel, index;
};

/* First coordinates of the stored blocks along one axis, sorted, without doubles. */
struct starts {
	int64_t *lo;
	size_t len;
};

int fx_blockstore_open(struct fx_blockstore *s, const char *dir, const char *name,
		       struct fx_error *err)
{
	memset(s, 0, sizeof *s);
	s->scratch = fx_blobstore_named(dir, name, err);
	if (s->scratch)
		return FX_OK;
	return err ? err->code : FX_EIO;
}

void fx_blockstore_close(struct fx_blockstore *s)
{
	fx_blobstore_close(s->scratch);
	free(s->blocks);
	fx_map64_fini(&s->places);
	memset(s, 0, sizeof *s);
}

/* A key for a place; UINT64_MAX outside of the range. */
static uint64_t place_key(const int64_t at[3])
{
	if (at[0] < 0 || at[1] < 0 || at[2] < 0 || at[0] >> 24 || at[1] >> 20 || at[2] >> 20)
		return UINT64_MAX;
	return (uint64_t)at[0] << 40 | (uint64_t)at[1] << 20 | (uint64_t)at[2];
}

int fx_blockstore_put(struct fx_blockstore *s, const struct fx_block *b, size_t *number,
		      struct fx_error *err)
{
	const uint64_t key = place_key(fx_block_core(b).lo);
	struct fx_block *core;
	uint64_t *place;
	int rc;

	if (fx_region_empty(fx_block_core(b)) || key == UINT64_MAX)
		return fx_error_set(err, FX_EINVAL,
				    "a block of labels is all halo, or starts outside of z "
				    "0..2^24-1, y and x 0..2^20-1");
	core = fx_block_crop(b, fx_block_core(b));
	place = fx_map64_at(&s->places, key);
	if (!core || !place || !fx_grow(&s->blocks, &s->cap, s->len + 1, sizeof *s->blocks)) {
		fx_block_free(core);
		return fx_error_set(err, FX_ENOMEM, "no memory to put a block aside");
	}
	rc = fx_blobstore_put(s->scratch, s->len, core->data, fx_block_size(core), err);
	if (rc == FX_OK) {
		s->live++;
		s->blocks[s->len] = (struct fx_aside){ *core, true };
		s->blocks[s->len].header.data = NULL;
		s->blocks[s->len].header.release = NULL;
		*number = s->len++;
		*place = s->len;
	}
	fx_block_free(core);
	return rc;
}

size_t fx_blockstore_find(const struct fx_blockstore *s, const int64_t origin[3])
{
	const uint64_t *place = fx_map64_find(&s->places, place_key(origin));

	return place && *place ? (size_t)*place - 1 : SIZE_MAX;
}

struct fx_block *fx_blockstore_get(const struct fx_blockstore *s, size_t number,
				   struct fx_error *err)
{
	const struct fx_block *h = &s->blocks[number].header;
	struct fx_block *b = fx_block_new(h->dtype, h->shape[0], h->shape[1], h->shape[2]);

	if (!b) {
		fx_error_set(err, FX_ENOMEM, "no memory to read a block back");
		return NULL;
	}
	if (fx_blobstore_read(s->scratch, number, b->data, fx_block_size(b), err) != FX_OK) {
		fx_block_free(b);
		return NULL;
	}
	b->role = h->role;
	b->level = h->level;
	memcpy(b->origin, h->origin, sizeof b->origin);
	memcpy(b->voxel_nm, h->voxel_nm, sizeof b->voxel_nm);
	return b;
}

void fx_blockstore_drop(struct fx_blockstore *s, size_t number)
{
	if (!s->blocks[number].is_live)
		return;
	s->blocks[number].is_live = false;
	s->live--;
	if (fx_blockstore_find(s, s->blocks[number].header.origin) == number)
		*fx_map64_at(&s->places, place_key(s->blocks[number].header.origin)) = 0;
	fx_blobstore_drop(s->scratch, number);
}

static int by_start(const void *a, const void *b)
{
	int64_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

static bool starts_fill(struct starts *t, const struct fx_blockstore *s, int axis)
{
	size_t n = 0;

	t->lo = fx_calloc(s->len, sizeof *t->lo);
	if (!t->lo)
		return false;
	for (size_t i = 0; i < s->len; i++)
		if (s->blocks[i].is_live)
			t->lo[n++] = s->blocks[i].header.origin[axis];
	qsort(t->lo, n, sizeof *t->lo, by_start);
	for (size_t i = 0; i < n; i++)
		if (t->len == 0 || t->lo[t->len - 1] != t->lo[i])
			t->lo[t->len++] = t->lo[i];
	return true;
}

/* Number of starts that are not above v: 1 + the index of the cell of v, 0 below all. */
static size_t starts_upto(const struct starts *t, int64_t v)
{
	size_t lo = 0, hi = t->len;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (t->lo[mid] <= v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Number of the block that covers a voxel, or SIZE_MAX. */
static size_t block_at(const struct fx_blockstore *s, const struct starts t[3], const int64_t v[3])
{
	int64_t origin[3];

	for (int a = 0; a < 3; a++) {
		const size_t i = starts_upto(&t[a], v[a]);

		if (i == 0)
			return SIZE_MAX;
		origin[a] = t[a].lo[i - 1];
	}
	return fx_blockstore_find(s, origin);
}

static size_t wanted_fill(struct wanted *w, const struct fx_blockstore *s, const struct starts t[3],
			  int64_t (*voxels)[3], size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		const size_t number = block_at(s, t, voxels[i]);
		const struct fx_block *h = number < s->len ? &s->blocks[number].header : NULL;
		size_t voxel = 0;
		bool inside = h;

		for (int a = 0; inside && a < 3; a++) {
			const size_t at = (size_t)(voxels[i][a] - h->origin[a]);

			inside = at < h->shape[a];
			voxel = voxel * h->shape[a] + at;
		}
		if (inside)
			w[len++] = (struct wanted){ number, voxel, i };
	}
	return len;
}

static int by_block(const void *a, const void *b)
{
	const struct wanted *p = a, *q = b;

	return (p->block > q->block) - (p->block < q->block);
}

static int wanted_read(const struct wanted *w, size_t len, const struct fx_blockstore *s,
		       uint64_t *labels, struct fx_error *err)
{
	struct fx_block *b = NULL;

	for (size_t i = 0; i < len; i++) {
		if (i == 0 || w[i].block != w[i - 1].block) {
			fx_block_free(b);
			b = fx_blockstore_get(s, w[i].block, err);
			if (!b)
				return err ? err->code : FX_EIO;
		}
		labels[w[i].index] = fx_voxel_label(b->data, b->dtype, w[i].voxel);
	}
	fx_block_free(b);
	return FX_OK;
}

int fx_blockstore_lookup(const struct fx_blockstore *s, int64_t (*voxels)[3], size_t n,
			 uint64_t *labels, struct fx_error *err)
{
	struct starts t[3] = { { 0 } };
	struct wanted *w = fx_calloc(n, sizeof *w);
	int rc = w ? FX_OK : FX_ENOMEM;

	for (int a = 0; rc == FX_OK && a < 3; a++)
		rc = starts_fill(&t[a], s, a) ? FX_OK : FX_ENOMEM;
	if (rc < 0) {
		fx_error_set(err, rc, "no memory to look up %zu voxels", n);
	} else {
		const size_t len = wanted_fill(w, s, t, voxels, n);

		memset(labels, 0, n * sizeof *labels);
		qsort(w, len, sizeof *w, by_block);
		rc = wanted_read(w, len, s, labels, err);
	}
	for (int a = 0; a < 3; a++)
		free(t[a].lo);
	free(w);
	return rc;
}

/* A header in a save: members one by one, as a structure has bytes that no one sets. */
static void header_pack(const struct fx_block *h, struct fx_pack *to)
{
	const uint32_t kind[3] = { (uint32_t)h->dtype, (uint32_t)h->role, h->level };

	fx_pack_put(to, kind, sizeof kind);
	fx_pack_put(to, h->origin, sizeof h->origin);
	fx_pack_put(to, h->shape, sizeof h->shape);
	fx_pack_put(to, h->voxel_nm, sizeof h->voxel_nm);
}

static int header_unpack(struct fx_block *h, struct fx_unpack *from)
{
	uint32_t kind[3];
	size_t size;

	if (fx_unpack_get(from, kind, sizeof kind) < 0 ||
	    fx_unpack_get(from, h->origin, sizeof h->origin) < 0 ||
	    fx_unpack_get(from, h->shape, sizeof h->shape) < 0 ||
	    fx_unpack_get(from, h->voxel_nm, sizeof h->voxel_nm) < 0)
		return FX_ETYPE;
	h->dtype = (enum fx_dtype)kind[0];
	h->role = (enum fx_role)kind[1];
	h->level = kind[2];
	h->channels = 1;
	size = fx_dtype_size(h->dtype);
	for (int a = 0; a < 3; a++)
		if (!h->shape[a] || !fx_mul_size(size, h->shape[a], &size))
			return FX_ETYPE;
	return size && place_key(h->origin) != UINT64_MAX ? FX_OK : FX_ETYPE;
}

int fx_blockstore_pack(struct fx_blockstore *s, struct fx_pack *to, struct fx_error *err)
{
	const uint64_t len = s->len;

	fx_pack_bool(to, s->scratch != NULL);
	if (!s->scratch)
		return FX_OK;
	fx_pack_put(to, &len, sizeof len);
	for (size_t i = 0; i < s->len; i++) {
		fx_pack_bool(to, s->blocks[i].is_live);
		if (s->blocks[i].is_live)
			header_pack(&s->blocks[i].header, to);
	}
	return fx_blobstore_pack(s->scratch, to, err);
}

static int aside_unpack(struct fx_blockstore *s, size_t i, struct fx_unpack *from)
{
	struct fx_aside *a;
	uint64_t *place;

	if (!fx_grow(&s->blocks, &s->cap, i + 1, sizeof *s->blocks))
		return FX_ENOMEM;
	a = &s->blocks[i];
	*a = (struct fx_aside){ 0 };
	if (fx_unpack_bool(from, &a->is_live) < 0 ||
	    (a->is_live && header_unpack(&a->header, from) < 0))
		return FX_ETYPE;
	s->len = i + 1;
	if (!a->is_live)
		return FX_OK;
	place = fx_map64_at(&s->places, place_key(a->header.origin));
	if (!place)
		return FX_ENOMEM;
	*place = s->len;
	s->live++;
	return FX_OK;
}

int fx_blockstore_unpack(struct fx_blockstore *s, const char *dir, const char *name,
			 struct fx_unpack *from, struct fx_error *err)
{
	bool opened;
	uint64_t len = 0;
	int result = fx_unpack_bool(from, &opened);

	if (result == FX_OK && opened)
		result = fx_unpack_get(from, &len, sizeof len);
	for (uint64_t i = 0; result == FX_OK && i < len; i++)
		result = aside_unpack(s, (size_t)i, from);
	if (result == FX_OK && opened) {
		s->scratch = fx_blobstore_unpack(dir, name, from, err);
		return s->scratch ? FX_OK : FX_ETYPE;
	}
	return result < 0 ? fx_error_set(err, result, "blocks put aside cannot be as saved") :
			    FX_OK;
}
