// SPDX-License-Identifier: Apache-2.0
/* op_linear.c: every voxel's channels times a matrix. */
#include "nn/op.h"

#include <string.h>

#include <cblas.h>

static void linear_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const NN_REAL *w = nn_weights(net, l, 0), *bias = nn_weights(net, l, 1);
	const size_t spans = nn_spans(in), ci = in->shape.c, co = out->shape.c, si = nn_step(in),
		     so = nn_step(out);

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < spans; i++) {
		const struct nn_span s = nn_span(in, i), t = nn_span(out, i);
		NN_REAL *y = out->data + t.at;

		for (size_t x = 0; x < t.voxels; x++)
			memcpy(y + x * so, bias, co * sizeof *y);
		NN_BLAS(gemm)
		(CblasRowMajor, CblasNoTrans, CblasTrans, (int)s.voxels, (int)co, (int)ci, 1,
		 in->data + s.at, (int)si, w, (int)ci, 1, y, (int)so);
	}
	fx_nn_zero_slots(out, out->data);
}

/* Gradient of the weights over one part of the spans. */
static void weights_part(NN_REAL *sum, const struct fx_nn_value *in, const struct fx_nn_value *out,
			 size_t part)
{
	const size_t spans = nn_spans(in), ci = in->shape.c, co = out->shape.c;

	memset(sum, 0, ci * co * sizeof *sum);
	for (size_t i = nn_part(spans, part); i < nn_part(spans, part + 1); i++) {
		const struct nn_span s = nn_span(in, i), t = nn_span(out, i);

		NN_BLAS(gemm)
		(CblasRowMajor, CblasTrans, CblasNoTrans, (int)co, (int)ci, (int)s.voxels, 1,
		 out->grad + t.at, (int)nn_step(out), in->data + s.at, (int)nn_step(in), 1, sum,
		 (int)ci);
	}
}

static void linear_back_input(const struct fx_nn_value *in, const struct fx_nn_value *out,
			      const NN_REAL *w)
{
	const size_t spans = nn_spans(in);

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < spans; i++) {
		const struct nn_span s = nn_span(in, i), t = nn_span(out, i);

		NN_BLAS(gemm)
		(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)s.voxels, (int)in->shape.c,
		 (int)out->shape.c, 1, out->grad + t.at, (int)nn_step(out), w, (int)in->shape.c, 1,
		 in->grad + s.at, (int)nn_step(in));
	}
}

static void linear_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const size_t len = in->shape.c * out->shape.c;

#pragma omp parallel for schedule(static)
	for (size_t p = 0; p < FX_NN_PARTS; p++)
		weights_part(net->scratch + p * len, in, out, p);
	fx_nn_add_parts(nn_weight_grads(net, l, 0), net->scratch, len);
	fx_nn_bias_grads(nn_weight_grads(net, l, 1), out, net->scratch);
	if (in->grad)
		linear_back_input(in, out, nn_weights(net, l, 0));
}

static const struct fx_nn_op linear_op = {
	.name = "linear", .reads_in = true, .forward = linear_forward, .backward = linear_backward
};

int fx_nn_linear(struct fx_nn *net, int x, const char *name, size_t out, enum fx_nn_start start)
{
	struct fx_nn_layer l = { .op = &linear_op, .in = { x, -1, -1 } };
	struct fx_nn_shape s;

	if (!fx_nn_have(net, &x, 1))
		return -1;
	s = fx_nn_shape_of(net, x);
	if (!out || out > 65536 || s.c > 65536)
		return fx_nn_refuse(net, "linear \"%s\": %zu to %zu channels, 1 to 65536 are valid",
				    name, s.c, out);
	l.param = fx_nn_add_weights(net, name, "weight", 2, (const size_t[]){ out, s.c }, start, 1,
				    true);
	if (l.param < 0 || fx_nn_add_weights(net, name, "bias", 1, &out, FX_NN_ZEROS, 1, false) < 0)
		return -1;
	l.scratch = FX_NN_PARTS * out * s.c;
	s.c = out;
	return fx_nn_add_layer(net, &l, s);
}
