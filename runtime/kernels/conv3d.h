// SPDX-License-Identifier: Apache-2.0
/* conv3d.h: 3-D convolution of feature volumes, forward and both gradients. */
#ifndef FX_KERNELS_CONV3D_H
#define FX_KERNELS_CONV3D_H

#include <stdbool.h>
#include <stddef.h>

#include <fornix/error.h>

/* A feature volume is channels last: voxel after voxel along x, y, z, each with its channels side
 * by side, rounded up to a multiple of 8 (the slots; those beyond the channels hold 0). A padded
 * volume has ONE zero voxel a row and one zero row a plane that both neighbours share, and a zero
 * plane below and above: index(z, y, x) = ((z + 1) * (Y + 1) + y + 1) * (X + 1) + x + 1 so that x =
 * X is x = -1 of the next row. The pads are zeroed once; nothing here writes them. */

enum {
	FX_SLOT = 8,		  /* slots are multiples of this */
	FX_CONV3D_KERNEL_MAX = 5, /* longest kernel along an axis */
	FX_CONV3D_STRIDE_MAX = 4, /* largest stride along an axis */
	FX_CONV3D_CHANNELS_MAX = 65536,
};

/** Where the voxels of a volume are in a buffer; everything counts elements (float or double). */
struct fx_layout {
	size_t shape[3]; /**< z, y, x */
	size_t channels, slots;
	size_t stride[3]; /**< elements from plane to plane, row to row, voxel to voxel */
	size_t origin;	  /**< of voxel 0, 0, 0 from the start of the buffer */
	size_t len;	  /**< elements of the buffer */
	bool padded;	  /**< has the zero pads */
};

/** Padded layout. FX_EINVAL for an axis of 0, no channels, or a size that does not fit. */
int fx_layout_padded(struct fx_layout *l, const size_t shape[3], size_t channels);
/** Layout without pads. Errors as above. */
int fx_layout_dense(struct fx_layout *l, const size_t shape[3], size_t channels);
/** The part of @p l from channel @p first (a multiple of 8) with @p channels channels, in the same
 * buffer: what a concatenation writes to and its gradient reads from. Padded when @p l is.
 * FX_EINVAL when it does not fit. */
int fx_layout_channels(struct fx_layout *part, const struct fx_layout *l, size_t first,
		       size_t channels);
/** The box of @p shape at voxel @p from of @p l, same buffer, not padded. FX_EINVAL when outside.
 */
int fx_layout_crop(struct fx_layout *part, const struct fx_layout *l, const size_t from[3],
		   const size_t shape[3]);
/** Element of channel 0 of voxel z, y, x; a padded volume also has -1 and the shape itself. */
static inline size_t fx_layout_at(const struct fx_layout *l, ptrdiff_t z, ptrdiff_t y, ptrdiff_t x)
{
	return l->origin + (size_t)(z * (ptrdiff_t)l->stride[0] + y * (ptrdiff_t)l->stride[1] +
				    x * (ptrdiff_t)l->stride[2]);
}
/** Zeroed, 64-byte aligned buffer of l->len floats; NULL without memory. free(). */
float *fx_layout_alloc(const struct fx_layout *l);

/** A convolution. Weights in files and gradients are OIDHW: out channel, in channel, z, y, x.
 * Output voxel o reads input voxels o * stride + k - before, k from 0 to kernel - 1 (no dilation,
 * no flip); outside of the input is 0. */
struct fx_conv3d {
	size_t in_channels, out_channels;
	int kernel[3]; /**< 1 to 5 along each axis */
	int stride[3]; /**< 1 to 4 */
	int before[3]; /**< zeros before the first voxel, below kernel */
	int after[3];  /**< and behind the last */
};

/** The usual one: kernel @p k along each axis, stride 1, SAME size when k is odd. */
struct fx_conv3d fx_conv3d_same(size_t in_channels, size_t out_channels, int k);
/** Shape of the output for an input of shape @p in: (in + before + after - kernel) / stride + 1.
 * FX_EINVAL when it is empty or the convolution is not valid. */
int fx_conv3d_shape(const struct fx_conv3d *c, const size_t in[3], size_t out[3]);
/** Number of weights, out * in * kernel volume. */
size_t fx_conv3d_weights(const struct fx_conv3d *c);

/** Ways to compute the same. All agree within rounding: for inputs and weights of size 1, sums of n
 * terms are within 1e-6 * (sqrt(n) + n / 20) of the true ones, those of winograd within 20 times
 * that (measured on 24 layers of 32 channels: 3 times the error of direct). */
enum fx_conv3d_path {
	FX_CONV3D_PLAIN,    /**< loops in C: the reference */
	FX_CONV3D_DIRECT,   /**< register-blocked, AVX-512, AVX2+FMA or portable vectors */
	FX_CONV3D_WINOGRAD, /**< F(3,3)^3: kernel 3 and stride 1 along each axis */
	FX_CONV3D_BLAS,	    /**< shifted GEMMs of OpenBLAS, which it sets to one thread: stride 1,
			       voxels     of the input side by side, at most one zero read at either end
			       of     a row */
};

/** What a run computes; made once, with all checks and sizes, so that a run cannot fail and
 * allocates nothing. Read only for runs; several threads may run one plan at once, each with its
 * own scratch. */
struct fx_conv3d_plan {
	struct fx_conv3d conv;
	enum fx_conv3d_path path;
	bool transposed;	  /**< made by fx_conv3d_plan_dx() */
	struct fx_layout in, out; /**< what is read and what is written */
	struct fx_layout residual, gate,
		also; /**< as out; the caller may set other ones of its shape */
	int threads;
	size_t panel;	    /**< widest group of output channels in packed weights, by this CPU */
	size_t packed_len;  /**< floats of the packed weights */
	size_t scratch_len; /**< floats of scratch, may be 0 */
};

/** Forward. @p in and @p out must fit @p c. @p threads: OpenMP threads of a run, 0 for all.
 * Winograd takes only what it can (see the enum; blas too). Returns FX_OK or FX_EINVAL with a text.
 */
int fx_conv3d_plan(struct fx_conv3d_plan *p, const struct fx_conv3d *c, enum fx_conv3d_path path,
		   const struct fx_layout *in, const struct fx_layout *out, int threads,
		   struct fx_error *err);
/** Gradient of the input: reads dy (shape of the output of @p c), writes dx (shape of its input).
 * This is also the transposed convolution: of kernel 2 and stride 2, @p c is the convolution from
 * its output to its input, whose weights are in the order of torch's ConvTranspose3d. */
int fx_conv3d_plan_dx(struct fx_conv3d_plan *p, const struct fx_conv3d *c, enum fx_conv3d_path path,
		      const struct fx_layout *dy, const struct fx_layout *dx, int threads,
		      struct fx_error *err);
/** Whether @p path can do @p c (forward and dx). */
bool fx_conv3d_can(const struct fx_conv3d *c, enum fx_conv3d_path path);

/** Packs OIDHW weights (of the forward convolution, also for a dx plan) into p->packed_len floats,
 * 64-byte aligned. Winograd transforms in double. Once per change of the weights. */
void fx_conv3d_pack(const struct fx_conv3d_plan *p, float *packed, const float *weights);

/** What a run reads and writes: starts of buffers. NULL fields are left out. Per voxel and channel
 *     v = convolution + bias;  v = gate > 0 ? v : 0;  v += residual;
 *     out = relu ? max(v, 0) : v;  also = max(v, 0)
 * so that one run is a layer of a residual net (bias, residual, also: the ReLU before the next
 * layer) or, with gate, the gradient through the ReLU that made gate. residual may be out's buffer.
 * out or also must be there; neither may overlap in. The slots of out and also beyond the channels
 * get 0 (+ those of residual). */
struct fx_conv3d_args {
	const float *in, *packed;
	const float *bias; /**< as many as out channels */
	const float *gate, *residual;
	float *out, *also;
	float *scratch; /**< p->scratch_len floats, 64-byte aligned */
	bool relu;
};

/** Same bits for any number of threads. On CPUs with FMA, direct gives the same bits with AVX2 and
 * AVX-512. */
void fx_conv3d_run(const struct fx_conv3d_plan *p, const struct fx_conv3d_args *a);

/** Gradient of weights and bias: @p in is the layout of the input, @p dy of the output's gradient.
 * Path winograd computes as direct. Errors as above. */
int fx_conv3d_plan_dw(struct fx_conv3d_plan *p, const struct fx_conv3d *c, enum fx_conv3d_path path,
		      const struct fx_layout *in, const struct fx_layout *dy, int threads,
		      struct fx_error *err);
/** Adds the gradients to @p dw (OIDHW) and @p db (out channels; NULL: not wanted). @p scratch has
 * p->scratch_len floats. Plain and direct: same bits for any number of threads; blas: the same for
 * the same number of threads, within 1e-5 of the largest for others. */
void fx_conv3d_run_dw(const struct fx_conv3d_plan *p, const float *in, const float *dy, float *dw,
		      float *db, float *scratch);

/* The plain path in double precision, for checks of gradients; plans are the same (their lengths
 * count doubles), weights are not packed: OIDHW. */
struct fx_conv3d_args_f64 {
	const double *in, *weights, *bias, *gate, *residual;
	double *out, *also;
	bool relu;
};
void fx_conv3d_run_f64(const struct fx_conv3d_plan *p, const struct fx_conv3d_args_f64 *a);
void fx_conv3d_run_dw_f64(const struct fx_conv3d_plan *p, const double *in, const double *dy,
			  double *dw, double *db);

/** Instruction sets of the direct and Winograd paths. */
enum fx_conv3d_isa { FX_CONV3D_PORTABLE, FX_CONV3D_AVX2, FX_CONV3D_AVX512, FX_CONV3D_ISAS };
/** The best one of this CPU, and whether it has @p isa. */
enum fx_conv3d_isa fx_conv3d_isa(void);
bool fx_conv3d_isa_here(enum fx_conv3d_isa isa);
const char *fx_conv3d_isa_name(enum fx_conv3d_isa isa);
/** Multiplies and adds in registers only, with the best instruction set: the number of operations
 * done, for a measurement of the peak of a core. */
double fx_conv3d_peak_flops(size_t times);
/** As fx_conv3d_run() and fx_conv3d_run_dw() with a given instruction set that this CPU has. */
void fx_conv3d_run_isa(const struct fx_conv3d_plan *p, const struct fx_conv3d_args *a,
		       enum fx_conv3d_isa isa);
void fx_conv3d_run_dw_isa(const struct fx_conv3d_plan *p, const float *in, const float *dy,
			  float *dw, float *db, float *scratch, enum fx_conv3d_isa isa);

#endif
