// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/base/map64.c. */
#include "support/test.h"

#include "base/map64.h"

static void keeps_what_it_is_given(void **unused)
{
	struct fx_map64 m = { 0 };

	(void)unused;
	assert_null(fx_map64_find(&m, 0));
	for (uint64_t i = 0; i < 1000; i++)
		*fx_map64_at(&m, i << 32) = i;
	assert_int_equal(m.len, 1000);
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(*fx_map64_find(&m, i << 32), i);
	assert_null(fx_map64_find(&m, 1));
	*fx_map64_at(&m, 0) += 5;
	assert_int_equal(*fx_map64_find(&m, 0), 5);
	fx_map64_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(keeps_what_it_is_given) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
