// SPDX-License-Identifier: Apache-2.0
/* block.c: the voxel block. */
#include <fornix/block.h>

#include <fornix/error.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "block/heap.h"

size_t fx_dtype_size(enum fx_dtype dtype)
{
	switch (dtype) {
	case FX_U8:
		return 1;
	case FX_U16:
	case FX_F16:
		return 2;
	case FX_U32:
	case FX_F32:
		return 4;
	case FX_U64:
		return 8;
	}
	return 0;
}

const char *fx_dtype_name(enum fx_dtype dtype)
{
	switch (dtype) {
	case FX_U8:
		return "u8";
	case FX_U16:
		return "u16";
	case FX_U32:
		return "u32";
	case FX_U64:
		return "u64";
	case FX_F16:
		return "f16";
	case FX_F32:
		return "f32";
	}
	return "?";
}

static void block_release_heap(struct fx_block *b)
{
	free(b->data);
}

void fx__block_heap(struct fx_block *b, void *data)
{
	b->data = data;
	b->release = block_release_heap;
}

struct fx_block *fx_block_new(enum fx_dtype dtype, size_t z, size_t y, size_t x)
{
	struct fx_block *b = calloc(1, sizeof *b);
	size_t size = fx_dtype_size(dtype);

	if (!b || !size || !fx_mul_size(size, z, &size) || !fx_mul_size(size, y, &size) ||
	    !fx_mul_size(size, x, &size) || !size || !(b->data = fx_alloc_aligned(size))) {
		free(b);
		return NULL;
	}
	memset(b->data, 0, size);
	b->dtype = dtype;
	b->channels = 1;
	b->shape[0] = z;
	b->shape[1] = y;
	b->shape[2] = x;
	b->voxel_nm[0] = b->voxel_nm[1] = b->voxel_nm[2] = 1;
	b->release = block_release_heap;
	return b;
}

struct fx_block *fx_block_new_like(const struct fx_block *like, enum fx_dtype dtype)
{
	struct fx_block *b = fx_block_new(dtype, like->shape[0], like->shape[1], like->shape[2]);

	if (!b)
		return NULL;
	b->level = like->level;
	memcpy(b->origin, like->origin, sizeof b->origin);
	memcpy(b->halo_lo, like->halo_lo, sizeof b->halo_lo);
	memcpy(b->halo_hi, like->halo_hi, sizeof b->halo_hi);
	memcpy(b->voxel_nm, like->voxel_nm, sizeof b->voxel_nm);
	return b;
}

void fx_block_free(struct fx_block *b)
{
	if (!b)
		return;
	if (b->release)
		b->release(b);
	free(b);
}

int fx_block_own(struct fx_block *b)
{
	const size_t size = fx_block_size(b);
	void *copy;

	if (b->release == block_release_heap)
		return FX_OK;
	copy = fx_alloc_aligned(size);
	if (!copy)
		return FX_ENOMEM;
	memcpy(copy, b->data, size);
	if (b->release)
		b->release(b);
	b->data = copy;
	b->release = block_release_heap;
	b->owner = NULL;
	return FX_OK;
}

size_t fx_block_len(const struct fx_block *b)
{
	return b->shape[0] * b->shape[1] * b->shape[2];
}

size_t fx_block_size(const struct fx_block *b)
{
	return fx_block_len(b) * b->channels * fx_dtype_size(b->dtype);
}

struct fx_region fx_block_region(const struct fx_block *b)
{
	struct fx_region r;

	for (int a = 0; a < 3; a++) {
		r.lo[a] = b->origin[a];
		r.hi[a] = b->origin[a] + (int64_t)b->shape[a];
	}
	return r;
}

struct fx_region fx_block_core(const struct fx_block *b)
{
	struct fx_region r = fx_block_region(b);

	for (int a = 0; a < 3; a++) {
		r.lo[a] += b->halo_lo[a];
		r.hi[a] -= b->halo_hi[a];
	}
	return r;
}

struct fx_region fx_region_intersect(struct fx_region a, struct fx_region b)
{
	for (int i = 0; i < 3; i++) {
		a.lo[i] = a.lo[i] > b.lo[i] ? a.lo[i] : b.lo[i];
		a.hi[i] = a.hi[i] < b.hi[i] ? a.hi[i] : b.hi[i];
	}
	return a;
}

bool fx_region_empty(struct fx_region r)
{
	return r.lo[0] >= r.hi[0] || r.lo[1] >= r.hi[1] || r.lo[2] >= r.hi[2];
}

static char *block_at(const struct fx_block *b, int64_t z, int64_t y, int64_t x)
{
	const size_t row = (size_t)(z - b->origin[0]) * b->shape[1] + (size_t)(y - b->origin[1]);

	return (char *)b->data +
	       (row * b->shape[2] + (size_t)(x - b->origin[2])) * fx_dtype_size(b->dtype);
}

void fx_block_paste(struct fx_block *dst, const struct fx_block *src)
{
	const struct fx_region r = fx_region_intersect(fx_block_region(dst), fx_block_region(src));
	const size_t bytes = fx_dtype_size(dst->dtype);
	const size_t dst_channel = fx_block_len(dst) * bytes,
		     src_channel = fx_block_len(src) * bytes;

	if (fx_region_empty(r) || dst->dtype != src->dtype)
		return;
	for (uint32_t c = 0; c < dst->channels && c < src->channels; c++)
		for (int64_t z = r.lo[0]; z < r.hi[0]; z++)
			for (int64_t y = r.lo[1]; y < r.hi[1]; y++)
				memcpy(block_at(dst, z, y, r.lo[2]) + c * dst_channel,
				       block_at(src, z, y, r.lo[2]) + c * src_channel,
				       (size_t)(r.hi[2] - r.lo[2]) * bytes);
}

struct fx_block *fx_block_crop(const struct fx_block *b, struct fx_region r)
{
	struct fx_block *out;
	const struct fx_region all = fx_block_region(b);

	for (int a = 0; a < 3; a++)
		if (r.lo[a] < all.lo[a] || r.hi[a] > all.hi[a] || r.lo[a] >= r.hi[a])
			return NULL;
	out = fx_block_new(b->dtype, (size_t)(r.hi[0] - r.lo[0]), (size_t)(r.hi[1] - r.lo[1]),
			   (size_t)(r.hi[2] - r.lo[2]));
	if (!out)
		return NULL;
	out->role = b->role;
	out->level = b->level;
	memcpy(out->origin, r.lo, sizeof out->origin);
	memcpy(out->voxel_nm, b->voxel_nm, sizeof out->voxel_nm);
	fx_block_paste(out, b);
	return out;
}
