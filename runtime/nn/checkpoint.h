// SPDX-License-Identifier: Apache-2.0
/* checkpoint.h: networks as safetensors files: weights, and what it takes to go on training. */
#ifndef FX_NN_CHECKPOINT_H
#define FX_NN_CHECKPOINT_H

#include "formats/safetensors.h"
#include "nn/nn.h"
#include "nn/optim.h"

/** Writes the weights by their names, with @p meta as the file's metadata. With @p optim also its
 * moments ("opt.m.NAME", "opt.v.NAME"), its steps ("opt.step") and the random state of the net
 * ("rng.net"); with @p rng that too ("rng.state"). Appears complete or not at all. */
int fx_nn_save(const struct fx_nn *net, const struct fx_optim *optim, const struct fx_pcg *rng,
	       const struct fx_tensor_meta *meta, size_t meta_len, const char *path,
	       struct fx_error *err);
/** Takes the weights of a planned net from @p s: every tensor of weights must be there with its
 * shape and finite values; tensors that are neither weights nor state are refused. FX_ENOENT for
 * one that is missing, FX_ETYPE for another shape, FX_EINVAL. On failure the net must not be used.
 */
int fx_nn_load(struct fx_nn *net, const struct fx_safetensors *s, struct fx_error *err);
/** Takes the rest of what fx_nn_save() wrote: training goes on to the same bits. @p rng may be
 * NULL. */
int fx_nn_resume(struct fx_nn *net, struct fx_optim *optim, struct fx_pcg *rng,
		 const struct fx_safetensors *s, struct fx_error *err);

#endif
