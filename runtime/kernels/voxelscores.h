// SPDX-License-Identifier: Apache-2.0
/* voxelscores.h: how well a mask covers the true one, voxel by voxel. */
#ifndef FX_KERNELS_VOXELSCORES_H
#define FX_KERNELS_VOXELSCORES_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

/** Voxels that are in both masks, in the prediction alone, in the truth alone, in none. */
struct fx_voxel_counts {
	uint64_t both, excess, missed, none;
};

/** Scores from counts: with p both, e excess, m missed. */
struct fx_voxel_scores {
	double iou;	  /**< p / (p + e + m), Jaccard index; 0 when all are 0 */
	double dice;	  /**< 2 p / (2 p + e + m), which is F1 too; 0 when all are 0 */
	double precision; /**< p / (p + e), 0 without any */
	double recall;	  /**< p / (p + m), 0 without any */
	double accuracy;  /**< share of voxels that are right */
};

/** Adds @p n voxels. @p threshold below 0 takes @p mask as a mask or labels (what is not 0 is in
 * it); else what is above it is, u8 counting as value / 255 and u16 as value / 65535. @p truth is a
 * mask or labels. Types u8 to u64, with a threshold u8, u16 and f32 (NAN is not above); FX_ETYPE
 * for another. */
int fx_voxel_count(struct fx_voxel_counts *c, const void *mask, enum fx_dtype mask_dtype,
		   double threshold, const void *truth, enum fx_dtype truth_dtype, size_t n);
void fx_voxel_add(struct fx_voxel_counts *to, const struct fx_voxel_counts *c);
struct fx_voxel_scores fx_voxel_score(const struct fx_voxel_counts *c);
/** Adds GROUP.iou, .dice, .f1, .precision, .recall, .accuracy, .both, .excess, .missed, .none.
 * FX_ENOMEM. */
int fx_voxel_scores_add(struct fx_record *r, const char *group, const struct fx_voxel_counts *c);
/** Means over @p len images: mean.iou and so on; of those where truth or mask has a voxel also
 * mean_present.iou and so on; images, images_present. Images of no voxel do not count. FX_ENOMEM.
 */
int fx_voxel_means_add(struct fx_record *r, const struct fx_voxel_counts *images, size_t len);

#endif
