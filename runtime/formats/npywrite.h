// SPDX-License-Identifier: Apache-2.0
/* npywrite.h: a block as a .npy file of NumPy. */
#ifndef FX_FORMATS_NPYWRITE_H
#define FX_FORMATS_NPYWRITE_H

#include <fornix/block.h>
#include <fornix/error.h>

/** Writes the voxels of @p b as PATH, version 1.0, C order: axes z y x, channels before them when
 * there are more than one. Whole or not there, as fx_file_write(). */
int fx_npy_write(const char *path, const struct fx_block *b, struct fx_error *err);

#endif
