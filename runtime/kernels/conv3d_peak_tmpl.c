// SPDX-License-Identifier: Apache-2.0
/* conv3d_peak_tmpl.c: independent sums of products. Included with TARGET, LANES and NAME(x)
 * defined. */

typedef float NAME(vec) __attribute__((vector_size(4 * LANES)));

static TARGET float NAME(run)(size_t times)
{
	const NAME(vec) zero = { 0 }, by = zero + 0.999F, plus = zero + 0.001F;
	NAME(vec) sum[SUMS], all = zero;

#pragma GCC unroll 12
	for (int i = 0; i < SUMS; i++)
		sum[i] = zero + (float)i;
	for (size_t t = 0; t < times; t++)
#pragma GCC unroll 12
		for (int i = 0; i < SUMS; i++)
			sum[i] = sum[i] * by + plus;
#pragma GCC unroll 12
	for (int i = 0; i < SUMS; i++)
		all += sum[i];
	return all[0];
}

#undef LANES
#undef NAME
