// SPDX-License-Identifier: Apache-2.0
/* chunkmeta.h: an array in chunks as its metadata describe it: Zarr 2, Zarr 3 and N5; and the bytes
 * of a chunk to voxels. */
#ifndef FX_FORMATS_CHUNKMETA_H
#define FX_FORMATS_CHUNKMETA_H

#include <fornix/block.h>

#include "formats/codec.h"
#include "formats/real.h"

enum {
	FX_CHUNK_AXES = 5,
	FX_CHUNK_MAX = 256 << 20, /**< bytes of a chunk */
	FX_CHUNK_META_MAX = 16 << 20,
	FX_SHARD_CHUNKS_MAX = 1 << 20,
};

enum fx_chunk_format { FX_CHUNKS_ZARR2 = 2, FX_CHUNKS_ZARR3, FX_CHUNKS_N5 };

/** Axes as in memory: slowest first, the last three are z y x; those before have 1 voxel. */
struct fx_chunkmeta {
	enum fx_chunk_format format;
	size_t rank; /**< of the file: 2 to FX_CHUNK_AXES; 2 is one section */
	size_t shape[FX_CHUNK_AXES], chunk[FX_CHUNK_AXES]; /**< of the rank axes */
	enum fx_dtype dtype;
	enum fx_real real;	     /**< what the file has, when that is not dtype */
	bool is_signed;		     /**< integers with a sign: negative ones are refused */
	bool big;		     /**< big-endian */
	size_t order[FX_CHUNK_AXES]; /**< axis that is the i-th slowest in a chunk */
	uint8_t fill[8];	     /**< voxel of what is not there, of dtype, little-endian */
	char separator;		     /**< between the numbers of a chunk's name */
	bool prefix;		     /**< names begin with c */
	struct fx_codecs codecs;
	bool sharded;		     /**< chunks lie in files of many: */
	size_t shard[FX_CHUNK_AXES]; /**< voxels of such a file, a multiple of chunk */
	struct fx_codecs index_codecs;
	bool index_first;   /**< its index is at the start, not at the end */
	double voxel_nm[3]; /**< 0 where the file does not tell */
};

/** Parses a .zarray (Zarr 2), a zarr.json of an array (Zarr 3) or the attributes.json of a data set
 * (N5), @p size bytes at @p text, which are hostile. FX_ETYPE when it is valid and not accepted. */
int fx_zarr2_parse(const char *text, size_t size, struct fx_chunkmeta *m, struct fx_error *err);
int fx_zarr3_parse(const char *text, size_t size, struct fx_chunkmeta *m, struct fx_error *err);
int fx_n5_parse(const char *text, size_t size, struct fx_chunkmeta *m, struct fx_error *err);

/** What the attributes of a group tell of its finest array. */
struct fx_multiscale {
	char path[256]; /**< below the group; "" when there is none */
	double voxel_nm[3];
	double translation_nm[3]; /**< of the centre of the first voxel */
	bool labels;		  /**< the group is an OME "image-label" */
};
/** Looks for OME "multiscales" of Zarr (.zattrs, or zarr.json with attributes.ome), and for a voxel
 * size alone (resolution or voxel_size, z y x in nm). FX_EINVAL when it is no JSON. */
int fx_multiscale_parse(const char *text, size_t size, struct fx_multiscale *m,
			struct fx_error *err);
/** A number among the attributes of @p text called @p name, or FX_ENOENT. In a zarr.json they are
 * below "attributes". */
int fx_attribute_parse(const char *text, size_t size, const char *name, double *number,
		       struct fx_error *err);

/** Voxels of the whole, z y x, and of a chunk. */
void fx_chunkmeta_shape(const struct fx_chunkmeta *m, size_t shape[3], size_t chunk[3]);
/** Refuses what cannot be read: axes, sizes of chunks and shards; sets what follows from others. */
int fx_chunkmeta_check(struct fx_chunkmeta *m, struct fx_error *err);
/** Bytes of a voxel in the file. */
size_t fx_chunkmeta_voxel(const struct fx_chunkmeta *m);
/** Bytes of the voxels of a chunk. */
size_t fx_chunkmeta_bytes(const struct fx_chunkmeta *m);
/** The name of the file of the chunk (or shard) @p grid z y x, below the array's folder. */
void fx_chunkmeta_name(const struct fx_chunkmeta *m, const size_t grid[3], char *name, size_t size);

/** Voxels of one chunk, as it lies in its file. */
struct fx_chunk {
	const uint8_t *voxels; /**< NULL: all are meta->fill */
	size_t shape[3];       /**< of what is stored; of N5 less at the edges */
	size_t stride[3];      /**< voxels from one to the next */
	void *owned;	       /**< free() */
	bool rounded; /**< set by fx_chunk_paste() when a voxel is not exactly that of the file */
};

/** Decodes the bytes of a chunk. FX_EINVAL, FX_ENOMEM; nothing is to be freed then. */
int fx_chunk_decode(const struct fx_chunkmeta *m, const void *bytes, size_t size,
		    struct fx_chunk *c, struct fx_error *err);
/** Copies the part of chunk @p c, whose corner is at @p at, that lies in @p b, as the machine has
 * voxels. FX_ETYPE when one is negative. */
int fx_chunk_paste(const struct fx_chunkmeta *m, struct fx_chunk *c, const int64_t at[3],
		   struct fx_block *b, struct fx_error *err);
/** Where chunk @p i lies in a file of many whose index (decoded) is @p index: false when it is not
 * there. */
bool fx_shard_find(const uint8_t *index, size_t i, uint64_t *offset, uint64_t *size);

#endif
