// SPDX-License-Identifier: Apache-2.0
/* labeldist_tmpl.c: the near search of labeldist.c for LANES lines side by side; included with
 * TARGET, LANES and NAME set. */

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

TARGET static inline NAME(vec) NAME(choose)(NAME(mask) m, NAME(vec) a, NAME(vec) b)
{
	return (NAME(vec))((m & (NAME(mask))a) | (~m & (NAME(mask))b));
}

/* The least of @p d and what lies @p k rows from row @p i, to one side: lines that are still within
 * their label find the row's f there, those that leave it a voxel of another label. */
TARGET static inline NAME(vec) NAME(step)(const struct slab *s, size_t i, size_t x, size_t k,
					  int side, NAME(vec) d, NAME(mask) * open)
{
	const float away = (float)(k * k) * s->step2;
	const size_t to = side < 0 ? i - k : i + k; /* wraps below 0 */
	NAME(vec) offer = (NAME(vec)){ 0 } + (s->border || to < s->rows ? away : INFINITY);
	NAME(mask) on = { 0 };

	if (to < s->rows) {
		const size_t same = (side < 0 ? to + 1 : to) * s->width + x;

		on = *open & *(const NAME(ints) *)(s->same + same);
		offer = NAME(choose)(on, *(const NAME(floats) *)(s->f + to * s->width + x) + away,
				     offer);
	}
	offer = NAME(choose)(*open, offer, d);
	*open = on;
	return NAME(choose)(offer < d, offer, d);
}

/* Lines x..x+LANES-1 of row @p i: the least of f at k rows from there plus k^2 step2, over at most
 * NEAR rows to either side within the label. Sets @p late where that is not enough. */
TARGET static void NAME(near)(const struct slab *s, size_t i, size_t x, float *out, uint8_t *late)
{
	NAME(vec) d = *(const NAME(floats) *)(s->f + i * s->width + x);
	NAME(mask) up = (NAME(mask)){ 0 } - 1, down = up, need = up;

	/* whether it is enough is asked every other row only: to ask costs as much as to look */
	for (size_t k = 1; k <= NEAR + 1; k += 2) {
		need = (up | down) & ((float)(k * k) * s->step2 < d);
		if (k > NEAR || !NAME(any)(need))
			break;
		for (size_t n = k; n < k + 2; n++) {
			d = NAME(step)(s, i, x, n, -1, d, &up);
			d = NAME(step)(s, i, x, n, 1, d, &down);
		}
	}
	*(NAME(floats) *)(out + x) = d;
	for (size_t n = 0; n < LANES; n++)
		late[x + n] = need[n] != 0;
}

TARGET static void NAME(row)(const struct slab *s, size_t i, float *out, uint8_t *late)
{
	for (size_t x = 0; x < s->width; x += LANES)
		NAME(near)(s, i, x, out, late);
}
