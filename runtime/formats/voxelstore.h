// SPDX-License-Identifier: Apache-2.0
/* voxelstore.h: the blocks of a stream put aside in one scratch file, compressed, and read again as
 * a volume. */
#ifndef FX_FORMATS_VOXELSTORE_H
#define FX_FORMATS_VOXELSTORE_H

#include <stdbool.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "formats/blobstore.h"
#include "formats/volume.h"
#include "kernels/finalids.h"

/** Blocks of one type on one grid. Zero-initialise; fx_voxelstore_fini() when done. */
struct fx_voxelstore {
	struct fx_region extent; /**< of the stream; hi[0] is 0 while it is not known */
	enum fx_dtype dtype;
	double voxel_nm[3];
	int64_t cell[3];	    /**< of the grid, which begins at extent.lo */
	int64_t end;		    /**< farthest section that came, exclusive */
	struct fx_blobstore *blobs; /**< owned; by place in the grid; NULL: no block came */
};

/** Puts the core of @p b aside: one channel, or an image with a mask as channel 2, which is left
 * out. The first block makes the file, in @p folder, and sets the grid. One that comes again
 * replaces the former. @p extent is that of the stream. FX_EINVAL for what is not on the grid,
 * FX_ETYPE for another type, FX_EIO, FX_ENOMEM. */
int fx_voxelstore_put(struct fx_voxelstore *s, const struct fx_block *b, struct fx_region extent,
		      const char *folder, struct fx_error *err);
/** What came as a volume, zeros where nothing did; with ids in @p final, labels are u64, each by
 * its final id. Shape and offset are those of the extent; sections end at the last that came. Both
 * are borrowed until fx_volume_close(). FX_ENOMEM. */
int fx_voxelstore_volume(const struct fx_voxelstore *s, const struct fx_final_ids *final,
			 struct fx_volume *v, struct fx_error *err);
/** For save(): puts all, with the file made durable; and takes it back to a zeroed one. FX_ETYPE,
 * FX_EIO, FX_ENOMEM. */
int fx_voxelstore_pack(struct fx_voxelstore *s, struct fx_pack *to, struct fx_error *err);
int fx_voxelstore_unpack(struct fx_voxelstore *s, const char *folder, struct fx_unpack *from,
			 struct fx_error *err);
/** Takes a zeroed one too. */
void fx_voxelstore_fini(struct fx_voxelstore *s);

#endif
