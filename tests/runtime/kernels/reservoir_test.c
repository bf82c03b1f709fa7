// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/reservoir.c. */
#include "support/test.h"

#include <stdlib.h>

#include <fornix/error.h>

#include "kernels/reservoir.h"

enum { N = 500, MOST = 37 };

static int by_value(const void *a, const void *b)
{
	const uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;

	return p < q ? -1 : p > q;
}

/* Gives rows 0..n-1, backwards when @p back; row i is (i, -i). */
static struct fx_reservoir choose(size_t n, bool back)
{
	struct fx_reservoir r = { .most = MOST, .width = 2 };

	for (size_t k = 0; k < n; k++) {
		const size_t i = back ? n - 1 - k : k;
		const float row[4] = { (float)i, 99, -(float)i, 99 };
		const uint64_t key = fx_reservoir_key(9, i);

		if (fx_reservoir_wants(&r, key))
			assert_int_equal(fx_reservoir_add(&r, key, row, 2), FX_OK);
	}
	assert_int_equal(fx_reservoir_close(&r), FX_OK);
	return r;
}

static void keeps_the_lowest_in_any_order(void **unused)
{
	struct fx_reservoir a = choose(N, false), b = choose(N, true);
	uint64_t keys[N];

	(void)unused;
	for (size_t i = 0; i < N; i++)
		keys[i] = fx_reservoir_key(9, i);
	qsort(keys, N, sizeof *keys, by_value);
	assert_int_equal(a.len, MOST);
	assert_int_equal(b.len, MOST);
	for (size_t i = 0; i < MOST; i++) {
		assert_true(a.keys[i] == keys[i] && b.keys[i] == keys[i]);
		assert_true(fx_reservoir_key(9, (uint64_t)a.rows[2 * i]) == keys[i]);
		assert_true(a.rows[2 * i] + a.rows[2 * i + 1] == 0);
	}
	assert_memory_equal(a.rows, b.rows, sizeof(float) * 2 * MOST);
	fx_reservoir_fini(&a);
	fx_reservoir_fini(&b);
}

static void keeps_all_of_a_few(void **unused)
{
	struct fx_reservoir few = choose(5, false), none = choose(0, false);

	(void)unused;
	assert_int_equal(few.len, 5);
	assert_int_equal(none.len, 0);
	fx_reservoir_fini(&few);
	fx_reservoir_fini(&none);
}

static void another_seed_chooses_others(void **unused)
{
	size_t same = 0;

	(void)unused;
	for (uint64_t i = 0; i < 100; i++)
		for (uint64_t k = 0; k < 100; k++)
			same += fx_reservoir_key(1, i) == fx_reservoir_key(2, k);
	assert_int_equal(same, 0);
}

static void too_much_is_refused(void **unused)
{
	struct fx_reservoir r = { .most = SIZE_MAX / 2, .width = 20 };
	const float row[20] = { 0 };

	(void)unused;
	assert_int_equal(fx_reservoir_add(&r, 1, row, 1), FX_ENOMEM);
	fx_reservoir_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_lowest_in_any_order),
		cmocka_unit_test(keeps_all_of_a_few),
		cmocka_unit_test(another_seed_chooses_others),
		cmocka_unit_test(too_much_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
