// SPDX-License-Identifier: Apache-2.0
/* conv3d_rows.c: direct convolution: which taps each strip of a row of output voxels reads.
 *
 * A row is cut where the set of valid taps along x changes, so pads are read where there are some
 * and skipped where not. Taps go in parts whose weights stay in the first-level cache while the
 * strip's voxels pass; sums wait in between. Weights are packed [panel][tap][read][width]. */
#include "kernels/conv3d_priv.h"

#include <string.h>

enum {
	TAPS_MAX = FX_CONV3D_KERNEL_MAX * FX_CONV3D_KERNEL_MAX * FX_CONV3D_KERNEL_MAX,
	PART_BYTES = 65536, /* of weights in a part */
};

size_t fx_conv3d_direct_packed(const struct fx_conv3d_plan *p)
{
	return fx_conv3d_taps(&p->conv) * fx_conv3d_reads(p) * p->out.slots;
}

void fx_conv3d_direct_pack(const struct fx_conv3d_plan *p, float *packed, const float *weights)
{
	const size_t taps = fx_conv3d_taps(&p->conv), reads = fx_conv3d_reads(p),
		     writes = fx_conv3d_writes(p);

	for (size_t c = 0, width; c < p->out.slots; c += width) {
		width = fx_conv3d_panel(p, c);
		for (size_t t = 0; t < taps; t++)
			for (size_t r = 0; r < reads; r++)
				for (size_t w = c; w < c + width; w++)
					*packed++ = w < writes ?
							    weights[fx_conv3d_weight(p, r, w, t)] :
							    0;
	}
}

/* What the strips of one row have in common. */
struct row {
	const struct fx_conv3d_plan *p;
	const struct fx_conv3d_args *a;
	fx_conv_strip_fn *kernel;
	ptrdiff_t z, y;
	int planes[FX_CONV3D_KERNEL_MAX * FX_CONV3D_KERNEL_MAX]; /* valid taps along z and y */
	const float *lines[FX_CONV3D_KERNEL_MAX * FX_CONV3D_KERNEL_MAX]; /* input rows they read */
	size_t len;
};

static void row_init(struct row *r, size_t index)
{
	const struct fx_conv3d_plan *p = r->p;
	const int *n = p->conv.kernel;
	ptrdiff_t z, y;

	r->z = (ptrdiff_t)(index / p->out.shape[1]);
	r->y = (ptrdiff_t)(index % p->out.shape[1]);
	r->len = 0;
	for (int i = 0; i < n[0]; i++)
		for (int j = 0; j < n[1]; j++)
			if (fx_conv3d_inside(p, 0, r->z, i, &z) &&
			    fx_conv3d_inside(p, 1, r->y, j, &y)) {
				r->planes[r->len] = i * n[1] + j;
				r->lines[r->len++] = r->a->in + fx_layout_at(&p->in, z, y, 0);
			}
}

/* Along x, output voxels phase, phase + step, ... read one input voxel after another with the
 * same taps: this is a run of them. */
struct span {
	ptrdiff_t from, step, voxels;
	int taps[FX_CONV3D_KERNEL_MAX];
	size_t taps_len;
};

static bool readable(const struct fx_conv3d_plan *p, ptrdiff_t o, int k)
{
	const ptrdiff_t pad = p->in.padded;
	ptrdiff_t i;

	return fx_conv3d_source(p, 2, o, k, &i) && i >= -pad && i < (ptrdiff_t)p->in.shape[2] + pad;
}

/* The span at s->from: the longest one with the taps of its first voxel. */
static void span_find(const struct fx_conv3d_plan *p, struct span *s)
{
	const ptrdiff_t end = (ptrdiff_t)p->out.shape[2];
	bool same = true;

	s->taps_len = 0;
	for (int k = 0; k < p->conv.kernel[2]; k++)
		if (readable(p, s->from, k))
			s->taps[s->taps_len++] = k;
	for (s->voxels = 0; same && s->from + s->voxels * s->step < end; s->voxels += same) {
		size_t n = 0;

		for (int k = 0; k < p->conv.kernel[2] && same; k++)
			if (readable(p, s->from + s->voxels * s->step, k))
				same = n < s->taps_len && s->taps[n++] == k;
		same = same && n == s->taps_len;
	}
}

static size_t strip_taps(const struct row *r, const struct span *s, ptrdiff_t at, const float *w,
			 size_t tap_size, struct fx_conv_tap *taps)
{
	const struct fx_conv3d_plan *p = r->p;
	size_t len = 0;
	ptrdiff_t i;

	for (size_t l = 0; l < r->len; l++)
		for (size_t k = 0; k < s->taps_len; k++) {
			fx_conv3d_source(p, 2, at, s->taps[k], &i);
			taps[len++] = (struct fx_conv_tap){
				r->lines[l] + i * (ptrdiff_t)p->in.stride[2],
				w + (size_t)(r->planes[l] * p->conv.kernel[2] + s->taps[k]) *
						tap_size
			};
		}
	return len;
}

/* Outputs of the strip from voxel @p at and channel @p c. */
static void strip_outputs(struct fx_conv_strip *s, const struct row *r, ptrdiff_t at,
			  ptrdiff_t step, size_t c)
{
	const struct fx_conv3d_plan *p = r->p;
	const struct fx_conv3d_args *a = r->a;
	const size_t by = (size_t)step;

	s->gate = a->gate ? a->gate + fx_layout_at(&p->gate, r->z, r->y, at) + c : NULL;
	s->gate_step = p->gate.stride[2] * by;
	s->residual =
		a->residual ? a->residual + fx_layout_at(&p->residual, r->z, r->y, at) + c : NULL;
	s->residual_step = p->residual.stride[2] * by;
	s->out = a->out ? a->out + fx_layout_at(&p->out, r->z, r->y, at) + c : NULL;
	s->out_step = p->out.stride[2] * by;
	s->also = a->also ? a->also + fx_layout_at(&p->also, r->z, r->y, at) + c : NULL;
	s->also_step = p->also.stride[2] * by;
	s->relu = a->relu;
}

/* Taps in parts. */
static void strip_run(struct fx_conv_strip *s, const struct fx_conv_tap *taps, size_t len,
		      size_t tap_bytes, fx_conv_strip_fn *kernel)
{
	const size_t most = tap_bytes < PART_BYTES ? PART_BYTES / tap_bytes : 1,
		     parts = len ? (len + most - 1) / most : 1;

	for (size_t i = 0; i < parts; i++) {
		const size_t from = len * i / parts;

		s->taps = taps + from;
		s->taps_len = len * (i + 1) / parts - from;
		s->first = i == 0;
		s->last = i + 1 == parts;
		kernel(s);
	}
}

static void span_run(const struct row *r, const struct span *span, const float *packed, size_t c,
		     size_t width, const float *bias)
{
	const struct fx_conv3d_plan *p = r->p;
	const size_t reads = fx_conv3d_reads(p);
	const ptrdiff_t jump = p->transposed ? 1 : p->conv.stride[2];
	float sums[FX_CONV_STRIP * FX_CONV_PANEL] __attribute__((aligned(64)));
	struct fx_conv_tap taps[TAPS_MAX];
	struct fx_conv_strip s = { .depth = reads,
				   .in_step = p->in.stride[2] * (size_t)jump,
				   .k_step = 1,
				   .w_step = width,
				   .width = width,
				   .bias = bias,
				   .sums = sums };

	for (ptrdiff_t v = 0; v < span->voxels; v += FX_CONV_STRIP) {
		const ptrdiff_t at = span->from + v * span->step, left = span->voxels - v;
		const size_t len = strip_taps(r, span, at, packed, reads * width, taps);

		s.voxels = (size_t)(left < FX_CONV_STRIP ? left : FX_CONV_STRIP);
		strip_outputs(&s, r, at, span->step, c);
		strip_run(&s, taps, len, reads * width * sizeof *packed, r->kernel);
	}
}

static void row_run(const struct row *r)
{
	const struct fx_conv3d_plan *p = r->p;
	const ptrdiff_t step = p->transposed ? p->conv.stride[2] : 1;
	const size_t all = fx_conv3d_taps(&p->conv) * fx_conv3d_reads(p);
	const float *packed = r->a->packed;

	for (size_t c = 0, width; c < p->out.slots; c += width, packed += all * width) {
		float bias[FX_CONV_PANEL] = { 0 };

		width = fx_conv3d_panel(p, c);
		for (size_t i = 0; r->a->bias && i < width && c + i < fx_conv3d_writes(p); i++)
			bias[i] = r->a->bias[c + i];
		for (ptrdiff_t phase = 0; phase < step; phase++)
			for (struct span s = { .from = phase, .step = step };
			     s.from < (ptrdiff_t)p->out.shape[2]; s.from += s.voxels * step) {
				span_find(p, &s);
				span_run(r, &s, packed, c, width, bias);
			}
	}
}

void fx_conv3d_direct(const struct fx_conv3d_plan *p, const struct fx_conv3d_args *a,
		      fx_conv_strip_fn *kernel)
{
#pragma omp parallel for schedule(static) num_threads(p->threads)
	for (size_t i = 0; i < p->out.shape[0] * p->out.shape[1]; i++) {
		struct row r = { .p = p, .a = a, .kernel = kernel };

		row_init(&r, i);
		row_run(&r);
	}
}
