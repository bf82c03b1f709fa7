// SPDX-License-Identifier: Apache-2.0
/* stitch.c: joins the labels of overlapping blocks to one segmentation. */
#include "kernels/stitch.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/openids.h"
#include "kernels/runs.h"

enum { BUCKETS = 4096 }; /* open faces are found by hash of their place */

struct fx_stitch {
	struct fx_stitch_rule rule;
	struct fx_open_ids ids;		/* held by the slabs they are in */
	struct fx_stitch_pairs found;	/* of the last block */
	struct fx_slab *slabs[BUCKETS]; /* owned: faces whose other block has not come */
	size_t open_size;
};

/* The labels of one block, made dense in raster order: 0 stays 0. */
struct dense {
	uint32_t *labels; /* of every voxel, halo included */
	size_t ids_len, ids_cap;
	uint64_t *ids; /* provisional, by dense label; 0 while not seen in the core */
};

struct fx_stitch *fx_stitch_new(const struct fx_stitch_rule *rule)
{
	struct fx_stitch *s = calloc(1, sizeof *s);

	if (s)
		s->rule = *rule;
	return s;
}

void fx_stitch_free(struct fx_stitch *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (s->slabs[i]) {
			struct fx_slab *next = s->slabs[i]->next;

			fx_slab_free(s->slabs[i]);
			s->slabs[i] = next;
		}
	fx_open_ids_fini(&s->ids);
	free(s->found.ids);
	free(s->found.seen);
	free(s);
}

static uint64_t stitch_id(int64_t z, int64_t y, int64_t x)
{
	return ((uint64_t)z + 1) << 40 | (uint64_t)y << 20 | (uint64_t)x;
}

static int stitch_check(const struct fx_block *b, struct fx_error *err)
{
	const struct fx_region core = fx_block_core(b);
	const int64_t max[3] = { FX_STITCH_Z_MAX, FX_STITCH_YX_MAX, FX_STITCH_YX_MAX };
	size_t bytes;

	if (b->dtype != FX_U8 && b->dtype != FX_U16 && b->dtype != FX_U32 && b->dtype != FX_U64)
		return fx_error_set(err, FX_ETYPE, "labels of %s: must be u8, u16, u32 or u64",
				    fx_dtype_name(b->dtype));
	if (!fx_mul_size(fx_block_len(b), sizeof(uint32_t), &bytes) ||
	    fx_block_len(b) >= UINT32_MAX)
		return fx_error_set(err, FX_EINVAL, "a block of %zu voxels: at most %u",
				    fx_block_len(b), UINT32_MAX - 1);
	for (int a = 0; a < 3; a++) {
		if (core.lo[a] >= core.hi[a])
			return fx_error_set(err, FX_EINVAL,
					    "block at %" PRId64 " %" PRId64 " %" PRId64
					    " is all halo on axis %c",
					    core.lo[0], core.lo[1], core.lo[2], "zyx"[a]);
		if (core.lo[a] < 0 || core.hi[a] - 1 > max[a])
			return fx_error_set(
				err, FX_EINVAL,
				"voxels %" PRId64 "..%" PRId64
				" on axis %c: labels can be stitched within 0..%" PRId64,
				core.lo[a], core.hi[a] - 1, "zyx"[a], max[a]);
	}
	return FX_OK;
}

/* Dense labels in the order of their first voxels; a run looks its label up once. */
static int dense_fill(struct dense *d, const struct fx_block *b)
{
	const size_t n = fx_block_len(b), size = fx_dtype_size(b->dtype);
	struct fx_map64 known = { 0 };
	uint64_t next = 0, *at;

	d->labels = fx_alloc_aligned(n * sizeof *d->labels);
	for (size_t i = 0; d->labels && i < n;) {
		const size_t end = i + fx_run_len(b->data, size, i, n);
		const uint64_t label = fx_label_at(b->data, b->dtype, i);
		uint32_t value = 0;

		if (label) {
			if (!(at = fx_map64_at(&known, label)))
				break;
			if (!*at)
				*at = ++next;
			value = (uint32_t)*at;
		}
		while (i < end)
			d->labels[i++] = value;
		if (i == n)
			d->ids_len = (size_t)next + 1;
	}
	fx_map64_fini(&known);
	if (!d->ids_len || !(d->ids = fx_calloc(d->ids_len, sizeof *d->ids)))
		return FX_ENOMEM;
	return FX_OK;
}

/* One row of the core, run by run. */
static int dense_row(struct fx_stitch *s, struct dense *d, const uint32_t *labels,
		     const int64_t at[3], size_t n, uint64_t *core)
{
	for (size_t i = 0, end; i < n; i = end) {
		const uint32_t label = labels[i];

		if (label && !d->ids[label]) {
			d->ids[label] = stitch_id(at[0], at[1], at[2] + (int64_t)i);
			if (fx_open_ids_add(&s->ids, d->ids[label]) < 0)
				return FX_ENOMEM;
		}
		end = i + fx_run_len(labels, sizeof *labels, i, n);
		for (size_t k = i; k < end; k++)
			core[k] = d->ids[label];
	}
	return FX_OK;
}

/* Gives each label its id at its first voxel in the core, and writes the core. */
static int dense_core(struct fx_stitch *s, struct dense *d, const struct fx_block *b,
		      uint64_t *core)
{
	const struct fx_region r = fx_block_core(b);
	const size_t n = (size_t)(r.hi[2] - r.lo[2]);

	for (int64_t z = r.lo[0]; z < r.hi[0]; z++)
		for (int64_t y = r.lo[1]; y < r.hi[1]; y++, core += n) {
			const int64_t at[3] = { z, y, r.lo[2] };
			const size_t row = (size_t)(z - b->origin[0]) * b->shape[1] +
					   (size_t)(y - b->origin[1]);

			if (dense_row(s, d, d->labels + row * b->shape[2] + b->halo_lo[2], at, n,
				      core) < 0)
				return FX_ENOMEM;
		}
	return FX_OK;
}

/* Where the slab of a face hangs, or the end of its bucket. */
static struct fx_slab **stitch_slot(struct fx_stitch *s, int axis, const int64_t corner[3])
{
	uint64_t h = stitch_id(corner[0], corner[1], corner[2]) * 4 + (uint64_t)axis;
	struct fx_slab **at;

	h *= 0x9e3779b97f4a7c15u;
	at = &s->slabs[(h >> 32) % BUCKETS];
	while (*at && ((*at)->axis != axis || memcmp((*at)->corner, corner, 3 * sizeof *corner)))
		at = &(*at)->next;
	return at;
}

/* Each id that has voxels in a slab is held by it, or released. */
static int stitch_hold(struct fx_stitch *s, const struct fx_slab *slab, bool hold)
{
	bool *met = fx_calloc(slab->ids_len, sizeof *met);
	int rc = met ? FX_OK : FX_ENOMEM;

	for (size_t i = 0; rc == FX_OK && i < slab->runs_len; i++) {
		const uint32_t label = slab->runs[i].label;

		if (met[label] || !slab->ids[label])
			continue;
		met[label] = true;
		if (hold)
			fx_open_ids_hold(&s->ids, slab->ids[label]);
		else
			rc = fx_open_ids_release(&s->ids, slab->ids[label]);
	}
	free(met);
	return rc;
}

static int stitch_keep(struct fx_stitch *s, struct fx_slab **at, struct fx_slab *slab)
{
	*at = slab;
	s->open_size += fx_slab_size(slab);
	return stitch_hold(s, slab, true);
}

static int stitch_drop(struct fx_stitch *s, struct fx_slab **at)
{
	struct fx_slab *slab = *at;
	const int rc = stitch_hold(s, slab, false);

	*at = slab->next;
	s->open_size -= fx_slab_size(slab);
	fx_slab_free(slab);
	return rc;
}

/* One face of a block: match it with what its neighbour left, or leave it for the neighbour. */
static int stitch_face(struct fx_stitch *s, const struct fx_block *b, int axis, bool upper,
		       const struct dense *d, struct fx_error *err)
{
	struct fx_slab *slab = fx_slab_cut(b, axis, upper, d->labels, d->ids, d->ids_len);
	struct fx_slab **at;
	int rc;

	if (!slab)
		return fx_error_set(err, FX_ENOMEM, "no memory for the faces of a block");
	at = stitch_slot(s, axis, slab->corner);
	if (!*at) {
		rc = stitch_keep(s, at, slab);
		return rc < 0 ? fx_error_set(err, rc, "no memory for the faces of a block") : rc;
	}
	if ((*at)->upper == upper)
		rc = FX_EINVAL;
	else
		rc = upper ? fx_slab_match(*at, slab, &s->rule, &s->found) :
			     fx_slab_match(slab, *at, &s->rule, &s->found);
	if (rc == FX_OK)
		rc = stitch_drop(s, at);
	if (rc == FX_EINVAL)
		fx_error_set(
			err, rc,
			"the block with core at %" PRId64 " %" PRId64 " %" PRId64 " came twice",
			fx_block_core(b).lo[0], fx_block_core(b).lo[1], fx_block_core(b).lo[2]);
	if (rc == FX_ETYPE)
		rc = fx_error_set(err, FX_EINVAL,
				  "blocks that meet at %" PRId64 " %" PRId64 " %" PRId64
				  " have faces of different shape: blocks must lie on "
				  "one grid",
				  slab->corner[0], slab->corner[1], slab->corner[2]);
	if (rc == FX_ENOMEM)
		fx_error_set(err, rc, "no memory to match the faces of a block");
	fx_slab_free(slab);
	return rc;
}

int fx_stitch_add(struct fx_stitch *s, const struct fx_block *b, uint64_t *core,
		  const struct fx_stitch_pairs **pairs, struct fx_error *err)
{
	struct dense d = { 0 };
	int rc = stitch_check(b, err);

	if (rc < 0)
		return rc;
	s->found.len = s->found.seen_len = 0;
	if (dense_fill(&d, b) < 0 || dense_core(s, &d, b, core) < 0)
		rc = fx_error_set(err, FX_ENOMEM, "no memory for the labels of a block");
	for (int a = 0; rc == FX_OK && a < 3; a++) {
		if (b->halo_lo[a])
			rc = stitch_face(s, b, a, true, &d, err);
		if (rc == FX_OK && b->halo_hi[a])
			rc = stitch_face(s, b, a, false, &d, err);
	}
	free(d.labels);
	free(d.ids);
	for (size_t i = 0; rc == FX_OK && i < s->found.len; i++)
		if (fx_open_ids_join(&s->ids, s->found.ids[i][0], s->found.ids[i][1]) < 0)
			rc = fx_error_set(err, FX_ENOMEM, "no memory for equivalences");
	if (rc == FX_OK && fx_open_ids_close(&s->ids) < 0)
		rc = fx_error_set(err, FX_ENOMEM, "no memory for closed ids");
	*pairs = &s->found;
	return rc;
}

/* The plane of the block that a slab waits for, next to the face. */
static struct fx_region awaited(const struct fx_slab *slab)
{
	struct fx_region r;

	for (int a = 0; a < 3; a++) {
		r.lo[a] = slab->corner[a];
		r.hi[a] = slab->corner[a] + slab->cross[a];
	}
	if (slab->upper) {
		r.lo[slab->axis]--;
		r.hi[slab->axis]--;
	}
	return r;
}

int fx_stitch_done(struct fx_stitch *s, struct fx_region r)
{
	int rc = FX_OK;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct fx_slab **at = &s->slabs[i]; *at && rc == FX_OK;) {
			if (fx_region_empty(fx_region_intersect(awaited(*at), r)))
				at = &(*at)->next;
			else
				rc = stitch_drop(s, at);
		}
	return rc == FX_OK ? fx_open_ids_close(&s->ids) : rc;
}

int fx_stitch_end(struct fx_stitch *s)
{
	return fx_open_ids_close_all(&s->ids);
}

const uint64_t (*fx_stitch_closed(const struct fx_stitch *s, size_t *rows))[2]
{
	*rows = s->ids.closed_len;
	return (const uint64_t(*)[2])s->ids.closed;
}

size_t fx_stitch_open_size(const struct fx_stitch *s)
{
	return s->open_size;
}

size_t fx_stitch_open_ids(const struct fx_stitch *s)
{
	return s->ids.index.len;
}

int fx_stitch_pack(const struct fx_stitch *s, struct fx_pack *to)
{
	const int rc = fx_open_ids_pack(&s->ids, to);

	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct fx_slab *slab = s->slabs[i]; slab; slab = slab->next) {
			fx_pack_bool(to, true);
			fx_slab_pack(slab, to);
		}
	fx_pack_bool(to, false);
	return rc;
}

/* Whether all ids of a slab are there. */
static bool stitch_known(const struct fx_stitch *s, const struct fx_slab *slab)
{
	bool known = true;

	for (size_t i = 0; i < slab->runs_len && known; i++) {
		const uint64_t id = slab->ids[slab->runs[i].label];

		known = !id || fx_map64_find(&s->ids.index, id);
	}
	return known;
}

int fx_stitch_unpack(struct fx_stitch *s, struct fx_unpack *from)
{
	int result = fx_open_ids_unpack(&s->ids, from);
	bool more = true;

	while (result == FX_OK && more) {
		struct fx_slab *slab, **at;

		result = fx_unpack_bool(from, &more);
		if (result < 0 || !more)
			break;
		result = fx_slab_unpack(&slab, from);
		if (result < 0)
			break;
		at = stitch_slot(s, slab->axis, slab->corner);
		if (*at) {
			fx_slab_free(slab);
			return FX_ETYPE;
		}
		result = stitch_known(s, slab) ? stitch_keep(s, at, slab) : FX_ETYPE;
		if (result == FX_ETYPE)
			fx_slab_free(slab);
	}
	return result;
}
