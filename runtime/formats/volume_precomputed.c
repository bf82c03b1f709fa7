// SPDX-License-Identifier: Apache-2.0
/* volume_precomputed.c: a precomputed folder as a volume. */
#include "formats/volume_ops.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/precomputed.h"

enum { CACHE_MAX = 512 << 20, CACHE_LEN_MAX = 4096 }; /* bytes and number of chunks kept */

struct volume_precomputed {
	struct fx_precomputed info;
	char *folder;		/* owned */
	struct fx_block **kept; /* owned: decoded chunks of the last layers that were read */
	size_t len, cap, size;	/* size in bytes */
	size_t max;		/* bytes kept; 0: CACHE_MAX */
	char *inside;		/* owned; folder of the scale */
	struct fx_shards shards;
};

static void cache_clear(struct volume_precomputed *p)
{
	for (size_t i = 0; i < p->len; i++)
		fx_block_free(p->kept[i]);
	p->len = p->size = 0;
}

static void volume_precomputed_close(struct fx_volume *v)
{
	struct volume_precomputed *p = v->impl;

	if (p) {
		cache_clear(p);
		fx_shards_fini(&p->shards);
		free(p->inside);
		free(p->kept);
		free(p->folder);
	}
	free(p);
}

/* Reads the info of p->folder; where there is none, of the folder around it, which then becomes it,
 * if that has a scale called so. */
static int find_info(struct volume_precomputed *p, struct fx_error *err)
{
	struct fx_error none = { 0 };
	char *above, *key;
	size_t len = strlen(p->folder);
	int result = fx_precomputed_read_info(p->folder, &p->info, err);

	while (len > 1 && p->folder[len - 1] == '/')
		p->folder[--len] = 0;
	key = result == FX_ENOENT ? strrchr(p->folder, '/') : NULL;
	if (!key)
		return result;
	above = fx_asprintf("%.*s", (int)(key - p->folder), p->folder);
	if (!above)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", p->folder);
	if (fx_precomputed_read_scale(above, key + 1, &p->info, &none) < 0) {
		free(above);
		return result; /* what was missing first */
	}
	free(p->folder);
	p->folder = above;
	return FX_OK;
}

static int volume_precomputed_open(const char *path, struct fx_volume *v, struct fx_error *err)
{
	struct volume_precomputed *p = calloc(1, sizeof *p);
	int result;

	v->impl = p;
	if (!p || !(p->folder = fx_strdup(path))) {
		free(p);
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", path);
	}
	result = find_info(p, err);
	if (result == FX_OK && !(p->inside = fx_path_join(p->folder, p->info.key)))
		result = fx_error_set(err, FX_ENOMEM, "%s: no memory", path);
	p->shards = (struct fx_shards){ .folder = p->inside, .sharding = p->info.sharding };
	memcpy(v->shape, p->info.size, sizeof v->shape);
	memcpy(v->voxel_nm, p->info.voxel_nm, sizeof v->voxel_nm);
	memcpy(v->offset, p->info.offset, sizeof v->offset);
	memcpy(v->chunk, p->info.chunk, sizeof v->chunk);
	v->labels = p->info.role == FX_LABELS;
	v->dtype = p->info.dtype;
	if (result == FX_OK)
		result = fx_volume_check(path, v, err);
	if (result < 0)
		volume_precomputed_close(v);
	return result;
}

static const struct fx_block *cache_find(const struct volume_precomputed *p, struct fx_region r)
{
	for (size_t i = 0; i < p->len; i++)
		if (memcmp(p->kept[i]->origin, r.lo, sizeof r.lo) == 0)
			return p->kept[i];
	return NULL;
}

/* Pastes one chunk into b, and keeps it: the next section mostly needs it again. */
static int paste_chunk(struct volume_precomputed *p, const int64_t grid[3], struct fx_block *b,
		       struct fx_error *err)
{
	const struct fx_region r = fx_precomputed_chunk_region(&p->info, grid);
	const struct fx_block *kept = cache_find(p, r);
	struct fx_block *chunk;
	int result;

	if (kept) {
		fx_block_paste(b, kept);
		return FX_OK;
	}
	result = fx_precomputed_get_chunk(p->folder, &p->info, &p->shards, grid, &chunk, err);
	if (result < 0)
		return result;
	fx_block_paste(b, chunk);
	if (p->len && p->kept[0]->origin[0] != chunk->origin[0])
		cache_clear(p);
	if (p->size + fx_block_size(chunk) > (p->max ? p->max : CACHE_MAX) ||
	    p->len == CACHE_LEN_MAX ||
	    !fx_grow(&p->kept, &p->cap, p->len + 1, sizeof(struct fx_block *))) {
		fx_block_free(chunk);
		return FX_OK;
	}
	p->size += fx_block_size(chunk);
	p->kept[p->len++] = chunk;
	return FX_OK;
}

static int volume_precomputed_read(struct fx_volume *v, struct fx_block *b, struct fx_error *err)
{
	struct volume_precomputed *p = v->impl;
	int64_t lo[3], hi[3], g[3];
	int result = FX_OK;

	for (int a = 0; a < 3; a++) {
		const int64_t chunk = (int64_t)p->info.chunk[a];

		lo[a] = b->origin[a] / chunk;
		hi[a] = (b->origin[a] + (int64_t)b->shape[a] - 1) / chunk;
		b->origin[a] += v->offset[a];
	}
	for (g[0] = lo[0]; g[0] <= hi[0]; g[0]++)
		for (g[1] = lo[1]; g[1] <= hi[1]; g[1]++)
			for (g[2] = lo[2]; g[2] <= hi[2] && result == FX_OK; g[2]++)
				result = paste_chunk(p, g, b, err);
	for (int a = 0; a < 3; a++)
		b->origin[a] -= v->offset[a];
	return result;
}

static void volume_precomputed_keep(struct fx_volume *v, size_t bytes)
{
	struct volume_precomputed *p = v->impl;

	cache_clear(p);
	p->max = bytes;
}

const struct fx_volume_ops fx_volume_precomputed = {
	.open = volume_precomputed_open,
	.read = volume_precomputed_read,
	.close = volume_precomputed_close,
	.keep = volume_precomputed_keep,
};
