// SPDX-License-Identifier: Apache-2.0
/* optim.h: steps down the gradient: SGD with momentum, Adam, AdamW; schedules of their rate. */
#ifndef FX_NN_OPTIM_H
#define FX_NN_OPTIM_H

#include "nn/nn.h"

enum fx_optim_kind {
	FX_OPTIM_SGD,	/**< with momentum, not Nesterov's; decay added to the gradient */
	FX_OPTIM_ADAM,	/**< Kingma and Ba, ICLR 2015; decay added to the gradient */
	FX_OPTIM_ADAMW, /**< Loshchilov and Hutter, ICLR 2019: decay apart from the gradient */
};

/** Settings, and the moments of a net's weights. Set the first part, zero the rest;
 * fx_optim_fini() when done. */
struct fx_optim {
	enum fx_optim_kind kind;
	double beta1;	  /**< momentum, or decay of the first moment */
	double beta2;	  /**< decay of the second moment */
	double eps;	  /**< added to its root */
	double decay;	  /**< of weights that are neither biases nor of norms */
	double clip_norm; /**< gradients are scaled to at most this norm; 0: not */
	double clip_each; /**< then each is cut to +- this; 0: not */
	uint64_t step;	  /**< steps made */
	NN_REAL *m, *v;	  /**< owned: moments in the order of the weights; v NULL for SGD */
	size_t len;
};

/** Memory for the moments of a planned @p net, all 0. FX_EINVAL for settings out of range: betas
 * in 0 to below 1, eps above 0, decay and clips at least 0. */
int fx_optim_init(struct fx_optim *o, const struct fx_nn *net, struct fx_error *err);
void fx_optim_fini(struct fx_optim *o);
/** Clips net->grads and moves the weights by @p rate; allocates nothing. Returns the norm of the
 * gradients before clipping; when that is not finite, nothing is changed. Same formulas as torch
 * 1.13. */
double fx_optim_step(struct fx_optim *o, struct fx_nn *net, double rate);

/** How the rate changes. */
struct fx_schedule {
	double rate;	 /**< the highest */
	uint64_t warmup; /**< steps over which it rises linearly to that */
	uint64_t total; /**< then it falls by half a cosine to @p floor at this step; 0: constant */
	double floor;
};

/** The rate of step number @p step (0 the first). */
double fx_schedule_rate(const struct fx_schedule *s, uint64_t step);

#endif
