// SPDX-License-Identifier: Apache-2.0
/* hdf5super.h: what must not be left to the HDF5 library. */
#ifndef FX_FORMATS_HDF5SUPER_H
#define FX_FORMATS_HDF5SUPER_H

#include <fornix/error.h>

/** Refuses a file whose superblock (HDF5 file format specification, II.A, versions 0 and 1) has a
 * driver information block: only files that are parts of several have one, and the library takes
 * as much memory for it as it says, up to 4 GiB. FX_EINVAL, FX_ENOENT, FX_EIO; FX_OK also for what
 * is no HDF5 at all. */
int fx_hdf5_check(const char *path, struct fx_error *err);

#endif
