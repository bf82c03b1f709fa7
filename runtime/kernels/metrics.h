// SPDX-License-Identifier: Apache-2.0
/* metrics.h: variation of information and Rand scores of a segmentation against the truth. */
#ifndef FX_KERNELS_METRICS_H
#define FX_KERNELS_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "kernels/contingency.h"

/** Which voxels count. */
enum fx_rule {
	FX_TRUTH_NONZERO, /**< truth not 0; segment 0 is a label like any other (funlib, SNEMI3D) */
	FX_BOTH_NONZERO,  /**< truth and segment not 0 */
	FX_ALL_VOXELS,	  /**< every voxel; 0 is a label on both sides */
	FX_RULES,
};

/** Scores under one rule. With n_ij the number of counted voxels with truth i and segment j, n_i
 * and n_j its sums, n = voxels, H entropies in bits (log2):
 * VOI after Meila 2007; Rand split and merge after Arganda-Carreras 2015 (SNEMI3D, CREMI) with
 * squared counts; the pairs form (scikit-image) leaves out the pairs of a voxel with itself; Rand
 * index after Rand 1971. */
struct fx_seg_scores {
	uint64_t voxels;		   /**< n */
	uint64_t pairs;			   /**< n_ij that are not 0 */
	uint64_t truth_labels, seg_labels; /**< n_i, n_j that are not 0 */
	double voi_split;		   /**< H(seg|truth) = H(truth,seg) - H(truth): splits */
	double voi_merge;		   /**< H(truth|seg) = H(truth,seg) - H(seg): mergers */
	double voi;			   /**< their sum */
	double rand_split;		   /**< sum n_ij^2 / sum n_i^2: lowered by splits */
	double rand_merge;		   /**< sum n_ij^2 / sum n_j^2: lowered by mergers */
	double rand_f;			   /**< harmonic mean of the two */
	double arand;			   /**< adapted Rand error, 1 - rand_f */
	double arand_pairs;		   /**< the same with n taken off every sum of squares */
	double rand_index; /**< 1 - (sum n_i^2 + sum n_j^2 - 2 sum n_ij^2) / (n (n - 1)) */
};

/** Name of a rule as it stands in records and JSON: "truth_nonzero" ... Static storage. */
const char *fx_rule_name(enum fx_rule rule);
/** Scores of the table @p c. Sums of squares are exact (128 bit), sums of logarithms compensated
 * and taken in sorted order: the result depends on the counts alone. FX_EINVAL when no voxel counts
 * under @p rule, FX_ENOMEM. */
int fx_metrics_scores(const struct fx_contingency *c, enum fx_rule rule, struct fx_seg_scores *out,
		      struct fx_error *err);
/** Scores of two label arrays of @p n voxels (u8, u16, u32 or u64 each) under every rule,
 * out[FX_RULES]. Rules under which no voxel counts give voxels == 0 and zeros. FX_EINVAL when n is
 * 0, FX_ETYPE for another type, FX_ENOMEM. */
int fx_metrics_compare(const void *seg, enum fx_dtype seg_dtype, const void *truth,
		       enum fx_dtype truth_dtype, size_t n, struct fx_seg_scores *out,
		       struct fx_error *err);

#endif
