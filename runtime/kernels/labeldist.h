// SPDX-License-Identifier: Apache-2.0
/* labeldist.h: distance of each voxel to the nearest voxel of another label. */
#ifndef FX_KERNELS_LABELDIST_H
#define FX_KERNELS_LABELDIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

/** Exact Euclidean distance in nm, centre to centre, from each voxel to the nearest voxel of
 * another label (label 0 is another label too). @p labels: FX_U32 or FX_U64, zyx C order, @p shape
 * voxels;
 * @p voxel_nm zyx, above 0. @p out: as many floats; 0 where the label is 0, INFINITY where the
 * volume holds nothing else. With @p border the voxels just outside of the volume count as another
 * label. Errors: FX_EINVAL, FX_ETYPE, FX_ENOMEM. Any number of threads gives the same bits.
 * Method: the least sum of squares axis by axis, ended at each change of label along the axis. That
 * loses nothing: a voxel of another label on the line is nearer than whatever lies behind it. Most
 * voxels have one within some steps, which are tried one by one, lines side by side; for the rest
 * the lower envelope of parabolas (Felzenszwalb and Huttenlocher, Theory of Computing 8:415, 2012).
 */
int fx_label_distance(const void *labels, enum fx_dtype dtype, const size_t shape[3],
		      const double voxel_nm[3], bool border, float *out);

#endif
