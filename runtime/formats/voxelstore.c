// SPDX-License-Identifier: Apache-2.0
/* voxelstore.c: the blocks of a stream put aside, and read again as a volume. */
#include "formats/voxelstore.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "formats/slab.h"
#include "formats/volume_ops.h"

static const char file[] = "voxels";

enum { KEY_BITS = 21 }; /* of a place in the grid, along an axis */

void fx_voxelstore_fini(struct fx_voxelstore *s)
{
	fx_blobstore_close(s->blobs);
	memset(s, 0, sizeof *s);
}

static uint64_t key_of(const uint64_t grid[3])
{
	return grid[0] << 2 * KEY_BITS | grid[1] << KEY_BITS | grid[2];
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int store_start(struct fx_voxelstore *s, const struct fx_block *b, struct fx_region extent,
		       const char *folder, struct fx_error *err)
{
	const struct fx_region core = fx_block_core(b);

	for (int a = 0; a < 3; a++) {
		if (extent.hi[a] <= extent.lo[a] && (a > 0 || extent.hi[a]))
			return fx_error_set(err, FX_EINVAL,
					    "the stream does not tell the size of its sections");
		s->cell[a] = core.hi[a] - core.lo[a];
	}
	if (!folder)
		return fx_error_set(err, FX_EIO, "no folder for voxels that wait");
	s->extent = extent;
	s->dtype = b->dtype;
	s->end = extent.lo[0];
	memcpy(s->voxel_nm, b->voxel_nm, sizeof s->voxel_nm);
	s->blobs = fx_blobstore_named(folder, file, err);
	return s->blobs ? FX_OK : FX_EIO;
}

/* Of one axis: begins on the grid, and ends on it or with the volume. */
static bool on_grid(const struct fx_voxelstore *s, struct fx_region core, int a)
{
	const int64_t at = core.lo[a] - s->extent.lo[a], len = core.hi[a] - core.lo[a];
	const bool last = core.hi[a] == s->extent.hi[a];

	return at >= 0 && at % s->cell[a] == 0 && at / s->cell[a] < (int64_t)1 << KEY_BITS &&
	       len > 0 && len <= s->cell[a] && (a == 0 || len == s->cell[a] || last) &&
	       (!s->extent.hi[a] || core.hi[a] <= s->extent.hi[a]);
}

/* The last layer may be thinner, where the stream was stopped: then nothing comes behind it. */
static bool layer_fits(const struct fx_voxelstore *s, struct fx_region core)
{
	const int64_t lo = s->extent.lo[0], cell = s->cell[0];
	const int64_t layer = (core.lo[0] - lo) / cell;
	const int64_t last = s->end > lo ? (s->end - 1 - lo) / cell : -1;

	if (layer > last)
		return (s->end - lo) % cell == 0;
	return core.hi[0] == (layer == last ? s->end : core.lo[0] + cell);
}

static int core_check(const struct fx_voxelstore *s, struct fx_region core, struct fx_error *err)
{
	for (int a = 0; a < 3; a++)
		if (!on_grid(s, core, a) || (a == 0 && !layer_fits(s, core)))
			return fx_error_set(err, FX_EINVAL,
					    "block %lld..%lld on axis %c is not on the grid of "
					    "blocks of %lld voxels: they must all have one size",
					    (long long)core.lo[a], (long long)core.hi[a], "zyx"[a],
					    (long long)s -> cell[a]);
	return FX_OK;
}

/* The core of @p b, checked. */
static int core_put(struct fx_voxelstore *s, const struct fx_block *b, struct fx_region core,
		    struct fx_error *err)
{
	struct fx_block *voxels = fx_block_crop(b, core);
	uint64_t grid[3];
	int result;

	if (!voxels)
		return fx_error_set(err, FX_ENOMEM, "no memory for a block");
	for (int a = 0; a < 3; a++)
		grid[a] = (uint64_t)((core.lo[a] - s->extent.lo[a]) / s->cell[a]);
	fx_blobstore_drop(s->blobs, key_of(grid));
	result = fx_blobstore_put(s->blobs, key_of(grid), voxels->data, fx_block_size(voxels), err);
	fx_block_free(voxels);
	if (result == FX_OK && core.hi[0] > s->end)
		s->end = core.hi[0];
	return result;
}

int fx_voxelstore_put(struct fx_voxelstore *s, const struct fx_block *b, struct fx_region extent,
		      const char *folder, struct fx_error *err)
{
	const bool masked = b->channels == 2 && b->role == FX_IMAGE;
	const struct fx_region core = fx_block_core(b);
	int result = FX_OK;

	if ((b->channels != 1 && !masked) || (s->blobs && b->dtype != s->dtype))
		return fx_error_set(err, FX_ETYPE, "a block has %u channels of %s, not one of %s",
				    b->channels, fx_dtype_name(b->dtype),
				    fx_dtype_name(s->blobs ? s->dtype : b->dtype));
	if (fx_region_empty(core))
		return fx_error_set(err, FX_EINVAL, "a block has nothing but halo");
	if (!s->blobs)
		result = store_start(s, b, extent, folder, err);
	if (result == FX_OK)
		result = core_check(s, core, err);
	return result == FX_OK ? core_put(s, b, core, err) : result;
}

int fx_voxelstore_pack(struct fx_voxelstore *s, struct fx_pack *to, struct fx_error *err)
{
	const int32_t dtype = (int32_t)s->dtype;

	fx_pack_bool(to, s->blobs != NULL);
	if (!s->blobs)
		return FX_OK;
	fx_pack_put(to, &s->extent, sizeof s->extent);
	fx_pack_put(to, &dtype, sizeof dtype);
	fx_pack_put(to, s->voxel_nm, sizeof s->voxel_nm);
	fx_pack_put(to, s->cell, sizeof s->cell);
	fx_pack_put(to, &s->end, sizeof s->end);
	return fx_blobstore_pack(s->blobs, to, err);
}

static bool store_good(const struct fx_voxelstore *s)
{
	const int64_t most = (int64_t)1 << 40;
	size_t bytes = fx_dtype_size(s->dtype);

	for (int a = 0; a < 3; a++) {
		const int64_t hi = a || s->extent.hi[a] ? s->extent.hi[a] : s->end;

		if (s->cell[a] <= 0 || s->cell[a] > most || s->extent.lo[a] < -most || hi > most ||
		    hi <= s->extent.lo[a] || !fx_mul_size(bytes, (size_t)s->cell[a], &bytes))
			return false;
	}
	return bytes && bytes <= INT32_MAX && s->end > s->extent.lo[0] && s->end <= most &&
	       (!s->extent.hi[0] || s->end <= s->extent.hi[0]);
}

int fx_voxelstore_unpack(struct fx_voxelstore *s, const char *folder, struct fx_unpack *from,
			 struct fx_error *err)
{
	bool started = false;
	int32_t dtype = 0;

	if (fx_unpack_bool(from, &started) == FX_OK && !started)
		return FX_OK;
	if (!started || fx_unpack_get(from, &s->extent, sizeof s->extent) < 0 ||
	    fx_unpack_get(from, &dtype, sizeof dtype) < 0 ||
	    fx_unpack_get(from, s->voxel_nm, sizeof s->voxel_nm) < 0 ||
	    fx_unpack_get(from, s->cell, sizeof s->cell) < 0 ||
	    fx_unpack_get(from, &s->end, sizeof s->end) < 0)
		return fx_error_set(err, FX_ETYPE, "voxels cannot be as they were saved");
	s->dtype = (enum fx_dtype)dtype;
	if (!store_good(s))
		return fx_error_set(err, FX_ETYPE, "voxels cannot be as they were saved");
	if (!folder)
		return fx_error_set(err, FX_EIO, "no folder for voxels that wait");
	s->blobs = fx_blobstore_unpack(folder, file, from, err);
	return s->blobs ? FX_OK : FX_ETYPE;
}

/* A store as a volume. */
struct stored {
	const struct fx_voxelstore *store;
	const struct fx_final_ids *final;
	struct fx_slab slab;
};

/* What lies at a place of the grid, of the store's type and place 0; NULL in *out: nothing. */
static int cell_get(const struct fx_voxelstore *s, const size_t grid[3], struct fx_block **out,
		    struct fx_error *err)
{
	const uint64_t at[3] = { grid[0], grid[1], grid[2] };
	struct fx_error none = { 0 };
	int64_t n[3];
	void *bytes;
	size_t size;
	int result = fx_blobstore_get(s->blobs, key_of(at), &bytes, &size, &none);

	*out = NULL;
	if (result == FX_ENOENT)
		return FX_OK;
	if (result < 0)
		return fx_error_set(err, result, "%s", none.text);
	for (int a = 0; a < 3; a++)
		n[a] = least(s->cell[a], (a ? s->extent.hi[a] : s->end) - s->extent.lo[a] -
						 (int64_t)grid[a] * s->cell[a]);
	*out = fx_block_new(s->dtype, (size_t)n[0], (size_t)n[1], (size_t)n[2]);
	if (!*out)
		result = fx_error_set(err, FX_ENOMEM, "no memory for a block");
	else if (size != fx_block_size(*out))
		result = fx_error_set(err, FX_EIO, "a block that waited has %zu bytes, not %zu",
				      size, fx_block_size(*out));
	else
		memcpy((*out)->data, bytes, size);
	free(bytes);
	return result;
}

/* With final ids, and as u64. */
static int cell_relabel(const struct stored *v, struct fx_block **b, struct fx_error *err)
{
	struct fx_block *wide = fx_labels_widen(*b);

	if (!wide)
		return fx_error_set(err, FX_ENOMEM, "no memory for a block");
	fx_block_free(*b);
	*b = wide;
	return fx_final_ids_relabel(v->final, wide->data, fx_block_len(wide), err);
}

static int stored_load(void *context, const size_t grid[3], struct fx_block *into, bool *there,
		       struct fx_error *err)
{
	const struct stored *v = context;
	const struct fx_slab *slab = &v->slab;
	struct fx_block *b = NULL;
	int result = cell_get(v->store, grid, &b, err);

	*there = true;
	if (result == FX_OK && b && v->final->any)
		result = cell_relabel(v, &b, err);
	if (result == FX_OK && !b) {
		b = fx_block_new(slab->dtype, slab->chunk[0], slab->chunk[1], slab->chunk[2]);
		if (!b)
			result = fx_error_set(err, FX_ENOMEM, "no memory for a block");
	}
	for (int a = 0; b && a < 3; a++)
		b->origin[a] = (int64_t)(grid[a] * slab->chunk[a]);
	if (result == FX_OK)
		fx_block_paste(into, b);
	fx_block_free(b);
	return result;
}

static int stored_read(struct fx_volume *v, struct fx_block *b, struct fx_error *err)
{
	struct stored *s = v->impl;

	return fx_slab_read(&s->slab, b, err);
}

static void stored_keep(struct fx_volume *v, size_t bytes)
{
	struct stored *s = v->impl;

	fx_slab_fini(&s->slab);
	s->slab.max = bytes;
}

static void stored_close(struct fx_volume *v)
{
	struct stored *s = v->impl;

	fx_slab_fini(&s->slab);
	free(s);
}

static const struct fx_volume_ops stored_ops = {
	.read = stored_read,
	.keep = stored_keep,
	.close = stored_close,
	.sets_all = true,
};

int fx_voxelstore_volume(const struct fx_voxelstore *s, const struct fx_final_ids *final,
			 struct fx_volume *v, struct fx_error *err)
{
	struct stored *stored = calloc(1, sizeof *stored);

	memset(v, 0, sizeof *v);
	if (!stored)
		return fx_error_set(err, FX_ENOMEM, "no memory for a volume");
	v->ops = &stored_ops;
	v->impl = stored;
	v->dtype = final->any ? FX_U64 : s->dtype;
	for (int a = 0; a < 3; a++) {
		v->shape[a] = (size_t)((a ? s->extent.hi[a] : s->end) - s->extent.lo[a]);
		v->chunk[a] = (size_t)s->cell[a];
		v->offset[a] = s->extent.lo[a];
		v->voxel_nm[a] = s->voxel_nm[a];
	}
	*stored = (struct stored){ .store = s, .final = final };
	stored->slab =
		(struct fx_slab){ .dtype = v->dtype, .load = stored_load, .context = stored };
	memcpy(stored->slab.shape, v->shape, sizeof v->shape);
	memcpy(stored->slab.chunk, v->chunk, sizeof v->chunk);
	return FX_OK;
}
