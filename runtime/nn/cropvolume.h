// SPDX-License-Identifier: Apache-2.0
/* cropvolume.h: a stream of images and one of labels become a volume to draw crops of. */
#ifndef FX_NN_CROPVOLUME_H
#define FX_NN_CROPVOLUME_H

#include "block/gather.h"
#include "nn/crops.h"

/** What came, and what became of it. Zero-initialise, set most of both; fx_cropvolume_fini(). */
struct fx_cropvolume {
	struct fx_gather image, truth;

	struct fx_region region;      /**< where both are */
	double voxel_nm[3];	      /**< of the image */
	float *pixels;		      /**< owned, as what follows: brightness 0 to 1 */
	uint32_t *labels;	      /**< 1.. in order of first appearance, 0: unknown */
	uint32_t *aside;	      /**< the labels of what is kept aside, else NULL */
	size_t aside_lo, aside_hi;    /**< sections of it, counted from the first of the region */
	struct fx_crop_source source; /**< of pixels and labels; share 1 */
};

/** How labels are read. */
struct fx_cropvolume_rules {
	bool zero_is_edge;	      /**< 0 is boundary, otherwise unknown */
	int64_t aside_from, aside_to; /**< sections whose labels are kept aside; equal: none */
};

/** Joins what was gathered, which is freed. FX_EINVAL when images and labels do not meet or differ
 * in voxel size, FX_ENOMEM. */
int fx_cropvolume_close(struct fx_cropvolume *v, const struct fx_cropvolume_rules *rules,
			struct fx_error *err);
void fx_cropvolume_fini(struct fx_cropvolume *v);

#endif
