// SPDX-License-Identifier: Apache-2.0
/* op_conv.c: convolutions, by kernels/conv3d.h. */
#include "nn/op.h"

#include <stdlib.h>

#include "base/alloc.h"

/* What the layer runs: itself, and the gradients of its input and weights. */
struct conv_plans {
	struct fx_conv3d_plan forward, back, weights;
};

/* One run of @p plan over sample n of the values. @p add is NULL or added (may be to). */
static void conv_run(const struct fx_nn *net, const struct fx_conv3d_plan *plan,
		     const NN_REAL *from, const NN_REAL *weights, const NN_REAL *bias,
		     const NN_REAL *add, NN_REAL *to, bool relu)
{
#ifdef NN_DOUBLE
	(void)net;
	fx_conv3d_run_f64(plan, &(struct fx_conv3d_args_f64){ .in = from,
							      .weights = weights,
							      .bias = bias,
							      .residual = add,
							      .out = to,
							      .relu = relu });
#else
	fx_conv3d_run(plan, &(struct fx_conv3d_args){ .in = from,
						      .packed = weights,
						      .bias = bias,
						      .residual = add,
						      .out = to,
						      .scratch = net->scratch,
						      .relu = relu });
#endif
}

static void conv_run_weights(const struct fx_nn *net, const struct fx_conv3d_plan *plan,
			     const NN_REAL *in, const NN_REAL *dy, NN_REAL *dw, NN_REAL *db)
{
#ifdef NN_DOUBLE
	(void)net;
	fx_conv3d_run_dw_f64(plan, in, dy, dw, db);
#else
	fx_conv3d_run_dw(plan, in, dy, dw, db, net->scratch);
#endif
}

/* Where the packed weights of the backward run begin, behind those of the forward run. */
static size_t packed_back(const struct conv_plans *p)
{
	return (p->forward.packed_len + FX_NN_ALIGN - 1) / FX_NN_ALIGN * FX_NN_ALIGN;
}

static void conv_pack(struct fx_nn *net, struct fx_nn_layer *l)
{
#ifdef NN_DOUBLE
	(void)net, (void)l;
#else
	const struct conv_plans *p = l->own;

	fx_conv3d_pack(&p->forward, l->mem, nn_weights(net, l, 0));
	if (net->train)
		fx_conv3d_pack(&p->back, l->mem + packed_back(p), nn_weights(net, l, 0));
#endif
}

static const NN_REAL *conv_weights(const struct fx_nn *net, const struct fx_nn_layer *l, bool back)
{
#ifdef NN_DOUBLE
	(void)back;
	return nn_weights(net, l, 0);
#else
	(void)net;
	return l->mem + (back ? packed_back(l->own) : 0);
#endif
}

static void conv_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct conv_plans *p = l->own;
	const struct fx_nn_value *in = nn_in(net, l, 0), *add = nn_maybe(net, l, 1),
				 *out = nn_out(net, l);

	for (size_t n = 0; n < out->shape.n; n++)
		conv_run(net, &p->forward, in->data + n * in->sample, conv_weights(net, l, false),
			 nn_weights(net, l, 1), add ? add->data + n * add->sample : NULL,
			 out->data + n * out->sample, l->args.relu);
}

/* The gradient of the added value. */
static void back_added(const struct fx_nn_value *add, const struct fx_nn_value *out)
{
	const size_t spans = nn_spans(out), step = nn_step(out);

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < spans; i++) {
		const struct nn_span s = nn_span(out, i);

		for (size_t k = s.at; k < s.at + s.voxels * step; k++)
			add->grad[k] += out->grad[k];
	}
}

static void conv_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct conv_plans *p = l->own;
	const struct fx_nn_value *in = nn_in(net, l, 0), *add = nn_maybe(net, l, 1),
				 *out = nn_out(net, l);

	if (l->args.relu)
		fx_nn_mask_relu(out);
	if (add && add->grad)
		back_added(add, out);
	for (size_t n = 0; n < out->shape.n; n++) {
		const NN_REAL *dy = out->grad + n * out->sample;
		NN_REAL *dx = in->grad ? in->grad + n * in->sample : NULL;

		if (l->args.flag) /* transposed */
			conv_run_weights(net, &p->weights, dy, in->data + n * in->sample,
					 nn_weight_grads(net, l, 0), NULL);
		else
			conv_run_weights(net, &p->weights, in->data + n * in->sample, dy,
					 nn_weight_grads(net, l, 0), nn_weight_grads(net, l, 1));
		if (dx)
			conv_run(net, &p->back, dy, conv_weights(net, l, true), NULL,
				 l->first[0] ? NULL : dx, dx, false);
	}
	if (l->args.flag)
		fx_nn_bias_grads(nn_weight_grads(net, l, 1), out, net->scratch);
}

static const struct fx_nn_op conv_op = { .name = "convolution",
					 .reads_in = true,
					 .reads_out = true,
					 .writes = true,
					 .over = true,
					 .forward = conv_forward,
					 .backward = conv_backward,
					 .pack = conv_pack };

static size_t largest(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Winograd's transforms cost more than they save on less than a slot of channels. */
static bool conv_fast(const struct fx_nn *net, const struct fx_conv3d *c)
{
	return net->winograd && c->in_channels >= FX_SLOT && c->out_channels >= FX_SLOT &&
	       fx_conv3d_can(c, FX_CONV3D_WINOGRAD);
}

/* The three runs, between the layouts of input and output. */
static int conv_plan(struct fx_nn *net, struct fx_nn_layer *l, const struct fx_conv3d *c,
		     const struct fx_layout *in, const struct fx_layout *out)
{
	struct conv_plans *p = l->own = fx_calloc(1, sizeof *p);
	struct fx_error err = { 0 };
	const enum fx_conv3d_path direct = FX_CONV3D_DIRECT;
	const enum fx_conv3d_path path = conv_fast(net, c) ? FX_CONV3D_WINOGRAD : direct;
	const bool up = l->args.flag;
	int result = FX_ENOMEM;

	if (p)
		result = up ? fx_conv3d_plan_dx(&p->forward, c, path, in, out, 0, &err) :
			      fx_conv3d_plan(&p->forward, c, path, in, out, 0, &err);
	if (result == FX_OK)
		result = up ? fx_conv3d_plan(&p->back, c, path, out, in, 0, &err) :
			      fx_conv3d_plan_dx(&p->back, c, path, out, in, 0, &err);
	if (result == FX_OK)
		result = fx_conv3d_plan_dw(&p->weights, c, direct, up ? out : in, up ? in : out, 0,
					   &err);
	if (result < 0)
		return fx_nn_refuse(net, "convolution: %s", p ? err.text : "no memory");
	l->memory = packed_back(p) + p->back.packed_len;
	l->scratch = largest(largest(p->forward.scratch_len, p->back.scratch_len),
			     largest(p->weights.scratch_len, FX_NN_PARTS * out->channels));
	return 0;
}

/* Adds the layer; takes l->own also on failure. */
static int conv_add(struct fx_nn *net, struct fx_nn_layer *l, const struct fx_conv3d *c,
		    const struct fx_nn_conv *settings, struct fx_nn_shape out)
{
	struct fx_nn_value to = { .shape = out, .layout = FX_NN_PADDED };
	const struct fx_layout in = net->values[l->in[0]].at;
	int made = -1;

	l->args.relu = settings->relu;
	if (settings->residual && !fx_nn_have(net, &settings->add, 1))
		return -1;
	l->in[1] = settings->residual ? settings->add : -1;
	if (settings->residual && (!fx_nn_same(fx_nn_shape_of(net, settings->add), out) ||
				   net->values[settings->add].layout != FX_NN_PADDED))
		return fx_nn_refuse(net, "convolution: the added value %d has another shape",
				    settings->add);
	if (!fx_nn_lay_out(&to))
		return fx_nn_refuse(net, "convolution: the output is too large");
	if (conv_plan(net, l, c, &in, &to.at) == 0)
		made = fx_nn_add_layer(net, l, out);
	if (made < 0)
		free(l->own);
	return made;
}

static bool conv_valid(struct fx_nn *net, int x, const char *name, const struct fx_nn_conv *c)
{
	if (!fx_nn_have(net, &x, 1))
		return false;
	if (net->values[x].layout == FX_NN_PADDED && c->out && c->out <= FX_CONV3D_CHANNELS_MAX)
		return true;
	fx_nn_refuse(net, "convolution \"%s\": takes padded values, and makes 1 to %d channels",
		     name, FX_CONV3D_CHANNELS_MAX);
	return false;
}

/* Kernel, stride and zeros around, along z, y, x. */
static struct fx_conv3d conv_geometry(size_t in, size_t out, const struct fx_nn_conv *c)
{
	struct fx_conv3d g = { .in_channels = in, .out_channels = out };

	for (int a = 0; a < 3; a++) {
		const bool one = c->flat && a == 0;

		g.kernel[a] = one ? 1 : (int)c->kernel;
		g.stride[a] = one ? 1 : (int)c->stride;
		g.before[a] = g.after[a] = g.kernel[a] == 3;
	}
	return g;
}

int fx_nn_conv(struct fx_nn *net, int x, const char *name, const struct fx_nn_conv *c)
{
	struct fx_nn_layer l = { .op = &conv_op, .in = { x, -1, -1 } };
	struct fx_conv3d g;
	struct fx_nn_shape s;
	size_t out[3];

	if (!conv_valid(net, x, name, c))
		return -1;
	s = fx_nn_shape_of(net, x);
	g = conv_geometry(s.c, c->out, c);
	if (!((c->stride == 1 && (c->kernel == 1 || c->kernel == 3)) ||
	      (c->stride == 2 && (c->kernel == 2 || c->kernel == 3))) ||
	    fx_conv3d_shape(&g, (const size_t[]){ s.z, s.y, s.x }, out) < 0)
		return fx_nn_refuse(
			net,
			"convolution \"%s\": kernel %zu and stride %zu do not fit %zu x %zu x %zu",
			name, c->kernel, c->stride, s.z, s.y, s.x);
	l.param = fx_nn_add_weights(net, name, "weight", 5,
				    (const size_t[]){ c->out, s.c, (size_t)g.kernel[0],
						      (size_t)g.kernel[1], (size_t)g.kernel[2] },
				    c->start, c->gain > 0 ? c->gain : 1, true);
	if (l.param < 0 ||
	    fx_nn_add_weights(net, name, "bias", 1, &c->out, FX_NN_ZEROS, 1, false) < 0)
		return -1;
	return conv_add(net, &l, &g, c,
			(struct fx_nn_shape){ s.n, out[0], out[1], out[2], c->out });
}

int fx_nn_conv_up(struct fx_nn *net, int x, const char *name, const struct fx_nn_conv *c)
{
	const struct fx_nn_conv two = { .kernel = 2, .stride = 2, .flat = c->flat };
	struct fx_nn_layer l = { .op = &conv_op, .in = { x, -1, -1 }, .args.flag = true };
	struct fx_conv3d g;
	struct fx_nn_shape s;

	if (!conv_valid(net, x, name, c))
		return -1;
	s = fx_nn_shape_of(net, x);
	g = conv_geometry(c->out, s.c, &two); /* that whose input gradient this is */
	l.param = fx_nn_add_weights(net, name, "weight", 5,
				    (const size_t[]){ s.c, c->out, (size_t)g.kernel[0], 2, 2 },
				    c->start, c->gain > 0 ? c->gain : 1, true);
	if (l.param < 0 ||
	    fx_nn_add_weights(net, name, "bias", 1, &c->out, FX_NN_ZEROS, 1, false) < 0)
		return -1;
	net->params[l.param].fan_in = s.c; /* one tap reaches each output voxel */
	return conv_add(
		net, &l, &g, c,
		(struct fx_nn_shape){ s.n, c->flat ? s.z : 2 * s.z, 2 * s.y, 2 * s.x, c->out });
}
