// SPDX-License-Identifier: Apache-2.0
/* conv3d_priv.h: what the paths of conv3d share. */
#ifndef FX_KERNELS_CONV3D_PRIV_H
#define FX_KERNELS_CONV3D_PRIV_H

#include "kernels/conv3d.h"

/** Channels that a plan reads and writes. */
static inline size_t fx_conv3d_reads(const struct fx_conv3d_plan *p)
{
	return p->transposed ? p->conv.out_channels : p->conv.in_channels;
}

static inline size_t fx_conv3d_writes(const struct fx_conv3d_plan *p)
{
	return p->transposed ? p->conv.in_channels : p->conv.out_channels;
}

static inline size_t fx_conv3d_taps(const struct fx_conv3d *c)
{
	return (size_t)c->kernel[0] * (size_t)c->kernel[1] * (size_t)c->kernel[2];
}

/** Coordinate that output @p o of @p p reads with tap @p k along @p axis; false when there is none.
 * It may be outside of the input. */
static inline bool fx_conv3d_source(const struct fx_conv3d_plan *p, int axis, ptrdiff_t o, int k,
				    ptrdiff_t *i)
{
	const ptrdiff_t s = p->conv.stride[axis], before = p->conv.before[axis];

	if (!p->transposed) {
		*i = o * s + k - before;
		return true;
	}
	*i = (o + before - k) / s;
	return (o + before - k) % s == 0;
}

/** The same, and inside of the input. */
static inline bool fx_conv3d_inside(const struct fx_conv3d_plan *p, int axis, ptrdiff_t o, int k,
				    ptrdiff_t *i)
{
	return fx_conv3d_source(p, axis, o, k, i) && *i >= 0 && *i < (ptrdiff_t)p->in.shape[axis];
}

/** Weight of tap @p t between channel @p read and channel @p write of the plan, in OIDHW. */
static inline size_t fx_conv3d_weight(const struct fx_conv3d_plan *p, size_t read, size_t write,
				      size_t t)
{
	const size_t o = p->transposed ? read : write, i = p->transposed ? write : read;

	return (o * p->conv.in_channels + i) * fx_conv3d_taps(&p->conv) + t;
}

/** Width of the panel of output channels that begins at slot @p at: 32 (where vectors are 16 wide),
 * 16 or 8. */
static inline size_t fx_conv3d_panel(const struct fx_conv3d_plan *p, size_t at)
{
	const size_t left = p->out.slots - at;

	return left >= 32 && p->panel == 32 ? 32 : left >= 16 ? 16 : 8;
}

void fx_conv3d_plain(const struct fx_conv3d_plan *p, const struct fx_conv3d_args *a);
void fx_conv3d_plain_dw(const struct fx_conv3d_plan *p, const float *in, const float *dy, float *dw,
			float *db);

/* Direct path: conv3d_direct.c has the register blocks, conv3d_rows.c what they are given. */

enum { FX_CONV_STRIP = 64, FX_CONV_PANEL = 32 };

/** One tap: where voxel 0 of the strip reads, and the weights of the panel. */
struct fx_conv_tap {
	const float *in, *w;
};

/** A strip of up to FX_CONV_STRIP output voxels of a row times a panel of output channels:
 *     sum[v][c] = bias[c] + sum over taps, k of tap.in[v * in_step + k * k_step] * tap.w[k * w_step
 * + c] in exactly that order, then the epilogue. */
struct fx_conv_strip {
	const struct fx_conv_tap *taps;
	size_t taps_len, depth; /* k is 0 to depth - 1 */
	size_t in_step, k_step, w_step;
	size_t voxels, width; /* width 8, 16 or 32 */
	const float *bias;    /* width of them */
	float *sums;	      /* FX_CONV_STRIP * width: sums between parts of the taps */
	bool first, last;     /* first part begins at bias, else at sums; last writes the outputs */
	const float *gate, *residual;
	float *out, *also; /* any of the four may be NULL */
	size_t gate_step, residual_step, out_step, also_step;
	bool relu;
};

typedef void fx_conv_strip_fn(const struct fx_conv_strip *s);

/** The kernel of an instruction set; the portable one when the compiler cannot make @p isa. */
fx_conv_strip_fn *fx_conv_strip_kernel(enum fx_conv3d_isa isa);

size_t fx_conv3d_direct_packed(const struct fx_conv3d_plan *p);
void fx_conv3d_direct_pack(const struct fx_conv3d_plan *p, float *packed, const float *weights);
void fx_conv3d_direct(const struct fx_conv3d_plan *p, const struct fx_conv3d_args *a,
		      fx_conv_strip_fn *kernel);
void fx_conv3d_direct_dw(const struct fx_conv3d_plan *p, const float *in, const float *dy,
			 float *dw, float *scratch, fx_conv_strip_fn *kernel);

size_t fx_conv3d_winograd_packed(const struct fx_conv3d_plan *p);
size_t fx_conv3d_winograd_scratch(const struct fx_conv3d_plan *p);
void fx_conv3d_winograd_pack(const struct fx_conv3d_plan *p, float *packed, const float *weights);
void fx_conv3d_winograd(const struct fx_conv3d_plan *p, const struct fx_conv3d_args *a,
			enum fx_conv3d_isa isa);

/* conv3d_blas.c; whether the layout of the input is one it can do. */
bool fx_conv3d_blas_can(const struct fx_conv3d_plan *p);
size_t fx_conv3d_blas_packed(const struct fx_conv3d_plan *p);
size_t fx_conv3d_blas_scratch(const struct fx_conv3d_plan *p);
size_t fx_conv3d_blas_dw_scratch(const struct fx_conv3d_plan *p);
void fx_conv3d_blas_pack(const struct fx_conv3d_plan *p, float *packed, const float *weights);
void fx_conv3d_blas(const struct fx_conv3d_plan *p, const struct fx_conv3d_args *a);
void fx_conv3d_blas_dw(const struct fx_conv3d_plan *p, const float *in, const float *dy, float *dw,
		       float *scratch);

/** Adds the sums of dy over voxels, in double, same bits for any number of threads. */
void fx_conv3d_db(const struct fx_conv3d_plan *p, const float *dy, float *db);

#endif
