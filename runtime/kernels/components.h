// SPDX-License-Identifier: Apache-2.0
/* components.h: connected components of label volumes. */
#ifndef FX_KERNELS_COMPONENTS_H
#define FX_KERNELS_COMPONENTS_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

/** Numbers the connected pieces of equal labels 1..*count in raster order of their first voxels.
 * @p labels: FX_U32 or FX_U64, zyx C order, @p shape voxels (an axis may be 1, below 2^32 voxels);
 * label 0 is background and stays 0. @p connectivity 6, 18 or 26. @p out: as many voxels; may be
 * @p labels itself when these are FX_U32. Errors: FX_EINVAL, FX_ETYPE, FX_ENOMEM. Threads take
 * slabs of rows; any number of them gives the same. Method: union-find over the runs of equal
 * labels along x (after He et al., IEEE TIP 17:749, 2008, extended to three axes and many labels).
 */
int fx_components(const void *labels, enum fx_dtype dtype, const size_t shape[3], int connectivity,
		  uint32_t *out, uint32_t *count);

#endif
