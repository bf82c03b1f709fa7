// SPDX-License-Identifier: Apache-2.0
/* faceflood.h: flooding from seeds over the faces between voxels. */
#ifndef FX_KERNELS_FACEFLOOD_H
#define FX_KERNELS_FACEFLOOD_H

#include <stddef.h>
#include <stdint.h>

/** Floods @p labels (seeds, 0 elsewhere; zyx, C order) over 6 neighbours: again and again the
 * lowest face between a voxel that has a label and one that has none gives the label on; a face
 * counts as at least as high as those that led to it. Of equal ones the first that was reached;
 * seeds reach theirs in raster order, each voxel its own in the order z, y, x below, then x, y, z
 * above (a minimum spanning forest cut at the seeds: Meyer 1991, Cousty et al. 2009). face[axis]:
 * of every voxel the height of the face to its lower neighbour along z, y, x; those at the lower
 * faces of the volume are not read. Every voxel that is connected to a seed gets a label. Returns
 * FX_OK, FX_EINVAL for an empty or too large shape, FX_ENOMEM. Serial. */
int fx_faces_flood(uint32_t *labels, const uint8_t *const face[3], const size_t shape[3]);

#endif
