// SPDX-License-Identifier: Apache-2.0
/* precomputed.h: Neuroglancer precomputed volumes: the info file and the chunks of a scale, each in
 * a file or in shards. Triples are zyx here; the files have xyz. */
#ifndef FX_FORMATS_PRECOMPUTED_H
#define FX_FORMATS_PRECOMPUTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "formats/shards.h"

/** What an info file says of one of its scales. */
struct fx_precomputed {
	enum fx_role role;   /**< FX_IMAGE or FX_LABELS ("segmentation") */
	enum fx_dtype dtype; /**< FX_U8, FX_U16, FX_U32, FX_U64 or FX_F32 */
	size_t size[3];	     /**< voxels of the volume, 1 to 2^40 */
	size_t chunk[3];     /**< voxels of a chunk; at most 2^28 bytes */
	int64_t offset[3];   /**< voxel_offset: global coordinates of the first voxel */
	double voxel_nm[3];
	bool compressed;      /**< compressed_segmentation, else raw */
	size_t cseg_block[3]; /**< of compressed_segmentation */
	bool sharded;	      /**< chunks lie in shards: */
	struct fx_sharding sharding;
	char key[128]; /**< folder of the chunks, relative to that of the info */
};

enum { FX_PRECOMPUTED_CHUNK_MAX = 1 << 28 };

/** Reads the text of an info file: the scale called @p key, or the first, which is the finest, when
 * it is NULL. Refuses with FX_ETYPE what is not supported: more than one channel, other encodings
 * and types. Takes any bytes. */
int fx_precomputed_parse(const char *text, size_t len, const char *key, struct fx_precomputed *p,
			 struct fx_error *err);
/** The same of FOLDER/info; errors name it. */
int fx_precomputed_read_scale(const char *folder, const char *key, struct fx_precomputed *p,
			      struct fx_error *err);
/** The finest scale. */
int fx_precomputed_read_info(const char *folder, struct fx_precomputed *p, struct fx_error *err);
/** Text of an info file with @p len scales, finest first, the type being that of the first;
 * @p skeletons names a folder with skeletons beside it, or is
 * NULL. free(). NULL without memory. */
char *fx_precomputed_info(const struct fx_precomputed *p, size_t len, const char *skeletons);
/** Sets p->key to the habit "X_Y_Z" of the resolution in nm. */
void fx_precomputed_set_key(struct fx_precomputed *p);

/** The chunk at @p grid (zyx, counted from 0) in global coordinates, clipped at the volume;
 * empty when it lies outside. */
struct fx_region fx_precomputed_chunk_region(const struct fx_precomputed *p, const int64_t grid[3]);
/** Name of the file of @p r relative to the folder: "KEY/xb-xe_yb-ye_zb-ze". */
void fx_precomputed_chunk_name(const struct fx_precomputed *p, struct fx_region r, char *name,
			       size_t size);
/** Bytes of a chunk file from @p b, a block without halo: raw voxels of p->dtype, or with
 * p->compressed labels of FX_U64. *owned (free()) holds *bytes, or is NULL when they are those of
 * @p b. */
int fx_precomputed_encode(const struct fx_precomputed *p, const struct fx_block *b,
			  const void **bytes, size_t *size, void **owned, struct fx_error *err);
/** Reads the chunk at @p grid into a new block (fx_block_free()); zeros when there is none. A file
 * NAME.gz is inflated; NAME.br is FX_ETYPE. */
int fx_precomputed_read_chunk(const char *folder, const struct fx_precomputed *p,
			      const int64_t grid[3], struct fx_block **out, struct fx_error *err);
/** The same with shards that are open already: those of FOLDER/KEY, for many chunks. */
int fx_precomputed_get_chunk(const char *folder, const struct fx_precomputed *p,
			     struct fx_shards *shards, const int64_t grid[3], struct fx_block **out,
			     struct fx_error *err);

#endif
