// SPDX-License-Identifier: Apache-2.0
/* nn.h: networks: described layer by layer, planned once, then run and trained without allocating.
 *
 *	struct fx_nn *net = fx_nn_new(seed);
 *	const int x = fx_nn_input(net, (struct fx_nn_shape){ 1, 1, 1, 256, 20 }, FX_NN_DENSE);
 *	const int h = fx_nn_relu(net, fx_nn_linear(net, x, "hidden", 48, FX_NN_HE));
 *	...
 *	fx_nn_plan(net, FX_NN_TRAIN, &err);           // the first error of the description, or
 *memory fx_nn_put(net, x, data); fx_nn_forward(net); fx_nn_backward(net); fx_optim_step(...);
 *
 * A value is an array n z y x c (channels last) known by the number that the function that makes it
 * returns; a function that cannot make it notes why and returns -1, which the next ones pass on.
 * All results are the same bits for any number of threads. */
#ifndef FX_NN_NN_H
#define FX_NN_NN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

#include "kernels/conv3d.h"
#include "nn/pcg.h"
#include "nn/real.h"

enum { FX_NN_IN_MAX = 3, FX_NN_RANK_MAX = 5, FX_NN_NAME_MAX = 64 };

/** Samples, three axes of space, channels; all at least 1. */
struct fx_nn_shape {
	size_t n, z, y, x, c;
};

/** How a value lies in memory: without gaps, or as kernels/conv3d.h wants it, with zeros around and
 * the channels rounded up to slots of 8. Convolutions take and make padded values, attention dense
 * ones, all else either. */
enum fx_nn_layout { FX_NN_DENSE, FX_NN_PADDED };

/** One array. */
struct fx_nn_value {
	struct fx_nn_shape shape;
	enum fx_nn_layout layout;
	struct fx_layout at;  /**< of one sample */
	size_t sample, size;  /**< numbers from sample to sample, and of them all */
	int maker;	      /**< layer that makes it, -1 for an input */
	bool keep;	      /**< must survive to the end of forward */
	bool learns;	      /**< the loss is derived by it */
	bool shared;	      /**< its memory serves others too */
	NN_REAL *data, *grad; /**< in the arena once planned; grad NULL when not needed */
};

/** How a tensor of weights begins. */
enum fx_nn_start {
	FX_NN_ZEROS,
	FX_NN_ONES,
	FX_NN_HE,     /**< normal, deviation sqrt(2 / fan-in) */
	FX_NN_XAVIER, /**< even within sqrt(6 / (fan-in + fan-out)) */
	FX_NN_NORMAL, /**< normal, deviation 0.02 */
};

/** A tensor of weights. */
struct fx_nn_param {
	char name[FX_NN_NAME_MAX];
	int rank;
	size_t dims[FX_NN_RANK_MAX]; /**< convolution weights are o i z y x, linear ones o i */
	size_t at, len;		     /**< place in the weights and in the gradients */
	bool decays;		     /**< weight decay applies: not to biases and norms */
	enum fx_nn_start start;
	double gain; /**< factor of the start */
	size_t fan_in, fan_out;
};

struct fx_nn_layer;

/** A network. Read the fields; change none but winograd and dropping. */
struct fx_nn {
	struct fx_nn_value *values;
	struct fx_nn_layer *layers;
	struct fx_nn_param *params;
	size_t values_len, values_cap, layers_len, layers_cap, params_len, params_cap;
	NN_REAL *weights, *grads; /**< all weights in one array, and their gradients */
	size_t weights_len;
	NN_REAL *arena, *scratch; /**< memory of values, gradients and layers */
	size_t arena_len;	  /**< numbers */
	struct fx_pcg rng;	  /**< of dropout, and of the start */
	bool train, dropping;	  /**< planned for training; dropout is on */
	bool winograd;	       /**< set before layers are added: 3x3x3 convolutions are faster, and
				  exact to about 1e-5 only */
	bool stale;	       /**< weights changed since the layers packed them */
	double loss;	       /**< of the last forward */
	struct fx_error error; /**< the first of the description */
};

/** An empty network; weights start from @p seed. NULL without memory. */
struct fx_nn *fx_nn_new(uint64_t seed);
void fx_nn_free(struct fx_nn *net);

/** An array that the caller fills by fx_nn_put(). */
int fx_nn_input(struct fx_nn *net, struct fx_nn_shape shape, enum fx_nn_layout layout);
/** Keeps @p x readable after forward, and returns it. What no layer reads is kept by itself. */
int fx_nn_keep(struct fx_nn *net, int x);
/** Derives the loss by an input too: its grad can be read after backward. */
int fx_nn_learn(struct fx_nn *net, int x);

/** Settings of a convolution. */
struct fx_nn_conv {
	size_t out;    /**< channels */
	size_t kernel; /**< side: 1 or 3 at stride 1, 2 or 3 at stride 2 */
	size_t stride; /**< 1, or 2 along the axes of more than one voxel */
	bool flat;     /**< kernel and stride 1 along z */
	enum fx_nn_start start;
	double gain;   /**< factor of the start; 0 counts as 1 */
	bool relu;     /**< followed by ReLU */
	bool residual; /**< @p add is added before the ReLU */
	int add;       /**< value of the output's shape */
};

/** Convolution with bias; a kernel of 3 has one zero voxel around the input (output side =
 * ceil(input / stride)), others none. Weights "NAME.weight" and "NAME.bias". */
int fx_nn_conv(struct fx_nn *net, int x, const char *name, const struct fx_nn_conv *c);
/** Transposed convolution, kernel 2 and stride 2 (1 along z when flat) with bias: every side
 * doubles. Weights are i o z y x. */
int fx_nn_conv_up(struct fx_nn *net, int x, const char *name, const struct fx_nn_conv *c);
/** Every voxel's channels times a matrix, plus bias: Y = X W^T + b. */
int fx_nn_linear(struct fx_nn *net, int x, const char *name, size_t out, enum fx_nn_start start);

/** Functions of every number. */
int fx_nn_relu(struct fx_nn *net, int x);
int fx_nn_leaky_relu(struct fx_nn *net, int x, double slope);
int fx_nn_elu(struct fx_nn *net, int x);
int fx_nn_gelu(struct fx_nn *net, int x); /**< with erf */
int fx_nn_sigmoid(struct fx_nn *net, int x);
int fx_nn_tanh(struct fx_nn *net, int x);
int fx_nn_scale(struct fx_nn *net, int x, double factor);
/** The same forward; the gradient times @p factor (below 0: reversal). */
int fx_nn_grad_scale(struct fx_nn *net, int x, double factor);

/** Sum of two values of one shape. */
int fx_nn_add(struct fx_nn *net, int a, int b);
/** Product; @p b may have one channel for all of @p a. */
int fx_nn_mul(struct fx_nn *net, int a, int b);
/** Channels of @p a, then those of @p b. */
int fx_nn_concat(struct fx_nn *net, int a, int b);
/** The box of @p size voxels from @p lo (zyx, may be outside: zeros), per sample. */
int fx_nn_window(struct fx_nn *net, int x, const int64_t lo[3], const size_t size[3]);
/** @p b (one sample, the shape of a sample of @p a) added to every sample: position codes. */
int fx_nn_add_param(struct fx_nn *net, int x, const char *name, enum fx_nn_start start);

/** Largest, or mean, of boxes of 2 voxels along each axis (1 along z when flat); odd ends are left
 * out. */
int fx_nn_max_pool(struct fx_nn *net, int x, bool flat);
int fx_nn_mean_pool(struct fx_nn *net, int x, bool flat);
/** Twice the voxels along each axis (z not when flat): repeated, or linear between centres (edges
 * repeated; align_corners false). */
int fx_nn_up_nearest(struct fx_nn *net, int x, bool flat);
int fx_nn_up_linear(struct fx_nn *net, int x, bool flat);

/** Mean 0, deviation 1 over the channels of each voxel, then a weight and a bias per channel. */
int fx_nn_layer_norm(struct fx_nn *net, int x, const char *name, double eps);
/** The same over all voxels of a sample and the channels of each of @p groups groups (as many as
 * channels: instance norm). */
int fx_nn_group_norm(struct fx_nn *net, int x, const char *name, size_t groups, double eps);
/** Zeros a share @p p of the numbers (of the channels of a sample when @p channels) and divides
 * the rest by 1 - p, while net->dropping. */
int fx_nn_dropout(struct fx_nn *net, int x, double p, bool channels);
/** Self-attention over the voxels (tokens) of each sample of a dense value: channels are q, k, v of
 * all heads; softmax(q k^T / sqrt(width of a head)) v. */
int fx_nn_attention(struct fx_nn *net, int x, size_t heads);

/** Losses, values of one number that is derived: scale * sum(w * l) / sum(w), 0 for sum(w) = 0.
 * @p weight (-1: all 1) has the target's shape, or one channel for all; a weight of 0 ignores what
 * the target is, also when that is not a number. */
int fx_nn_bce(struct fx_nn *net, int logits, int target, int weight, double pos_weight,
	      double scale);
int fx_nn_mse(struct fx_nn *net, int x, int target, int weight, double scale);
int fx_nn_l1(struct fx_nn *net, int x, int target, int weight, double scale);
/** 1 - (2 sum(w p t) + 1) / (sum(w p) + sum(w t) + 1), p being probabilities. */
int fx_nn_dice(struct fx_nn *net, int p, int target, int weight, double scale);
/** Negative log softmax of the class; @p target has one channel that holds the class's number. */
int fx_nn_cross_entropy(struct fx_nn *net, int logits, int target, int weight, double scale);

enum fx_nn_purpose { FX_NN_INFER, FX_NN_TRAIN };

/** Ends the description: lays out memory (shared where lifetimes allow) and starts the weights.
 * Without FX_NN_TRAIN there is no backward. FX_EINVAL: what the description noted; FX_ENOMEM. */
int fx_nn_plan(struct fx_nn *net, enum fx_nn_purpose purpose, struct fx_error *err);

/** Copies dense numbers (n z y x c) into a value, or out of one. */
void fx_nn_put(struct fx_nn *net, int x, const NN_REAL *from);
void fx_nn_get(const struct fx_nn *net, int x, NN_REAL *to);
/** The same of the gradient. */
void fx_nn_get_grad(const struct fx_nn *net, int x, NN_REAL *to);
/** Numbers in a shape. */
size_t fx_nn_count(struct fx_nn_shape s);
/** Numbers in the dense form of a value. */
size_t fx_nn_len(const struct fx_nn *net, int x);

/** All values from the inputs; returns the sum of the losses. */
double fx_nn_forward(struct fx_nn *net);
/** Adds the derivatives of the losses by the weights to net->grads. Once after each forward. */
void fx_nn_backward(struct fx_nn *net);
/** net->grads = 0. */
void fx_nn_zero_grads(struct fx_nn *net);
/** Must be called when weights were written by others than the functions of runtime/nn. */
void fx_nn_touch(struct fx_nn *net);
/** The tensor of weights of that name, or NULL. */
const struct fx_nn_param *fx_nn_param(const struct fx_nn *net, const char *name);

#endif
