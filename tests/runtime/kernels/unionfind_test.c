// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/unionfind.c. */
#include "support/test.h"

#include <stdlib.h>

#include "kernels/unionfind.h"

static void the_root_is_the_smallest(void **unused)
{
	struct fx_unionfind u = { 0 };

	(void)unused;
	assert_int_equal(fx_unionfind_join(&u, 30, 20), 0);
	assert_int_equal(fx_unionfind_join(&u, 5, 40), 0);
	assert_int_equal(fx_unionfind_find(&u, 30), 20);
	assert_int_equal(fx_unionfind_join(&u, 40, 30), 0);
	assert_int_equal(fx_unionfind_find(&u, 20), 5);
	assert_int_equal(fx_unionfind_find(&u, 99), 99);
	assert_int_equal(u.len, 4);
	fx_unionfind_fini(&u);
}

/* Random joins against labels that are repainted one by one, in two orders. */
static void random_joins_equal_repainting(void **unused)
{
	enum { N = 200, JOINS = 150 };
	uint64_t seed = 7, join[JOINS][2], paint[N];
	struct fx_unionfind u = { 0 }, back = { 0 };

	(void)unused;
	for (uint64_t i = 0; i < N; i++)
		paint[i] = i;
	for (int j = 0; j < JOINS; j++) {
		uint64_t a, b;

		join[j][0] = test_random(&seed) % N;
		join[j][1] = test_random(&seed) % N;
		a = paint[join[j][0]];
		b = paint[join[j][1]];
		for (int i = 0; i < N; i++)
			if (paint[i] == (a > b ? a : b))
				paint[i] = a < b ? a : b;
	}
	for (int j = 0; j < JOINS; j++) {
		fx_unionfind_join(&u, join[j][0], join[j][1]);
		fx_unionfind_join(&back, join[JOINS - 1 - j][1], join[JOINS - 1 - j][0]);
	}
	for (uint64_t i = 0; i < N; i++) {
		assert_int_equal(fx_unionfind_find(&u, i), paint[i]);
		assert_int_equal(fx_unionfind_find(&back, i), paint[i]);
	}
	fx_unionfind_fini(&u);
	fx_unionfind_fini(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_root_is_the_smallest),
		cmocka_unit_test(random_joins_equal_repainting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
