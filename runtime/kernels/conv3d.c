// SPDX-License-Identifier: Apache-2.0
/* conv3d.c: layouts and plans of 3-D convolutions, and the choice of the path. */
#include "kernels/conv3d_priv.h"

#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define BLAS_LAYOUT                                                                                \
	"blas reads whole voxels, and at most one zero at either end of a row, of a padded volume"

static int layout_init(struct fx_layout *l, const size_t shape[3], size_t channels, size_t pad)
{
	size_t row, plane, all;

	*l = (struct fx_layout){ .channels = channels,
				 .slots = (channels + FX_SLOT - 1) / FX_SLOT * FX_SLOT,
				 .padded = pad };
	memcpy(l->shape, shape, sizeof l->shape);
	for (int i = 0; i < 3; i++)
		if (shape[i] < 1 || shape[i] > SIZE_MAX / 4)
			return FX_EINVAL;
	if (channels < 1 || channels > FX_CONV3D_CHANNELS_MAX)
		return FX_EINVAL;
	if (!fx_mul_size(shape[2] + pad, l->slots, &row) ||
	    !fx_mul_size(shape[1] + pad, row, &plane) ||
	    !fx_mul_size(shape[0] + 2 * pad, plane, &all) || all > SIZE_MAX / 64)
		return FX_EINVAL;
	l->stride[0] = plane;
	l->stride[1] = row;
	l->stride[2] = l->slots;
	l->origin = pad * (plane + row + l->slots);
	/* The last zero plane ends with the pads of its own last row. */
	l->len = all + pad * (row + l->slots);
	return FX_OK;
}

int fx_layout_padded(struct fx_layout *l, const size_t shape[3], size_t channels)
{
	return layout_init(l, shape, channels, 1);
}

int fx_layout_dense(struct fx_layout *l, const size_t shape[3], size_t channels)
{
	return layout_init(l, shape, channels, 0);
}

int fx_layout_channels(struct fx_layout *part, const struct fx_layout *l, size_t first,
		       size_t channels)
{
	if (first % FX_SLOT || channels < 1 || first > l->slots || channels > l->slots - first)
		return FX_EINVAL;
	*part = *l;
	part->channels = channels;
	part->slots = (channels + FX_SLOT - 1) / FX_SLOT * FX_SLOT;
	part->origin += first;
	return FX_OK;
}

int fx_layout_crop(struct fx_layout *part, const struct fx_layout *l, const size_t from[3],
		   const size_t shape[3])
{
	struct fx_layout crop = *l;

	for (int i = 0; i < 3; i++) {
		if (shape[i] < 1 || from[i] > l->shape[i] || shape[i] > l->shape[i] - from[i])
			return FX_EINVAL;
		crop.origin += from[i] * l->stride[i];
		crop.shape[i] = shape[i];
	}
	crop.padded = false;
	*part = crop;
	return FX_OK;
}

float *fx_layout_alloc(const struct fx_layout *l)
{
	float *data = fx_alloc_aligned(l->len * sizeof *data);

	if (data)
		memset(data, 0, l->len * sizeof *data);
	return data;
}

struct fx_conv3d fx_conv3d_same(size_t in_channels, size_t out_channels, int k)
{
	return (struct fx_conv3d){ .in_channels = in_channels,
				   .out_channels = out_channels,
				   .kernel = { k, k, k },
				   .stride = { 1, 1, 1 },
				   .before = { (k - 1) / 2, (k - 1) / 2, (k - 1) / 2 },
				   .after = { k / 2, k / 2, k / 2 } };
}

static bool valid(const struct fx_conv3d *c)
{
	for (int i = 0; i < 3; i++)
		if (c->kernel[i] < 1 || c->kernel[i] > FX_CONV3D_KERNEL_MAX || c->stride[i] < 1 ||
		    c->stride[i] > FX_CONV3D_STRIDE_MAX || c->before[i] < 0 ||
		    c->before[i] >= c->kernel[i] || c->after[i] < 0 || c->after[i] >= c->kernel[i])
			return false;
	return c->in_channels >= 1 && c->in_channels <= FX_CONV3D_CHANNELS_MAX &&
	       c->out_channels >= 1 && c->out_channels <= FX_CONV3D_CHANNELS_MAX;
}

int fx_conv3d_shape(const struct fx_conv3d *c, const size_t in[3], size_t out[3])
{
	if (!valid(c))
		return FX_EINVAL;
	for (int i = 0; i < 3; i++) {
		const size_t room = in[i] + (size_t)c->before[i] + (size_t)c->after[i],
			     k = (size_t)c->kernel[i];

		if (in[i] < 1 || in[i] > SIZE_MAX / 4 || room < k)
			return FX_EINVAL;
		out[i] = (room - k) / (size_t)c->stride[i] + 1;
	}
	return FX_OK;
}

size_t fx_conv3d_weights(const struct fx_conv3d *c)
{
	return c->out_channels * c->in_channels * fx_conv3d_taps(c);
}

bool fx_conv3d_can(const struct fx_conv3d *c, enum fx_conv3d_path path)
{
	bool can = true;

	if (path == FX_CONV3D_WINOGRAD)
		for (int i = 0; i < 3; i++)
			can = can && c->kernel[i] == 3 && c->stride[i] == 1;
	if (path == FX_CONV3D_BLAS)
		for (int i = 0; i < 3; i++)
			can = can && c->stride[i] == 1;
	return can;
}

/* Checks everything but the sizes of a path. @p x is the layout of the input of @p c, @p y that of
 * its output. */
static int check(const struct fx_conv3d *c, enum fx_conv3d_path path, const struct fx_layout *x,
		 const struct fx_layout *y, struct fx_error *err)
{
	size_t n[3];

	if (!valid(c) || fx_conv3d_shape(c, x->shape, n) != FX_OK)
		return fx_error_set(
			err, FX_EINVAL,
			"convolution of %d x %d x %d does not fit a volume of %zu x %zu x %zu",
			c->kernel[0], c->kernel[1], c->kernel[2], x->shape[0], x->shape[1],
			x->shape[2]);
	if (memcmp(n, y->shape, sizeof n) != 0)
		return fx_error_set(err, FX_EINVAL,
				    "convolution makes %zu x %zu x %zu, not %zu x %zu x %zu voxels",
				    n[0], n[1], n[2], y->shape[0], y->shape[1], y->shape[2]);
	if (x->channels != c->in_channels || y->channels != c->out_channels)
		return fx_error_set(
			err, FX_EINVAL,
			"convolution from %zu to %zu channels between volumes of %zu and %zu",
			c->in_channels, c->out_channels, x->channels, y->channels);
	if (!fx_conv3d_can(c, path))
		return fx_error_set(err, FX_EINVAL, "%s does not do this convolution, direct does",
				    path == FX_CONV3D_BLAS ? "blas" : "winograd");
	return FX_OK;
}

static void fill(struct fx_conv3d_plan *p, const struct fx_conv3d *c, enum fx_conv3d_path path,
		 const struct fx_layout *in, const struct fx_layout *out, int threads)
{
	*p = (struct fx_conv3d_plan){ .conv = *c,
				      .path = path,
				      .in = *in,
				      .out = *out,
				      .residual = *out,
				      .gate = *out,
				      .also = *out,
				      .threads = threads > 0 ? threads : omp_get_max_threads(),
				      .panel = fx_conv3d_isa() == FX_CONV3D_AVX512 ? 32 : 16 };
}

static int sizes(struct fx_conv3d_plan *p, struct fx_error *err)
{
	p->packed_len = fx_conv3d_weights(&p->conv);
	if (p->path == FX_CONV3D_DIRECT) {
		p->packed_len = fx_conv3d_direct_packed(p);
	} else if (p->path == FX_CONV3D_WINOGRAD) {
		p->packed_len = fx_conv3d_winograd_packed(p);
		p->scratch_len = fx_conv3d_winograd_scratch(p);
	} else if (p->path == FX_CONV3D_BLAS) {
		if (!fx_conv3d_blas_can(p))
			return fx_error_set(err, FX_EINVAL, BLAS_LAYOUT);
		p->packed_len = fx_conv3d_blas_packed(p);
		p->scratch_len = fx_conv3d_blas_scratch(p);
	}
	return FX_OK;
}

int fx_conv3d_plan(struct fx_conv3d_plan *p, const struct fx_conv3d *c, enum fx_conv3d_path path,
		   const struct fx_layout *in, const struct fx_layout *out, int threads,
		   struct fx_error *err)
{
	const int result = check(c, path, in, out, err);

	if (result != FX_OK)
		return result;
	fill(p, c, path, in, out, threads);
	return sizes(p, err);
}

int fx_conv3d_plan_dx(struct fx_conv3d_plan *p, const struct fx_conv3d *c, enum fx_conv3d_path path,
		      const struct fx_layout *dy, const struct fx_layout *dx, int threads,
		      struct fx_error *err)
{
	const int result = check(c, path, dx, dy, err);

	if (result != FX_OK)
		return result;
	fill(p, c, path, dy, dx, threads);
	p->transposed = true;
	return sizes(p, err);
}

int fx_conv3d_plan_dw(struct fx_conv3d_plan *p, const struct fx_conv3d *c, enum fx_conv3d_path path,
		      const struct fx_layout *in, const struct fx_layout *dy, int threads,
		      struct fx_error *err)
{
	const int result =
		check(c, path == FX_CONV3D_WINOGRAD ? FX_CONV3D_DIRECT : path, in, dy, err);

	if (result != FX_OK)
		return result;
	fill(p, c, path, in, dy, threads);
	if (path == FX_CONV3D_BLAS) {
		if (!fx_conv3d_blas_can(p))
			return fx_error_set(err, FX_EINVAL, BLAS_LAYOUT);
		p->scratch_len = fx_conv3d_blas_dw_scratch(p);
	} else if (path != FX_CONV3D_PLAIN) {
		p->scratch_len = fx_conv3d_taps(c) * c->in_channels * dy->slots;
	}
	return FX_OK;
}

void fx_conv3d_pack(const struct fx_conv3d_plan *p, float *packed, const float *weights)
{
	if (p->path == FX_CONV3D_PLAIN)
		memcpy(packed, weights, p->packed_len * sizeof *packed);
	else if (p->path == FX_CONV3D_WINOGRAD)
		fx_conv3d_winograd_pack(p, packed, weights);
	else if (p->path == FX_CONV3D_BLAS)
		fx_conv3d_blas_pack(p, packed, weights);
	else
		fx_conv3d_direct_pack(p, packed, weights);
}

void fx_conv3d_run_isa(const struct fx_conv3d_plan *p, const struct fx_conv3d_args *a,
		       enum fx_conv3d_isa isa)
{
	if (p->path == FX_CONV3D_PLAIN)
		fx_conv3d_plain(p, a);
	else if (p->path == FX_CONV3D_WINOGRAD)
		fx_conv3d_winograd(p, a, isa);
	else if (p->path == FX_CONV3D_BLAS)
		fx_conv3d_blas(p, a);
	else
		fx_conv3d_direct(p, a, fx_conv_strip_kernel(isa));
}

void fx_conv3d_run(const struct fx_conv3d_plan *p, const struct fx_conv3d_args *a)
{
	fx_conv3d_run_isa(p, a, fx_conv3d_isa());
}

void fx_conv3d_run_dw_isa(const struct fx_conv3d_plan *p, const float *in, const float *dy,
			  float *dw, float *db, float *scratch, enum fx_conv3d_isa isa)
{
	if (p->path == FX_CONV3D_PLAIN) {
		fx_conv3d_plain_dw(p, in, dy, dw, db);
		return;
	}
	if (p->path == FX_CONV3D_BLAS)
		fx_conv3d_blas_dw(p, in, dy, dw, scratch);
	else
		fx_conv3d_direct_dw(p, in, dy, dw, scratch, fx_conv_strip_kernel(isa));
	if (db)
		fx_conv3d_db(p, dy, db);
}

void fx_conv3d_run_dw(const struct fx_conv3d_plan *p, const float *in, const float *dy, float *dw,
		      float *db, float *scratch)
{
	fx_conv3d_run_dw_isa(p, in, dy, dw, db, scratch, fx_conv3d_isa());
}
