// SPDX-License-Identifier: Apache-2.0
/* volume_write.h: writes a volume, part after part, as PNG, TIFF, HDF5, .npy, OME-Zarr or
 * precomputed. It appears under its name when it is whole. */
#ifndef FX_FORMATS_VOLUME_WRITE_H
#define FX_FORMATS_VOLUME_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "formats/outplace.h"

enum { FX_LEVELS_MAX = 16 };

enum fx_volume_format {
	FX_VOLUME_UNKNOWN,
	FX_VOLUME_PNG,	/**< a folder of z000000.png, ...; u8, u16 */
	FX_VOLUME_TIFF, /**< pages are sections; BigTIFF when it has to be */
	FX_VOLUME_HDF5, /**< a data set in chunks */
	FX_VOLUME_NPY,
	FX_VOLUME_ZARR2, /**< OME-Zarr 0.4 */
	FX_VOLUME_ZARR3, /**< OME-Zarr 0.5 */
	FX_VOLUME_PRECOMPUTED,
};

/** What is to be written. Texts are borrowed until the end. */
struct fx_volume_spec {
	enum fx_volume_format format;
	const char *path;   /**< file or folder */
	const char *inside; /**< HDF5: name of the data set; NULL: "data" */
	size_t shape[3];
	enum fx_dtype dtype; /**< FX_U8, FX_U16, FX_U32, FX_U64, FX_F32 */
	bool labels;	     /**< else an image */
	double voxel_nm[3];  /**< 0: not known */
	int64_t offset[3];   /**< global coordinates of the first voxel */
	size_t chunk[3];     /**< of formats in chunks; 0: 64 */
	size_t levels;	     /**< of pyramids; 0: until a level fits in one chunk */
	const char *codec;   /**< a name that fx_volume_codecs() lists; NULL: the first; of
				precomputed labels   compressed_segmentation */
	bool sharded;	     /**< precomputed, Zarr 3: chunks lie in shards */
	size_t shard[3];     /**< Zarr 3: voxels of a shard, a multiple of chunk; 0: 8 chunks */
	bool replace;	     /**< what is at path, see fx_outplace_begin() */
	const char *source;  /**< what it is made of, for provenance; NULL: not told */
	size_t memory;	     /**< bytes of voxels to be held while levels are made; 0: 256 MiB */
	/** Called while levels are made, with the part that is done; below 0 ends it. */
	int (*progress)(void *context, double part);
	void *context;
};

struct fx_volume_write_ops;

/** A volume that is being written. Zero-initialise; fx_volume_write_fini() when done. */
struct fx_volume_write {
	struct fx_volume_spec spec; /**< with defaults filled in */
	/** Parts begin at multiples of it: sections, rows and columns. Where it is the whole axis,
	 * a part has all of it. */
	size_t step[3];
	struct fx_outplace place;
	int64_t next[2];		       /**< private: section and row that come next */
	const struct fx_volume_write_ops *ops; /**< private */
	void *impl;			       /**< private, owned */
};

/** The format that has the name @p name ("png", "tiff", "hdf5", "npy", "zarr", "zarr3",
 * "precomputed"), or that files called @p path have by their ending; @p name may be NULL.
 * FX_VOLUME_UNKNOWN when there is none. */
enum fx_volume_format fx_volume_format_of(const char *name, const char *path);
/** Names of the ways to compress, NULL-terminated, the one taken without a choice first. */
const char *const *fx_volume_codecs(enum fx_volume_format format);

/** Whether that can be written, with nothing done: its format, type, codec, chunk and levels.
 * FX_EINVAL, FX_ETYPE for what the format cannot hold. A shape of 0 is not known yet. */
int fx_volume_write_check(const struct fx_volume_spec *spec, struct fx_error *err);
/** Keeps the place of @p spec for a zeroed @p w before its shape is known: then
 * fx_volume_write_open() takes it. */
int fx_volume_write_reserve(struct fx_volume_write *w, const struct fx_volume_spec *spec,
			    struct fx_error *err);
/** Begins. FX_EINVAL, FX_ETYPE for what the format cannot hold; nothing is left then. */
int fx_volume_write_open(struct fx_volume_write *w, const struct fx_volume_spec *spec,
			 struct fx_error *err);
/** The next part: whole rows of the volume (all of x), rows after rows, sections after sections,
 * each part beginning at multiples of w->step and as large as that or several of it, unless the
 * volume ends. Voxels in a dense block of the spec's dtype; its origin counts from 0. */
int fx_volume_write_put(struct fx_volume_write *w, const struct fx_block *part,
			struct fx_error *err);
/** All was put: makes the levels, and puts the volume in its place. */
int fx_volume_write_close(struct fx_volume_write *w, struct fx_error *err);
/** Removes what was not closed. Takes a zeroed one too. */
void fx_volume_write_fini(struct fx_volume_write *w);

#endif
