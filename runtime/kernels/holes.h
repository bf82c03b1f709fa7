// SPDX-License-Identifier: Apache-2.0
/* holes.h: holes of a mask. */
#ifndef FX_KERNELS_HOLES_H
#define FX_KERNELS_HOLES_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

/** Sets to 1 all voxels of @p mask (0 or 1, zyx, @p shape) that are 0 and not joined to a face of
 * the volume by a 6-connected way of zeros. FX_EINVAL, FX_ENOMEM. */
int fx_holes_fill(uint32_t *mask, const size_t shape[3]);

#endif
