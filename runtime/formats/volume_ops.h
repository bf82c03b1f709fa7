// SPDX-License-Identifier: Apache-2.0
/* volume_ops.h: what a format behind volume.h provides. Private to runtime/formats. */
#ifndef FX_FORMATS_VOLUME_OPS_H
#define FX_FORMATS_VOLUME_OPS_H

#include "formats/volume.h"

/** One format. */
struct fx_volume_ops {
	/** Sets shape, dtype, impl, and voxel_nm and offset where known. On failure nothing is
	 * left to free. */
	int (*open)(const char *path, struct fx_volume *v, struct fx_error *err);
	/** Fills @p b: not empty, inside 0..shape by origin and shape, of v's dtype. */
	int (*read)(struct fx_volume *v, struct fx_block *b, struct fx_error *err);
	void (*close)(struct fx_volume *v);
};

extern const struct fx_volume_ops fx_volume_tiff, fx_volume_npy, fx_volume_precomputed;

/** Refuses axes of 0 or over 2^40 and volumes of 2^62 bytes or more. */
int fx_volume_check(const char *path, const struct fx_volume *v, struct fx_error *err);

#endif
