// SPDX-License-Identifier: Apache-2.0
/* arch.h: networks that are known by name, so that a model file rebuilds its own. */
#ifndef FX_NN_ARCH_H
#define FX_NN_ARCH_H

#include "formats/safetensors.h"
#include "nn/nn.h"

enum { FX_ARCH_LEVELS_MAX = 6, FX_ARCH_HEADS_MAX = 8, FX_ARCH_TEXT_MAX = 512 };

enum fx_arch_kind {
	FX_ARCH_MLP,  /**< "mlp": linear layers with ReLU between; every voxel by itself */
	FX_ARCH_UNET, /**< "unet": residual 3-D U-Net with additive skips and 1x1x1 heads */
};

/** An architecture and its arguments; all that is needed beside the size of the input. */
struct fx_arch {
	enum fx_arch_kind kind;
	size_t in;			  /**< channels of the input */
	size_t width[FX_ARCH_LEVELS_MAX]; /**< of the hidden layers, or of the levels */
	size_t levels;			  /**< of them */
	size_t flat;			/**< unet: the first so many levels do not mix or halve z */
	size_t head[FX_ARCH_HEADS_MAX]; /**< channels of each output */
	char names[FX_ARCH_HEADS_MAX][24]; /**< and what they are called */
	size_t heads;
};

/** What a built network takes and gives. */
struct fx_arch_values {
	int in, heads[FX_ARCH_HEADS_MAX]; /**< heads give logits: nothing is put after them */
};

/** Describes the network in @p net for inputs of @p shape (its c is @p a->in). A U-Net of L levels
 * wants sides that are multiples of 2^(L - 1) (z: of 2^(L - 1 - flat)). fx_nn_plan() tells what
 * failed. U-Net: stem of 3x3x3, then a residual block (relu(x + conv(relu(conv x))), the second
 * convolution starting at a tenth) at each level down and up, 2x2x2 convolutions of stride 2
 * between, and transposed ones plus the skip on the way back. */
void fx_arch_build(const struct fx_arch *a, struct fx_nn *net, struct fx_nn_shape shape,
		   struct fx_arch_values *values);
/** Smallest numbers that the sides z, y, x must be multiples of. */
void fx_arch_multiple(const struct fx_arch *a, size_t multiple[3]);
/** Name of the architecture. */
const char *fx_arch_name(const struct fx_arch *a);
/** Arguments as compact JSON. FX_EINVAL when they do not fit. */
int fx_arch_print(const struct fx_arch *a, char text[FX_ARCH_TEXT_MAX], struct fx_error *err);
/** Reads name and arguments, any text: all that fx_arch_build() relies on is checked. */
int fx_arch_parse(struct fx_arch *a, const char *name, const char *args, struct fx_error *err);
/** The same from the metadata "arch" and "arch_args" of a model file. */
int fx_arch_of(struct fx_arch *a, const struct fx_safetensors *s, struct fx_error *err);

#endif
