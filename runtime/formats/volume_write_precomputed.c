// SPDX-License-Identifier: Apache-2.0
/* volume_write_precomputed.c: writes a Neuroglancer precomputed volume, each chunk in a file or
 * many in shards. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/outdir.h"
#include "formats/precomputed.h"
#include "formats/volume_write_ops.h"
#include "kernels/finalids.h"

static const char *const codecs[] = { "raw", "compressed_segmentation", NULL };

struct precomputed {
	struct fx_precomputed scales[FX_LEVELS_MAX];
	size_t len;
	struct fx_shard_writer shards; /* of the level that is written */
	char *folder;		       /* owned; of that level's shards; NULL: none yet */
};

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static void set_scale(const struct fx_volume_write *w, const struct fx_volume_level *l,
		      struct fx_precomputed *p)
{
	const struct fx_volume_spec *s = &w->spec;
	size_t cells[3];

	p->role = s->labels ? FX_LABELS : FX_IMAGE;
	p->compressed = fx_volume_codec_index(w) == 1;
	p->dtype = p->compressed ? FX_U64 : s->dtype;
	for (int a = 0; a < 3; a++) {
		p->size[a] = l->shape[a];
		p->chunk[a] = s->chunk[a];
		p->offset[a] = floor_div(s->offset[a], (int64_t)l->factor[a]);
		p->voxel_nm[a] = l->voxel_nm[a];
		p->cseg_block[a] = 8;
		cells[a] = (p->size[a] - 1) / p->chunk[a] + 1;
	}
	p->sharded = s->sharded;
	p->sharding = fx_sharding_for(cells);
	fx_precomputed_set_key(p);
}

static int write_info(const struct fx_volume_write *w, struct fx_error *err)
{
	const struct precomputed *p = w->impl;
	char *text = fx_precomputed_info(p->scales, p->len, NULL);
	int result;

	if (!text)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", w->spec.path);
	result = fx_volume_write_file(w, "info", text, strlen(text), err);
	free(text);
	return result;
}

static int precomputed_open(struct fx_volume_write *w, struct fx_error *err)
{
	struct fx_volume_level levels[FX_LEVELS_MAX];
	struct precomputed *p = calloc(1, sizeof *p);

	if (!p)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", w->spec.path);
	w->impl = p;
	if (fx_volume_codec_index(w) == 1 && (!w->spec.labels || w->spec.dtype == FX_F32))
		return fx_error_set(err, FX_ETYPE, "%s: compressed_segmentation holds labels alone",
				    w->spec.path);
	p->len = fx_volume_levels(&w->spec, levels);
	for (size_t i = 0; i < p->len; i++)
		set_scale(w, &levels[i], &p->scales[i]);
	return write_info(w, err);
}

/* The folder of the shards of a level, when its first chunk comes. */
static int shards_begin(struct fx_volume_write *w, size_t level, struct fx_error *err)
{
	struct precomputed *p = w->impl;

	if (p->folder)
		return FX_OK;
	p->folder = fx_path_join(w->place.partial, p->scales[level].key);
	if (!p->folder)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", w->spec.path);
	p->shards = (struct fx_shard_writer){ .folder = p->folder,
					      .sharding = p->scales[level].sharding };
	return fx_make_dirs(p->folder, err);
}

static int store(struct fx_volume_write *w, size_t level, const size_t grid[3], const void *bytes,
		 size_t size, struct fx_error *err)
{
	struct precomputed *p = w->impl;
	const struct fx_precomputed *s = &p->scales[level];
	const int64_t at[3] = { (int64_t)grid[0], (int64_t)grid[1], (int64_t)grid[2] };
	size_t cells[3];
	char name[300];

	if (!s->sharded) {
		fx_precomputed_chunk_name(s, fx_precomputed_chunk_region(s, at), name, sizeof name);
		return fx_volume_write_file(w, name, bytes, size, err);
	}
	if (shards_begin(w, level, err) < 0)
		return FX_EIO;
	for (int a = 0; a < 3; a++)
		cells[a] = (s->size[a] - 1) / s->chunk[a] + 1;
	return fx_shard_writer_put(&p->shards, fx_morton(grid, cells), bytes, size, err);
}

static int precomputed_chunk(struct fx_volume_write *w, size_t level, const size_t grid[3],
			     const struct fx_block *voxels, struct fx_error *err)
{
	const struct precomputed *p = w->impl;
	struct fx_block *wide = p->scales[level].compressed ? fx_labels_widen(voxels) : NULL;
	const void *bytes;
	void *owned = NULL;
	size_t size;
	int result;

	if (p->scales[level].compressed && !wide)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", w->spec.path);
	result = fx_precomputed_encode(&p->scales[level], wide ? wide : voxels, &bytes, &size,
				       &owned, err);
	if (result == FX_OK)
		result = store(w, level, grid, bytes, size, err);
	free(owned);
	fx_block_free(wide);
	return result;
}

static int precomputed_put(struct fx_volume_write *w, size_t level, const struct fx_block *part,
			   struct fx_error *err)
{
	const struct precomputed *p = w->impl;
	const struct fx_chunk_cut cut = { w, level, p->scales[level].size, false,
					  precomputed_chunk };

	return fx_volume_cut(w, &cut, part, err);
}

static char *precomputed_level_done(struct fx_volume_write *w, size_t level, struct fx_error *err)
{
	struct precomputed *p = w->impl;
	char *path;

	if (p->folder && fx_shard_writer_finish(&p->shards, err) < 0)
		return NULL;
	fx_shard_writer_fini(&p->shards);
	free(p->folder);
	p->folder = NULL;
	path = fx_path_join(w->place.partial, p->scales[level].key);
	if (!path)
		fx_error_set(err, FX_ENOMEM, "%s: no memory", w->spec.path);
	return path;
}

static int precomputed_finish(struct fx_volume_write *w, struct fx_error *err)
{
	char *text = fx_provenance(w->spec.labels ? "segmentation" : "image", w->spec.source);
	int result;

	if (!text)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", w->spec.path);
	result = fx_volume_write_file(w, "provenance", text, strlen(text), err);
	free(text);
	return result;
}

static void precomputed_free(struct fx_volume_write *w)
{
	struct precomputed *p = w->impl;

	fx_shard_writer_fini(&p->shards);
	free(p->folder);
	free(p);
}

const struct fx_volume_write_ops fx_volume_write_precomputed = {
	.is_folder = true,
	.in_chunks = true,
	.dtypes = FX_U8 | FX_U16 | FX_U32 | FX_U64 | FX_F32,
	.codecs = codecs,
	.open = precomputed_open,
	.put = precomputed_put,
	.level_done = precomputed_level_done,
	.finish = precomputed_finish,
	.free_impl = precomputed_free,
};
