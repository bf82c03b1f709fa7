// SPDX-License-Identifier: Apache-2.0
/* masked.c: the sections of an image and of its mask, in step. */
#include "node/masked.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Both streams are open: the same sections? */
static int masked_agree(const struct fx_masked *s, struct fx_node *node)
{
	const struct fx_region *a = &s->image.window.grid.extent, *b = &s->mask.window.grid.extent;

	if (!s->image.opened || !s->mask.opened)
		return FX_OK;
	for (int axis = 0; axis < 3; axis++)
		if (a->lo[axis] != b->lo[axis] || (axis > 0 && a->hi[axis] != b->hi[axis]))
			return fx_fail(node, FX_EINVAL,
				       "on axis %c the image has %lld..%lld and its mask "
				       "%lld..%lld",
				       "zyx"[axis], (long long)a -> lo[axis],
				       (long long)a -> hi[axis] - 1, (long long)b -> lo[axis],
				       (long long)b -> hi[axis] - 1);
	return FX_OK;
}

int fx_masked_open(struct fx_masked *s, struct fx_node *node, unsigned port,
		   const struct fx_mark *m, const struct fx_tiling *how)
{
	int failed = fx_tiled_open(port == s->image.port ? &s->image : &s->mask, node, m, how);

	return failed < 0 ? failed : masked_agree(s, node);
}

static int masked_close_mask(struct fx_masked *s, struct fx_node *node, const struct fx_mark *m)
{
	const enum fx_window_state state =
		m->kind == FX_MARK_DONE ? FX_SECTION_DONE : FX_SECTION_MISSING;
	int failed = FX_OK;

	for (int64_t z = m->region.lo[0]; z < m->region.hi[0] && failed >= 0; z++)
		failed = fx_tiled_close(&s->mask, node, z, state);
	fx_window_ready(&s->mask.window); /* takes up what it can: a later life does so as well */
	return failed;
}

int fx_masked_mark(struct fx_masked *s, struct fx_node *node, unsigned port,
		   const struct fx_mark *m)
{
	struct fx_tiled *t = port == s->image.port ? &s->image : &s->mask;
	const int failed = fx_tiled_check(t, node, m);

	if (failed < 0)
		return failed;
	if (port == s->mask.port)
		return masked_close_mask(s, node, m);
	if (!fx_grow(&s->waiting, &s->cap, s->len + 1, sizeof *s->waiting))
		return fx_fail(node, FX_ENOMEM, "no memory for a mark");
	s->waiting[s->len++] = *m;
	for (int64_t z = m->region.lo[0]; z < m->region.hi[0]; z++)
		if (fx_window_awaits(&t->window, z))
			fx_window_note(&t->window, z, fx_message(node));
	return FX_OK;
}

/* The mask of all sections of @p m is known, or will not be, since none of them is awaited. */
static bool masked_known(const struct fx_masked *s, const struct fx_mark *m)
{
	if (s->masked && !s->mask.opened)
		return false;
	for (int64_t z = m->region.lo[0]; z < m->region.hi[0] && s->masked; z++)
		if (fx_window_awaits(&s->image.window, z) && !fx_window_closed(&s->mask.window, z))
			return false;
	return true;
}

bool fx_masked_next(struct fx_masked *s, struct fx_mark *m)
{
	if (!s->len || !masked_known(s, &s->waiting[0]))
		return false;
	*m = s->waiting[0];
	memmove(s->waiting, s->waiting + 1, --s->len * sizeof *s->waiting);
	return true;
}

int fx_masked_end(struct fx_masked *s, struct fx_node *node, int64_t hi)
{
	int failed = FX_OK;

	if (!s->masked)
		return FX_OK;
	if (!s->mask.opened)
		return fx_fail(node, FX_EINVAL, "the stream of masks ended before it was opened");
	for (size_t i = 0; i < s->len; i++)
		hi = hi > s->waiting[i].region.hi[0] ? hi : s->waiting[i].region.hi[0];
	for (int64_t z = s->mask.window.front; z < hi && failed >= 0; z++)
		if (fx_window_awaits(&s->mask.window, z))
			failed = fx_tiled_close(&s->mask, node, z, FX_SECTION_MISSING);
	return failed;
}

bool fx_masked_ready(struct fx_masked *s)
{
	const bool image = fx_window_ready(&s->image.window),
		   mask = !s->masked || (s->mask.opened && fx_window_ready(&s->mask.window));

	return image && mask;
}

void fx_masked_leave(struct fx_masked *s)
{
	fx_window_leave(&s->image.window);
	if (s->masked)
		fx_window_leave(&s->mask.window);
}

void fx_masked_clip(struct fx_masked *s, int64_t hi)
{
	fx_window_clip(&s->image.window, hi);
	if (s->masked)
		fx_window_clip(&s->mask.window, hi);
}

/* 0 or 1 in voxels of @p dtype. */
static void spread(void *to, enum fx_dtype dtype, const uint8_t *mask, size_t len)
{
	const size_t size = fx_dtype_size(dtype);
	uint8_t one[8] = { 0 };

	if (dtype == FX_F32)
		memcpy(one, &(const float){ 1 }, sizeof(float));
	else if (dtype == FX_F16)
		memcpy(one, &(const uint16_t){ 0x3c00 }, sizeof(uint16_t));
	else if (dtype == FX_U64)
		memcpy(one, &(const uint64_t){ 1 }, sizeof(uint64_t));
	else if (dtype == FX_U32)
		memcpy(one, &(const uint32_t){ 1 }, sizeof(uint32_t));
	else if (dtype == FX_U16)
		memcpy(one, &(const uint16_t){ 1 }, sizeof(uint16_t));
	else
		one[0] = 1;
	memset(to, 0, len * size);
	for (size_t i = 0; i < len; i++)
		if (mask[i])
			memcpy((uint8_t *)to + i * size, one, size);
}

struct fx_block *fx_masked_cut(const struct fx_masked *s, struct fx_node *node, unsigned port,
			       struct fx_region r)
{
	const size_t shape[3] = { (size_t)(r.hi[0] - r.lo[0]), (size_t)(r.hi[1] - r.lo[1]),
				  (size_t)(r.hi[2] - r.lo[2]) };
	struct fx_block *b = fx_new_block(node, port, s->image.dtype, s->masked ? 2 : 1, shape);
	uint8_t *mask;
	size_t len;

	if (!b)
		return NULL;
	b->role = s->image.role;
	b->level = s->image.level;
	memcpy(b->origin, r.lo, sizeof b->origin);
	memcpy(b->voxel_nm, s->image.voxel_nm, sizeof b->voxel_nm);
	fx_window_cut(&s->image.window, r, b->data);
	if (!s->masked)
		return b;
	len = fx_block_len(b);
	mask = fx_alloc_aligned(len);
	if (!mask) {
		fx_block_free(b);
		return NULL;
	}
	fx_window_cut(&s->mask.window, r, mask);
	spread((uint8_t *)b->data + len * fx_dtype_size(b->dtype), b->dtype, mask, len);
	free(mask);
	return b;
}

void fx_masked_save(const struct fx_masked *s, struct fx_node *node, struct fx_pack *to)
{
	const uint64_t image = fx_tiled_pack(&s->image, to), mask = fx_tiled_pack(&s->mask, to);

	fx_needs(node, image < mask ? image : mask);
}

int fx_masked_load(struct fx_masked *s, struct fx_node *node, const struct fx_tiling *how,
		   struct fx_unpack *from)
{
	int failed = fx_tiled_unpack(&s->image, node, how, from);

	if (failed == FX_OK)
		failed = fx_tiled_unpack(&s->mask, node, how, from);
	return failed;
}

void fx_masked_fini(struct fx_masked *s)
{
	fx_tiled_fini(&s->image);
	fx_tiled_fini(&s->mask);
	free(s->waiting);
	s->waiting = NULL;
	s->len = s->cap = 0;
}
