// SPDX-License-Identifier: Apache-2.0
/* conv3d_direct_tmpl.c: the register block of the direct convolution. Included with TARGET (a
 * function attribute), LANES (floats of a vector), VECS (vectors of output channels), MAXV (voxels)
 * and NAME(x) defined: MAXV * VECS sums live in registers. */

typedef float NAME(vec) __attribute__((vector_size(4 * LANES)));
typedef int NAME(mask) __attribute__((vector_size(4 * LANES)));
/* The same anywhere in an array of floats. */
typedef float NAME(mem) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* The end of @p n voxels: the epilogue, or their sums wait for the next part of the taps. */
static __attribute__((noinline)) TARGET void NAME(finish)(const struct fx_conv_strip *s, size_t x,
							  size_t c, size_t n, NAME(vec) sum[][VECS])
{
	const NAME(vec) zero = { 0 };

	for (size_t end = x + n; x < end; x++, sum++)
		for (size_t j = 0; j < VECS; j++) {
			const size_t at = c + j * LANES;
			NAME(vec) v = sum[0][j];

			if (!s->last) {
				*(NAME(mem) *)(s->sums + x * s->width + at) = v;
				continue;
			}
			if (s->gate)
				v = (NAME(vec))((NAME(mask))v &
						(*(const NAME(mem) *)(s->gate + x * s->gate_step +
								      at) > zero));
			if (s->residual)
				v += *(const NAME(mem) *)(s->residual + x * s->residual_step + at);
			if (s->also)
				*(NAME(mem) *)(s->also + x * s->also_step + at) =
					(NAME(vec))((NAME(mask))v & (v > zero));
			if (s->relu)
				v = (NAME(vec))((NAME(mask))v & (v > zero));
			if (s->out)
				*(NAME(mem) *)(s->out + x * s->out_step + at) = v;
		}
}

/* @p n voxels from @p x, channels from @p c. */
static inline __attribute__((always_inline, no_sanitize("undefined"))) TARGET void NAME(block)(
	const struct fx_conv_strip *s, size_t x, size_t c, const size_t n)
{
	NAME(vec) sum[MAXV][VECS], done[MAXV][VECS]; /* in registers, in memory */
	const size_t depth = s->depth, w_step = s->w_step, k_step = s->k_step;

#pragma GCC unroll 12
	for (size_t v = 0; v < n; v++)
#pragma GCC unroll 4
		for (size_t j = 0; j < VECS; j++)
			sum[v][j] = *(const NAME(mem) *)(s->first ? s->bias + c + j * LANES :
								    s->sums + (x + v) * s->width +
									    c + j * LANES);
	for (size_t t = 0; t < s->taps_len; t++) {
		const float *w = s->taps[t].w + c, *in[MAXV];

#pragma GCC unroll 12
		for (size_t v = 0; v < n; v++)
			in[v] = s->taps[t].in + (x + v) * s->in_step;
#pragma GCC unroll K_UNROLL
		for (size_t k = 0, at = 0; k < depth; k++, at += k_step, w += w_step) {
			__builtin_prefetch(w + depth * w_step);
#pragma GCC unroll 12
			for (size_t v = 0; v < n; v++)
#pragma GCC unroll 4
				for (size_t j = 0; j < VECS; j++)
					sum[v][j] +=
						*(const NAME(mem) *)(w + j * LANES) * in[v][at];
		}
	}
#pragma GCC unroll 12
	for (size_t v = 0; v < n; v++)
#pragma GCC unroll 4
		for (size_t j = 0; j < VECS; j++)
			done[v][j] = sum[v][j];
	NAME(finish)(s, x, c, n, done);
}

/* All voxels of the strip, in blocks of nearly equal size. */
static TARGET void NAME(strip)(const struct fx_conv_strip *s, size_t c)
{
	const size_t blocks = (s->voxels + MAXV - 1) / MAXV;

	for (size_t b = 0, x = 0; b < blocks; b++) {
		const size_t n = (s->voxels - x + blocks - b - 1) / (blocks - b);

		switch (n) {
		case 1:
			NAME(block)(s, x, c, 1);
			break;
		case 2:
			NAME(block)(s, x, c, 2);
			break;
		case 3:
			NAME(block)(s, x, c, 3);
			break;
#if MAXV > 3
		case 4:
			NAME(block)(s, x, c, 4);
			break;
		case 5:
			NAME(block)(s, x, c, 5);
			break;
		case 6:
			NAME(block)(s, x, c, 6);
			break;
#endif
#if MAXV > 6
		case 7:
			NAME(block)(s, x, c, 7);
			break;
		case 8:
			NAME(block)(s, x, c, 8);
			break;
		case 9:
			NAME(block)(s, x, c, 9);
			break;
		case 10:
			NAME(block)(s, x, c, 10);
			break;
		case 11:
			NAME(block)(s, x, c, 11);
			break;
#endif
		default:
			break;
		}
		x += n;
	}
}

#undef LANES
#undef VECS
#undef MAXV
#undef NAME
