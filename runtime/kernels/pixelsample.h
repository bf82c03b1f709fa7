// SPDX-License-Identifier: Apache-2.0
/* pixelsample.h: chooses voxels of images with true labels to learn from. */
#ifndef FX_KERNELS_PIXELSAMPLE_H
#define FX_KERNELS_PIXELSAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

#include "kernels/features.h"
#include "kernels/reservoir.h"

enum fx_pixelsample_set { FX_SAMPLE_TRAIN, FX_SAMPLE_ASIDE, FX_SAMPLE_SETS };

/** Rows of FX_FEATURES numbers of voxels inside of bodies [0] and at their boundary [1]. Which
 * voxels are chosen depends on the seed and their places alone. Zero-initialise, set the seed and
 * the sections kept aside; fx_pixelsample_init(), fx_pixelsample_fini(). */
struct fx_pixelsample {
	uint64_t seed;
	int64_t aside_lo, aside_hi; /**< sections that go to FX_SAMPLE_ASIDE */
	bool zero_is_edge;	    /**< label 0 is boundary, not unknown */

	struct fx_reservoir rows[FX_SAMPLE_SETS][2];
};

/** At most @p most rows of either kind to train on, and an eighth of it (at least 1) of those kept
 * aside. */
void fx_pixelsample_init(struct fx_pixelsample *s, size_t most);
/** Chooses among the voxels in both cores; global coordinates must be 0 to below 2^21. @p image may
 * be as fx_features_init() wants it, its halo is context; @p labels u8, u16, u32, u64. Voxels of
 * label 0 are left out unless zero_is_edge. Errors as fx_features_init(). */
int fx_pixelsample_add(struct fx_pixelsample *s, const struct fx_block *image,
		       const struct fx_block *labels);
/** Ends the choice. FX_ENOMEM. */
int fx_pixelsample_close(struct fx_pixelsample *s);
void fx_pixelsample_fini(struct fx_pixelsample *s);

#endif
