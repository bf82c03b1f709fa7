// SPDX-License-Identifier: Apache-2.0
/* op_attention.c: multi-head self-attention; probabilities are made again in backward. */
#include "nn/op.h"

/* One head of one sample. */
struct head {
	size_t tokens, width, in_step, out_step;
	const NN_REAL *q, *k, *v;
	NN_REAL scale;
};

static struct head head_of(const struct fx_nn_value *in, const struct fx_nn_layer *l, size_t i)
{
	const size_t heads = l->args.count, d = in->shape.c / 3, width = d / heads;
	const NN_REAL *at = in->data + i / heads * in->sample + i % heads * width;

	return (struct head){ .tokens = in->shape.z * in->shape.y * in->shape.x,
			      .width = width,
			      .in_step = 3 * d,
			      .out_step = d,
			      .q = at,
			      .k = at + d,
			      .v = at + 2 * d,
			      .scale = (NN_REAL)(1 / sqrt((double)width)) };
}

static void softmax_row(NN_REAL *row, size_t n)
{
	NN_REAL top = row[0], sum = 0;

	for (size_t i = 1; i < n; i++)
		top = row[i] > top ? row[i] : top;
	for (size_t i = 0; i < n; i++) {
		row[i] = NN_FN(exp)(row[i] - top);
		sum += row[i];
	}
	for (size_t i = 0; i < n; i++)
		row[i] /= sum;
}

/* p = softmax(q k^T scale), tokens x tokens. */
static void head_shares(const struct head *h, NN_REAL *p)
{
	const size_t n = h->tokens;

	fx_nn_gemm(false, true, n, n, h->width, h->scale, h->q, h->in_step, h->k, h->in_step, 0, p,
		   n);
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < n; i++)
		softmax_row(p + i * n, n);
}

static size_t head_out(const struct fx_nn_value *out, const struct fx_nn_layer *l, size_t i)
{
	return i / l->args.count * out->sample + i % l->args.count * (out->shape.c / l->args.count);
}

static void attention_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);

	for (size_t i = 0; i < in->shape.n * l->args.count; i++) {
		const struct head h = head_of(in, l, i);
		const size_t n = h.tokens;

		head_shares(&h, net->scratch);
		fx_nn_gemm(false, false, n, h.width, n, 1, net->scratch, n, h.v, h.in_step, 0,
			   out->data + head_out(out, l, i), h.out_step);
	}
}

/* ds = p (dp - sum(p dp)) scale, in the place of dp. */
static void back_softmax(const NN_REAL *p, NN_REAL *dp, size_t n, NN_REAL scale)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < n; i++) {
		NN_REAL sum = 0;

		for (size_t k = 0; k < n; k++)
			sum += p[i * n + k] * dp[i * n + k];
		for (size_t k = 0; k < n; k++)
			dp[i * n + k] = p[i * n + k] * (dp[i * n + k] - sum) * scale;
	}
}

static void attention_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);

	for (size_t i = 0; i < in->shape.n * l->args.count; i++) {
		const struct head h = head_of(in, l, i);
		const size_t n = h.tokens, w = h.width, s = h.in_step;
		NN_REAL *p = net->scratch, *dp = p + n * n, *dq = in->grad + (h.q - in->data),
			*dk = in->grad + (h.k - in->data), *dv = in->grad + (h.v - in->data);
		const NN_REAL *dy = out->grad + head_out(out, l, i);

		head_shares(&h, p);
		fx_nn_gemm(true, false, n, w, n, 1, p, n, dy, h.out_step, 1, dv, s);
		fx_nn_gemm(false, true, n, n, w, 1, dy, h.out_step, h.v, s, 0, dp, n);
		back_softmax(p, dp, n, h.scale);
		fx_nn_gemm(false, false, n, w, n, 1, dp, n, h.k, s, 1, dq, s);
		fx_nn_gemm(true, false, n, w, n, 1, dp, n, h.q, s, 1, dk, s);
	}
}

static const struct fx_nn_op attention_op = { .name = "attention",
					      .reads_in = true,
					      .forward = attention_forward,
					      .backward = attention_backward };

int fx_nn_attention(struct fx_nn *net, int x, size_t heads)
{
	struct fx_nn_layer l = {
		.op = &attention_op, .in = { x, -1, -1 }, .param = -1, .args.count = heads
	};
	struct fx_nn_shape s;
	size_t tokens;

	if (!fx_nn_have(net, &x, 1))
		return -1;
	s = fx_nn_shape_of(net, x);
	tokens = s.z * s.y * s.x;
	if (!heads || s.c % (3 * heads) || net->values[x].layout != FX_NN_DENSE || tokens > 32768)
		return fx_nn_refuse(net,
				    "attention: %zu heads do not fit %zu channels of a dense value",
				    heads, s.c);
	l.scratch = 2 * tokens * tokens;
	s.c /= 3;
	return fx_nn_add_layer(net, &l, s);
}
