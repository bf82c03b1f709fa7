// SPDX-License-Identifier: Apache-2.0
/* quadric.h: a maximum between voxels. */
#ifndef FX_KERNELS_QUADRIC_H
#define FX_KERNELS_QUADRIC_H

/** Where the quadric that is nearest (least squares) to @p v at (y - 1, x - 1) has its top: @p at,
 * y x, each at most 1 from 0. Without a top, or farther off, it is 0. */
void fx_quadric_top(const double v[3][3], double at[2]);

#endif
