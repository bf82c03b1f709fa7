// SPDX-License-Identifier: Apache-2.0
/* voxelmlp_tmpl.c: one linear layer over 16 voxels. Included with TARGET (a function attribute),
 * LANES (floats of a vector) and NAME(x) defined. */

typedef float NAME(vec) __attribute__((vector_size(4 * LANES)));
typedef int NAME(mask) __attribute__((vector_size(4 * LANES)));
/* The same anywhere in an array of floats. */
typedef float NAME(mem) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* @p w: biases of GROUP outputs, then their weights of every input. */
static TARGET void NAME(group)(float *out, size_t out_step, const float *in, size_t in_step,
			       size_t depth, const float *w, size_t outs, bool relu)
{
	for (size_t at = 0; at < TILE; at += 2 * LANES) {
		NAME(vec) sum[GROUP][2];

#pragma GCC unroll 6
		for (size_t o = 0; o < GROUP; o++)
			sum[o][0] = sum[o][1] = (NAME(vec)){ 0 } + w[o];
		for (size_t k = 0; k < depth; k++) {
			const NAME(vec) a = *(const NAME(mem) *)(in + k * in_step + at),
					b = *(const NAME(mem) *)(in + k * in_step + at + LANES);
			const float *wk = w + (k + 1) * GROUP;

#pragma GCC unroll 6
			for (size_t o = 0; o < GROUP; o++) {
				sum[o][0] += a * wk[o];
				sum[o][1] += b * wk[o];
			}
		}
#pragma GCC unroll 6
		for (size_t o = 0; o < GROUP; o++)
			for (size_t v = 0; v < 2 && o < outs; v++) {
				const NAME(vec) zero = { 0 }, s = sum[o][v];

				*(NAME(mem) *)(out + o * out_step + at + v * LANES) =
					relu ? (NAME(vec))((NAME(mask))s & (s > zero)) : s;
			}
	}
}
#undef LANES
#undef NAME
