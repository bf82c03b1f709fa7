// SPDX-License-Identifier: Apache-2.0
/* op.h: what a kind of layer is made of, and what layers share. For runtime/nn only. */
#ifndef FX_NN_OP_H
#define FX_NN_OP_H

#include "nn/nn.h"

/** Sums that threads share are made in this many parts, added in order: same bits for any number
 * of threads. */
enum { FX_NN_PARTS = 16, FX_NN_SPAN = 512 };

/** A kind of layer. */
struct fx_nn_op {
	const char *name;
	bool reads_in;	/**< backward reads the data of its inputs */
	bool reads_out; /**< backward reads the data of its output */
	bool writes; /**< backward looks at first[0] itself; else the gradient is zeroed before */
	bool loss;   /**< derived by itself, by its first input only */
	bool over;   /**< forward may write its output over its second input */
	void (*forward)(struct fx_nn *net, struct fx_nn_layer *l);
	/** Adds to the gradients of inputs and weights; may spoil the gradient of the output. */
	void (*backward)(struct fx_nn *net, struct fx_nn_layer *l);
	void (*pack)(struct fx_nn *net, struct fx_nn_layer *l); /**< weights changed; may be NULL */
};

/** Settings of a layer; each kind uses what it needs. */
struct fx_nn_args {
	double a, b;
	size_t kernel, stride, count;
	bool flat, relu, flag;
	int64_t lo[3];
	uint64_t seed;
};

/** One layer. */
struct fx_nn_layer {
	const struct fx_nn_op *op;
	int in[FX_NN_IN_MAX], out; /**< values; -1 for none */
	int param;		   /**< the first of its tensors of weights, -1 for none */
	struct fx_nn_args args;
	size_t scratch, memory;	  /**< numbers it needs while it runs, and for good */
	NN_REAL *mem;		  /**< the latter */
	void *own;		  /**< what its kind needs; free() */
	bool first[FX_NN_IN_MAX]; /**< its backward is the first that adds to this input's gradient
				   */
};

/** Notes the first error of the description and returns -1. */
int fx_nn_refuse(struct fx_nn *net, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** True when all of the @p n values exist; notes nothing when one is -1 already. */
bool fx_nn_have(struct fx_nn *net, const int *values, int n);
/** Adds a layer with a fresh output of that shape; returns the output, -1 on failure. */
int fx_nn_add_layer(struct fx_nn *net, const struct fx_nn_layer *layer, struct fx_nn_shape out);
/** Adds a tensor of weights "NAME.WHAT" (or "NAME" for NULL) of @p rank sides; returns its number,
 * -1 on failure. */
int fx_nn_add_weights(struct fx_nn *net, const char *name, const char *what, int rank,
		      const size_t *dims, enum fx_nn_start start, double gain, bool decays);
/** The shape of a value; all 0 for -1. */
struct fx_nn_shape fx_nn_shape_of(const struct fx_nn *net, int x);
bool fx_nn_same(struct fx_nn_shape a, struct fx_nn_shape b);
/** Fills in strides and size of a value from shape and layout; false on overflow. */
bool fx_nn_lay_out(struct fx_nn_value *v);
/** Gives memory to everything; the second half of fx_nn_plan(). */
int fx_nn_plan_memory(struct fx_nn *net, struct fx_error *err);
/** Starts all weights from net->rng. */
void fx_nn_start_weights(struct fx_nn *net);

static inline NN_REAL *nn_weights(const struct fx_nn *net, const struct fx_nn_layer *l, int i)
{
	return net->weights + net->params[l->param + i].at;
}

static inline NN_REAL *nn_weight_grads(const struct fx_nn *net, const struct fx_nn_layer *l, int i)
{
	return net->grads + net->params[l->param + i].at;
}

/** Input @p i, which the layer has. */
static inline struct fx_nn_value *nn_in(const struct fx_nn *net, const struct fx_nn_layer *l, int i)
{
	return &net->values[l->in[i]];
}

/** Input @p i, or NULL. */
static inline struct fx_nn_value *nn_maybe(const struct fx_nn *net, const struct fx_nn_layer *l,
					   int i)
{
	return l->in[i] < 0 ? NULL : &net->values[l->in[i]];
}

static inline struct fx_nn_value *nn_out(const struct fx_nn *net, const struct fx_nn_layer *l)
{
	return &net->values[l->out];
}

/** A run of voxels without gaps. */
struct nn_span {
	size_t at; /* number of the first */
	size_t voxels;
};

/** How many spans a value has: rows, or FX_NN_SPAN voxels of a dense value. Values that differ in
 * channels only have the same spans. */
static inline size_t nn_spans(const struct fx_nn_value *v)
{
	const size_t rows = v->shape.n * v->shape.z * v->shape.y;

	return v->layout == FX_NN_PADDED ? rows : (rows * v->shape.x + FX_NN_SPAN - 1) / FX_NN_SPAN;
}

static inline struct nn_span nn_span(const struct fx_nn_value *v, size_t i)
{
	const struct fx_nn_shape *s = &v->shape;

	if (v->layout == FX_NN_DENSE) {
		const size_t all = s->n * s->z * s->y * s->x, at = i * FX_NN_SPAN;

		return (struct nn_span){ at * s->c, all - at < FX_NN_SPAN ? all - at : FX_NN_SPAN };
	}
	return (struct nn_span){ v->at.origin + i / (s->z * s->y) * v->sample +
					 i / s->y % s->z * v->at.stride[0] +
					 i % s->y * v->at.stride[1],
				 s->x };
}

/** Numbers from voxel to voxel. */
static inline size_t nn_step(const struct fx_nn_value *v)
{
	return v->at.stride[2];
}

/** Number of voxel (n, z, y, x). */
static inline size_t nn_at(const struct fx_nn_value *v, size_t n, size_t z, size_t y, size_t x)
{
	return v->at.origin + n * v->sample + z * v->at.stride[0] + y * v->at.stride[1] +
	       x * v->at.stride[2];
}

/** The @p part-th of FX_NN_PARTS ranges of 0..n: from nn_part(n, part) to nn_part(n, part + 1). */
static inline size_t nn_part(size_t n, size_t part)
{
	return n / FX_NN_PARTS * part + n % FX_NN_PARTS * part / FX_NN_PARTS;
}

/** Zeros all numbers of @p array, which lies as the padded @p v, that belong to no voxel. */
void fx_nn_zero_pads(const struct fx_nn_value *v, NN_REAL *array);
/** Zeros the slots beyond the channels of every voxel. */
void fx_nn_zero_slots(const struct fx_nn_value *v, NN_REAL *array);
/** to[i] += the sum of FX_NN_PARTS arrays of @p n numbers, in order. */
void fx_nn_add_parts(NN_REAL *to, const NN_REAL *parts, size_t n);
/** bias_grad[c] += the sum of the gradient of @p v over its voxels. @p scratch: PARTS * c. */
void fx_nn_bias_grads(NN_REAL *bias_grad, const struct fx_nn_value *v, NN_REAL *scratch);
/** grad = 0 where data (after ReLU) is not above 0. */
void fx_nn_mask_relu(const struct fx_nn_value *v);
/** C (m x n, stride ldc) = alpha op(A) op(B) + beta C, rows in parallel, same bits for any number
 * of threads. BLAS threads must be 1. */
void fx_nn_gemm(bool ta, bool tb, size_t m, size_t n, size_t k, NN_REAL alpha, const NN_REAL *a,
		size_t lda, const NN_REAL *b, size_t ldb, NN_REAL beta, NN_REAL *c, size_t ldc);

#endif
