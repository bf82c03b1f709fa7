// SPDX-License-Identifier: Apache-2.0
/* conv3d_blas.c: convolution of stride 1 as shifted matrix products of OpenBLAS.
 *
 * The taps of one kernel row read kx voxels that lie side by side: one product with depth
 * kx * slots. Voxels q, q + kx, q + 2 kx ... have them in rows of that length that do not overlap,
 * so each kernel row is kx products over every kx-th voxel, without a copy. Rows of voxels follow
 * each other at the pitch of the input; what falls between the rows is computed and not used.
 * Weights are packed [kz][ky][kx * slots read][slots written]. */
#include "kernels/conv3d_priv.h"

#include <cblas.h>
#include <omp.h>
#include <string.h>

enum { ROWS = 11 }; /* rows of voxels in a product */

static ptrdiff_t zeros_before(const struct fx_conv3d_plan *p, int axis)
{
	return p->transposed ? p->conv.kernel[axis] - 1 - p->conv.before[axis] :
			       p->conv.before[axis];
}

static ptrdiff_t zeros_after(const struct fx_conv3d_plan *p, int axis)
{
	return p->transposed ? p->conv.kernel[axis] - 1 - p->conv.after[axis] : p->conv.after[axis];
}

bool fx_conv3d_blas_can(const struct fx_conv3d_plan *p)
{
	const ptrdiff_t before = zeros_before(p, 2), after = zeros_after(p, 2), pad = p->in.padded;

	return p->in.stride[2] == p->in.slots && p->in.stride[1] % p->in.slots == 0 &&
	       p->in.stride[1] >= p->in.shape[2] * p->in.slots && before <= pad && after <= pad;
}

size_t fx_conv3d_blas_packed(const struct fx_conv3d_plan *p)
{
	return fx_conv3d_taps(&p->conv) * p->in.slots * p->out.slots;
}

void fx_conv3d_blas_pack(const struct fx_conv3d_plan *p, float *packed, const float *weights)
{
	const size_t taps = fx_conv3d_taps(&p->conv), slots = p->in.slots;

	memset(packed, 0, p->packed_len * sizeof *packed);
	for (size_t t = 0; t < taps; t++)
		for (size_t r = 0; r < p->in.channels; r++)
			for (size_t w = 0; w < p->out.channels; w++)
				packed[(t * slots + r) * p->out.slots + w] =
					weights[fx_conv3d_weight(p, r, w,
								 p->transposed ? taps - 1 - t : t)];
}

/* Voxels of the pitch of the input in up to ROWS rows, without those behind the last row. */
static size_t voxels(const struct fx_conv3d_plan *p, size_t rows)
{
	return (rows - 1) * (p->in.stride[1] / p->in.slots) + p->out.shape[2];
}

static size_t own_scratch(const struct fx_conv3d_plan *p)
{
	return (voxels(p, ROWS) * p->out.slots + 15) / 16 * 16;
}

size_t fx_conv3d_blas_scratch(const struct fx_conv3d_plan *p)
{
	return own_scratch(p) * (size_t)p->threads;
}

/* Rows of output plane @p z from @p y on, at most @p most, for which kernel row (i, j) reads rows
 * inside of the input: *from to *to, and the input at the first of them; false when there are none.
 */
static bool rows_of(const struct fx_conv3d_plan *p, size_t z, size_t y, size_t most, const int k[2],
		    size_t *from, size_t *to, size_t *in)
{
	const ptrdiff_t iz = (ptrdiff_t)z + k[0] - zeros_before(p, 0),
			shift = k[1] - zeros_before(p, 1), high = (ptrdiff_t)p->in.shape[1] - shift;
	ptrdiff_t a = (ptrdiff_t)y, b = (ptrdiff_t)(y + most);

	if (iz < 0 || iz >= (ptrdiff_t)p->in.shape[0])
		return false;
	a = a < -shift ? -shift : a;
	b = b > high ? high : b;
	if (a >= b)
		return false;
	*from = (size_t)a - y;
	*to = (size_t)b - y;
	*in = fx_layout_at(&p->in, iz, a + shift, -zeros_before(p, 2));
	return true;
}

/* One kernel row for @p len voxels. */
static void product(const struct fx_conv3d_plan *p, const float *in, const float *w, float *sums,
		    size_t len)
{
	const size_t kx = (size_t)p->conv.kernel[2], slots = p->in.slots, width = p->out.slots;

	for (size_t q = 0; q < kx && q < len; q++)
		cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans,
			    (blasint)((len - q + kx - 1) / kx), (blasint)width,
			    (blasint)(kx * slots), 1, in + q * slots, (blasint)(kx * slots), w,
			    (blasint)width, 1, sums + q * width, (blasint)(kx * width));
}

static void epilogue(const struct fx_conv3d_plan *p, const struct fx_conv3d_args *a, ptrdiff_t z,
		     ptrdiff_t y, const float *sums)
{
	const size_t slots = p->out.slots;

	for (ptrdiff_t x = 0; x < (ptrdiff_t)p->out.shape[2]; x++, sums += slots) {
		const float *gate = a->gate ? a->gate + fx_layout_at(&p->gate, z, y, x) : NULL,
			    *residual = a->residual ?
						a->residual + fx_layout_at(&p->residual, z, y, x) :
						NULL;
		float *out = a->out ? a->out + fx_layout_at(&p->out, z, y, x) : NULL,
		      *also = a->also ? a->also + fx_layout_at(&p->also, z, y, x) : NULL;

		for (size_t c = 0; c < slots; c++) {
			const float v = (gate && !(gate[c] > 0) ? 0 : sums[c]) +
					(residual ? residual[c] : 0),
				    relu = v > 0 ? v : 0;

			if (out)
				out[c] = a->relu ? relu : v;
			if (also)
				also[c] = relu;
		}
	}
}

/* @p rows rows of plane @p z from @p y on. */
static void rows_run(const struct fx_conv3d_plan *p, const struct fx_conv3d_args *a, size_t z,
		     size_t y, size_t rows, float *sums)
{
	const size_t pitch = p->in.stride[1] / p->in.slots, slots = p->out.slots,
		     row_len = (size_t)p->conv.kernel[2] * p->in.slots * slots;
	const int *n = p->conv.kernel;
	size_t from, to, in;

	memset(sums, 0, voxels(p, rows) * slots * sizeof *sums);
	for (size_t q = 0; a->bias && q < voxels(p, rows); q++)
		memcpy(sums + q * slots, a->bias, p->out.channels * sizeof *sums);
	for (int i = 0; i < n[0] * n[1]; i++)
		if (rows_of(p, z, y, rows, (int[]){ i / n[1], i % n[1] }, &from, &to, &in))
			product(p, a->in + in, a->packed + (size_t)i * row_len,
				sums + from * pitch * slots, voxels(p, to - from));
	for (size_t r = 0; r < rows; r++)
		epilogue(p, a, (ptrdiff_t)z, (ptrdiff_t)(y + r), sums + r * pitch * slots);
}

void fx_conv3d_blas(const struct fx_conv3d_plan *p, const struct fx_conv3d_args *a)
{
	const size_t y_len = p->out.shape[1], groups = (y_len + ROWS - 1) / ROWS;

	openblas_set_num_threads(1);
#pragma omp parallel for schedule(static) num_threads(p->threads)
	for (size_t i = 0; i < p->out.shape[0] * groups; i++) {
		const size_t y = i % groups * ROWS;

		rows_run(p, a, i / groups, y, y_len - y < ROWS ? y_len - y : ROWS,
			 a->scratch + own_scratch(p) * (size_t)omp_get_thread_num());
	}
}

/* Gradient of the weights: sums[kz][ky][kx * slots][slots], one set a thread. */

static size_t dw_own(const struct fx_conv3d_plan *p)
{
	return fx_conv3d_taps(&p->conv) * p->in.slots * p->out.slots;
}

size_t fx_conv3d_blas_dw_scratch(const struct fx_conv3d_plan *p)
{
	return dw_own(p) * (size_t)p->threads;
}

/* Rows may follow each other in one product when dy has them at the pitch of the input and zeros
 * between them. */
static size_t dw_rows(const struct fx_conv3d_plan *p)
{
	return p->out.padded && p->out.stride[2] == p->out.slots &&
			       p->out.stride[1] / p->out.slots == p->in.stride[1] / p->in.slots &&
			       p->out.shape[2] == p->in.shape[2] ?
		       ROWS :
		       1;
}

static void dw_product(const struct fx_conv3d_plan *p, const float *in, const float *dy,
		       float *sums, size_t len)
{
	const size_t kx = (size_t)p->conv.kernel[2], slots = p->in.slots, step = p->out.stride[2];

	for (size_t q = 0; q < kx && q < len; q++)
		cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)(kx * slots),
			    (blasint)p->out.slots, (blasint)((len - q + kx - 1) / kx), 1,
			    in + q * slots, (blasint)(kx * slots), dy + q * step,
			    (blasint)(kx * step), 1, sums, (blasint)p->out.slots);
}

static void dw_rows_run(const struct fx_conv3d_plan *p, const float *in, const float *dy, size_t z,
			size_t y, size_t rows, float *sums)
{
	const size_t row_len = (size_t)p->conv.kernel[2] * p->in.slots * p->out.slots;
	const int *n = p->conv.kernel;
	size_t from, to, at;

	for (int i = 0; i < n[0] * n[1]; i++)
		if (rows_of(p, z, y, rows, (int[]){ i / n[1], i % n[1] }, &from, &to, &at))
			dw_product(
				p, in + at,
				dy + fx_layout_at(&p->out, (ptrdiff_t)z, (ptrdiff_t)(y + from), 0),
				sums + (size_t)i * row_len, voxels(p, to - from));
}

void fx_conv3d_blas_dw(const struct fx_conv3d_plan *p, const float *in, const float *dy, float *dw,
		       float *scratch)
{
	const size_t rows = dw_rows(p), groups = (p->out.shape[1] + rows - 1) / rows,
		     all = p->out.shape[0] * groups, threads = (size_t)p->threads,
		     taps = fx_conv3d_taps(&p->conv);

	openblas_set_num_threads(1);
	memset(scratch, 0, dw_own(p) * threads * sizeof *scratch);
#pragma omp parallel for schedule(static) num_threads(p->threads)
	for (size_t t = 0; t < threads; t++)
		for (size_t i = all * t / threads; i < all * (t + 1) / threads; i++) {
			const size_t y = i % groups * rows, left = p->out.shape[1] - y;

			dw_rows_run(p, in, dy, i / groups, y, left < rows ? left : rows,
				    scratch + dw_own(p) * t);
		}
	for (size_t o = 0; o < p->out.channels; o++)
		for (size_t i = 0; i < p->in.channels * taps; i++) {
			const float *sum =
				scratch + (i % taps * p->in.slots + i / taps) * p->out.slots + o;

			for (size_t t = 0; t < threads; t++)
				dw[o * p->in.channels * taps + i] += sum[t * dw_own(p)];
		}
}
