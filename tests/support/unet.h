// SPDX-License-Identifier: Apache-2.0
/* unet.h: small U-Nets as model files. Include after support/test.h. */
#ifndef FX_TESTS_UNET_H
#define FX_TESTS_UNET_H

#include <stdlib.h>
#include <string.h>

#include "nn/unetmodel.h"

/** Arguments of nets of three levels and of one that does not mix z above. */
#define UNET_ARGS                                                                                  \
	"{\"in\":1,\"width\":[8,9,12],\"heads\":{\"long\":6,\"distance\":1,\"eroded\":3,"          \
	"\"affinity\":3},\"flat\":0}"
#define UNET_FLAT_ARGS                                                                             \
	"{\"in\":1,\"width\":[8,8],\"heads\":{\"affinity\":3,\"distance\":1},\"flat\":1}"
#define UNET_PLAIN_ARGS "{\"in\":1,\"width\":[8],\"heads\":{\"affinity\":3,\"distance\":1}}"

enum { UNET_META = 5 };

static inline void unet_save(const struct fx_nn *net, const char *args, const char *path)
{
	const struct fx_tensor_meta meta[UNET_META] = {
		{ "arch", "unet" },
		{ "arch_args", args },
		{ "features", FX_UNETMODEL_FEATURES },
		{ "input_norm", "{\"mean\": 0.5, \"sd\": 0.25}" },
		{ "voxel_nm", "8 8 8" },
	};
	struct fx_error err = { 0 };

	if (fx_nn_save(net, NULL, NULL, meta, UNET_META, path, &err) < 0)
		fail_msg("%s", err.text);
}

/** A planned net for @p args; fx_nn_free(). */
static inline struct fx_nn *unet_net(const char *args, uint64_t seed)
{
	struct fx_nn *net = fx_nn_new(seed);
	struct fx_arch_values values;
	struct fx_error err = { 0 };
	struct fx_arch arch;
	size_t n[3];

	assert_non_null(net);
	if (fx_arch_parse(&arch, "unet", args, &err) < 0)
		fail_msg("%s", err.text);
	fx_arch_multiple(&arch, n);
	fx_arch_build(&arch, net, (struct fx_nn_shape){ 1, n[0], n[1], n[2], arch.in }, &values);
	if (fx_nn_plan(net, FX_NN_INFER, &err) < 0)
		fail_msg("%s", err.text);
	return net;
}

/** Writes a net with random weights. */
static inline void unet_random(const char *path, const char *args, uint64_t seed)
{
	struct fx_nn *net = unet_net(args, seed);

	unet_save(net, args, path);
	fx_nn_free(net);
}

/** Writes a net that finds what is bright to be inside: with b = (brightness - 0.5) / 0.25 or 0,
 * affinities are logits 10 b - 5 and the distance is b. */
static inline void unet_bright(const char *path)
{
	struct fx_nn *net = unet_net(UNET_PLAIN_ARGS, 1);
	NN_REAL *w = net->weights;

	memset(w, 0, net->weights_len * sizeof *w);
	w[fx_nn_param(net, "stem.weight")->at + 13] = 1; /* the middle tap of channel 0 */
	for (size_t c = 0; c < 3; c++) {
		w[fx_nn_param(net, "affinity.weight")->at + c * 8] = 10;
		w[fx_nn_param(net, "affinity.bias")->at + c] = -5;
	}
	w[fx_nn_param(net, "distance.weight")->at] = 1;
	unet_save(net, UNET_PLAIN_ARGS, path);
	fx_nn_free(net);
}

#endif
