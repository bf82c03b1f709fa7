// SPDX-License-Identifier: Apache-2.0
/* render_plane.c: one section out of a stream of blocks. */
#include "kernels/render_plane.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "block/voxel.h"

int fx_plane_init(struct fx_plane *p, int64_t height, int64_t width, size_t side, bool labels)
{
	const int64_t longer = height > width ? height : width;
	size_t n;

	if (height < 1 || width < 1 || side < 1)
		return FX_EINVAL;
	*p = (struct fx_plane){ .z = -1, .layer_lo = -1, .voxels = { height, width } };
	p->thin = ((size_t)longer - 1) / side + 1;
	p->h = ((size_t)height - 1) / p->thin + 1;
	p->w = ((size_t)width - 1) / p->thin + 1;
	if (!fx_mul_size(p->h, p->w, &n))
		return FX_ENOMEM;
	if (labels)
		p->labels = fx_calloc(n, sizeof *p->labels);
	else
		p->sum = fx_calloc(n, sizeof *p->sum);
	p->count = fx_calloc(n, sizeof *p->count);
	if ((p->sum || p->labels) && p->count)
		return FX_OK;
	fx_plane_fini(p);
	return FX_ENOMEM;
}

void fx_plane_fini(struct fx_plane *p)
{
	free(p->sum);
	free(p->count);
	free(p->labels);
	*p = (struct fx_plane){ 0 };
}

uint8_t fx_plane_grey(const struct fx_plane *p, size_t i)
{
	return (uint8_t)(p->count[i] ? p->sum[i] / p->count[i] : 0);
}

static uint32_t grey_of(const struct fx_block *b, size_t i)
{
	float v;

	switch (b->dtype) {
	case FX_U8:
		return ((const uint8_t *)b->data)[i];
	case FX_U16:
		return ((const uint16_t *)b->data)[i] >> 8;
	case FX_F32:
		v = ((const float *)b->data)[i] * 255;
		return v >= 255 ? 255 : v > 0 ? (uint32_t)v : 0;
	default:
		return 0;
	}
}

/* True when voxel @p v of an axis of @p len is the middle one of its sample. */
static bool is_middle(int64_t v, int64_t len, size_t thin)
{
	const int64_t first = v - v % (int64_t)thin, middle = first + (int64_t)thin / 2;

	return v == (middle < len ? middle : len - 1);
}

static void take_row(struct fx_plane *p, const struct fx_block *b, struct fx_region r, int64_t y)
{
	const size_t row =
		((size_t)(p->z - b->origin[0]) * b->shape[1] + (size_t)(y - b->origin[1])) *
		b->shape[2];
	const size_t sample_row = (size_t)y / p->thin * p->w;

	if (p->labels && !is_middle(y, p->voxels[0], p->thin))
		return;
	for (int64_t x = r.lo[2]; x < r.hi[2]; x++) {
		const size_t i = row + (size_t)(x - b->origin[2]);
		const size_t sample = sample_row + (size_t)x / p->thin;

		if (p->labels && !is_middle(x, p->voxels[1], p->thin))
			continue;
		p->count[sample]++;
		if (p->labels)
			p->labels[sample] = fx_voxel_label(b->data, b->dtype, i);
		else
			p->sum[sample] += grey_of(b, i);
	}
}

static void restart(struct fx_plane *p, int64_t z)
{
	const size_t n = p->h * p->w;

	p->z = z;
	memset(p->count, 0, n * sizeof *p->count);
	if (p->labels)
		memset(p->labels, 0, n * sizeof *p->labels);
	else
		memset(p->sum, 0, n * sizeof *p->sum);
}

void fx_plane_take(struct fx_plane *p, const struct fx_block *b, int64_t z)
{
	struct fx_region r = fx_block_core(b);

	if (z < 0 && r.lo[0] > p->layer_lo) {
		p->layer_lo = r.lo[0];
		p->layers++;
		if ((p->layers & (p->layers - 1)) == 0)
			restart(p, r.lo[0] + (r.hi[0] - r.lo[0]) / 2);
	}
	if (z >= 0 && r.lo[0] <= z && z < r.hi[0] && p->z < 0)
		p->z = z;
	r = fx_region_intersect(
		r, (struct fx_region){ { p->z, 0, 0 }, { p->z + 1, p->voxels[0], p->voxels[1] } });
	if (p->z < 0 || fx_region_empty(r)) /* of several channels the first: behind it is a mask */
		return;
	for (int64_t y = r.lo[1]; y < r.hi[1]; y++)
		take_row(p, b, r, y);
}

void fx_plane_pack(const struct fx_plane *p, struct fx_pack *to)
{
	const size_t n = p->h * p->w;

	fx_pack_put(to, &p->z, sizeof p->z);
	fx_pack_put(to, &p->layer_lo, sizeof p->layer_lo);
	fx_pack_put(to, &p->layers, sizeof p->layers);
	if (p->sum)
		fx_pack_put(to, p->sum, n * sizeof *p->sum);
	if (p->count)
		fx_pack_put(to, p->count, n * sizeof *p->count);
	if (p->labels)
		fx_pack_put(to, p->labels, n * sizeof *p->labels);
}

int fx_plane_unpack(struct fx_plane *p, struct fx_unpack *from)
{
	const size_t n = p->h * p->w;

	if (fx_unpack_get(from, &p->z, sizeof p->z) < 0 || p->z < -1 ||
	    fx_unpack_get(from, &p->layer_lo, sizeof p->layer_lo) < 0 ||
	    fx_unpack_get(from, &p->layers, sizeof p->layers) < 0 ||
	    (p->sum && fx_unpack_get(from, p->sum, n * sizeof *p->sum) < 0) ||
	    (p->count && fx_unpack_get(from, p->count, n * sizeof *p->count) < 0) ||
	    (p->labels && fx_unpack_get(from, p->labels, n * sizeof *p->labels) < 0))
		return FX_ETYPE;
	return FX_OK;
}
