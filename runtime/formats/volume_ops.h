// SPDX-License-Identifier: Apache-2.0
/* volume_ops.h: what a format behind volume.h provides. Private to runtime/formats. */
#ifndef FX_FORMATS_VOLUME_OPS_H
#define FX_FORMATS_VOLUME_OPS_H

#include <stdbool.h>

#include "formats/volume.h"

/** One format. */
struct fx_volume_ops {
	/** Sets shape, dtype, impl, and voxel_nm and offset where known. On failure nothing is
	 * left to free. */
	int (*open)(const char *path, struct fx_volume *v, struct fx_error *err);
	/** Fills @p b: not empty, inside 0..shape by origin and shape, of v's dtype. */
	int (*read)(struct fx_volume *v, struct fx_block *b, struct fx_error *err);
	void (*close)(struct fx_volume *v);
	/** As in volume.h, @p t zeroed; NULL: not for this format. */
	int (*there)(struct fx_volume *v, size_t z, struct fx_volume_there *t,
		     struct fx_error *err);
	int (*attribute)(struct fx_volume *v, const char *name, double *number,
			 struct fx_error *err);
	void (*forget)(struct fx_volume *v);
	void (*keep)(struct fx_volume *v, size_t bytes);
	bool sets_all; /**< read() sets every voxel: they need not be zeroed before */
};

extern const struct fx_volume_ops fx_volume_tiff, fx_volume_npy, fx_volume_precomputed,
	fx_volume_chunks, fx_volume_hdf5, fx_volume_images, fx_volume_mrc;

/** A folder has metadata of Zarr or N5. */
bool fx__volume_is_chunks(const char *folder);
/** A folder has images whose names end with a number and a known ending. */
bool fx__volume_is_images(const char *folder);
/** A file that begins with these 256 bytes is an MRC. */
bool fx__volume_is_mrc(const char *head);
/** The name of the file in FILE:/PATH, or all of @p path where there is none; free(). *inside is
 * the path in the file, or NULL; it lies in @p path. */
char *fx__volume_file(const char *path, const char **inside);

/** A place in nm as a number of voxels, rounded; 0 when it is none or the voxel size is not known.
 */
int64_t fx_volume_offset(double nm, double voxel_nm);
/** Refuses axes of 0 or over 2^40 and volumes of 2^62 bytes or more. */
int fx_volume_check(const char *path, const struct fx_volume *v, struct fx_error *err);

#endif
