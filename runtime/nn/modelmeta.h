// SPDX-License-Identifier: Apache-2.0
/* modelmeta.h: what the metadata of every model file tell. */
#ifndef FX_NN_MODELMETA_H
#define FX_NN_MODELMETA_H

#include "formats/safetensors.h"

/** The metadata "voxel_nm": the voxel edges z, y, x of what a model was trained on. FX_EINVAL
 * unless it is three lengths above 0. */
int fx_model_voxel(double voxel_nm[3], const struct fx_safetensors *s, struct fx_error *err);
/** How far the voxel edges @p voxel_nm are from the model's: the largest ratio of two edges, at
 * least 1. */
double fx_model_scale(const double model_nm[3], const double voxel_nm[3]);

#endif
