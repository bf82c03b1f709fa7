// SPDX-License-Identifier: Apache-2.0
/* edt.h: exact Euclidean distance to the nearest background voxel. */
#ifndef FX_KERNELS_EDT_H
#define FX_KERNELS_EDT_H

#include <stddef.h>
#include <stdint.h>

/** Distance from the centre of every voxel with mask != 0 to the centre of the nearest voxel with
 * mask == 0; those have distance 0. @p shape is z, y, x (C order), @p voxel the voxel's edges in
 * any unit, which is that of the distances. The faces are no background: without any zero voxel
 * every distance is FLT_MAX. Returns FX_OK, FX_EINVAL for an empty or overflowing shape or an edge
 * that is not positive and finite, FX_ENOMEM. Same bits for any thread count.
 * Method: lower envelope of parabolas, axis after axis (Felzenszwalb and Huttenlocher, Theory of
 * Computing 8:415, 2012). */
int fx_edt(float *dist, const uint8_t *mask, const size_t shape[3], const double voxel[3]);

#endif
