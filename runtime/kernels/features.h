// SPDX-License-Identifier: Apache-2.0
/* features.h: what a voxel and its surroundings look like, in 20 numbers. */
#ifndef FX_KERNELS_FEATURES_H
#define FX_KERNELS_FEATURES_H

#include <stddef.h>

#include <fornix/block.h>

/** Four scales, and five numbers of each: brightness, length of the gradient, the eigenvalues of
 * the Hessian from the largest to the smallest. Feature number = 5 * scale + number. */
enum { FX_FEATURES_SCALES = 4, FX_FEATURES_PER_SCALE = 5, FX_FEATURES = 20 };

/** Scales in voxels of the finest axis: 1, 1.6, 2.5, 4. */
extern const double fx_features_sigma[FX_FEATURES_SCALES];

/** A block smoothed at every scale. Zero-initialise; fx_features_fini() when done. */
struct fx_features {
	float *smooth[FX_FEATURES_SCALES]; /**< owned; zyx, C order */
	size_t shape[3];
	float per_step[3]; /**< of each axis: finest voxel edge / this one's */
};

/** Smooths an image (zyx, C order; @p dtype u8 and u16 count as 0..1, f32 as it is; values that are
 * not finite, or far from 0..1, as the nearest of -1 and 2, NaN as 0) by Gaussians. @p voxel: edges
 * in any unit; a scale of s means s times the shortest of them along every axis. Beyond the faces
 * the image is mirrored. Returns FX_OK, FX_ETYPE for other types, FX_EINVAL for an empty or
 * overflowing shape or a voxel edge that is not positive, FX_ENOMEM. Same bits for any number of
 * threads. */
int fx_features_init(struct fx_features *f, const void *image, enum fx_dtype dtype,
		     const size_t shape[3], const double voxel[3]);
void fx_features_fini(struct fx_features *f);

/** Floats of scratch that fx_features_row() needs. */
size_t fx_features_scratch(const struct fx_features *f);
/** The features of row (z, y): feature i of voxel x to out[i * stride + x]; @p stride is at least
 * shape[2]. Derivatives are central differences of the smoothed image, edge voxels repeated, in
 * units of the scale (scale-normalised, Lindeberg, IJCV 1998). Eigenvalues are within 2e-4 of the
 * largest of them in size. */
void fx_features_row(const struct fx_features *f, size_t z, size_t y, float *out, size_t stride,
		     float *scratch);

#endif
