// SPDX-License-Identifier: Apache-2.0
/* render_plane.h: keeps one section of a stream of blocks, thinned to the size of a picture. */
#ifndef FX_KERNELS_RENDER_PLANE_H
#define FX_KERNELS_RENDER_PLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "base/pack.h"

/** One section of h x w samples, each of @p thin x @p thin voxels. Zero-initialise. */
struct fx_plane {
	int64_t z; /**< the section; -1 while none has come */
	size_t h, w, thin;
	int64_t voxels[2]; /**< of the section, y x */
	int64_t layer_lo;  /**< first section of the layer that came last */
	uint64_t layers;   /**< how many have begun */
	uint32_t *sum;	   /**< owned; of the grey values of a sample */
	uint32_t *count;   /**< owned; of its voxels that came */
	uint64_t *labels;  /**< owned; of the middle voxel of each sample */
};

/** Makes room for a section of @p height x @p width voxels in at most @p side samples a side, for
 * grey values or for @p labels. FX_ENOMEM; FX_EINVAL for a size of 0. */
int fx_plane_init(struct fx_plane *p, int64_t height, int64_t width, size_t side, bool labels);
void fx_plane_fini(struct fx_plane *p);
/** Takes from the core of a block what belongs to section @p z. With @p z of -1 (the number of
 * sections is not known) it keeps the middle of the first, second, fourth, eighth ... layer of
 * blocks, always the last of these: at the end a section of the later half of what came. */
void fx_plane_take(struct fx_plane *p, const struct fx_block *b, int64_t z);
/** Grey value 0 to 255 of sample @p i; 0 where nothing came. */
uint8_t fx_plane_grey(const struct fx_plane *p, size_t i);
/** Puts what was taken, and takes it back to one that was initialised alike. FX_ETYPE, FX_ENOMEM.
 */
void fx_plane_pack(const struct fx_plane *p, struct fx_pack *to);
int fx_plane_unpack(struct fx_plane *p, struct fx_unpack *from);

#endif
