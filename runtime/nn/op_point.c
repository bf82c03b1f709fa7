// SPDX-License-Identifier: Apache-2.0
/* op_point.c: layers that treat every number by itself: activations, sums and products. */
#include "nn/op.h"

/* y = f(x), and dx += f'(x) dy, of n numbers. */
struct point {
	struct fx_nn_op op;
	void (*forward)(NN_REAL *y, const NN_REAL *x, size_t n, NN_REAL a);
	void (*backward)(NN_REAL *dx, const NN_REAL *x, const NN_REAL *y, const NN_REAL *dy,
			 size_t n, NN_REAL a);
	bool lifts; /* f(0) is not 0 */
};

static void point_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct point *p = (const struct point *)l->op;
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const size_t spans = nn_spans(in), step = nn_step(in);

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < spans; i++) {
		const struct nn_span s = nn_span(in, i);

		p->forward(out->data + s.at, in->data + s.at, s.voxels * step, (NN_REAL)l->args.a);
	}
	if (p->lifts)
		fx_nn_zero_slots(out, out->data);
}

static void point_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct point *p = (const struct point *)l->op;
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const size_t spans = nn_spans(in), step = nn_step(in);

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < spans; i++) {
		const struct nn_span s = nn_span(in, i);

		p->backward(in->grad + s.at, in->data + s.at, out->data + s.at, out->grad + s.at,
			    s.voxels * step, (NN_REAL)l->args.a);
	}
}

static int add_point(struct fx_nn *net, int x, const struct point *p, double a)
{
	if (!fx_nn_have(net, &x, 1))
		return -1;
	return fx_nn_add_layer(
		net,
		&(struct fx_nn_layer){
			.op = &p->op, .in = { x, -1, -1 }, .param = -1, .args.a = a },
		fx_nn_shape_of(net, x));
}

/* ID_f and ID_b of @p y_expr(x) and @p slope_expr(x, y). */
#define POINT(id, reads_in_, reads_out_, lifts_, y_expr, slope_expr)                               \
	static void id##_f(NN_REAL *out, const NN_REAL *in, size_t n, NN_REAL a)                   \
	{                                                                                          \
		(void)a;                                                                           \
		for (size_t i = 0; i < n; i++) {                                                   \
			const NN_REAL x = in[i];                                                   \
			out[i] = (y_expr);                                                         \
		}                                                                                  \
	}                                                                                          \
	static void id##_b(NN_REAL *dx, const NN_REAL *in, const NN_REAL *out, const NN_REAL *dy,  \
			   size_t n, NN_REAL a)                                                    \
	{                                                                                          \
		(void)a, (void)in, (void)out;                                                      \
		for (size_t i = 0; i < n; i++) {                                                   \
			const NN_REAL x = in[i], y = out[i];                                       \
			(void)x, (void)y;                                                          \
			dx[i] += dy[i] * (slope_expr);                                             \
		}                                                                                  \
	}                                                                                          \
	static const struct point id = {                                                           \
		.op = { .name = #id,                                                               \
			.reads_in = reads_in_,                                                     \
			.reads_out = reads_out_,                                                   \
			.forward = point_forward,                                                  \
			.backward = point_backward },                                              \
		.forward = id##_f,                                                                 \
		.backward = id##_b,                                                                \
		.lifts = lifts_,                                                                   \
	}

#define EXP(x)	  NN_FN(exp)(x)
#define ROOT_HALF ((NN_REAL)0.70710678118654752440)
#define ROOT_2PI  ((NN_REAL)0.39894228040143267794) /* 1 / sqrt(2 pi) */

POINT(relu, false, true, false, x > 0 ? x : 0, y > 0 ? (NN_REAL)1 : (NN_REAL)0);
POINT(leaky_relu, true, false, false, x > 0 ? x : a * x, x > 0 ? (NN_REAL)1 : a);
POINT(elu, false, true, false, x > 0 ? x : NN_FN(expm1)(x), y > 0 ? (NN_REAL)1 : y + 1);
POINT(gelu, true, false, false, x *(NN_REAL)0.5 * (1 + NN_FN(erf)(x * ROOT_HALF)),
      (NN_REAL)0.5 * (1 + NN_FN(erf)(x * ROOT_HALF)) + x * ROOT_2PI * EXP(-x * x / 2));
POINT(sigmoid, false, true, true, 1 / (1 + EXP(-x)), y *(1 - y));
POINT(tanh_, false, true, false, NN_FN(tanh)(x), 1 - y * y);
POINT(scale, false, false, false, a *x, a);
POINT(grad_scale, false, false, false, x, a);

int fx_nn_relu(struct fx_nn *net, int x)
{
	return add_point(net, x, &relu, 0);
}

int fx_nn_leaky_relu(struct fx_nn *net, int x, double slope)
{
	return add_point(net, x, &leaky_relu, slope);
}

int fx_nn_elu(struct fx_nn *net, int x)
{
	return add_point(net, x, &elu, 0);
}

int fx_nn_gelu(struct fx_nn *net, int x)
{
	return add_point(net, x, &gelu, 0);
}

int fx_nn_sigmoid(struct fx_nn *net, int x)
{
	return add_point(net, x, &sigmoid, 0);
}

int fx_nn_tanh(struct fx_nn *net, int x)
{
	return add_point(net, x, &tanh_, 0);
}

int fx_nn_scale(struct fx_nn *net, int x, double factor)
{
	return add_point(net, x, &scale, factor);
}

int fx_nn_grad_scale(struct fx_nn *net, int x, double factor)
{
	return add_point(net, x, &grad_scale, factor);
}

static void add_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *a = nn_in(net, l, 0), *b = nn_in(net, l, 1),
				 *out = nn_out(net, l);
	const size_t spans = nn_spans(a), step = nn_step(a);

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < spans; i++) {
		const struct nn_span s = nn_span(a, i);

		for (size_t k = s.at; k < s.at + s.voxels * step; k++)
			out->data[k] = a->data[k] + b->data[k];
	}
}

static void add_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *out = nn_out(net, l);
	const size_t spans = nn_spans(out), step = nn_step(out);

	for (int which = 0; which < 2; which++) {
		NN_REAL *grad = nn_in(net, l, which)->grad;

#pragma omp parallel for schedule(static)
		for (size_t i = 0; i < spans; i++) {
			const struct nn_span s = nn_span(out, i);

			for (size_t k = s.at; k < s.at + s.voxels * step && grad; k++)
				grad[k] += out->grad[k];
		}
	}
}

static const struct fx_nn_op add_op = { .name = "add",
					.forward = add_forward,
					.backward = add_backward };

int fx_nn_add(struct fx_nn *net, int a, int b)
{
	if (!fx_nn_have(net, (const int[]){ a, b }, 2))
		return -1;
	if (!fx_nn_same(fx_nn_shape_of(net, a), fx_nn_shape_of(net, b)) ||
	    net->values[a].layout != net->values[b].layout)
		return fx_nn_refuse(net, "add: values %d and %d differ in shape or layout", a, b);
	return fx_nn_add_layer(
		net, &(struct fx_nn_layer){ .op = &add_op, .in = { a, b, -1 }, .param = -1 },
		fx_nn_shape_of(net, a));
}

static void mul_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *a = nn_in(net, l, 0), *b = nn_in(net, l, 1),
				 *out = nn_out(net, l);
	const size_t spans = nn_spans(a), c = a->shape.c, sa = nn_step(a), sb = nn_step(b),
		     by = b->shape.c > 1;

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < spans; i++) {
		const struct nn_span s = nn_span(a, i), t = nn_span(b, i);

		for (size_t x = 0; x < s.voxels; x++)
			for (size_t k = 0; k < c; k++)
				out->data[s.at + x * sa + k] = a->data[s.at + x * sa + k] *
							       b->data[t.at + x * sb + k * by];
	}
	fx_nn_zero_slots(out, out->data);
}

static void mul_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *a = nn_in(net, l, 0), *b = nn_in(net, l, 1),
				 *out = nn_out(net, l);
	const size_t spans = nn_spans(a), c = a->shape.c, sa = nn_step(a), sb = nn_step(b),
		     by = b->shape.c > 1;

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < spans; i++) {
		const struct nn_span s = nn_span(a, i), t = nn_span(b, i);

		for (size_t j = 0; j < s.voxels * c; j++) {
			const size_t at = s.at + j / c * sa + j % c,
				     bt = t.at + j / c * sb + j % c * by;

			if (a->grad)
				a->grad[at] += out->grad[at] * b->data[bt];
			if (b->grad)
				b->grad[bt] += out->grad[at] * a->data[at];
		}
	}
}

static const struct fx_nn_op mul_op = {
	.name = "mul", .reads_in = true, .forward = mul_forward, .backward = mul_backward
};

int fx_nn_mul(struct fx_nn *net, int a, int b)
{
	struct fx_nn_shape s;

	if (!fx_nn_have(net, (const int[]){ a, b }, 2))
		return -1;
	s = fx_nn_shape_of(net, b);
	s.c = s.c == 1 ? fx_nn_shape_of(net, a).c : s.c;
	if (!fx_nn_same(fx_nn_shape_of(net, a), s) ||
	    net->values[a].layout != net->values[b].layout)
		return fx_nn_refuse(net, "mul: values %d and %d differ in shape or layout", a, b);
	return fx_nn_add_layer(
		net, &(struct fx_nn_layer){ .op = &mul_op, .in = { a, b, -1 }, .param = -1 }, s);
}
