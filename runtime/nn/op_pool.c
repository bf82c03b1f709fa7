// SPDX-License-Identifier: Apache-2.0
/* op_pool.c: half and twice the voxels: pooling, and growing by repetition or linearly. */
#include "nn/op.h"

/* Voxels of a box along z, y, x. */
struct box {
	size_t side[3];
};

static struct box box_of(const struct fx_nn_layer *l)
{
	return (struct box){ { l->args.flat ? 1 : 2, 2, 2 } };
}

static size_t box_len(struct box b)
{
	return b.side[0] * b.side[1] * b.side[2];
}

/* Number of voxel @p k of the box whose first voxel is @p at. */
static size_t box_at(const struct fx_nn_value *v, struct box b, size_t at, size_t k)
{
	return at + k / 4 % b.side[0] * v->at.stride[0] + k / 2 % 2 * v->at.stride[1] +
	       k % 2 * v->at.stride[2];
}

/* Voxel x of row i of the small value, in the large one. */
static size_t large_at(const struct fx_nn_value *small, const struct fx_nn_value *large,
		       struct box b, size_t i, size_t x)
{
	const struct fx_nn_shape *s = &small->shape;

	return nn_at(large, i / (s->z * s->y), i / s->y % s->z * b.side[0], i % s->y * 2, x * 2);
}

static size_t small_at(const struct fx_nn_value *v, size_t i, size_t x)
{
	return nn_at(v, i / (v->shape.z * v->shape.y), i / v->shape.y % v->shape.z, i % v->shape.y,
		     x);
}

static size_t rows_of(const struct fx_nn_value *v)
{
	return v->shape.n * v->shape.z * v->shape.y;
}

/* The number of the largest of channel c's values in a box, the first of equals. */
static size_t box_largest(const struct fx_nn_value *v, struct box b, size_t at)
{
	size_t best = at;

	for (size_t k = 1; k < box_len(b); k++)
		if (v->data[box_at(v, b, at, k)] > v->data[best])
			best = box_at(v, b, at, k);
	return best;
}

static void max_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const struct box b = box_of(l);

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < rows_of(out); i++)
		for (size_t k = 0; k < out->shape.x * nn_step(out); k++) {
			const size_t x = k / nn_step(out), c = k % nn_step(out);

			out->data[small_at(out, i, x) + c] =
				in->data[box_largest(in, b, large_at(out, in, b, i, x) + c)];
		}
}

static void max_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const struct box b = box_of(l);

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < rows_of(out); i++)
		for (size_t k = 0; k < out->shape.x * nn_step(out); k++) {
			const size_t x = k / nn_step(out), c = k % nn_step(out);

			in->grad[box_largest(in, b, large_at(out, in, b, i, x) + c)] +=
				out->grad[small_at(out, i, x) + c];
		}
}

/* to of the small value (+)= factor * sum of the box of @p from. */
static void boxes_sum(const struct fx_nn_value *small, NN_REAL *to, const struct fx_nn_value *large,
		      const NN_REAL *from, struct box b, NN_REAL factor, bool add)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < rows_of(small); i++)
		for (size_t k = 0; k < small->shape.x * nn_step(small); k++) {
			const size_t x = k / nn_step(small), c = k % nn_step(small),
				     at = large_at(small, large, b, i, x) + c,
				     own = small_at(small, i, x) + c;
			NN_REAL sum = 0;

			for (size_t j = 0; j < box_len(b); j++)
				sum += from[box_at(large, b, at, j)];
			to[own] = (add ? to[own] : 0) + factor * sum;
		}
}

/* Every voxel of the box of @p to (+)= factor * the small value. */
static void boxes_spread(const struct fx_nn_value *large, NN_REAL *to,
			 const struct fx_nn_value *small, const NN_REAL *from, struct box b,
			 NN_REAL factor, bool add)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < rows_of(small); i++)
		for (size_t k = 0; k < small->shape.x * nn_step(small); k++) {
			const size_t x = k / nn_step(small), c = k % nn_step(small),
				     at = large_at(small, large, b, i, x) + c;
			const NN_REAL v = factor * from[small_at(small, i, x) + c];

			for (size_t j = 0; j < box_len(b); j++) {
				NN_REAL *one = &to[box_at(large, b, at, j)];

				*one = (add ? *one : 0) + v;
			}
		}
}

static void mean_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const struct box b = box_of(l);

	boxes_sum(out, out->data, in, in->data, b, 1 / (NN_REAL)box_len(b), false);
}

static void mean_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const struct box b = box_of(l);

	boxes_spread(in, in->grad, out, out->grad, b, 1 / (NN_REAL)box_len(b), true);
}

static void nearest_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);

	boxes_spread(out, out->data, in, in->data, box_of(l), 1, false);
}

static void nearest_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);

	boxes_sum(in, in->grad, out, out->grad, box_of(l), 1, true);
}

/* How much input @p i of @p n takes part in output @p o along one axis that doubles: 3/4 the near
 * one, 1/4 the far one, edges repeated; 1 on an axis that does not double. */
static NN_REAL linear_share(size_t o, size_t i, size_t n, bool doubles)
{
	const size_t near = o / 2, far = o % 2 ? near + 1 : near - 1;
	const size_t edge = o % 2 ? (near + 1 < n ? far : near) : (near > 0 ? far : near);

	if (!doubles)
		return o == i;
	return (NN_REAL)0.75 * (near == i) + (NN_REAL)0.25 * (edge == i);
}

/* Sum of @p from over the inputs of output voxel (z, y, x), or of the outputs of an input voxel:
 * the places from lo to hi along each axis. */
struct reach {
	size_t lo[3], hi[3];
};

static struct reach reach_of(const size_t at[3], const size_t small[3], bool flat, bool of_input)
{
	struct reach r;

	for (int a = 0; a < 3; a++) {
		const bool doubles = a > 0 || !flat;
		const size_t n = small[a], o = at[a];

		if (!doubles)
			r.lo[a] = r.hi[a] = o;
		else if (of_input) {
			r.lo[a] = o ? 2 * o - 1 : 0;
			r.hi[a] = 2 * o + 2 < 2 * n ? 2 * o + 2 : 2 * n - 1;
		} else {
			r.lo[a] = o / 2 - (o % 2 == 0 && o > 0);
			r.hi[a] = o / 2 + (o % 2 == 1 && o / 2 + 1 < n);
		}
	}
	return r;
}

/* Value of one voxel of one kind as the weighted sum of voxels of the other kind. */
static void linear_voxel(NN_REAL *to, const struct fx_nn_value *v, const NN_REAL *from, size_t n,
			 const size_t at[3], const size_t small[3], bool flat, bool of_input)
{
	const struct reach r = reach_of(at, small, flat, of_input);

	for (size_t z = r.lo[0]; z <= r.hi[0]; z++)
		for (size_t y = r.lo[1]; y <= r.hi[1]; y++)
			for (size_t x = r.lo[2]; x <= r.hi[2]; x++) {
				const size_t zyx[3] = { z, y, x };
				const NN_REAL *one = from + nn_at(v, n, z, y, x);
				NN_REAL share = 1;

				for (int a = 0; a < 3; a++)
					share *= linear_share(of_input ? zyx[a] : at[a],
							      of_input ? at[a] : zyx[a], small[a],
							      a > 0 || !flat);
				for (size_t c = 0; c < v->shape.c; c++)
					to[c] += share * one[c];
			}
}

static void linear_forward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const struct fx_nn_shape s = out->shape;
	const size_t small[3] = { in->shape.z, in->shape.y, in->shape.x };

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < rows_of(out); i++)
		for (size_t x = 0; x < s.x; x++) {
			const size_t at[3] = { i / s.y % s.z, i % s.y, x };
			NN_REAL *to = out->data + small_at(out, i, x);

			for (size_t c = 0; c < nn_step(out); c++)
				to[c] = 0;
			linear_voxel(to, in, in->data, i / (s.z * s.y), at, small, l->args.flat,
				     false);
		}
}

static void linear_backward(struct fx_nn *net, struct fx_nn_layer *l)
{
	const struct fx_nn_value *in = nn_in(net, l, 0), *out = nn_out(net, l);
	const struct fx_nn_shape s = in->shape;
	const size_t small[3] = { s.z, s.y, s.x };

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < rows_of(in); i++)
		for (size_t x = 0; x < s.x; x++) {
			const size_t at[3] = { i / s.y % s.z, i % s.y, x };

			linear_voxel(in->grad + small_at(in, i, x), out, out->grad, i / (s.z * s.y),
				     at, small, l->args.flat, true);
		}
}

static const struct fx_nn_op max_op = {
	.name = "max pool", .reads_in = true, .forward = max_forward, .backward = max_backward
};
static const struct fx_nn_op mean_op = { .name = "mean pool",
					 .forward = mean_forward,
					 .backward = mean_backward };
static const struct fx_nn_op nearest_op = { .name = "up nearest",
					    .forward = nearest_forward,
					    .backward = nearest_backward };
static const struct fx_nn_op linear_up_op = { .name = "up linear",
					      .forward = linear_forward,
					      .backward = linear_backward };

static int add_resize(struct fx_nn *net, int x, const struct fx_nn_op *op, bool flat, bool up)
{
	const struct fx_nn_layer l = {
		.op = op, .in = { x, -1, -1 }, .param = -1, .args.flat = flat
	};
	struct fx_nn_shape s;

	if (!fx_nn_have(net, &x, 1))
		return -1;
	s = fx_nn_shape_of(net, x);
	s.z = flat ? s.z : up ? s.z * 2 : s.z / 2;
	s.y = up ? s.y * 2 : s.y / 2;
	s.x = up ? s.x * 2 : s.x / 2;
	return fx_nn_add_layer(net, &l, s);
}

int fx_nn_max_pool(struct fx_nn *net, int x, bool flat)
{
	return add_resize(net, x, &max_op, flat, false);
}

int fx_nn_mean_pool(struct fx_nn *net, int x, bool flat)
{
	return add_resize(net, x, &mean_op, flat, false);
}

int fx_nn_up_nearest(struct fx_nn *net, int x, bool flat)
{
	return add_resize(net, x, &nearest_op, flat, true);
}

int fx_nn_up_linear(struct fx_nn *net, int x, bool flat)
{
	return add_resize(net, x, &linear_up_op, flat, true);
}
