// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/visit.c against what CPython 3.11 gave for the same places. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "kernels/visit.h"

static const size_t shape[3] = { 20, 30, 40 };

static int by_number(const void *pa, const void *pb)
{
	const uint32_t *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

/* Whatever order they come in. */
static void check(const uint32_t *want, size_t len)
{
	uint32_t voxels[40];
	uint64_t seed = 3;

	memcpy(voxels, want, len * sizeof *want);
	qsort(voxels, len, sizeof *voxels, by_number);
	assert_int_equal(fx_visit_order(voxels, len, shape), FX_OK);
	assert_memory_equal(voxels, want, len * sizeof *want);
	for (size_t i = len; i-- > 1;) {
		const size_t k = test_random(&seed) % (i + 1);
		const uint32_t v = voxels[i];

		voxels[i] = voxels[k];
		voxels[k] = v;
	}
	assert_int_equal(fx_visit_order(voxels, len, shape), FX_OK);
	assert_memory_equal(voxels, want, len * sizeof *want);
}

static void is_that_of_a_set(void **unused)
{
	const uint32_t few[] = { 10360, 85, 761, 1640, 23682, 23885 };
	const uint32_t many[] = { 9519,	 23677, 10810, 19179, 761,   1013,  2428,  23885,
				  23945, 23831, 17994, 23296, 21565, 256,   696,   23588,
				  15585, 14239, 1091,  7173,  85,    22998, 23682, 9569,
				  8387,	 10360, 578,   3279,  20390, 1153,  23776, 3559,
				  10819, 9637,	19216, 1640,  23305, 14279, 23012, 9799 };

	(void)unused;
	check(few, 6);
	check(many, 40); /* the set grows twice */
	check(few, 1);
	check(few, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(is_that_of_a_set) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
