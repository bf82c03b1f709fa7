// SPDX-License-Identifier: Apache-2.0
/* op_norm.c: layer, group and instance norm. */
#include "nn/op.h"

#include <string.h>

/* What makes numbers into (x - mean) / deviation. */
struct moments {
	NN_REAL mean, inverse; /* 1 / deviation */
};

static struct moments voxel_moments(const NN_REAL *x, size_t c, NN_REAL eps)
{
	NN_REAL mean = 0, square = 0;

	for (size_t k = 0; k < c; k++)
		mean += x[k];
	mean /= (NN_REAL)c;
	for (size_t k = 0; k < c; k++)
		square += (x[k] - mean) * (x[k] - mean);
	return (struct moments){ mean, 1 / NN_FN(sqrt)(square / (NN_REAL)c + eps) };
}

static void layer_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const NN_REAL *w = nn_weights(net, l, 0), *b = nn_weights(net, l, 1);
	const size_t spans = nn_spans(in), c = in->shape.c, step = nn_step(in);

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < spans; i++) {
		const struct nn_span s = nn_span(in, i);

		for (size_t at = s.at; at < s.at + s.voxels * step; at += step) {
			const struct moments m =
				voxel_moments(in->data + at, c, (NN_REAL)l->args.a);

			for (size_t k = 0; k < c; k++)
				out->data[at + k] =
					(in->data[at + k] - m.mean) * m.inverse * w[k] + b[k];
		}
	}
	fx_nn_zero_slots(out, out->data);
}

/* One voxel: dw, db, and the input's gradient when it is wanted. */
static void layer_back_voxel(const NN_REAL *x, const NN_REAL *dy, NN_REAL *dx, const NN_REAL *w,
			     NN_REAL *dw, NN_REAL *db, size_t c, NN_REAL eps)
{
	const struct moments m = voxel_moments(x, c, eps);
	NN_REAL sum = 0, along = 0;

	for (size_t k = 0; k < c; k++) {
		const NN_REAL h = (x[k] - m.mean) * m.inverse;

		dw[k] += dy[k] * h;
		db[k] += dy[k];
		sum += dy[k] * w[k];
		along += dy[k] * w[k] * h;
	}
	for (size_t k = 0; k < c && dx; k++)
		dx[k] += m.inverse * (dy[k] * w[k] - sum / (NN_REAL)c -
				      (x[k] - m.mean) * m.inverse * along / (NN_REAL)c);
}

static void layer_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const NN_REAL *w = nn_weights(net, l, 0);
	const size_t spans = nn_spans(in), c = in->shape.c, step = nn_step(in);
	NN_REAL *dw = net->scratch, *db = dw + FX_NN_PARTS * c;

	memset(dw, 0, 2 * FX_NN_PARTS * c * sizeof *dw);
#pragma omp parallel for schedule(static)
	for (size_t p = 0; p < FX_NN_PARTS; p++)
		for (size_t i = nn_part(spans, p); i < nn_part(spans, p + 1); i++)
			for (size_t x = 0; x < nn_span(in, i).voxels; x++) {
				const size_t at = nn_span(in, i).at + x * step;

				layer_back_voxel(in->data + at, out->grad + at,
						 in->grad ? in->grad + at : NULL, w, dw + p * c,
						 db + p * c, c, (NN_REAL)l->args.a);
			}
	fx_nn_add_parts(nn_weight_grads(net, l, 0), dw, c);
	fx_nn_add_parts(nn_weight_grads(net, l, 1), db, c);
}

/* Sums of a and of a b over the voxels of sample n, two numbers per channel. Planes in
 * parallel, added in order: @p part holds 2 c numbers a plane. */
static void sample_sums(const struct fx_nn_value *v, size_t n, const NN_REAL *a, const NN_REAL *b,
			double *part, double *sums)
{
	const struct fx_nn_shape s = v->shape;

#pragma omp parallel for schedule(static)
	for (size_t z = 0; z < s.z; z++) {
		double *own = part + z * 2 * s.c;

		memset(own, 0, 2 * s.c * sizeof *own);
		for (size_t i = 0; i < s.y * s.x; i++) {
			const size_t at = nn_at(v, n, z, i / s.x, i % s.x);

			for (size_t k = 0; k < s.c; k++) {
				const double first = (double)a[at + k];

				own[2 * k] += first;
				own[2 * k + 1] += first * (double)b[at + k];
			}
		}
	}
	memset(sums, 0, 2 * s.c * sizeof *sums);
	for (size_t z = 0; z < s.z; z++)
		for (size_t k = 0; k < 2 * s.c; k++)
			sums[k] += part[z * 2 * s.c + k];
}

/* The scratch of group norm holds doubles: sums of all planes, then of the sample. */
static double *group_scratch(const struct fx_nn *net)
{
	return (double *)(void *)net->scratch;
}

/* Mean and 1 / deviation of every group of sample n, into two numbers per group. */
static void group_moments(struct fx_nn *net, const struct fx_nn_layer *l, size_t n, NN_REAL *to)
{
	const struct fx_nn_value *in = nn_in(net, l, 0);
	const struct fx_nn_shape s = in->shape;
	const size_t wide = s.c / l->args.count;
	const double count = (double)(wide * s.z * s.y * s.x);
	double *part = group_scratch(net), *sums = part + 2 * s.c * s.z;

	sample_sums(in, n, in->data, in->data, part, sums);
	for (size_t g = 0; g < l->args.count; g++) {
		double sum = 0, square = 0, mean;

		for (size_t k = g * wide; k < (g + 1) * wide; k++) {
			sum += sums[2 * k];
			square += sums[2 * k + 1];
		}
		mean = sum / count;
		square = square / count - mean * mean;
		to[2 * g] = (NN_REAL)mean;
		to[2 * g + 1] = (NN_REAL)(1 / sqrt((square > 0 ? square : 0) + l->args.a));
	}
}

/* to = (from - mean) * inverse * w + b over sample n. */
static void group_apply(const struct fx_nn_value *in, const struct fx_nn_value *out, size_t n,
			const NN_REAL *moments, size_t wide, const NN_REAL *w, const NN_REAL *b)
{
	const struct fx_nn_shape s = in->shape;

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < s.z * s.y * s.x; i++) {
		const size_t at = nn_at(in, n, i / s.x / s.y, i / s.x % s.y, i % s.x);

		for (size_t k = 0; k < s.c; k++) {
			const NN_REAL *m = moments + 2 * (k / wide);

			out->data[at + k] = (in->data[at + k] - m[0]) * m[1] * w[k] + b[k];
		}
	}
}

static void group_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);

	for (size_t n = 0; n < in->shape.n; n++) {
		NN_REAL *moments = l->mem + 2 * n * l->args.count;

		group_moments(net, l, n, moments);
		group_apply(in, out, n, moments, in->shape.c / l->args.count, nn_weights(net, l, 0),
			    nn_weights(net, l, 1));
	}
	fx_nn_zero_slots(out, out->data);
}

/* Gradients of weight and bias of sample n, and per group the means of w dy and of w dy h. */
static void group_back_sums(struct fx_nn *net, const struct fx_nn_layer *l, size_t n, double *means)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const struct fx_nn_shape s = in->shape;
	const size_t wide = s.c / l->args.count;
	const NN_REAL *moments = l->mem + 2 * n * l->args.count, *w = nn_weights(net, l, 0);
	const double count = (double)(wide * s.z * s.y * s.x);
	double *part = group_scratch(net), *sums = part + 2 * s.c * s.z;

	/* sums of dy, and of dy x */
	sample_sums(in, n, out->grad, in->data, part, sums);
	memset(means, 0, 2 * l->args.count * sizeof *means);
	for (size_t k = 0; k < s.c; k++) {
		const size_t g = k / wide;
		const double along = (sums[2 * k + 1] - (double)moments[2 * g] * sums[2 * k]) *
				     (double)moments[2 * g + 1];

		nn_weight_grads(net, l, 0)[k] += (NN_REAL)along;
		nn_weight_grads(net, l, 1)[k] += (NN_REAL)sums[2 * k];
		means[2 * g] += (double)w[k] * sums[2 * k] / count;
		means[2 * g + 1] += (double)w[k] * along / count;
	}
}

static void group_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const struct fx_nn_shape s = in->shape;
	const size_t wide = s.c / l->args.count;
	const NN_REAL *w = nn_weights(net, l, 0);
	double *means = group_scratch(net) + 2 * s.c * (s.z + 1);

	for (size_t n = 0; n < s.n; n++) {
		const NN_REAL *moments = l->mem + 2 * n * l->args.count;

		group_back_sums(net, l, n, means);
#pragma omp parallel for schedule(static)
		for (size_t i = 0; i < s.z * s.y * s.x; i++) {
			const size_t at = nn_at(in, n, i / s.x / s.y, i / s.x % s.y, i % s.x);

			for (size_t k = 0; k < s.c && in->grad; k++) {
				const size_t g = k / wide;
				const NN_REAL h =
					(in->data[at + k] - moments[2 * g]) * moments[2 * g + 1];

				in->grad[at + k] +=
					moments[2 * g + 1] *
					(out->grad[at + k] * w[k] - (NN_REAL)means[2 * g] -
					 h * (NN_REAL)means[2 * g + 1]);
			}
		}
	}
}

static const struct fx_nn_op layer_op = {
	.name = "layer norm", .reads_in = true, .forward = layer_forward, .backward = layer_backward
};
static const struct fx_nn_op group_op = {
	.name = "group norm", .reads_in = true, .forward = group_forward, .backward = group_backward
};

static int add_norm(struct fx_nn *net, struct fx_nn_layer *l, const char *name)
{
	const struct fx_nn_shape s = fx_nn_shape_of(net, l->in[0]);

	l->param = fx_nn_add_weights(net, name, "weight", 1, &s.c, FX_NN_ONES, 1, false);
	if (l->param < 0 ||
	    fx_nn_add_weights(net, name, "bias", 1, &s.c, FX_NN_ZEROS, 1, false) < 0)
		return -1;
	return fx_nn_add_layer(net, l, s);
}

int fx_nn_layer_norm(struct fx_nn *net, int x, const char *name, double eps)
{
	struct fx_nn_layer l = { .op = &layer_op, .in = { x, -1, -1 }, .args.a = eps };

	if (!fx_nn_have(net, &x, 1))
		return -1;
	l.scratch = 2 * FX_NN_PARTS * fx_nn_shape_of(net, x).c;
	return add_norm(net, &l, name);
}

int fx_nn_group_norm(struct fx_nn *net, int x, const char *name, size_t groups, double eps)
{
	struct fx_nn_layer l = { .op = &group_op,
				 .in = { x, -1, -1 },
				 .args = { .a = eps, .count = groups } };
	struct fx_nn_shape s;

	if (!fx_nn_have(net, &x, 1))
		return -1;
	s = fx_nn_shape_of(net, x);
	if (!groups || s.c % groups)
		return fx_nn_refuse(net, "group norm \"%s\": %zu groups do not divide %zu channels",
				    name, groups, s.c);
	l.memory = 2 * s.n * groups;
	l.scratch = sizeof(double) / sizeof(NN_REAL) * 2 * (s.c * (s.z + 1) + groups);
	return add_norm(net, &l, name);
}
