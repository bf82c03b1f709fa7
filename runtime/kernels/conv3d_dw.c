// SPDX-License-Identifier: Apache-2.0
/* conv3d_dw.c: gradients of weights and bias by the register blocks of the direct convolution.
 *
 * For a tap, dw[read][write] is the sum over voxels of in[voxel][read] * dy[voxel][write]: a strip
 * whose "voxels" are the input channels, whose "taps" are rows and whose depth are the voxels of a
 * row. Threads share the taps, so sums have the same order for any number of them. */
#include "kernels/conv3d_priv.h"

#include <string.h>

enum { ROWS = 8 }; /* rows of a strip's sums */

/* Output voxels along x for which tap @p k reads an input voxel. */
static void valid_range(const struct fx_conv3d_plan *p, int k, ptrdiff_t *from, ptrdiff_t *to)
{
	ptrdiff_t i;

	*from = 0;
	*to = (ptrdiff_t)p->out.shape[2];
	while (*from < *to && !fx_conv3d_inside(p, 2, *from, k, &i))
		++*from;
	while (*to > *from && !fx_conv3d_inside(p, 2, *to - 1, k, &i))
		--*to;
}

/* One tap and panel over the rows from @p row. */
struct piece {
	const struct fx_conv3d_plan *p;
	const float *in, *dy;
	int k[3];
	size_t c, width;
	float *sums; /* of the tap: [in_channels][slots] */
	fx_conv_strip_fn *kernel;
};

static size_t piece_rows(const struct piece *w, size_t row, ptrdiff_t x, struct fx_conv_tap *taps)
{
	const struct fx_conv3d_plan *p = w->p;
	const size_t rows = p->out.shape[0] * p->out.shape[1];
	size_t len = 0;
	ptrdiff_t i[3];

	if (!fx_conv3d_inside(p, 2, x, w->k[2], &i[2]))
		return 0;
	for (size_t end = row + ROWS < rows ? row + ROWS : rows; row < end; row++) {
		const ptrdiff_t z = (ptrdiff_t)(row / p->out.shape[1]),
				y = (ptrdiff_t)(row % p->out.shape[1]);

		if (fx_conv3d_inside(p, 0, z, w->k[0], &i[0]) &&
		    fx_conv3d_inside(p, 1, y, w->k[1], &i[1]))
			taps[len++] = (struct fx_conv_tap){
				w->in + fx_layout_at(&p->in, i[0], i[1], i[2]),
				w->dy + fx_layout_at(&p->out, z, y, x) + w->c
			};
	}
	return len;
}

static void piece_run(const struct piece *w, size_t row)
{
	static const float zeros[FX_CONV_PANEL];
	const struct fx_conv3d_plan *p = w->p;
	const size_t all = p->conv.in_channels, slots = p->out.slots;
	struct fx_conv_tap taps[ROWS], shifted[ROWS];
	ptrdiff_t from, to;
	size_t len;

	valid_range(p, w->k[2], &from, &to);
	len = piece_rows(w, row, from, taps);
	for (size_t r = 0; r < all && len && from < to; r += FX_CONV_STRIP) {
		float *sums = w->sums + r * slots + w->c;
		const struct fx_conv_strip s = {
			.taps = shifted,
			.taps_len = len,
			.depth = (size_t)(to - from),
			.in_step = 1,
			.k_step = p->in.stride[2] * (size_t)p->conv.stride[2],
			.w_step = p->out.stride[2],
			.voxels = all - r < FX_CONV_STRIP ? all - r : FX_CONV_STRIP,
			.width = w->width,
			.bias = zeros,
			.first = true,
			.last = true,
			.residual = sums,
			.residual_step = slots,
			.out = sums,
			.out_step = slots
		};

		for (size_t i = 0; i < len; i++)
			shifted[i] = (struct fx_conv_tap){ taps[i].in + r, taps[i].w };
		w->kernel(&s);
	}
}

/* Rows in the outer loop: what they hold is read for all taps of the thread while it is near. */
static void taps_run(struct piece w, float *sums, size_t from, size_t to)
{
	const struct fx_conv3d_plan *p = w.p;
	const int *n = p->conv.kernel;
	const size_t rows = p->out.shape[0] * p->out.shape[1],
		     tap_size = p->conv.in_channels * p->out.slots;

	for (size_t row = 0; row < rows; row += ROWS)
		for (size_t t = from; t < to; t++) {
			w.k[0] = (int)t / n[2] / n[1];
			w.k[1] = (int)t / n[2] % n[1];
			w.k[2] = (int)t % n[2];
			w.sums = sums + t * tap_size;
			for (w.c = 0; w.c < p->out.slots; w.c += w.width) {
				w.width = fx_conv3d_panel(p, w.c);
				piece_run(&w, row);
			}
		}
}

static void add_db(const struct fx_conv3d_plan *p, const float *dy, float *db, size_t c)
{
	const size_t n = p->out.channels - c < FX_SLOT ? p->out.channels - c : FX_SLOT;
	double sum[FX_SLOT] = { 0 };

	for (size_t row = 0; row < p->out.shape[0] * p->out.shape[1]; row++) {
		const float *at = dy + c +
				  fx_layout_at(&p->out, (ptrdiff_t)(row / p->out.shape[1]),
					       (ptrdiff_t)(row % p->out.shape[1]), 0);
		float part[FX_SLOT] = { 0 };

		for (size_t x = 0; x < p->out.shape[2]; x++)
			for (size_t i = 0; i < FX_SLOT; i++)
				part[i] += at[x * p->out.stride[2] + i];
		for (size_t i = 0; i < FX_SLOT; i++)
			sum[i] += (double)part[i];
	}
	for (size_t i = 0; i < n; i++)
		db[c + i] += (float)sum[i];
}

void fx_conv3d_db(const struct fx_conv3d_plan *p, const float *dy, float *db)
{
#pragma omp parallel for schedule(static) num_threads(p->threads)
	for (size_t c = 0; c < p->out.channels; c += FX_SLOT)
		add_db(p, dy, db, c);
}

void fx_conv3d_direct_dw(const struct fx_conv3d_plan *p, const float *in, const float *dy,
			 float *dw, float *scratch, fx_conv_strip_fn *kernel)
{
	const size_t taps = fx_conv3d_taps(&p->conv), ci = p->conv.in_channels;

	memset(scratch, 0, taps * ci * p->out.slots * sizeof *scratch);
#pragma omp parallel for schedule(static) num_threads(p->threads)
	for (size_t i = 0; i < (size_t)p->threads; i++) {
		const struct piece w = { .p = p, .in = in, .dy = dy, .kernel = kernel };

		taps_run(w, scratch, taps * i / (size_t)p->threads,
			 taps * (i + 1) / (size_t)p->threads);
	}
#pragma omp parallel for schedule(static) num_threads(p->threads)
	for (size_t o = 0; o < p->out.channels; o++)
		for (size_t i = 0; i < ci; i++)
			for (size_t t = 0; t < taps; t++)
				dw[(o * ci + i) * taps + t] +=
					scratch[(t * ci + i) * p->out.slots + o];
}
