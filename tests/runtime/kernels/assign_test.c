// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/assign.c. */
#include "support/test.h"

#include <math.h>

#include <fornix/error.h>

#include "kernels/assign.h"

/* The least costs of rows from `row` on, with the columns in `used` taken. */
static double brute(const double *costs, size_t rows, size_t columns, size_t row, unsigned used)
{
	double best = (double)INFINITY;

	if (row == rows)
		return 0;
	for (size_t c = 0; c < columns; c++)
		if (!(used >> c & 1))
			best = fmin(best,
				    costs[row * columns + c] +
					    brute(costs, rows, columns, row + 1, used | 1u << c));
	return best;
}

static void as_brute_force_says(void **unused)
{
	uint64_t seed = 9;

	(void)unused;
	for (int round = 0; round < 200; round++) {
		const size_t columns = 1 + test_random(&seed) % 6;
		const size_t rows = test_random(&seed) % (columns + 1);
		double costs[36], sum = 0;
		size_t column[6];
		unsigned used = 0;

		for (size_t i = 0; i < rows * columns; i++)
			costs[i] =
				test_random(&seed) % 3 ? (double)(test_random(&seed) % 50) : 1000;
		assert_int_equal(fx_assign(costs, rows, columns, column), FX_OK);
		for (size_t r = 0; r < rows; r++) {
			assert_true(column[r] < columns && !(used >> column[r] & 1));
			used |= 1u << column[r];
			sum += costs[r * columns + column[r]];
		}
		assert_true(fabs(sum - brute(costs, rows, columns, 0, 0)) < 1e-9);
	}
}

static void what_is_refused(void **unused)
{
	const double costs[] = { 1, 2, (double)INFINITY };
	size_t column[3];

	(void)unused;
	assert_int_equal(fx_assign(costs, 3, 1, column), FX_EINVAL);
	assert_int_equal(fx_assign(costs, 1, 3, column), FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_brute_force_says),
		cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
