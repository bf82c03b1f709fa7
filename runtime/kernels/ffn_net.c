// SPDX-License-Identifier: Apache-2.0
/* ffn_net.c: evaluates the network of flood-filling with the convolutions of conv3d. */
#include "kernels/ffn_net.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct fx_ffn_net {
	size_t depth, features, shape[3];
	struct fx_layout in_layout, layout;
	struct fx_conv3d_plan first, middle; /* 2 to features, features to features */
	float *packed_first, *packed;	     /* owned; packed: one after another, 2 depth - 1 */
	float *bias;			     /* owned: slots of every layer, then the last one's */
	float *last;			     /* owned: weights of the last layer */
	float *in, *x, *a, *r; /* owned volumes: input, sum, inside a module, relu(x) */
	float *scratch;	       /* owned */
};

size_t fx_ffn_net_weights(size_t depth, size_t features, size_t layer)
{
	if (layer == 2 * depth)
		return features;
	return features * (layer ? features : 2) * 27;
}

static int make_plans(struct fx_ffn_net *n, enum fx_conv3d_path path, int threads,
		      struct fx_error *err)
{
	const struct fx_conv3d first = fx_conv3d_same(2, n->features, 3);
	const struct fx_conv3d middle = fx_conv3d_same(n->features, n->features, 3);
	const enum fx_conv3d_path small = path == FX_CONV3D_WINOGRAD ? FX_CONV3D_DIRECT : path;
	int result = FX_EINVAL;

	if (fx_layout_padded(&n->in_layout, n->shape, 2) != FX_OK ||
	    fx_layout_padded(&n->layout, n->shape, n->features) != FX_OK)
		return fx_error_set(err, FX_EINVAL, "a network field of %zux%zux%zu is too large",
				    n->shape[0], n->shape[1], n->shape[2]);
	result = fx_conv3d_plan(&n->first, &first, small, &n->in_layout, &n->layout, threads, err);
	return result ? result :
			fx_conv3d_plan(&n->middle, &middle, path, &n->layout, &n->layout, threads,
				       err);
}

static bool reserve(struct fx_ffn_net *n)
{
	const size_t slots = n->layout.slots,
		     scratch = n->first.scratch_len > n->middle.scratch_len ? n->first.scratch_len :
									      n->middle.scratch_len;

	n->packed_first = fx_alloc_aligned(n->first.packed_len * sizeof(float));
	n->packed = fx_alloc_aligned((2 * n->depth - 1) * n->middle.packed_len * sizeof(float));
	n->bias = fx_calloc(2 * n->depth * slots + 1, sizeof(float));
	n->last = fx_calloc(n->features, sizeof(float));
	n->in = fx_layout_alloc(&n->in_layout);
	n->x = fx_layout_alloc(&n->layout);
	n->a = fx_layout_alloc(&n->layout);
	n->r = fx_layout_alloc(&n->layout);
	n->scratch = fx_alloc_aligned((scratch ? scratch : 1) * sizeof(float));
	return n->packed_first && n->packed && n->bias && n->last && n->in && n->x && n->a &&
	       n->r && n->scratch;
}

static void pack(struct fx_ffn_net *n, const struct fx_ffn_weights *w)
{
	const size_t slots = n->layout.slots;

	fx_conv3d_pack(&n->first, n->packed_first, w->weight[0]);
	for (size_t i = 1; i < 2 * n->depth; i++)
		fx_conv3d_pack(&n->middle, n->packed + (i - 1) * n->middle.packed_len,
			       w->weight[i]);
	for (size_t i = 0; i < 2 * n->depth; i++)
		memcpy(n->bias + i * slots, w->bias[i], n->features * sizeof(float));
	n->bias[2 * n->depth * slots] = w->bias[2 * n->depth][0];
	memcpy(n->last, w->weight[2 * n->depth], n->features * sizeof(float));
}

struct fx_ffn_net *fx_ffn_net_new(const struct fx_ffn_weights *w, const size_t fov[3],
				  enum fx_conv3d_path path, int threads, struct fx_error *err)
{
	struct fx_ffn_net *n;

	if (!w->depth || w->depth > FX_FFN_DEPTH_MAX || !w->features ||
	    w->features > FX_FFN_FEATURES_MAX) {
		fx_error_set(err, FX_EINVAL,
			     "a network of %zu modules of %zu features: 1 to %d modules of 1 to %d "
			     "features are possible",
			     w->depth, w->features, FX_FFN_DEPTH_MAX, FX_FFN_FEATURES_MAX);
		return NULL;
	}
	n = fx_calloc(1, sizeof *n);
	if (!n) {
		fx_error_set(err, FX_ENOMEM, "no memory for the network");
		return NULL;
	}
	n->depth = w->depth;
	n->features = w->features;
	memcpy(n->shape, fov, sizeof n->shape);
	if (make_plans(n, path, threads, err) != FX_OK) {
		fx_ffn_net_free(n);
		return NULL;
	}
	if (!reserve(n)) {
		fx_error_set(err, FX_ENOMEM, "no memory for the network");
		fx_ffn_net_free(n);
		return NULL;
	}
	pack(n, w);
	return n;
}

void fx_ffn_net_free(struct fx_ffn_net *n)
{
	if (!n)
		return;
	free(n->packed_first);
	free(n->packed);
	free(n->bias);
	free(n->last);
	free(n->in);
	free(n->x);
	free(n->a);
	free(n->r);
	free(n->scratch);
	free(n);
}

static void load(struct fx_ffn_net *n, const float *image, const float *seed)
{
	size_t from = 0;

	for (size_t z = 0; z < n->shape[0]; z++)
		for (size_t y = 0; y < n->shape[1]; y++) {
			float *to =
				n->in + fx_layout_at(&n->in_layout, (ptrdiff_t)z, (ptrdiff_t)y, 0);

			for (size_t x = 0; x < n->shape[2]; x++, from++, to += n->in_layout.slots) {
				to[0] = image[from];
				to[1] = seed[from];
			}
		}
}

/* The last convolution: a weighted sum of relu(x) over the features. */
static void unload(const struct fx_ffn_net *n, float *logits, const float *seed)
{
	const float bias = n->bias[2 * n->depth * n->layout.slots];
	const size_t rows = n->shape[0] * n->shape[1];

	for (size_t r = 0; r < rows; r++) {
		const float *from = n->r + fx_layout_at(&n->layout, (ptrdiff_t)(r / n->shape[1]),
							(ptrdiff_t)(r % n->shape[1]), 0);
		const size_t at = r * n->shape[2];

		for (size_t x = 0; x < n->shape[2]; x++, from += n->layout.slots) {
			float sum = bias;

			for (size_t c = 0; c < n->features; c++)
				sum += from[c] * n->last[c];
			logits[at + x] = seed[at + x] + sum;
		}
	}
}

void fx_ffn_net_run(void *arg, float *logits, const float *image, const float *seed)
{
	struct fx_ffn_net *n = arg;
	const size_t slots = n->layout.slots, packed = n->middle.packed_len;
	struct fx_conv3d_args inner = { .out = n->a, .relu = true, .scratch = n->scratch };
	struct fx_conv3d_args outer = {
		.in = n->a, .out = n->x, .also = n->r, .scratch = n->scratch
	};

	load(n, image, seed);
	inner.in = n->in;
	inner.packed = n->packed_first;
	for (size_t i = 0; i < n->depth; i++) {
		inner.bias = n->bias + 2 * i * slots;
		fx_conv3d_run(i ? &n->middle : &n->first, &inner);
		outer.packed = n->packed + 2 * i * packed;
		outer.bias = n->bias + (2 * i + 1) * slots;
		outer.residual = i ? n->x : NULL;
		fx_conv3d_run(&n->middle, &outer);
		inner.in = n->r;
		inner.packed = n->packed + (2 * i + 1) * packed;
	}
	unload(n, logits, seed);
}
