// SPDX-License-Identifier: Apache-2.0
/* conv3d_winograd.c: Winograd's minimal filtering F(3,3) along three axes (Winograd, Arithmetic
 * Complexity of Computations, 1980; Lavin and Gray, CVPR 2016): 3 x 3 x 3 outputs from 5 x 5 x 5
 * inputs by 125 multiplications instead of 729.
 *
 * A strip is a row of up to 12 tiles. Its inputs are transformed to 125 matrices [tile][read], each
 * is multiplied with the transformed weights [read][width] of a panel by the register blocks of the
 * direct path, and the products are transformed back into the epilogue. Weights are packed
 * [panel][point][read][width]. */
#include "kernels/conv3d_priv.h"

#include <omp.h>
#include <string.h>

#ifdef __clang__
#pragma clang fp contract(fast)
#else
#pragma GCC optimize("fp-contract=fast")
#endif

enum {
	TILES = 12, /* of a strip */
	PART = 6,   /* tiles whose transforms stay in the first-level cache */
	COLUMNS = 3 * PART + 2,
	POINTS = 125,
};

struct strip {
	const struct fx_conv3d_plan *p;
	const struct fx_conv3d_args *a;
	const float *rows[25];	       /* 5 x 5 input rows at column 0, zeros outside */
	size_t steps[25];	       /* floats from column to column, 0 in the zeros */
	size_t columns, from, to;      /* columns read, and those inside */
	size_t tiles, z, y, x;	       /* of the first tile's first output */
	size_t z_len, y_len, x_len;    /* outputs that exist */
	size_t in_slots, panel, width; /* channels read; first one and number of those written */
	float *points, *products;      /* POINTS * point_size, POINTS * product_size */
	size_t point_size, product_size;
	const float *zeros; /* as many as in_slots */
	const float *bias;  /* width of them */
};

/* Where the outputs of row @p z, @p y of the strip's tiles go, from voxel @p x and channel @p c on.
 */
static inline struct fx_conv_strip row_outputs(const struct strip *s, size_t z, size_t y, size_t x,
					       size_t c)
{
	const struct fx_conv3d_plan *p = s->p;
	const struct fx_conv3d_args *a = s->a;
	const ptrdiff_t at[] = { (ptrdiff_t)(s->z + z), (ptrdiff_t)(s->y + y),
				 (ptrdiff_t)(s->x + x) };
	const size_t to = s->panel + c;
	struct fx_conv_strip o = { .bias = s->bias + c, .relu = a->relu };

	if (a->gate)
		o.gate = a->gate + fx_layout_at(&p->gate, at[0], at[1], at[2]) + to;
	if (a->residual)
		o.residual = a->residual + fx_layout_at(&p->residual, at[0], at[1], at[2]) + to;
	if (a->out)
		o.out = a->out + fx_layout_at(&p->out, at[0], at[1], at[2]) + to;
	if (a->also)
		o.also = a->also + fx_layout_at(&p->also, at[0], at[1], at[2]) + to;
	o.gate_step = p->gate.stride[2];
	o.residual_step = p->residual.stride[2];
	o.out_step = p->out.stride[2];
	o.also_step = p->also.stride[2];
	return o;
}

/* Brings near what output rows 2 * i and 2 * i + 1 of 9 read and write. */
static inline void rows_fetch(const struct strip *s, size_t i, size_t x, size_t n, size_t c)
{
	for (size_t row = 2 * i; row < 2 * i + 2; row++) {
		const struct fx_conv_strip o = row_outputs(s, row / 3, row % 3, x, c);

		if (row / 3 >= s->z_len || row % 3 >= s->y_len)
			continue;
		for (size_t v = 0; v < n; v++) {
			if (o.out)
				__builtin_prefetch(o.out + v * o.out_step, 1);
			if (o.also)
				__builtin_prefetch(o.also + v * o.also_step, 1);
			if (o.residual && o.residual != o.out)
				__builtin_prefetch(o.residual + v * o.residual_step);
		}
	}
}

/* As in conv3d_direct.c. */
#ifdef __SANITIZE_ADDRESS__
enum { K_UNROLL = 1 };
#else
enum { K_UNROLL = 4 };
#endif

#define TARGET
#define LANES	4
#define VECS	4
#define MAXT	3
#define NAME(x) portable_##x
#include "kernels/conv3d_winograd_tmpl.c"
#undef TARGET

#ifdef __x86_64__
#define TARGET	__attribute__((target("avx2,fma")))
#define LANES	8
#define VECS	2
#define MAXT	6
#define NAME(x) avx2_##x
#include "kernels/conv3d_winograd_tmpl.c"
#undef TARGET
#define TARGET	__attribute__((target("avx512f,avx512vl,avx512dq,fma")))
#define LANES	16
#define VECS	2
#define MAXT	12
#define NAME(x) avx512_##x
#include "kernels/conv3d_winograd_tmpl.c"
#undef TARGET
#endif

/* Transforms of an instruction set for channels in groups of lanes, and products for panels that
 * are a multiple of width. */
struct transforms {
	void (*input)(const struct strip *s, size_t c);
	void (*output)(const struct strip *s, size_t c);
	void (*multiply)(const struct strip *s, const float *w);
	size_t lanes, width;
};

static struct transforms transforms_of(enum fx_conv3d_isa isa, size_t slots)
{
#ifdef __x86_64__
	if (isa == FX_CONV3D_AVX512 && slots % 16 == 0)
		return (struct transforms){ avx512_input, avx512_output, avx512_multiply, 16, 32 };
	if (isa >= FX_CONV3D_AVX2)
		return (struct transforms){ avx2_input, avx2_output, avx2_multiply, 8, 16 };
#endif
	(void)isa;
	(void)slots;
	return (struct transforms){ portable_input, portable_output, portable_multiply, 4, 16 };
}

static const double points_g[5][3] = { { 1.0 / 2, 0, 0 },
				       { -1.0 / 2, -1.0 / 2, -1.0 / 2 },
				       { -1.0 / 6, 1.0 / 6, -1.0 / 6 },
				       { 1.0 / 6, 2.0 / 6, 4.0 / 6 },
				       { 0, 0, 1 } };

/* to = G from along the middle one of axes of n, 3 and m numbers; it becomes 5. */
static void transform_axis(double *to, const double *from, size_t n, size_t m)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < 5; k++)
			for (size_t j = 0; j < m; j++)
				to[(i * 5 + k) * m + j] =
					points_g[k][0] * from[i * 3 * m + j] +
					points_g[k][1] * from[(i * 3 + 1) * m + j] +
					points_g[k][2] * from[(i * 3 + 2) * m + j];
}

/* G g along each axis of the 27 weights at @p w, backwards when transposed, to u[125 * step]. */
static void transform_weights(float *u, size_t step, const float *w, bool transposed)
{
	double g[27], z[45], zy[75], zyx[POINTS];

	for (int k = 0; k < 27; k++)
		g[k] = (double)w[transposed ? 26 - k : k];
	transform_axis(z, g, 1, 9);
	transform_axis(zy, z, 5, 3);
	transform_axis(zyx, zy, 25, 1);
	for (size_t p = 0; p < POINTS; p++)
		u[p * step] = (float)zyx[p];
}

void fx_conv3d_winograd_pack(const struct fx_conv3d_plan *p, float *packed, const float *weights)
{
	const size_t reads = fx_conv3d_reads(p), writes = fx_conv3d_writes(p);

	memset(packed, 0, p->packed_len * sizeof *packed);
	for (size_t c = 0, width; c < p->out.slots; c += width) {
		width = fx_conv3d_panel(p, c);
		for (size_t w = c; w < c + width && w < writes; w++)
			for (size_t r = 0; r < reads; r++)
				transform_weights(packed + c * POINTS * reads + r * width + w - c,
						  reads * width,
						  weights + fx_conv3d_weight(p, r, w, 0),
						  p->transposed);
	}
}

size_t fx_conv3d_winograd_packed(const struct fx_conv3d_plan *p)
{
	return POINTS * fx_conv3d_reads(p) * p->out.slots;
}

static size_t point_size(const struct fx_conv3d_plan *p)
{
	return TILES * p->in.slots;
}

/* Floats of one thread, whole cache lines. */
static size_t own_scratch(const struct fx_conv3d_plan *p)
{
	return POINTS * (point_size(p) + TILES * FX_CONV_PANEL) / 16 * 16 + 16;
}

size_t fx_conv3d_winograd_scratch(const struct fx_conv3d_plan *p)
{
	return own_scratch(p) * (size_t)p->threads + p->in.slots;
}

static size_t shorter(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Zeros before the first voxel, seen as a forward convolution. */
static ptrdiff_t zeros_before(const struct fx_conv3d_plan *p, int axis)
{
	return p->transposed ? 2 - p->conv.before[axis] : p->conv.before[axis];
}

/* The input of the strip at s->z, s->y, s->x. */
static void strip_locate(struct strip *s)
{
	const struct fx_conv3d_plan *p = s->p;
	const ptrdiff_t z = (ptrdiff_t)s->z - zeros_before(p, 0),
			y = (ptrdiff_t)s->y - zeros_before(p, 1),
			x = (ptrdiff_t)s->x - zeros_before(p, 2), pad = p->in.padded,
			begin = -pad - x, end = (ptrdiff_t)p->in.shape[2] + pad - x;

	for (ptrdiff_t i = 0; i < 25; i++) {
		const bool inside = z + i / 5 >= 0 && z + i / 5 < (ptrdiff_t)p->in.shape[0] &&
				    y + i % 5 >= 0 && y + i % 5 < (ptrdiff_t)p->in.shape[1];

		s->rows[i] = inside ? s->a->in + fx_layout_at(&p->in, z + i / 5, y + i % 5, x) :
				      s->zeros;
		s->steps[i] = inside ? p->in.stride[2] : 0;
	}
	s->columns = 3 * s->tiles + 2;
	s->from = shorter(begin < 0 ? 0 : (size_t)begin, s->columns);
	s->to = end < 0 ? 0 : shorter((size_t)end, s->columns);
	s->z_len = shorter(3, p->out.shape[0] - s->z);
	s->y_len = shorter(3, p->out.shape[1] - s->y);
	s->x_len = shorter(3 * s->tiles, p->out.shape[2] - s->x);
}

/* Products of a panel of any width by the blocks of the direct path. */
static void multiply(const struct strip *s, const float *packed, fx_conv_strip_fn *kernel)
{
	static const float zeros[FX_CONV_PANEL];
	const size_t reads = fx_conv3d_reads(s->p);

	for (size_t i = 0; i < POINTS; i++) {
		const struct fx_conv_tap tap = { s->points + i * s->point_size,
						 packed + i * reads * s->width };
		const struct fx_conv_strip strip = { .taps = &tap,
						     .taps_len = 1,
						     .depth = reads,
						     .in_step = s->in_slots,
						     .k_step = 1,
						     .w_step = s->width,
						     .voxels = s->tiles,
						     .width = s->width,
						     .bias = zeros,
						     .first = true,
						     .last = true,
						     .out = s->products + i * s->product_size,
						     .out_step = s->width };

		kernel(&strip);
	}
}

static void strip_run(struct strip *s, const struct transforms *in, const struct transforms *out,
		      fx_conv_strip_fn *kernel)
{
	const struct fx_conv3d_plan *p = s->p;

	strip_locate(s);
	for (size_t c = 0; c < s->in_slots; c += in->lanes)
		in->input(s, c);
	for (s->panel = 0; s->panel < p->out.slots; s->panel += s->width) {
		float bias[FX_CONV_PANEL] = { 0 };

		const float *w = s->a->packed + s->panel * POINTS * fx_conv3d_reads(p);

		s->width = fx_conv3d_panel(p, s->panel);
		s->product_size = TILES * s->width;
		s->bias = bias;
		for (size_t i = 0; s->a->bias && i < s->width && s->panel + i < p->out.channels;
		     i++)
			bias[i] = s->a->bias[s->panel + i];
		if (s->width % out->width == 0)
			out->multiply(s, w);
		else
			multiply(s, w, kernel);
		for (size_t c = 0; c < s->width; c += out->lanes)
			out->output(s, c);
	}
}

void fx_conv3d_winograd(const struct fx_conv3d_plan *p, const struct fx_conv3d_args *a,
			enum fx_conv3d_isa isa)
{
	const struct transforms in = transforms_of(isa, p->in.slots),
				out = transforms_of(isa, p->out.slots);
	fx_conv_strip_fn *const kernel = fx_conv_strip_kernel(isa);
	const size_t *n = p->out.shape, nz = (n[0] + 2) / 3, ny = (n[1] + 2) / 3,
		     nx = (n[2] + 2) / 3, strips = (nx + TILES - 1) / TILES;

	memset(a->scratch + own_scratch(p) * (size_t)p->threads, 0, p->in.slots * sizeof(float));
#pragma omp parallel for schedule(static) num_threads(p->threads)
	for (size_t i = 0; i < nz * ny * strips; i++) {
		float *own = a->scratch + own_scratch(p) * (size_t)omp_get_thread_num();
		const size_t x = i % strips * nx / strips;
		struct strip s = { .p = p,
				   .a = a,
				   .tiles = (i % strips + 1) * nx / strips - x,
				   .z = i / strips / ny * 3,
				   .y = i / strips % ny * 3,
				   .x = 3 * x,
				   .in_slots = p->in.slots,
				   .points = own,
				   .products = own + POINTS * point_size(p),
				   .point_size = point_size(p),
				   .zeros = a->scratch + own_scratch(p) * (size_t)p->threads };

		strip_run(&s, &in, &out, kernel);
	}
}
