// SPDX-License-Identifier: Apache-2.0
/* ffn_net.h: the network of flood-filling: a stack of 3-D convolutions with residual modules. */
#ifndef FX_KERNELS_FFN_NET_H
#define FX_KERNELS_FFN_NET_H

#include <stddef.h>

#include <fornix/error.h>

#include "kernels/conv3d.h"

enum { FX_FFN_DEPTH_MAX = 64, FX_FFN_FEATURES_MAX = 256 };

/** What the network is made of. Tensors are OIDHW, float32: of layer 2 i and 2 i + 1 the two 3x3x3
 * convolutions of module i (the first of all has 2 inputs: image, logits), of layer 2 depth the
 * last 1x1x1 convolution to one channel. */
struct fx_ffn_weights {
	size_t depth, features; /**< modules, channels between them */
	const float *weight[2 * FX_FFN_DEPTH_MAX + 1], *bias[2 * FX_FFN_DEPTH_MAX + 1];
};

struct fx_ffn_net;

/** Values of the weight tensor of @p layer (0 to 2 depth). */
size_t fx_ffn_net_weights(size_t depth, size_t features, size_t layer);
/** Packs the weights and reserves all memory that an evaluation takes. @p path of the
 * convolutions between features; @p threads of OpenMP, 0 for all. NULL with a text in @p err.
 * fx_ffn_net_free(). */
struct fx_ffn_net *fx_ffn_net_new(const struct fx_ffn_weights *w, const size_t fov[3],
				  enum fx_conv3d_path path, int threads, struct fx_error *err);
/** Takes NULL. */
void fx_ffn_net_free(struct fx_ffn_net *net);
/** @p arg is a struct fx_ffn_net. @p image, @p seed and @p logits have the field's shape, zyx:
 *     x = conv0b(relu(conv0a(image, seed)));  x += conv_b(relu(conv_a(relu(x)))) for each module;
 *     logits = seed + conv_last(relu(x))
 * with one layer of zeros around the field at every 3x3x3 convolution. Same bits for any number of
 * threads. Method: convstack_3d of google/ffn. */
void fx_ffn_net_run(void *arg, float *logits, const float *image, const float *seed);

#endif
