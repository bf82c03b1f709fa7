// SPDX-License-Identifier: Apache-2.0
/* conv3d_winograd_tmpl.c: transforms of Winograd's F(3,3) along three axes. Included with TARGET (a
 * function attribute), LANES (channels side by side) and NAME(x) defined. */

typedef float NAME(vec) __attribute__((vector_size(4 * LANES)));
typedef int NAME(mask) __attribute__((vector_size(4 * LANES)));
typedef float NAME(mem) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* 5 inputs become their values at the points 0, 1, -1, 2, infinity: B^T. In place is fine. */
static inline __attribute__((always_inline)) TARGET void NAME(spread)(NAME(vec) * to,
								      size_t to_step,
								      const NAME(vec) * in,
								      size_t step)
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
static inline __attribute__((always_inline)) TARGET void NAME(gather)(NAME(vec) * to,
								      size_t to_step,
								      const NAME(vec) * in,
								      size_t step)
{
	const NAME(vec) m0 = in[0], m1 = in[step], m2 = in[2 * step], m3 = in[3 * step],
			m4 = in[4 * step], sum = m1 + m2;

	to[0] = (m0 + m3) + sum;
	to[to_step] = (m1 - m2) + 2.0F * m3;
	to[2 * to_step] = (sum + m4) + 4.0F * m3;
}

/* Along z, from memory to the columns of the 25 lines. */
static inline __attribute__((always_inline)) TARGET void NAME(load)(const struct strip *s,
								    NAME(vec) * lines, size_t c)
{
	const NAME(vec) none[5] = { 0 };

	for (size_t y = 0; y < 5; y++) {
		const float *const in[] = { s->rows[y] + c, s->rows[y + 5] + c, s->rows[y + 10] + c,
					    s->rows[y + 15] + c, s->rows[y + 20] + c };
		const size_t *step = s->steps + y;
		NAME(vec) *to = lines + y * COLUMNS;

		for (size_t x = 0; x < s->from; x++)
			NAME(spread)(to + x, 5 * COLUMNS, none, 1);
		for (size_t x = s->from; x < s->to; x++) {
			const NAME(vec) d[] = { *(const NAME(mem) *)(in[0] + x * step[0]),
						*(const NAME(mem) *)(in[1] + x * step[5]),
						*(const NAME(mem) *)(in[2] + x * step[10]),
						*(const NAME(mem) *)(in[3] + x * step[15]),
						*(const NAME(mem) *)(in[4] + x * step[20]) };

			NAME(spread)(to + x, 5 * COLUMNS, d, 1);
		}
		for (size_t x = s->to; x < s->columns; x++)
			NAME(spread)(to + x, 5 * COLUMNS, none, 1);
	}
}

/* The input of all tiles, channels from @p c, to s->points[point][tile][channel]. */
static TARGET void NAME(input)(const struct strip *s, size_t c)
{
	NAME(vec) lines[25 * COLUMNS];

	NAME(load)(s, lines, c);
	for (size_t z = 0; z < 5; z++) {
		NAME(vec) *plane = lines + z * 5 * COLUMNS;

		for (size_t x = 0; x < s->columns; x++)
			NAME(spread)(plane + x, COLUMNS, plane + x, COLUMNS);
		for (size_t y = 0; y < 5; y++)
			for (size_t t = 0; t < s->tiles; t++) {
				float *to = s->points + (z * 25 + y * 5) * s->point_size +
					    t * s->in_slots + c;
				NAME(vec) v[5];

				NAME(spread)(v, 1, plane + y * COLUMNS + 3 * t, 1);
				for (size_t x = 0; x < 5; x++)
					*(NAME(mem) *)(to + x * s->point_size) = v[x];
			}
	}
}

/* One output voxel: bias, gate, residual, ReLU. */
static inline __attribute__((always_inline)) TARGET void NAME(store)(const struct strip *s,
								     NAME(vec) v, size_t z,
								     size_t y, size_t x, size_t c)
{
	const struct fx_conv3d_plan *p = s->p;
	const struct fx_conv3d_args *a = s->a;
	const NAME(vec) zero = { 0 };

	if (a->gate)
		v = (NAME(vec))(
			(NAME(mask))v &
			(*(const NAME(mem) *)(a->gate + at(&p->gate, s, z, y, x) + c) > zero));
	if (a->residual)
		v += *(const NAME(mem) *)(a->residual + at(&p->residual, s, z, y, x) + c);
	if (a->also)
		*(NAME(mem) *)(a->also + at(&p->also, s, z, y, x) + c) =
			(NAME(vec))((NAME(mask))v & (v > zero));
	if (a->relu)
		v = (NAME(vec))((NAME(mask))v & (v > zero));
	if (a->out)
		*(NAME(mem) *)(a->out + at(&p->out, s, z, y, x) + c) = v;
}

/* The outputs of all tiles from s->products[point][tile][width], channels from @p c of the panel.
 */
static TARGET void NAME(output)(const struct strip *s, size_t c)
{
	const NAME(vec) bias = *(const NAME(mem) *)(s->bias + c);
	NAME(vec) lines[25 * COLUMNS];

	for (size_t p = 0; p < 25; p++)
		for (size_t t = 0; t < s->tiles; t++) {
			const float *in = s->products + p * 5 * s->product_size + t * s->width + c;
			NAME(vec) m[5];

			for (size_t x = 0; x < 5; x++)
				m[x] = *(const NAME(mem) *)(in + x * s->product_size);
			NAME(gather)(lines + p * COLUMNS + 3 * t, 1, m, 1);
		}
	for (size_t z = 0; z < 5; z++)
		for (size_t x = 0; x < 3 * s->tiles; x++)
			NAME(gather)
	(lines + z * 5 * COLUMNS + x, COLUMNS, lines + z * 5 * COLUMNS + x, COLUMNS);
	for (size_t y = 0; y < s->y_len; y++)
		for (size_t x = 0; x < s->x_len; x++) {
			NAME(vec) v[3];

			NAME(gather)(v, 1, lines + y * COLUMNS + x, 5 * COLUMNS);
			for (size_t z = 0; z < s->z_len; z++)
				NAME(store)(s, v[z] + bias, z, y, x, s->panel + c);
		}
}

#undef LANES
#undef NAME
