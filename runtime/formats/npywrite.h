// SPDX-License-Identifier: Apache-2.0
/* npywrite.h: a block as a .npy file of NumPy. */
#ifndef FX_FORMATS_NPYWRITE_H
#define FX_FORMATS_NPYWRITE_H

#include <stdbool.h>

#include <fornix/block.h>
#include <fornix/error.h>

enum { FX_NPY_HEAD = 192 };

/** What comes before the voxels of @p channels volumes of @p shape zyx. False for voxels that NumPy
 * has not. */
bool fx_npy_head(char head[FX_NPY_HEAD], enum fx_dtype dtype, uint32_t channels,
		 const size_t shape[3]);
/** Writes the voxels of @p b as PATH, version 1.0, C order: axes z y x, channels before them when
 * there are more than one. Whole or not there, as fx_file_write(). */
int fx_npy_write(const char *path, const struct fx_block *b, struct fx_error *err);

#endif
