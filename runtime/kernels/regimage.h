// SPDX-License-Identifier: Apache-2.0
/* regimage.h: a section prepared to be registered: a pyramid of small contrast-free images. */
#ifndef FX_KERNELS_REGIMAGE_H
#define FX_KERNELS_REGIMAGE_H

#include <stdbool.h>

#include "kernels/affine2.h"
#include "kernels/plane.h"

enum { FX_REGIMAGE_LEVELS = 12, FX_REGIMAGE_TOP = 512 };

/** Level 0 has the size of the section, each further one half of it (rounded up), the last one is
 * the first of at most FX_REGIMAGE_TOP voxels a side. Voxels are 128 plus 32 times the deviation
 * from the local mean in units of the local standard deviation, clipped: charging, shading and gain
 * are gone. Both are Gaussian, of 12 voxels; noise is smoothed by a Gaussian of 1.2 voxels. A
 * deviation far below that of the whole section counts less: what is blank stays quiet. */
struct fx_regimage {
	int levels;
	size_t height[FX_REGIMAGE_LEVELS], width[FX_REGIMAGE_LEVELS];
	uint8_t *voxels[FX_REGIMAGE_LEVELS]; /**< in one memory of fx_regimage_size() bytes */
};

/** Bytes for a section; false when there are too many, or none. */
bool fx_regimage_size(size_t height, size_t width, size_t *size);
/** The places of all levels in @p memory, borrowed. */
void fx_regimage_place(struct fx_regimage *r, size_t height, size_t width, void *memory);
/** Fills a placed one from a section of its size. FX_ENOMEM. Same bits for any thread count. */
int fx_regimage_fill(struct fx_regimage *r, const struct fx_plane *section);
/** Level @p level as an image. */
struct fx_plane fx_regimage_plane(const struct fx_regimage *r, int level);
/** The place of a level's voxel in the section, and the way back. */
struct fx_affine2 fx_regimage_up(int level);
struct fx_affine2 fx_regimage_down(int level);

#endif
