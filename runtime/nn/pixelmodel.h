// SPDX-License-Identifier: Apache-2.0
/* pixelmodel.h: model files of networks that judge every voxel by its features. */
#ifndef FX_NN_PIXELMODEL_H
#define FX_NN_PIXELMODEL_H

#include "kernels/voxelmlp.h"
#include "nn/arch.h"
#include "nn/checkpoint.h"

enum { FX_PIXELMODEL_TEXT_MAX = 1536, FX_PIXELMODEL_SIZE_MAX = 64 << 20 };

/** The metadata "features": which numbers the network takes. */
#define FX_PIXELMODEL_FEATURES "brightness gradient hessian3 at 1 1.6 2.5 4"

/** Mean and deviation of every feature where it was trained: a network sees (f - mean) / sd. */
struct fx_pixelmodel_norm {
	double mean[FX_FEATURES], sd[FX_FEATURES];
};

/** A model ready to run. Zero-initialise; fx_pixelmodel_fini() when done. */
struct fx_pixelmodel {
	struct fx_voxelmlp mlp; /**< owned; takes features as they are */
	double voxel_nm[3];	/**< of what it was trained on */
};

/** Reads a model file. FX_ENOENT, FX_EIO: no such file; FX_ETYPE, FX_EINVAL: not a network of this
 * kind, other features, tensors missing, of other shape or not finite; FX_ENOMEM. Errors name the
 * file, what is wrong and what is wanted. */
int fx_pixelmodel_read(struct fx_pixelmodel *m, const char *path, struct fx_error *err);
void fx_pixelmodel_fini(struct fx_pixelmodel *m);

/** The metadata "input_norm" as JSON, and back. FX_EINVAL. */
int fx_pixelmodel_norm_print(const struct fx_pixelmodel_norm *n, char text[FX_PIXELMODEL_TEXT_MAX]);
int fx_pixelmodel_norm_parse(struct fx_pixelmodel_norm *n, const char *text, struct fx_error *err);

#endif
