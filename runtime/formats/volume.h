// SPDX-License-Identifier: Apache-2.0
/* volume.h: a label or image volume by its path: TIFF, images, .npy, MRC, HDF5, precomputed, Zarr
 * or N5. */
#ifndef FX_FORMATS_VOLUME_H
#define FX_FORMATS_VOLUME_H

#include <stdbool.h>
#include <stddef.h>

#include <fornix/block.h>
#include <fornix/error.h>

struct fx_volume_ops;

/** An open volume. Its voxels are addressed from 0 to shape, zyx. */
struct fx_volume {
	size_t shape[3];
	enum fx_dtype dtype;
	double voxel_nm[3]; /**< 0 when the file does not tell */
	int64_t offset[3];  /**< global coordinates of the first voxel, where the file tells */
	size_t chunk[3]; /**< voxels that are decoded at once; a section where it is in no chunks */
	bool labels;	 /**< the file says that it holds labels */
	bool rounded;	 /**< so far: a voxel that was read is not exactly that of the file */

	const struct fx_volume_ops *ops; /**< private */
	void *impl;			 /**< private, owned */
};

/** Opens @p path, told by what it contains: a TIFF whose pages are sections; a folder of numbered
 * PNG or TIFF images; a .npy of 2 or 3 axes in C order; an MRC of modes 0, 1, 2, 6; an HDF5 file,
 * as FILE:/PATH or, when it has one data set of 3 axes, FILE; a folder that is precomputed
 * (FOLDER/KEY: one of its scales), Zarr 2 or 3 (also OME-Zarr, whose finest level is taken) or N5,
 * or FOLDER/PATH for another array in it. Voxels are u8, u16, u32, u64 or f32, little-endian in
 * .npy; float64 is read as the nearest f32, and float16 as f32; bool counts as u8, and integers
 * with a sign are taken as long as none is negative. Axes before z y x have one entry.
 * fx_volume_close() when it succeeds. Errors name the path and what is accepted. */
int fx_volume_open(const char *path, struct fx_volume *v, struct fx_error *err);
/** Reads the voxels of @p r (inside 0..shape) into *out, a new block with origin r.lo
 * (fx_block_free()). Reading in z order, and rows of one section in order, is fast; a TIFF is
 * decoded from the top of a section again when going back. Of volumes in chunks, at most 512 MiB of
 * decoded voxels are kept: slab.h. A chunk that is not there has the volume's fill value. */
int fx_volume_read(struct fx_volume *v, struct fx_region r, struct fx_block **out,
		   struct fx_error *err);

/** How much of a section is there, while a volume is being written. */
struct fx_volume_there {
	size_t parts, there; /**< chunks that it takes, and those that are there */
	uint64_t state;	     /**< another number when what is there has changed since */
	size_t end;	     /**< sections before it lie in the same chunks; may be above shape */
};
/** Looks for the parts of section @p z, 0..shape. FX_ETYPE for a format that is not written in
 * place (.npy). */
int fx_volume_there(struct fx_volume *v, size_t z, struct fx_volume_there *t, struct fx_error *err);
/** A number among the attributes of the array, read now. FX_ENOENT when there is none. */
int fx_volume_attribute(struct fx_volume *v, const char *name, double *number,
			struct fx_error *err);
/** Forgets what was read: parts have changed. */
void fx_volume_forget(struct fx_volume *v);
/** Keeps at most @p bytes of decoded voxels from now on, 1 or more, in place of what
 * fx_volume_read() says. With few, each read decodes the chunks that it touches. */
void fx_volume_keep(struct fx_volume *v, size_t bytes);
/** Takes a zeroed one too. */
void fx_volume_close(struct fx_volume *v);

#endif
