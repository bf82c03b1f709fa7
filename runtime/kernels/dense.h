// SPDX-License-Identifier: Apache-2.0
/* dense.h: the motion between two images made exact by all of their voxels.
 * B. D. Lucas, T. Kanade, "An iterative image registration technique", Proc. IJCAI (1981) 674-679,
 * with the mean of both images' gradients, so that neither is preferred (S. Benhimane, E. Malis,
 * Proc. IROS (2004) 943-948), and the matrix of the products of one image's gradient with the
 * other's, in which the noise of the two cancels. Squares of 16 voxels whose difference is larger
 * than usual count less: folds, and tissue that has changed. */
#ifndef FX_KERNELS_DENSE_H
#define FX_KERNELS_DENSE_H

#include "kernels/affinefit.h"
#include "kernels/plane.h"

/** Changes @p map, voxel of @p section -> place in @p reference, which must be right within about
 * two voxels, to where their voxels fit best: at most 48 squares on each axis are compared, evenly
 * spread, of those inside of both. @p section is u8. False, and @p map as it was, when it leads
 * away by more than @p most voxels at a corner, or there is too little to compare. The same bits
 * for any number of threads; false also without memory. */
bool fx_dense_fit(const struct fx_plane *reference, const struct fx_plane *section,
		  enum fx_motion motion, double most, struct fx_affine2 *map);

#endif
