// SPDX-License-Identifier: Apache-2.0
/* op_join.c: layers that move voxels: concatenation, windows, and a value added to all samples. */
#include "nn/op.h"

#include <string.h>

static void concat_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *a = nn_in(net, l, 0), *b = nn_in(net, l, 1),
				 *out = nn_out(net, l);
	const size_t spans = nn_spans(out), ca = a->shape.c, cb = b->shape.c;

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < spans; i++)
		for (size_t x = 0; x < nn_span(out, i).voxels; x++) {
			NN_REAL *to = out->data + nn_span(out, i).at + x * nn_step(out);

			memcpy(to, a->data + nn_span(a, i).at + x * nn_step(a), ca * sizeof *to);
			memcpy(to + ca, b->data + nn_span(b, i).at + x * nn_step(b),
			       cb * sizeof *to);
		}
	fx_nn_zero_slots(out, out->data);
}

/* Adds the channels from @p first of the output's gradient to that of @p in. */
static void concat_back(const struct fx_nn_value *in, const struct fx_nn_value *out, size_t first)
{
	const size_t spans = nn_spans(out), c = in->shape.c;

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < spans; i++)
		for (size_t x = 0; x < nn_span(out, i).voxels; x++) {
			NN_REAL *to = in->grad + nn_span(in, i).at + x * nn_step(in);
			const NN_REAL *from =
				out->grad + nn_span(out, i).at + x * nn_step(out) + first;

			for (size_t k = 0; k < c; k++)
				to[k] += from[k];
		}
}

static void concat_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *a = nn_in(net, l, 0), *b = nn_in(net, l, 1),
				 *out = nn_out(net, l);

	if (a->grad)
		concat_back(a, out, 0);
	if (b->grad)
		concat_back(b, out, a->shape.c);
}

static const struct fx_nn_op concat_op = { .name = "concat",
					   .forward = concat_forward,
					   .backward = concat_backward };

int fx_nn_concat(struct fx_nn *net, int a, int b)
{
	struct fx_nn_shape s, other;

	if (!fx_nn_have(net, (const int[]){ a, b }, 2))
		return -1;
	s = fx_nn_shape_of(net, a);
	other = fx_nn_shape_of(net, b);
	other.c = s.c;
	if (!fx_nn_same(s, other) || net->values[a].layout != net->values[b].layout)
		return fx_nn_refuse(net, "concat: values %d and %d differ in shape or layout", a,
				    b);
	s.c += fx_nn_shape_of(net, b).c;
	return fx_nn_add_layer(
		net, &(struct fx_nn_layer){ .op = &concat_op, .in = { a, b, -1 }, .param = -1 }, s);
}

/* The part of row (z, y) of the output that lies inside the input: false when none does. */
struct window_row {
	size_t from, to, voxels; /* first numbers in input and output */
};

static bool window_row(const struct fx_nn_value *in, const struct fx_nn_value *out,
		       const int64_t lo[3], size_t row, struct window_row *r)
{
	const struct fx_nn_shape *s = &out->shape;
	const size_t n = row / (s->z * s->y), oz = row / s->y % s->z, oy = row % s->y;
	const int64_t z = (int64_t)oz + lo[0], y = (int64_t)oy + lo[1],
		      first = lo[2] < 0 ? -lo[2] : 0, wide = (int64_t)in->shape.x - lo[2],
		      end = wide < (int64_t)s->x ? wide : (int64_t)s->x;

	if (z < 0 || y < 0 || z >= (int64_t)in->shape.z || y >= (int64_t)in->shape.y ||
	    end <= first)
		return false;
	r->from = nn_at(in, n, (size_t)z, (size_t)y, (size_t)(first + lo[2]));
	r->to = nn_at(out, n, oz, oy, (size_t)first);
	r->voxels = (size_t)(end - first);
	return true;
}

static void window_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const size_t rows = out->shape.n * out->shape.z * out->shape.y;

	memset(out->data, 0, out->size * sizeof *out->data);
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < rows; i++) {
		struct window_row r;

		if (window_row(in, out, l->args.lo, i, &r))
			memcpy(out->data + r.to, in->data + r.from,
			       r.voxels * nn_step(in) * sizeof *in->data);
	}
}

static void window_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const size_t rows = out->shape.n * out->shape.z * out->shape.y;

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < rows; i++) {
		struct window_row r;

		if (!window_row(in, out, l->args.lo, i, &r))
			continue;
		for (size_t k = 0; k < r.voxels * nn_step(in); k++)
			in->grad[r.from + k] += out->grad[r.to + k];
	}
}

static const struct fx_nn_op window_op = { .name = "window",
					   .forward = window_forward,
					   .backward = window_backward };

int fx_nn_window(struct fx_nn *net, int x, const int64_t lo[3], const size_t size[3])
{
	struct fx_nn_layer l = { .op = &window_op, .in = { x, -1, -1 }, .param = -1 };
	struct fx_nn_shape s;

	if (!fx_nn_have(net, &x, 1))
		return -1;
	s = fx_nn_shape_of(net, x);
	for (int a = 0; a < 3; a++) {
		if (lo[a] > INT32_MAX || lo[a] < INT32_MIN || size[a] > INT32_MAX)
			return fx_nn_refuse(net, "window: %lld is out of range", (long long)lo[a]);
		l.args.lo[a] = lo[a];
	}
	return fx_nn_add_layer(net, &l,
			       (struct fx_nn_shape){ s.n, size[0], size[1], size[2], s.c });
}

static void position_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const NN_REAL *w = nn_weights(net, l, 0);
	const struct fx_nn_shape s = in->shape;
	const size_t rows = s.n * s.z * s.y, step = nn_step(in);

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < rows; i++) {
		const size_t at = nn_at(in, i / (s.z * s.y), i / s.y % s.z, i % s.y, 0);
		const NN_REAL *from = w + i % (s.z * s.y) * s.x * s.c;

		for (size_t k = 0; k < s.x * s.c; k++)
			out->data[at + k / s.c * step + k % s.c] =
				in->data[at + k / s.c * step + k % s.c] + from[k];
	}
	fx_nn_zero_slots(out, out->data);
}

static void position_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	NN_REAL *w = nn_weight_grads(net, l, 0);
	const struct fx_nn_shape s = in->shape;
	const size_t rows = s.z * s.y;

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < rows; i++)
		for (size_t k = 0; k < s.n * s.x * s.c; k++) {
			const size_t n = k / (s.x * s.c), j = k % (s.x * s.c),
				     at = nn_at(in, n, i / s.y, i % s.y, j / s.c) + j % s.c;

			w[i * s.x * s.c + j] += out->grad[at];
			if (in->grad)
				in->grad[at] += out->grad[at];
		}
}

static const struct fx_nn_op position_op = { .name = "position",
					     .forward = position_forward,
					     .backward = position_backward };

int fx_nn_add_param(struct fx_nn *net, int x, const char *name, enum fx_nn_start start)
{
	struct fx_nn_layer l = { .op = &position_op, .in = { x, -1, -1 } };
	struct fx_nn_shape s;

	if (!fx_nn_have(net, &x, 1))
		return -1;
	s = fx_nn_shape_of(net, x);
	l.param = fx_nn_add_weights(net, name, NULL, 4, (const size_t[]){ s.z, s.y, s.x, s.c },
				    start, 1, false);
	return l.param < 0 ? -1 : fx_nn_add_layer(net, &l, s);
}
