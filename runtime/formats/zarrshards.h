// SPDX-License-Identifier: Apache-2.0
/* zarrshards.h: writes shards of Zarr 3 (sharding_indexed): files of many chunks, each with an
 * index and its crc32c behind them. Private to runtime/formats. */
#ifndef FX_FORMATS_ZARRSHARDS_H
#define FX_FORMATS_ZARRSHARDS_H

#include <stdint.h>

#include "formats/volume_write.h"

/** The shards of one layer that are open. Zero-initialise; fx_zarr_shards_fini() when done. */
struct fx_zarr_shards {
	size_t level, layer;
	size_t shards[2]; /**< along y and x */
	size_t per[3];	  /**< chunks in a shard */
	uint64_t *index;  /**< owned: offset and size of each chunk, shard after shard; NULL: none
			   */
	uint64_t *ends;	  /**< owned: bytes of each shard */
};

/** Puts a chunk that holds something into its shard; @p shape is that of the level. Layers of
 * chunks come in order. Holds 16 bytes for each chunk of a layer of shards. FX_EIO, FX_ENOMEM. */
int fx_zarr_shards_put(struct fx_zarr_shards *s, const struct fx_volume_write *w, size_t level,
		       const size_t shape[3], const size_t grid[3], const void *bytes, size_t size,
		       struct fx_error *err);
/** The layer, or the level, is whole: ends its shards. */
int fx_zarr_shards_end(struct fx_zarr_shards *s, const struct fx_volume_write *w,
		       struct fx_error *err);
/** Takes a zeroed one too. */
void fx_zarr_shards_fini(struct fx_zarr_shards *s);

#endif
