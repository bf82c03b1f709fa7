// SPDX-License-Identifier: Apache-2.0
/* gather.c: the blocks of a stream become one. */
#include "block/gather.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static struct fx_region around(struct fx_region a, struct fx_region b)
{
	for (int axis = 0; axis < 3; axis++) {
		a.lo[axis] = a.lo[axis] < b.lo[axis] ? a.lo[axis] : b.lo[axis];
		a.hi[axis] = a.hi[axis] > b.hi[axis] ? a.hi[axis] : b.hi[axis];
	}
	return a;
}

int fx_gather_add(struct fx_gather *g, const struct fx_block *b, struct fx_error *err)
{
	const struct fx_region core = fx_block_core(b);
	struct fx_block *piece;

	if (g->len && b->dtype != g->pieces[0]->dtype)
		return fx_error_set(err, FX_ETYPE, "a block of %s voxels after some of %s",
				    fx_dtype_name(b->dtype), fx_dtype_name(g->pieces[0]->dtype));
	if (g->most && fx_block_size(b) > g->most - g->size)
		return fx_error_set(err, FX_ENOMEM, "more than %zu MiB would be kept",
				    g->most >> 20);
	piece = fx_block_crop(b, core);
	if (!piece || !fx_grow(&g->pieces, &g->cap, g->len + 1, sizeof(struct fx_block *))) {
		fx_block_free(piece);
		return fx_error_set(err, FX_ENOMEM, "no memory for a block");
	}
	g->region = g->len ? around(g->region, core) : core;
	g->size += fx_block_size(piece);
	g->pieces[g->len++] = piece;
	return FX_OK;
}

struct fx_block *fx_gather_get(const struct fx_gather *g, struct fx_region r)
{
	struct fx_block *all;

	if (!g->len || fx_region_empty(r))
		return NULL;
	all = fx_block_new(g->pieces[0]->dtype, (size_t)(r.hi[0] - r.lo[0]),
			   (size_t)(r.hi[1] - r.lo[1]), (size_t)(r.hi[2] - r.lo[2]));
	if (!all || (g->most && fx_block_size(all) > g->most)) {
		fx_block_free(all);
		return NULL;
	}
	memcpy(all->origin, r.lo, sizeof all->origin);
	memcpy(all->voxel_nm, g->pieces[0]->voxel_nm, sizeof all->voxel_nm);
	all->role = g->pieces[0]->role;
	for (size_t i = 0; i < g->len; i++)
		fx_block_paste(all, g->pieces[i]);
	return all;
}

void fx_gather_fini(struct fx_gather *g)
{
	for (size_t i = 0; i < g->len; i++)
		fx_block_free(g->pieces[i]);
	free(g->pieces);
	*g = (struct fx_gather){ .most = g->most };
}
