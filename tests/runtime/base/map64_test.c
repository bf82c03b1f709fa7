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

/* Against a plain table, with keys that crowd in few slots. */
static void forgets_what_is_removed(void **unused)
{
	enum { KEYS = 60 };
	struct fx_map64 m = { 0 };
	uint64_t want[KEYS] = { 0 }, seed = 4, len = 0;

	(void)unused;
	fx_map64_remove(&m, 3);
	for (int i = 0; i < 20000; i++) {
		const uint64_t key = test_random(&seed) % KEYS;

		if (test_random(&seed) % 2) {
			len += !want[key];
			*fx_map64_at(&m, key) = want[key] = (uint64_t)i + 1;
		} else {
			len -= want[key] > 0;
			want[key] = 0;
			fx_map64_remove(&m, key);
		}
		assert_int_equal(m.len, len);
		for (uint64_t k = 0; k < KEYS; k++) {
			const uint64_t *at = fx_map64_find(&m, k);

			assert_int_equal(at ? *at : 0, want[k]);
		}
	}
	fx_map64_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(keeps_what_it_is_given),
					    cmocka_unit_test(forgets_what_is_removed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
