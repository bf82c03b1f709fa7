// SPDX-License-Identifier: Apache-2.0
/* watershed.h: seeds at the maxima of a map, and flooding from them. Knows nothing of where
 * the map or the boundary comes from. */
#ifndef FX_KERNELS_WATERSHED_H
#define FX_KERNELS_WATERSHED_H

#include <stddef.h>
#include <stdint.h>

/** A volume may have at most this many voxels here. */
#define FX_WATERSHED_LEN_MAX ((size_t)UINT32_MAX - 1)

/** Marks the maxima of @p map (zyx, C order; a distance transform, or a network's interior map):
 * voxels above @p floor that no voxel of the box of radius[axis] voxels around them exceeds.
 * Maxima that touch (26 neighbours) are one seed. labels become 1..*count in raster order of each
 * seed's first voxel, 0 elsewhere. Returns FX_OK, FX_EINVAL for an empty or too large shape,
 * FX_ENOMEM. Same bits for any thread count. */
int fx_seeds_maxima(uint32_t *labels, uint32_t *count, const float *map, const size_t shape[3],
		    const size_t radius[3], float floor);

/** Floods @p labels (seeds, 0 elsewhere) over 6 neighbours in order of @p height, lowest first,
 * voxels of one height in order of arrival (bucket queue; Meyer 1991): every voxel that is
 * connected to a seed gets a label. Without any seed all stay 0. Errors as fx_seeds_maxima().
 * Serial. */
int fx_watershed_flood(uint32_t *labels, const uint8_t *height, const size_t shape[3]);

#endif
