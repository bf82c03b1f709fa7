// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/components.c and holes.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/components.h"
#include "kernels/holes.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(equals_a_plain_search),
					    cmocka_unit_test(refuses_what_it_cannot),
					    cmocka_unit_test(fills_closed_holes_only) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
