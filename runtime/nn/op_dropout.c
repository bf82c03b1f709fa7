// SPDX-License-Identifier: Apache-2.0
/* op_dropout.c: zeros numbers, or channels, at random while training. */
#include "nn/op.h"

/* Factor of channel k of voxel x of span i: 0 or 1 / (1 - p), the same in forward and backward. */
struct drops {
	struct fx_pcg rng;
	NN_REAL keep;
	double p;
};

static NN_REAL drop_next(struct drops *d)
{
	return fx_pcg_unit(&d->rng) < d->p ? 0 : d->keep;
}

/* to (+)= from * mask over span i. */
static void drop_span(const struct fx_nn_value *v, const struct fx_nn_layer *l, size_t i,
		      NN_REAL *to, const NN_REAL *from, bool add)
{
	const struct nn_span s = nn_span(v, i);
	struct drops d = { .rng = fx_pcg_seed(l->args.seed, i),
			   .keep = (NN_REAL)(1 / (1 - l->args.a)),
			   .p = l->args.a };

	for (size_t k = 0; k < s.voxels * v->shape.c; k++) {
		const size_t at = s.at + k / v->shape.c * nn_step(v) + k % v->shape.c;

		to[at] = (add ? to[at] : 0) + drop_next(&d) * from[at];
	}
}

/* The same with one draw per sample and channel: rows of a sample are not told apart. */
static void drop_row(const struct fx_nn_value *v, const struct fx_nn_layer *l, size_t row,
		     NN_REAL *to, const NN_REAL *from, bool add)
{
	const struct fx_nn_shape s = v->shape;
	const size_t n = row / (s.z * s.y), at = nn_at(v, n, row / s.y % s.z, row % s.y, 0);
	struct drops d = { .rng = fx_pcg_seed(l->args.seed, n),
			   .keep = (NN_REAL)(1 / (1 - l->args.a)),
			   .p = l->args.a };

	for (size_t c = 0; c < s.c; c++) {
		const NN_REAL keep = drop_next(&d);

		for (size_t k = at + c; k < at + s.x * nn_step(v); k += nn_step(v))
			to[k] = (add ? to[k] : 0) + keep * from[k];
	}
}

static void drop(const struct fx_nn_value *v, const struct fx_nn_layer *l, NN_REAL *to,
		 const NN_REAL *from, bool add)
{
	const struct fx_nn_shape s = v->shape;
	const size_t n = l->args.flag ? s.n * s.z * s.y : nn_spans(v);

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < n; i++) {
		if (l->args.flag)
			drop_row(v, l, i, to, from, add);
		else
			drop_span(v, l, i, to, from, add);
	}
}

/* args.a is the share in use, 0 while nothing is dropped; args.b the share asked for. */
static void dropout_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);

	l->args.a = net->dropping ? l->args.b : 0;
	if (net->dropping) {
		l->args.seed = (uint64_t)fx_pcg_next(&net->rng) << 32;
		l->args.seed |= fx_pcg_next(&net->rng);
	}
	drop(in, l, out->data, in->data, false);
	fx_nn_zero_slots(out, out->data);
}

static void dropout_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);

	drop(in, l, in->grad, out->grad, true);
}

static const struct fx_nn_op dropout_op = { .name = "dropout",
					    .forward = dropout_forward,
					    .backward = dropout_backward };

int fx_nn_dropout(struct fx_nn *net, int x, double p, bool channels)
{
	if (!fx_nn_have(net, &x, 1))
		return -1;
	if (!(p >= 0 && p < 1))
		return fx_nn_refuse(net, "dropout: %g is not within 0 to below 1", p);
	return fx_nn_add_layer(net,
			       &(struct fx_nn_layer){ .op = &dropout_op,
						      .in = { x, -1, -1 },
						      .param = -1,
						      .args = { .b = p, .flag = channels } },
			       fx_nn_shape_of(net, x));
}
