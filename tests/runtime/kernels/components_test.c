// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/components.c and holes.c. */
#include "support/test.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/components.h"
#include "kernels/holes.h"

/* the plain C again, under another name */
#define FX_PORTABLE
int plain_components(const void *labels, enum fx_dtype dtype, const size_t shape[3],
		     int connectivity, uint32_t *out, uint32_t *count);
#define fx_components plain_components
#include "kernels/components.c"
#undef fx_components

enum { LEN = 7 * 9 * 11 };
static const size_t shape[3] = { 7, 9, 11 };

static int is_near(size_t a, size_t b, int connectivity)
{
	const int z = abs((int)(a / 99) - (int)(b / 99)),
		  y = abs((int)(a / 11 % 9) - (int)(b / 11 % 9)),
		  x = abs((int)(a % 11) - (int)(b % 11)), steps = z + y + x;

	return z < 2 && y < 2 && x < 2 &&
	       steps <= (connectivity == 6  ? 1 :
			 connectivity == 18 ? 2 :
					      3);
}

/* Paints by repeated search: slow and plain. */
static uint32_t brute(const uint64_t *labels, int connectivity, uint32_t *out)
{
	uint32_t count = 0;
	size_t stack[LEN], depth;

	memset(out, 0, LEN * sizeof *out);
	for (size_t i = 0; i < LEN; i++) {
		if (!labels[i] || out[i])
			continue;
		out[i] = ++count;
		for (stack[0] = i, depth = 1; depth;) {
			const size_t at = stack[--depth];

			for (size_t j = 0; j < LEN; j++)
				if (!out[j] && labels[j] == labels[at] &&
				    is_near(at, j, connectivity)) {
					out[j] = count;
					stack[depth++] = j;
				}
		}
	}
	return count;
}

static void equals_a_plain_search(void **unused)
{
	static const int connectivity[3] = { 6, 18, 26 };
	uint64_t labels[LEN], seed = 7;
	uint32_t narrow[LEN], want[LEN], got[LEN], count;

	(void)unused;
	for (uint64_t kinds = 2; kinds < 6; kinds++)
		for (int c = 0; c < 3; c++) {
			for (size_t i = 0; i < LEN; i++) {
				labels[i] = test_random(&seed) % kinds;
				narrow[i] = (uint32_t)labels[i];
				labels[i] *= UINT64_C(0x100000001);
			}
			const uint32_t n = brute(labels, connectivity[c], want);

			assert_int_equal(
				fx_components(labels, FX_U64, shape, connectivity[c], got, &count),
				FX_OK);
			assert_int_equal(count, n);
			assert_memory_equal(got, want, sizeof want);
			assert_int_equal(fx_components(narrow, FX_U32, shape, connectivity[c],
						       narrow, &count),
					 FX_OK);
			assert_memory_equal(narrow, want, sizeof want);
		}
}

/* Neighbours of voxel @p i of @p side: their places in @p out, returns how many. */
static size_t around(const size_t side[3], size_t i, int connectivity, size_t out[26])
{
	const long at[3] = { (long)(i / side[2] / side[1]), (long)(i / side[2] % side[1]),
			     (long)(i % side[2]) };
	size_t n = 0;

	for (int k = 0; k < 27; k++) {
		const long d[3] = { k / 9 - 1, k / 3 % 3 - 1, k % 3 - 1 },
			   steps = labs(d[0]) + labs(d[1]) + labs(d[2]);
		bool in = steps && steps <= (connectivity == 6 ? 1 : connectivity == 18 ? 2 : 3);

		for (int a = 0; a < 3; a++)
			in = in && at[a] + d[a] >= 0 && at[a] + d[a] < (long)side[a];
		if (in)
			out[n++] = (size_t)(((at[0] + d[0]) * (long)side[1] + at[1] + d[1]) *
						    (long)side[2] +
					    at[2] + d[2]);
	}
	return n;
}

/* Floods one piece after the other. */
static uint32_t flood(const uint64_t *labels, const size_t side[3], int connectivity, uint32_t *out)
{
	const size_t len = side[0] * side[1] * side[2];
	size_t *stack = calloc(len, sizeof *stack), near[26];
	uint32_t count = 0;

	memset(out, 0, len * sizeof *out);
	for (size_t i = 0, depth; i < len; i++) {
		if (!labels[i] || out[i])
			continue;
		out[i] = ++count;
		for (stack[0] = i, depth = 1; depth;) {
			const size_t at = stack[--depth], n = around(side, at, connectivity, near);

			for (size_t k = 0; k < n; k++)
				if (!out[near[k]] && labels[near[k]] == labels[at]) {
					out[near[k]] = count;
					stack[depth++] = near[k];
				}
		}
	}
	free(stack);
	return count;
}

/* Blobs with holes, corners and single voxels; rows of more than a word of bits. */
static void fill_blobs(uint64_t *labels, const size_t side[3], uint64_t seed)
{
	const size_t len = side[0] * side[1] * side[2];

	for (size_t i = 0; i < len; i++) {
		const size_t z = i / side[2] / side[1], y = i / side[2] % side[1], x = i % side[2];
		uint64_t blob = 1 + z / 3 * 7919 + y / 5 * 104729 + x / 9 * 1299709;

		labels[i] =
			test_random(&seed) % 8 ? test_random(&blob) % 4 : test_random(&seed) % 4;
		labels[i] *= UINT64_C(0x100000001);
	}
}

/* Slabs that threads take are joined to what one thread makes, also thin ones. */
static void equals_a_flood_for_any_threads(void **unused)
{
	static const size_t sides[3][3] = { { 9, 80, 190 }, { 1, 700, 200 }, { 300, 3, 150 } };
	static const int connectivity[3] = { 6, 18, 26 };

	(void)unused;
	for (int s = 0; s < 3; s++) {
		const size_t len = sides[s][0] * sides[s][1] * sides[s][2];
		uint64_t *labels = calloc(len, sizeof *labels);
		uint32_t *want = calloc(len, sizeof *want), *got = calloc(len, sizeof *got), count;

		fill_blobs(labels, sides[s], 11);
		for (int c = 0; c < 3; c++) {
			const uint32_t n = flood(labels, sides[s], connectivity[c], want);

			for (int threads = 1; threads < 4; threads++) {
				omp_set_num_threads(threads);
				assert_int_equal(fx_components(labels, FX_U64, sides[s],
							       connectivity[c], got, &count),
						 FX_OK);
				assert_int_equal(count, n);
				assert_memory_equal(got, want, len * sizeof *got);
			}
			omp_set_num_threads(1);
			assert_int_equal(plain_components(labels, FX_U64, sides[s], connectivity[c],
							  got, &count),
					 FX_OK);
			assert_int_equal(count, n);
			assert_memory_equal(got, want, len * sizeof *got);
		}
		free(labels);
		free(want);
		free(got);
	}
}

/* Wherever threads cut a volume: two voxels that only meet at a corner, over every row. */
static void joins_corners_over_every_cut(void **unused)
{
	static const size_t side[3] = { 3, 150, 150 };
	const size_t len = side[0] * side[1] * side[2], over = (side[1] + 1) * side[2] + 1;
	uint32_t *labels = calloc(len, sizeof *labels), *got = calloc(len, sizeof *got), count;

	(void)unused;
	omp_set_num_threads(2);
	for (size_t i = side[2] / 2; i + over < len; i += side[2]) {
		const bool last_row = i / side[2] % side[1] + 1 == side[1];

		labels[i] = labels[i + over] = 3;
		assert_int_equal(fx_components(labels, FX_U32, side, 26, got, &count), FX_OK);
		assert_int_equal(count, last_row ? 2 : 1);
		labels[i] = labels[i + over] = 0;
	}
	omp_set_num_threads(1);
	free(labels);
	free(got);
}

static void refuses_what_it_cannot(void **unused)
{
	uint32_t labels[LEN] = { 0 }, count;

	(void)unused;
	assert_int_equal(fx_components(labels, FX_U16, shape, 6, labels, &count), FX_ETYPE);
	assert_int_equal(fx_components(labels, FX_U32, shape, 8, labels, &count), FX_EINVAL);
}

static void fills_closed_holes_only(void **unused)
{
	uint32_t mask[125];
	const size_t cube[3] = { 5, 5, 5 };

	(void)unused;
	for (size_t i = 0; i < 125; i++)
		mask[i] = 1;
	mask[62] = 0;		/* the middle */
	mask[31] = mask[6] = 0; /* a pit from the first plane */
	assert_int_equal(fx_holes_fill(mask, cube), FX_OK);
	assert_int_equal(mask[62], 1);
	assert_int_equal(mask[31], 0);
	assert_int_equal(mask[6], 0);
}

/* Zeros that a search from the faces does not reach are holes. */
static void search_holes(const uint32_t *mask, const size_t side[3], uint32_t *want)
{
	const size_t len = side[0] * side[1] * side[2];
	size_t *stack = calloc(len, sizeof *stack), near[26], depth = 0;

	for (size_t i = 0; i < len; i++) {
		want[i] = 1;
		if (!mask[i] && around(side, i, 6, near) < 6)
			want[stack[depth++] = i] = 0;
	}
	while (depth) {
		const size_t n = around(side, stack[--depth], 6, near);

		for (size_t k = 0; k < n; k++)
			if (!mask[near[k]] && want[near[k]])
				want[stack[depth++] = near[k]] = 0;
	}
	free(stack);
}

static void fills_what_a_search_does_not_reach(void **unused)
{
	static const size_t sides[3][3] = { { 7, 60, 170 }, { 1, 20, 30 }, { 5, 9, 1 } };
	uint64_t seed = 21;

	(void)unused;
	for (int s = 0; s < 6; s++) {
		const size_t *side = sides[s / 2], len = side[0] * side[1] * side[2];
		uint32_t *mask = calloc(len, sizeof *mask), *want = calloc(len, sizeof *want);

		omp_set_num_threads(s % 2 ? 3 : 1);
		for (size_t i = 0; i < len; i++)
			mask[i] = test_random(&seed) % 3 > 0;
		search_holes(mask, side, want);
		assert_int_equal(fx_holes_fill(mask, side), FX_OK);
		assert_memory_equal(mask, want, len * sizeof *mask);
		free(mask);
		free(want);
	}
	omp_set_num_threads(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(equals_a_plain_search),
					    cmocka_unit_test(equals_a_flood_for_any_threads),
					    cmocka_unit_test(joins_corners_over_every_cut),
					    cmocka_unit_test(refuses_what_it_cannot),
					    cmocka_unit_test(fills_closed_holes_only),
					    cmocka_unit_test(fills_what_a_search_does_not_reach) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
