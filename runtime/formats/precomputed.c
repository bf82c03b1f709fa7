// SPDX-License-Identifier: Apache-2.0
/* precomputed.c: Neuroglancer precomputed volumes. */
#include "formats/precomputed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/cseg.h"
#include "formats/gunzip.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "raw chunks are little-endian");

void fx_precomputed_set_key(struct fx_precomputed *p)
{
	snprintf(p->key, sizeof p->key, "%g_%g_%g", p->voxel_nm[2], p->voxel_nm[1], p->voxel_nm[0]);
}

struct fx_region fx_precomputed_chunk_region(const struct fx_precomputed *p, const int64_t grid[3])
{
	struct fx_region r = { 0 };

	for (int a = 0; a < 3; a++) {
		const int64_t size = (int64_t)p->size[a], chunk = (int64_t)p->chunk[a];

		if (grid[a] < 0 || grid[a] > (size - 1) / chunk)
			return (struct fx_region){ 0 };
		r.lo[a] = p->offset[a] + grid[a] * chunk;
		r.hi[a] = p->offset[a] +
			  (size - grid[a] * chunk < chunk ? size : (grid[a] + 1) * chunk);
	}
	return r;
}

void fx_precomputed_chunk_name(const struct fx_precomputed *p, struct fx_region r, char *name,
			       size_t size)
{
	snprintf(name, size,
		 "%s/%" PRId64 "-%" PRId64 "_%" PRId64 "-%" PRId64 "_%" PRId64 "-%" PRId64, p->key,
		 r.lo[2], r.hi[2], r.lo[1], r.hi[1], r.lo[0], r.hi[0]);
}

int fx_precomputed_encode(const struct fx_precomputed *p, const struct fx_block *b,
			  const void **bytes, size_t *size, void **owned, struct fx_error *err)
{
	uint32_t *words;
	size_t len;
	int result;

	if (!p->compressed) {
		*bytes = b->data;
		*size = fx_block_size(b);
		*owned = NULL;
		return FX_OK;
	}
	result = fx_cseg_encode(b->data, b->shape, p->cseg_block, &words, &len, err);
	if (result < 0)
		return result;
	*bytes = *owned = words;
	*size = len * sizeof *words;
	return FX_OK;
}

/* Bytes that a chunk of @p b may have: of compressed_segmentation a table and values for each
 * voxel, and a head for each block of one. */
static size_t stored_max(const struct fx_precomputed *p, const struct fx_block *b)
{
	return p->compressed ? 4 * fx_block_size(b) + 64 : fx_block_size(b);
}

/* The file of a chunk, or NAME.gz inflated; FX_ENOENT when there is neither. */
static int chunk_file(const char *folder, const struct fx_precomputed *p, struct fx_region r,
		      size_t max, void **bytes, size_t *size, struct fx_error *err)
{
	char name[300], *path, *packed;
	void *raw = NULL;
	int result;

	fx_precomputed_chunk_name(p, r, name, sizeof name);
	path = fx_path_join(folder, name);
	packed = path ? fx_asprintf("%s.gz", path) : NULL;
	if (packed)
		result = fx_file_read(path, max, bytes, size, err);
	else
		result = fx_error_set(err, FX_ENOMEM, "%s: no memory for a chunk", folder);
	if (result == FX_ENOENT) {
		result = fx_file_read(packed, max + max / 8 + 4096, &raw, size, err);
		if (result == FX_OK)
			result = fx_gunzip(raw, *size, max, bytes, size, err);
		free(raw);
	}
	if (result < 0 && result != FX_ENOENT && path && !strstr(err ? err->text : "", path))
		fx_error_prefix(err, "%s", path);
	free(packed);
	free(path);
	return result;
}

/* No file means zeros, unless the chunk is there in a form that cannot be read. */
static int chunk_absent(const char *folder, const struct fx_precomputed *p, struct fx_region r,
			struct fx_error *err)
{
	char name[300], *path, *packed;
	bool there;

	fx_precomputed_chunk_name(p, r, name, sizeof name);
	path = fx_path_join(folder, name);
	packed = path ? fx_asprintf("%s.br", path) : NULL;
	there = packed && access(packed, F_OK) == 0;
	if (there)
		fx_error_set(err, FX_ETYPE,
			     "%s: chunks compressed with brotli are not read: unpack the files or "
			     "write the volume with gzip or without compression",
			     packed);
	free(packed);
	free(path);
	return there ? FX_ETYPE : FX_OK;
}

static int chunk_from_shard(const struct fx_precomputed *p, struct fx_shards *shards,
			    const int64_t grid[3], size_t max, void **bytes, size_t *size,
			    struct fx_error *err)
{
	size_t cells[3], at[3];

	for (int a = 0; a < 3; a++) {
		cells[a] = (p->size[a] - 1) / p->chunk[a] + 1;
		at[a] = (size_t)grid[a];
	}
	return fx_shards_get(shards, fx_morton(at, cells), max, bytes, size, err);
}

static int chunk_decode(const struct fx_precomputed *p, const void *bytes, size_t size,
			struct fx_block *b, struct fx_error *err)
{
	if (p->compressed)
		return fx_cseg_decode(bytes, size, b->shape, p->cseg_block, p->dtype, b->data, err);
	if (size != fx_block_size(b))
		return fx_error_set(err, FX_EINVAL, "%zu bytes, raw chunk must have %zu", size,
				    fx_block_size(b));
	memcpy(b->data, bytes, size);
	return FX_OK;
}

static int chunk_load(const char *folder, const struct fx_precomputed *p, struct fx_shards *shards,
		      const int64_t grid[3], struct fx_block *b, struct fx_error *err)
{
	const struct fx_region r = fx_precomputed_chunk_region(p, grid);
	const size_t max = stored_max(p, b);
	void *bytes = NULL;
	size_t size = 0;
	int result = p->sharded ? chunk_from_shard(p, shards, grid, max, &bytes, &size, err) :
				  chunk_file(folder, p, r, max, &bytes, &size, err);

	if (result == FX_ENOENT)
		return p->sharded ? FX_OK : chunk_absent(folder, p, r, err);
	if (result < 0)
		return result;
	result = chunk_decode(p, bytes, size, b, err);
	free(bytes);
	return result < 0 ?
		       fx_error_prefix(err, "%s: chunk %lld %lld %lld", folder, (long long)grid[0],
				       (long long)grid[1], (long long)grid[2]) :
		       FX_OK;
}

int fx_precomputed_get_chunk(const char *folder, const struct fx_precomputed *p,
			     struct fx_shards *shards, const int64_t grid[3], struct fx_block **out,
			     struct fx_error *err)
{
	const struct fx_region r = fx_precomputed_chunk_region(p, grid);
	struct fx_block *b;
	int result;

	if (fx_region_empty(r))
		return fx_error_set(err, FX_EINVAL, "%s: no such chunk", folder);
	b = fx_block_new(p->dtype, (size_t)(r.hi[0] - r.lo[0]), (size_t)(r.hi[1] - r.lo[1]),
			 (size_t)(r.hi[2] - r.lo[2]));
	if (!b)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory for a chunk", folder);
	result = chunk_load(folder, p, shards, grid, b, err);
	if (result < 0) {
		fx_block_free(b);
		return result;
	}
	b->role = p->role;
	memcpy(b->origin, r.lo, sizeof b->origin);
	memcpy(b->voxel_nm, p->voxel_nm, sizeof b->voxel_nm);
	*out = b;
	return FX_OK;
}

int fx_precomputed_read_chunk(const char *folder, const struct fx_precomputed *p,
			      const int64_t grid[3], struct fx_block **out, struct fx_error *err)
{
	char *inside = fx_path_join(folder, p->key);
	struct fx_shards shards = { .folder = inside, .sharding = p->sharding };
	int result;

	if (!inside)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory for a chunk", folder);
	result = fx_precomputed_get_chunk(folder, p, &shards, grid, out, err);
	fx_shards_fini(&shards);
	free(inside);
	return result;
}
