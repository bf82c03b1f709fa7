// SPDX-License-Identifier: Apache-2.0
/* zarrshards.c: writes shards of Zarr 3. Chunks are appended to the file of their shard as they
 * come; https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/ has the layout. */
#include "formats/zarrshards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "formats/codec.h"
#include "formats/volume_write_ops.h"

void fx_zarr_shards_fini(struct fx_zarr_shards *s)
{
	free(s->index);
	free(s->ends);
	memset(s, 0, sizeof *s);
}

/* Chunks in a shard. */
static size_t shard_len(const struct fx_zarr_shards *s)
{
	return s->per[0] * s->per[1] * s->per[2];
}

static int layer_begin(struct fx_zarr_shards *s, const struct fx_volume_spec *spec, size_t level,
		       const size_t shape[3], size_t layer, struct fx_error *err)
{
	size_t len;

	s->level = level;
	s->layer = layer;
	for (int a = 0; a < 3; a++)
		s->per[a] = spec->shard[a] / spec->chunk[a];
	for (int a = 0; a < 2; a++)
		s->shards[a] = (shape[a + 1] - 1) / spec->shard[a + 1] + 1;
	if (fx_mul_size(s->shards[0], s->shards[1], &len)) {
		s->ends = fx_calloc(len, sizeof *s->ends);
		if (fx_mul_size(len, 2 * shard_len(s), &len))
			s->index = fx_calloc(len, sizeof *s->index);
	}
	if (!s->ends || !s->index)
		return fx_error_set(err, FX_ENOMEM, "no memory for the index of a layer of shards");
	memset(s->index, 0xff, len * sizeof *s->index); /* not there */
	return FX_OK;
}

/* Behind what shard @p i has. */
static int append(const struct fx_zarr_shards *s, const struct fx_volume_write *w, size_t i,
		  uint64_t at, const void *bytes, size_t size, struct fx_error *err)
{
	char name[96];

	snprintf(name, sizeof name, "%zu/c/%zu/%zu/%zu", s->level, s->layer, i / s->shards[1],
		 i % s->shards[1]);
	return fx_volume_write_at(w, name, at, bytes, size, err);
}

int fx_zarr_shards_put(struct fx_zarr_shards *s, const struct fx_volume_write *w, size_t level,
		       const size_t shape[3], const size_t grid[3], const void *bytes, size_t size,
		       struct fx_error *err)
{
	const size_t layer = grid[0] / (w->spec.shard[0] / w->spec.chunk[0]);
	size_t shard, i;
	int result = FX_OK;

	if (s->index && (s->layer != layer || s->level != level))
		result = fx_zarr_shards_end(s, w, err);
	if (result == FX_OK && !s->index)
		result = layer_begin(s, &w->spec, level, shape, layer, err);
	if (result < 0)
		return result;
	shard = grid[1] / s->per[1] * s->shards[1] + grid[2] / s->per[2];
	i = (grid[0] % s->per[0] * s->per[1] + grid[1] % s->per[1]) * s->per[2] +
	    grid[2] % s->per[2];
	result = append(s, w, shard, s->ends[shard], bytes, size, err);
	s->index[2 * (shard * shard_len(s) + i)] = s->ends[shard];
	s->index[2 * (shard * shard_len(s) + i) + 1] = size;
	s->ends[shard] += size;
	return result;
}

int fx_zarr_shards_end(struct fx_zarr_shards *s, const struct fx_volume_write *w,
		       struct fx_error *err)
{
	const size_t entries = 2 * shard_len(s), size = entries * sizeof *s->index;
	int result = FX_OK;

	for (size_t i = 0; s->index && i < s->shards[0] * s->shards[1] && result == FX_OK; i++) {
		const uint64_t *index = s->index + i * entries;
		const uint32_t sum = fx_crc32c(index, size);

		if (!s->ends[i])
			continue;
		result = append(s, w, i, s->ends[i], index, size, err);
		if (result == FX_OK)
			result = append(s, w, i, s->ends[i] + size, &sum, sizeof sum, err);
	}
	fx_zarr_shards_fini(s);
	return result;
}
