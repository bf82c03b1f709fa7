// SPDX-License-Identifier: Apache-2.0
/* ffnmodel.h: the file of a flood-filling network: safetensors with its constants as metadata. */
#ifndef FX_FORMATS_FFNMODEL_H
#define FX_FORMATS_FFNMODEL_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

enum {
	FX_FFN_MODEL_DEPTH_MAX = 64,
	FX_FFN_MODEL_FEATURES_MAX = 256,
	FX_FFN_MODEL_LAYERS_MAX = 2 * FX_FFN_MODEL_DEPTH_MAX + 1,
};

/** The value of the metadata "arch". */
#define FX_FFN_MODEL_ARCH "ffn.convstack3d"

/** A network. Zero-initialise; fx_ffn_model_fini() when done. */
struct fx_ffn_model {
	size_t depth, features;	  /**< residual modules; channels between them */
	size_t fov[3], deltas[3]; /**< zyx, voxels */
	double mean, stddev; /**< of grey values 0 to 255: the network sees (v - mean) / stddev */
	double voxel_nm[3];  /**< of its training data, 0 when the file does not tell */
	float *values;	     /**< owned: all tensors */
	const float *weight[FX_FFN_MODEL_LAYERS_MAX]; /**< OIDHW, layer after layer */
	const float *bias[FX_FFN_MODEL_LAYERS_MAX];
	uint64_t hash; /**< of constants and values */
};

/** Reads a model: metadata arch, depth, features, fov_zyx, deltas_zyx, image_mean, image_stddev
 * ("33,33,33" for triples; voxel_nm optional) and tensors conv0_a, conv0_b, conv1_a, ... conv_lom,
 * each .weight and .bias. FX_EINVAL with a text that names the file and what is wrong in it:
 * another architecture, a missing tensor or one of another shape, a constant that is missing or out
 * of range, a weight that is not a number. FX_ENOENT, FX_EIO, FX_ENOMEM. */
int fx_ffn_model_read(struct fx_ffn_model *m, const char *path, struct fx_error *err);
/** Takes a zeroed one too. */
void fx_ffn_model_fini(struct fx_ffn_model *m);
/** Writes one; depth, features, fov, deltas, mean, stddev, voxel_nm, weight, bias are set. @p
 * source says where the weights come from. */
int fx_ffn_model_write(const struct fx_ffn_model *m, const char *path, const char *source,
		       struct fx_error *err);

/** Name of layer @p layer of a network of @p depth modules: "conv0_a", ..., "conv_lom". */
void fx_ffn_model_layer(char name[16], size_t depth, size_t layer);
/** Shape OIDHW of the weights of @p layer; returns their number. */
size_t fx_ffn_model_shape(size_t shape[5], size_t depth, size_t features, size_t layer);

#endif
