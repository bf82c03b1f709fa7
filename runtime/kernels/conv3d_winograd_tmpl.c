// SPDX-License-Identifier: Apache-2.0
/* conv3d_winograd_tmpl.c: transforms of Winograd's F(3,3) along three axes. Included with TARGET (a
 * function attribute), LANES (channels side by side) and NAME(x) defined. */

typedef float NAME(vec) __attribute__((vector_size(4 * LANES)));
typedef int NAME(mask) __attribute__((vector_size(4 * LANES)));
typedef float NAME(mem) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* 5 inputs become their values at the points 0, 1, -1, 2, infinity: B^T. In place is fine. */
static inline __attribute__((always_inline, no_sanitize("undefined"))) TARGET void NAME(spread)(
	NAME(vec) * to, size_t to_step, const NAME(vec) * in, size_t step)
{
	const NAME(vec) d0 = in[0], d1 = in[step], d2 = in[2 * step], d3 = in[3 * step],
			d4 = in[4 * step], slope = d3 - d1;

	to[0] = slope + 2.0F * (d0 - d2);
	to[to_step] = slope - (d1 + d2);
	to[2 * to_step] = (d3 + 2.0F * d1) - 3.0F * d2;
	to[3 * to_step] = slope;
	to[4 * to_step] = (d4 - d2) - 2.0F * slope;
}

/* Values at the points become 3 outputs: A^T. In place is fine. */
static inline __attribute__((always_inline, no_sanitize("undefined"))) TARGET void NAME(gather)(
	NAME(vec) * to, size_t to_step, const NAME(vec) * in, size_t step)
{
	const NAME(vec) m0 = in[0], m1 = in[step], m2 = in[2 * step], m3 = in[3 * step],
			m4 = in[4 * step], sum = m1 + m2;

	to[0] = (m0 + m3) + sum;
	to[to_step] = (m1 - m2) + 2.0F * m3;
	to[2 * to_step] = (sum + m4) + 4.0F * m3;
}

/* Along z, from memory to the columns of the 25 lines; column 0 is column @p left of the strip. */
static inline __attribute__((always_inline, no_sanitize("undefined"))) TARGET void NAME(load)(
	const struct strip *s, NAME(vec) * lines, size_t c, size_t left, size_t columns)
{
	const size_t right = left + columns, from = s->from < left ? left : s->from,
		     to = s->to < right ? s->to : right;
	const NAME(vec) zero = { 0 };

	for (size_t y = 0; y < 5; y++) {
		const float *const in[] = { s->rows[y] + c, s->rows[y + 5] + c, s->rows[y + 10] + c,
					    s->rows[y + 15] + c, s->rows[y + 20] + c };
		const size_t *step = s->steps + y;
		NAME(vec) *line = lines + y * COLUMNS;

		for (size_t z = 0; z < 5 && (from > left || to < right); z++)
			for (size_t x = 0; x < columns; x++)
				line[z * 5 * COLUMNS + x] = zero;
		for (size_t x = from; x < to; x++) {
			const NAME(vec) d[] = { *(const NAME(mem) *)(in[0] + x * step[0]),
						*(const NAME(mem) *)(in[1] + x * step[5]),
						*(const NAME(mem) *)(in[2] + x * step[10]),
						*(const NAME(mem) *)(in[3] + x * step[15]),
						*(const NAME(mem) *)(in[4] + x * step[20]) };

			NAME(spread)(line + x - left, 5 * COLUMNS, d, 1);
		}
	}
}

/* The input of @p n tiles from @p first on, channels from @p c, to s->points[point][tile][channel].
 */
static inline __attribute__((always_inline, no_sanitize("undefined"))) TARGET void NAME(input_part)(
	const struct strip *s, size_t c, size_t first, size_t n)
{
	const size_t columns = 3 * n + 2, step = s->point_size;
	NAME(vec) lines[25 * COLUMNS];

	NAME(load)(s, lines, c, 3 * first, columns);
	for (size_t z = 0; z < 5; z++) {
		NAME(vec) *plane = lines + z * 5 * COLUMNS;

		for (size_t x = 0; x < columns; x++)
			NAME(spread)(plane + x, COLUMNS, plane + x, COLUMNS);
		for (size_t y = 0; y < 5; y++) {
			float *to = s->points + (z * 25 + y * 5) * step + first * s->in_slots + c;

			for (size_t t = 0; t < n; t++, to += s->in_slots) {
				NAME(vec) v[5];

				NAME(spread)(v, 1, plane + y * COLUMNS + 3 * t, 1);
				*(NAME(mem) *)to = v[0];
				*(NAME(mem) *)(to + step) = v[1];
				*(NAME(mem) *)(to + 2 * step) = v[2];
				*(NAME(mem) *)(to + 3 * step) = v[3];
				*(NAME(mem) *)(to + 4 * step) = v[4];
			}
		}
	}
}

static TARGET void NAME(input)(const struct strip *s, size_t c)
{
	for (size_t t = 0; t < s->tiles; t += PART)
		NAME(input_part)(s, c, t, s->tiles - t < PART ? s->tiles - t : PART);
}

/* @p n voxels of an output row: bias, gate, residual, ReLU. */
static inline __attribute__((always_inline, no_sanitize("undefined"))) TARGET void NAME(store)(
	const struct fx_conv_strip *o, const NAME(vec) * v, size_t n)
{
	const NAME(vec) zero = { 0 }, bias = *(const NAME(mem) *)o->bias;
	const float *gate = o->gate, *residual = o->residual;
	float *out = o->out, *also = o->also;
	const size_t gate_step = o->gate_step, residual_step = o->residual_step,
		     out_step = o->out_step, also_step = o->also_step;
	const bool relu = o->relu;

	for (size_t x = 0; x < n; x++) {
		NAME(vec) a = v[x] + bias;

		if (gate)
			a = (NAME(vec))((NAME(mask))a &
					(*(const NAME(mem) *)(gate + x * gate_step) > zero));
		if (residual)
			a += *(const NAME(mem) *)(residual + x * residual_step);
		if (also)
			*(NAME(mem) *)(also + x * also_step) =
				(NAME(vec))((NAME(mask))a & (a > zero));
		if (relu)
			a = (NAME(vec))((NAME(mask))a & (a > zero));
		if (out)
			*(NAME(mem) *)(out + x * out_step) = a;
	}
}

/* Outputs of @p n tiles from @p first on, from s->products[point][tile][width], channels from @p c
 * of the panel. */
static inline __attribute__((always_inline, no_sanitize("undefined"))) TARGET void NAME(
	output_part)(const struct strip *s, size_t c, size_t first, size_t n)
{
	const size_t columns = s->x_len - 3 * first < 3 * n ? s->x_len - 3 * first : 3 * n;
	NAME(vec) lines[15 * COLUMNS], five[5 * COLUMNS], out[3 * COLUMNS];

	for (size_t z = 0; z < 5; z++) {
		if (c % 16 == 0)
			rows_fetch(s, z, 3 * first, columns, c);
		for (size_t y = 0; y < 5; y++) {
			const float *in = s->products + (z * 25 + y * 5) * s->product_size +
					  first * s->width + c;

			for (size_t t = 0; t < n; t++, in += s->width) {
				const size_t step = s->product_size;
				const NAME(vec) m[] = { *(const NAME(mem) *)in,
							*(const NAME(mem) *)(in + step),
							*(const NAME(mem) *)(in + 2 * step),
							*(const NAME(mem) *)(in + 3 * step),
							*(const NAME(mem) *)(in + 4 * step) };

				NAME(gather)(five + y * COLUMNS + 3 * t, 1, m, 1);
			}
		}
		for (size_t x = 0; x < columns; x++)
			NAME(gather)(lines + z * 3 * COLUMNS + x, COLUMNS, five + x, COLUMNS);
	}
	for (size_t y = 0; y < s->y_len; y++) {
		for (size_t x = 0; x < columns; x++)
			NAME(gather)(out + x, COLUMNS, lines + y * COLUMNS + x, 3 * COLUMNS);
		for (size_t z = 0; z < s->z_len; z++) {
			const struct fx_conv_strip o = row_outputs(s, z, y, 3 * first, c);

			NAME(store)(&o, out + z * COLUMNS, columns);
		}
	}
}

static TARGET void NAME(output)(const struct strip *s, size_t c)
{
	for (size_t t = 0; t < s->tiles; t += PART)
		NAME(output_part)(s, c, t, s->tiles - t < PART ? s->tiles - t : PART);
}

/* @p n tiles of one point times VECS vectors of a panel; fetches what the next point needs. */
static inline __attribute__((always_inline, no_sanitize("undefined"))) TARGET void NAME(product)(
	const struct strip *s, const float *in, const float *w, float *out, const size_t n)
{
	const size_t slots = s->in_slots, width = s->width, reads = fx_conv3d_reads(s->p);
	NAME(vec) sum[MAXT][VECS];

#pragma GCC unroll 12
	for (size_t t = 0; t < n; t++)
#pragma GCC unroll 4
		for (size_t j = 0; j < VECS; j++)
			sum[t][j] = (NAME(vec)){ 0 };
#pragma GCC unroll K_UNROLL
	for (size_t k = 0; k < reads; k++, w += width) {
		__builtin_prefetch(w + reads * width);
#pragma GCC unroll 12
		for (size_t t = 0; t < n; t++)
#pragma GCC unroll 4
			for (size_t j = 0; j < VECS; j++)
				sum[t][j] +=
					*(const NAME(mem) *)(w + j * LANES) * in[t * slots + k];
	}
#pragma GCC unroll 12
	for (size_t t = 0; t < n; t++)
#pragma GCC unroll 4
		for (size_t j = 0; j < VECS; j++)
			*(NAME(mem) *)(out + t * width + j * LANES) = sum[t][j];
}

static inline __attribute__((always_inline, no_sanitize("undefined"))) TARGET void NAME(products)(
	const struct strip *s, const float *in, const float *w, float *out, size_t n)
{
	switch (n) {
	case 1:
		NAME(product)(s, in, w, out, 1);
		break;
	case 2:
		NAME(product)(s, in, w, out, 2);
		break;
	case 3:
		NAME(product)(s, in, w, out, 3);
		break;
#if MAXT > 3
	case 4:
		NAME(product)(s, in, w, out, 4);
		break;
	case 5:
		NAME(product)(s, in, w, out, 5);
		break;
	case 6:
		NAME(product)(s, in, w, out, 6);
		break;
#endif
#if MAXT > 6
	case 7:
		NAME(product)(s, in, w, out, 7);
		break;
	case 8:
		NAME(product)(s, in, w, out, 8);
		break;
	case 9:
		NAME(product)(s, in, w, out, 9);
		break;
	case 10:
		NAME(product)(s, in, w, out, 10);
		break;
	case 11:
		NAME(product)(s, in, w, out, 11);
		break;
	case 12:
		NAME(product)(s, in, w, out, 12);
		break;
#endif
	default:
		break;
	}
}

/* All points of the panel: tiles in blocks of nearly equal size. */
static TARGET void NAME(multiply)(const struct strip *s, const float *w)
{
	const size_t blocks = (s->tiles + MAXT - 1) / MAXT,
		     w_size = fx_conv3d_reads(s->p) * s->width;

	for (size_t i = 0; i < POINTS; i++, w += w_size)
		for (size_t c = 0; c < s->width; c += LANES * VECS) {
			const float *in = s->points + i * s->point_size;
			float *out = s->products + i * s->product_size + c;

			for (size_t b = 0, t = 0, n; b < blocks; b++, t += n) {
				n = (s->tiles - t + blocks - b - 1) / (blocks - b);
				NAME(products)
				(s, in + t * s->in_slots, w + c, out + t * s->width, n);
			}
		}
}

#undef LANES
#undef VECS
#undef MAXT
#undef NAME
