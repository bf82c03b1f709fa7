// SPDX-License-Identifier: Apache-2.0
/* unetfit_priv.h: what the files of unetfit share. */
#ifndef FX_NN_UNETFIT_PRIV_H
#define FX_NN_UNETFIT_PRIV_H

#include "nn/unetfit.h"

/* One crop in work, with a network of its own. */
struct fx_unetfit_lane {
	struct fx_nn *net; /* owned */
	struct fx_crop crop;
	int in, head[FX_HEADS], target[FX_HEADS], weight[FX_HEADS]; /* values */
	double loss;
	int err;
};

/* Puts the lane's crop into its network and runs it: l->loss. */
void fx_unetfit_show(struct fx_unetfit_lane *l);
/* The weights of the first lane to all others. */
void fx_unetfit_spread(struct fx_unetfit *f);
/* How many lanes run at once. */
int fx_unetfit_threads(const struct fx_unetfit *f);

#endif
