// SPDX-License-Identifier: Apache-2.0
/* loss.c: losses: one number of two arrays, and its derivative by the first. */
#include "nn/op.h"

#include <string.h>

/* A loss that is a weighted mean of terms. */
struct mean_loss {
	struct fx_nn_op op;
	NN_REAL (*loss)(NN_REAL x, NN_REAL t, NN_REAL a);  /* of one number */
	NN_REAL (*slope)(NN_REAL x, NN_REAL t, NN_REAL a); /* its derivative */
};

/* Sums of one part. */
struct sums {
	double a, b, c;
};

/* Weight of channel k of a voxel, whose weights begin at w (NULL: 1). */
static NN_REAL weight_at(const NN_REAL *w, size_t channels, size_t k)
{
	return !w ? 1 : channels > 1 ? w[k] : w[0];
}

/* Pointers to one voxel's prediction, target, weight, and gradient of the prediction. */
struct voxel {
	const NN_REAL *p, *t, *w;
	NN_REAL *g;
	size_t wc;
};

/* The first voxel of span i. */
static struct voxel voxel_first(const struct fx_nn_value *const v[3], size_t i)
{
	const size_t at = nn_span(v[0], i).at;

	return (struct voxel){
		.p = v[0]->data + at,
		.t = v[1]->data + nn_span(v[1], i).at,
		.w = v[2] ? v[2]->data + nn_span(v[2], i).at : NULL,
		.g = v[0]->grad ? v[0]->grad + at : NULL,
		.wc = v[2] ? v[2]->shape.c : 1,
	};
}

static void voxel_next(const struct fx_nn_value *const v[3], struct voxel *o)
{
	o->p += nn_step(v[0]);
	o->t += nn_step(v[1]);
	o->w = o->w ? o->w + nn_step(v[2]) : NULL;
	o->g = o->g ? o->g + nn_step(v[0]) : NULL;
}

/* Keeps the loss and what backward needs. */
static void loss_done(struct fx_nn *net, struct fx_nn_layer *l, double loss)
{
	const struct fx_nn_value *out = nn_out(net, l);

	out->data[nn_at(out, 0, 0, 0, 0)] = (NN_REAL)(loss * l->args.b);
	net->loss += loss * l->args.b;
}

/* Sums of FX_NN_PARTS parts of all spans, added in order. */
static struct sums sum_parts(const struct fx_nn_value *const v[3], const struct fx_nn_layer *l,
			     void (*add)(struct sums *, const struct voxel *,
					 const struct fx_nn_layer *, size_t channels))
{
	struct sums part[FX_NN_PARTS] = { 0 }, all = { 0 };
	const size_t spans = nn_spans(v[0]);

#pragma omp parallel for schedule(static)
	for (size_t p = 0; p < FX_NN_PARTS; p++)
		for (size_t i = nn_part(spans, p); i < nn_part(spans, p + 1); i++) {
			struct voxel o = voxel_first(v, i);

			for (size_t x = nn_span(v[0], i).voxels; x-- > 0; voxel_next(v, &o))
				add(&part[p], &o, l, v[0]->shape.c);
		}
	for (size_t p = 0; p < FX_NN_PARTS; p++) {
		all.a += part[p].a;
		all.b += part[p].b;
		all.c += part[p].c;
	}
	return all;
}

/* Derivatives of all voxels. */
static void each_voxel(const struct fx_nn_value *const v[3], const struct fx_nn_layer *l,
		       void (*derive)(const struct voxel *, const struct fx_nn_layer *,
				      size_t channels))
{
	const size_t spans = nn_spans(v[0]);

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < spans; i++) {
		struct voxel o = voxel_first(v, i);

		for (size_t x = nn_span(v[0], i).voxels; x-- > 0; voxel_next(v, &o))
			derive(&o, l, v[0]->shape.c);
	}
}

#define INPUTS(net, l)                                                                             \
	{                                                                                          \
		nn_in(net, l, 0), nn_in(net, l, 1), nn_maybe(net, l, 2)                            \
	}

static void mean_add(struct sums *s, const struct voxel *o, const struct fx_nn_layer *l, size_t c)
{
	const struct mean_loss *m = (const struct mean_loss *)l->op;

	for (size_t k = 0; k < c; k++) {
		const NN_REAL w = weight_at(o->w, o->wc, k);

		if (w == 0)
			continue;
		s->a += (double)(w * m->loss(o->p[k], o->t[k], (NN_REAL)l->args.a));
		s->b += (double)w;
	}
}

static void mean_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *const v[3] = INPUTS(net, l);
	const struct sums s = sum_parts(v, l, mean_add);

	l->mem[0] = (NN_REAL)(s.b > 0 ? l->args.b / s.b : 0);
	loss_done(net, l, s.b > 0 ? s.a / s.b : 0);
}

static void mean_derive(const struct voxel *o, const struct fx_nn_layer *l, size_t c)
{
	const struct mean_loss *m = (const struct mean_loss *)l->op;

	for (size_t k = 0; k < c; k++) {
		const NN_REAL w = weight_at(o->w, o->wc, k);

		if (w != 0)
			o->g[k] += l->mem[0] * w * m->slope(o->p[k], o->t[k], (NN_REAL)l->args.a);
	}
}

static void mean_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *const v[3] = INPUTS(net, l);

	each_voxel(v, l, mean_derive);
}

/* (1 - t) x + (1 + (a - 1) t) softplus(-x), a the weight of positives */
static NN_REAL bce_loss(NN_REAL x, NN_REAL t, NN_REAL a)
{
	const NN_REAL e = NN_FN(exp)(-NN_FN(fabs)(x)), q = 1 + (a - 1) * t;

	return (1 - t) * x + q * (NN_FN(log)(1 + e) + (x < 0 ? -x : 0));
}

static NN_REAL bce_slope(NN_REAL x, NN_REAL t, NN_REAL a)
{
	const NN_REAL e = NN_FN(exp)(-NN_FN(fabs)(x)), q = 1 + (a - 1) * t,
		      at_minus = (x < 0 ? 1 : e) / (1 + e); /* sigmoid(-x) */

	return (1 - t) - q * at_minus;
}

static NN_REAL mse_loss(NN_REAL x, NN_REAL t, NN_REAL a)
{
	(void)a;
	return (x - t) * (x - t);
}

static NN_REAL mse_slope(NN_REAL x, NN_REAL t, NN_REAL a)
{
	(void)a;
	return 2 * (x - t);
}

static NN_REAL l1_loss(NN_REAL x, NN_REAL t, NN_REAL a)
{
	(void)a;
	return NN_FN(fabs)(x - t);
}

static NN_REAL l1_slope(NN_REAL x, NN_REAL t, NN_REAL a)
{
	(void)a;
	return x > t ? 1 : x < t ? -1 : 0;
}

#define MEAN_LOSS(name_)                                                                           \
	static const struct mean_loss name_ = {                                                    \
		.op = { .name = #name_,                                                            \
			.reads_in = true,                                                          \
			.loss = true,                                                              \
			.forward = mean_forward,                                                   \
			.backward = mean_backward },                                               \
		.loss = name_##_loss,                                                              \
		.slope = name_##_slope,                                                            \
	}

MEAN_LOSS(bce);
MEAN_LOSS(mse);
MEAN_LOSS(l1);

static void dice_add(struct sums *s, const struct voxel *o, const struct fx_nn_layer *l, size_t c)
{
	(void)l;
	for (size_t k = 0; k < c; k++) {
		const NN_REAL w = weight_at(o->w, o->wc, k);

		if (w == 0)
			continue;
		s->a += (double)(w * o->p[k] * o->t[k]);
		s->b += (double)(w * o->p[k]);
		s->c += (double)(w * o->t[k]);
	}
}

static void dice_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *const v[3] = INPUTS(net, l);
	const struct sums s = sum_parts(v, l, dice_add);
	const double top = 2 * s.a + 1, bottom = s.b + s.c + 1;

	l->mem[0] = (NN_REAL)(l->args.b * top / (bottom * bottom));
	l->mem[1] = (NN_REAL)(-2 * l->args.b / bottom);
	loss_done(net, l, 1 - top / bottom);
}

static void dice_derive(const struct voxel *o, const struct fx_nn_layer *l, size_t c)
{
	for (size_t k = 0; k < c; k++) {
		const NN_REAL w = weight_at(o->w, o->wc, k);

		if (w != 0)
			o->g[k] += w * (l->mem[0] + l->mem[1] * o->t[k]);
	}
}

static void dice_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *const v[3] = INPUTS(net, l);

	each_voxel(v, l, dice_derive);
}

/* log of the sum of exp over the channels */
static NN_REAL log_sum(const NN_REAL *p, size_t c)
{
	NN_REAL top = p[0], sum = 0;

	for (size_t k = 1; k < c; k++)
		top = p[k] > top ? p[k] : top;
	for (size_t k = 0; k < c; k++)
		sum += NN_FN(exp)(p[k] - top);
	return top + NN_FN(log)(sum);
}

/* The class that a target names; a number out of range counts as the nearest class. */
static size_t class_of(NN_REAL t, size_t c)
{
	return !(t > 0) ? 0 : t >= (NN_REAL)(c - 1) ? c - 1 : (size_t)t;
}

static void cross_add(struct sums *s, const struct voxel *o, const struct fx_nn_layer *l, size_t c)
{
	const NN_REAL w = weight_at(o->w, 1, 0);

	(void)l;
	if (w == 0)
		return;
	s->a += (double)(w * (log_sum(o->p, c) - o->p[class_of(*o->t, c)]));
	s->b += (double)w;
}

static void cross_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *const v[3] = INPUTS(net, l);
	const struct sums s = sum_parts(v, l, cross_add);

	l->mem[0] = (NN_REAL)(s.b > 0 ? l->args.b / s.b : 0);
	loss_done(net, l, s.b > 0 ? s.a / s.b : 0);
}

static void cross_derive(const struct voxel *o, const struct fx_nn_layer *l, size_t c)
{
	const NN_REAL w = weight_at(o->w, 1, 0) * l->mem[0], sum = log_sum(o->p, c);

	if (w == 0)
		return;
	for (size_t k = 0; k < c; k++)
		o->g[k] += w * NN_FN(exp)(o->p[k] - sum);
	o->g[class_of(*o->t, c)] -= w;
}

static void cross_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *const v[3] = INPUTS(net, l);

	each_voxel(v, l, cross_derive);
}

static const struct fx_nn_op dice_op = { .name = "dice",
					 .reads_in = true,
					 .loss = true,
					 .forward = dice_forward,
					 .backward = dice_backward };
static const struct fx_nn_op cross_op = { .name = "cross entropy",
					  .reads_in = true,
					  .loss = true,
					  .forward = cross_forward,
					  .backward = cross_backward };

static int add_loss(struct fx_nn *net, const struct fx_nn_op *op, const int in[3], double a,
		    double scale)
{
	const struct fx_nn_layer l = { .op = op,
				       .in = { in[0], in[1], in[2] },
				       .param = -1,
				       .args = { .a = a, .b = scale },
				       .memory = 2 };
	struct fx_nn_shape want, weight;
	int out;

	if (!fx_nn_have(net, in, in[2] < 0 ? 2 : 3))
		return -1;
	want = fx_nn_shape_of(net, in[0]);
	if (op == &cross_op)
		want.c = 1;
	weight = in[2] < 0 ? want : fx_nn_shape_of(net, in[2]);
	weight.c = weight.c == 1 ? want.c : weight.c;
	if (!fx_nn_same(want, fx_nn_shape_of(net, in[1])) || !fx_nn_same(want, weight) ||
	    net->values[in[0]].layout != net->values[in[1]].layout ||
	    (in[2] >= 0 && net->values[in[0]].layout != net->values[in[2]].layout))
		return fx_nn_refuse(net,
				    "%s: target or weight differ in shape or layout from value %d",
				    op->name, in[0]);
	out = fx_nn_add_layer(net, &l, (struct fx_nn_shape){ 1, 1, 1, 1, 1 });
	return out < 0 ? -1 : fx_nn_keep(net, out);
}

int fx_nn_bce(struct fx_nn *net, int logits, int target, int weight, double pos_weight,
	      double scale)
{
	return add_loss(net, &bce.op, (const int[]){ logits, target, weight }, pos_weight, scale);
}

int fx_nn_mse(struct fx_nn *net, int x, int target, int weight, double scale)
{
	return add_loss(net, &mse.op, (const int[]){ x, target, weight }, 0, scale);
}

int fx_nn_l1(struct fx_nn *net, int x, int target, int weight, double scale)
{
	return add_loss(net, &l1.op, (const int[]){ x, target, weight }, 0, scale);
}

int fx_nn_dice(struct fx_nn *net, int p, int target, int weight, double scale)
{
	return add_loss(net, &dice_op, (const int[]){ p, target, weight }, 0, scale);
}

int fx_nn_cross_entropy(struct fx_nn *net, int logits, int target, int weight, double scale)
{
	return add_loss(net, &cross_op, (const int[]){ logits, target, weight }, 0, scale);
}
