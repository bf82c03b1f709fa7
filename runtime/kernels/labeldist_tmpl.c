// SPDX-License-Identifier: Apache-2.0
/* labeldist_tmpl.c: the inner loops of labeldist.c, LANES lines at once; included with TARGET,
 * LANES and NAME set. */

typedef float NAME(vec) __attribute__((vector_size(4 * LANES)));
typedef int NAME(mask) __attribute__((vector_size(4 * LANES)));
typedef long long NAME(words) __attribute__((vector_size(4 * LANES)));
typedef float NAME(floats) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int NAME(ints) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

TARGET static inline bool NAME(any)(NAME(mask) m)
{
	const NAME(words) w = (NAME(words))m;
	long long all = 0;

	for (int i = 0; i < LANES / 2; i++)
		all |= w[i];
	return all;
}

TARGET static inline NAME(vec) NAME(least)(NAME(vec) a, NAME(vec) b)
{
	for (int i = 0; i < LANES; i++) /* compilers make it one instruction */
		a[i] = a[i] < b[i] ? a[i] : b[i];
	return a;
}

/* For a row but the first: one row more than the row before has where the label is the same. */
TARGET static void NAME(up)(const struct strip *s, size_t row, float *up)
{
	const size_t at = s->first + row * s->stride;
	const float *before = up - STRIP;

	if (s->v->wide) {
		const uint64_t *a = (const uint64_t *)s->v->labels + at, *b = a - s->stride;

		for (size_t x = 0; x < s->lines; x++)
			up[x] = a[x] == b[x] ? before[x] + 1 : 1;
	} else {
		const uint32_t *a = (const uint32_t *)s->v->labels + at, *b = a - s->stride;

		for (size_t x = 0; x < s->lines; x++)
			up[x] = a[x] == b[x] ? before[x] + 1 : 1;
	}
}

/* Lines x..x+LANES-1 of a row: the least of the ends, and of f at k rows from there plus k^2 step2,
 * over at most NEAR rows to either side. Rows behind the end of the label do not harm: they give
 * no less than the end itself. */
TARGET static void NAME(near)(struct strip *s, size_t row, size_t x)
{
	const float *f = s->f + (NEAR + row) * STRIP + x;
	NAME(vec) d = NAME(least)(*(const NAME(floats) *)f, *(const NAME(floats) *)(s->ends + x));
	NAME(mask) need;
	size_t k = 1;

	/* whether it is enough is asked every PACE rows only */
	for (; k <= NEAR && NAME(any)(need = s->away[k] < d); k += PACE)
		for (size_t n = k; n < k + PACE; n++) {
			const float *above = f - n * STRIP, *below = f + n * STRIP;

			d = NAME(least)(*(const NAME(floats) *)above + s->away[n], d);
			d = NAME(least)(*(const NAME(floats) *)below + s->away[n], d);
		}
	if (k > NEAR)
		*(NAME(ints) *)(s->late + x) |= s->away[NEAR] < d;
	if (s->last)
		for (int i = 0; i < LANES; i++)
			d[i] = sqrtf(d[i]);
	*(NAME(floats) *)(s->row + x) = d;
}

TARGET static void NAME(row)(struct strip *s, size_t row)
{
	for (size_t x = 0; x < STRIP; x += LANES)
		NAME(near)(s, row, x);
}
