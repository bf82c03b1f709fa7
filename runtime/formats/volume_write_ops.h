// SPDX-License-Identifier: Apache-2.0
/* volume_write_ops.h: what a format behind volume_write.h provides. Private to runtime/formats. */
#ifndef FX_FORMATS_VOLUME_WRITE_OPS_H
#define FX_FORMATS_VOLUME_WRITE_OPS_H

#include "formats/volume_write.h"

/** One level of a pyramid. */
struct fx_volume_level {
	size_t shape[3], factor[3]; /**< factor: voxels of level 0 along an axis of one voxel */
	double voxel_nm[3];	    /**< 1 where it is not known */
};

/** One format. */
struct fx_volume_write_ops {
	bool is_folder, in_chunks;
	unsigned dtypes; /**< that it can hold */
	const char *const *codecs;
	/** Begins to write to w->place.partial; sets impl, and step where it is not that of the
	 * chunks. */
	int (*open)(struct fx_volume_write *w, struct fx_error *err);
	/** A part of level @p level, as for fx_volume_write_put(). */
	int (*put)(struct fx_volume_write *w, size_t level, const struct fx_block *part,
		   struct fx_error *err);
	/** All parts of @p level were put. Gives the path by which it can be read to make the next
	 * one, free(). NULL: formats without levels. */
	char *(*level_done)(struct fx_volume_write *w, size_t level, struct fx_error *err);
	/** Writes what is to be written at the end; impl goes with free_impl(). */
	int (*finish)(struct fx_volume_write *w, struct fx_error *err);
	void (*free_impl)(struct fx_volume_write *w);
};

extern const struct fx_volume_write_ops fx_volume_write_png, fx_volume_write_tiff,
	fx_volume_write_hdf5, fx_volume_write_npy, fx_volume_write_zarr2, fx_volume_write_zarr3,
	fx_volume_write_precomputed;

/** Levels of the pyramid of @p s, spec.levels of them, from shape, voxel size and chunk: on each
 * level those axes are halved whose voxels are less than twice as large as the smallest. */
size_t fx_volume_levels(const struct fx_volume_spec *s, struct fx_volume_level *levels);
/** Makes the levels behind the first. */
int fx_volume_pyramid(struct fx_volume_write *w, struct fx_error *err);
/** Place of the spec's codec in the list of the format. */
size_t fx_volume_codec_index(const struct fx_volume_write *w);

/** Calls @p chunk for each chunk of @p shape that lies in @p part: @p grid is its place,
 * @p voxels are dense, of w's chunk (@p full: filled up with zeros at the ends of the volume, as
 * Zarr has it; else cut there) in memory of this call. */
struct fx_chunk_cut {
	const struct fx_volume_write *w;
	size_t level;
	const size_t *shape;
	bool full;
	int (*chunk)(struct fx_volume_write *w, size_t level, const size_t grid[3],
		     const struct fx_block *voxels, struct fx_error *err);
};
int fx_volume_cut(struct fx_volume_write *w, const struct fx_chunk_cut *c,
		  const struct fx_block *part, struct fx_error *err);
/** All voxels are 0. */
bool fx_volume_all_zero(const struct fx_block *b);
/** Writes a whole file below w->place.partial, with the folders above it. */
int fx_volume_write_file(const struct fx_volume_write *w, const char *name, const void *data,
			 size_t size, struct fx_error *err);
/** Writes bytes from @p at on to a file that may be there. */
int fx_volume_write_at(const struct fx_volume_write *w, const char *name, uint64_t at,
		       const void *data, size_t size, struct fx_error *err);

#endif
