// SPDX-License-Identifier: Apache-2.0
/* crops.h: training crops of volumes with known bodies: image, and what a network should say of
 * it. */
#ifndef FX_NN_CROPS_H
#define FX_NN_CROPS_H

#include "kernels/affinity.h"
#include "nn/augment.h"

/** What a network that finds boundaries says of every voxel. */
enum fx_crop_head {
	FX_HEAD_AFFINITY, /**< it is of one body with the next lower voxel along z, y, x */
	FX_HEAD_ERODED,	  /**< the same with bodies that lost their outermost voxels */
	FX_HEAD_DISTANCE, /**< tanh of the distance to the next body over 6 finest voxels */
	FX_HEAD_LONG,	  /**< it is of one body with the voxel 4 (z, y, x) or 10 lower */
	FX_HEADS,
};

/** Name of a head in model files, and its channels. */
struct fx_crop_head_kind {
	const char *name;
	size_t channels;
	double scale; /**< of its loss */
};
extern const struct fx_crop_head_kind fx_crop_heads[FX_HEADS];

/** A volume to learn from: brightness 0 to 1 and bodies, zyx, C order. */
struct fx_crop_source {
	const float *image;	/**< borrowed, as what follows */
	const uint32_t *labels; /**< 0: unknown */
	size_t shape[3];
	double share; /**< how often crops are of it, against the others */
};

/** How crops are drawn. */
struct fx_crop_spec {
	size_t side[3];		   /**< of a crop */
	double voxel_nm[3];	   /**< edges of a voxel */
	double mean, sd;	   /**< crops hold (brightness - mean) / sd */
	bool cubic;		   /**< z may be swapped with y and x */
	double warped;		   /**< share of the crops that are turned, scaled and bent */
	double scale;		   /**< those are scaled by 1 / (1 + s) to 1 + s */
	double bend;		   /**< and bent by a normal deviation of so many voxels */
	struct fx_augment augment; /**< grey values and sections */
};

/** Crops extend this far beyond their sides while their distances are computed. */
enum { FX_CROP_MARGIN = 8 };

/** One crop and its memory. Zero-initialise; fx_crop_fini(). */
struct fx_crop {
	size_t size[3];		 /**< with margins */
	float *image;		 /**< owned, as all that follows: the crop without margins */
	float *target[FX_HEADS]; /**< of each voxel the channels of a head, side */
	float *weight[FX_HEADS]; /**< how much they count; each channel's classes are balanced */
	float *wide, *distance;	 /**< with margins */
	uint32_t *labels, *eroded;
};

/** Memory for crops of @p spec. FX_ENOMEM. */
int fx_crop_init(struct fx_crop *c, const struct fx_crop_spec *spec);
void fx_crop_fini(struct fx_crop *c);
/** Draws a crop of one of @p sources by the numbers of @p rng; its core lies in the source where
 * that is large enough, and its middle in a body. FX_ENOMEM. */
int fx_crop_draw(struct fx_crop *c, const struct fx_crop_spec *spec,
		 const struct fx_crop_source *sources, size_t sources_len, struct fx_pcg *rng);
/** The crop around voxel @p middle of a source as it is, unchanged. FX_ENOMEM. */
int fx_crop_get(struct fx_crop *c, const struct fx_crop_spec *spec,
		const struct fx_crop_source *source, const double middle[3]);

#endif
