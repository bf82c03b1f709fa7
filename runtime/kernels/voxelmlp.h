// SPDX-License-Identifier: Apache-2.0
/* voxelmlp.h: a small network of linear layers with ReLU between, voxel by voxel. */
#ifndef FX_KERNELS_VOXELMLP_H
#define FX_KERNELS_VOXELMLP_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/features.h"

enum { FX_VOXELMLP_LAYERS_MAX = 8, FX_VOXELMLP_WIDTH_MAX = 4096 };

/** Layers, packed. Zero-initialise; fx_voxelmlp_fini() when done. */
struct fx_voxelmlp {
	size_t layers;
	size_t in[FX_VOXELMLP_LAYERS_MAX], out[FX_VOXELMLP_LAYERS_MAX];
	float *packed[FX_VOXELMLP_LAYERS_MAX]; /**< owned: outputs in groups of 6, zeros to fill
						  the last; of each group a row of biases, then one
						  row per input */
};

/** Adds a layer behind the others: @p weight is out x in, @p bias out. FX_EINVAL when @p in is not
 * what the layer before gives, for a width of 0 or above 4096, or for one layer too many;
 * FX_ENOMEM. */
int fx_voxelmlp_add(struct fx_voxelmlp *m, const float *weight, const float *bias, size_t in,
		    size_t out);
void fx_voxelmlp_fini(struct fx_voxelmlp *m);

/** Floats of scratch that fx_voxelmlp_run() needs. */
size_t fx_voxelmlp_scratch(const struct fx_voxelmlp *m);
/** The numbers of the last layer for @p n voxels: input i of voxel x is in[i * stride + x], output
 * o goes to out[o * stride + x]. @p stride is at least @p n rounded up to 16: as many voxels are
 * read and written. Every voxel has the same bits wherever it stands. */
void fx_voxelmlp_run(const struct fx_voxelmlp *m, float *out, const float *in, size_t n,
		     size_t stride, float *scratch);

/** How probable a boundary is at every voxel of @p f, 0 to 255 (zyx, C order): the logistic
 * function of the one output of @p m on the features. FX_EINVAL when @p m does not take FX_FEATURES
 * numbers and give one; FX_ENOMEM. Same bits for any number of threads. */
int fx_voxelmlp_boundary(const struct fx_voxelmlp *m, const struct fx_features *f,
			 uint8_t *boundary);

#endif
