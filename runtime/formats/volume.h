// SPDX-License-Identifier: Apache-2.0
/* volume.h: a label or image volume by its path: multi-page TIFF, .npy or a precomputed folder. */
#ifndef FX_FORMATS_VOLUME_H
#define FX_FORMATS_VOLUME_H

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

	const struct fx_volume_ops *ops; /**< private */
	void *impl;			 /**< private, owned */
};

/** Opens @p path, told by what it contains: a folder with a precomputed info, a TIFF whose pages
 * are sections, or a .npy of 2 or 3 axes in C order. Voxels are u8, u16, u32, u64 or f32,
 * little-endian in .npy; bool counts as u8. fx_volume_close() when it succeeds. Errors name
 * the path and what is accepted. */
int fx_volume_open(const char *path, struct fx_volume *v, struct fx_error *err);
/** Reads the voxels of @p r (inside 0..shape) into *out, a new block with origin r.lo
 * (fx_block_free()). Reading in z order, and rows of one section in order, is fast; a TIFF is
 * decoded from the top of a section again when going back. */
int fx_volume_read(struct fx_volume *v, struct fx_region r, struct fx_block **out,
		   struct fx_error *err);
/** Takes a zeroed one too. */
void fx_volume_close(struct fx_volume *v);

#endif
