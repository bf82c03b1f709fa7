// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/inbox.c: what came in any order is handed on in order. */
#include "support/test.h"

#include "link/inbox.h"

static struct fx_envelope block_of(uint64_t seq)
{
	const struct fx_envelope e = { .seq = seq,
				       .kind = FX_BLOCK,
				       .message = fx_block_new(FX_U8, 1, 1, 1) };

	assert_non_null(e.message);
	return e;
}

static void the_lowest_is_taken_first(void **unused)
{
	static const uint64_t came[] = { 7, 3, 9, 3, 0 };
	static const uint64_t want[] = { 0, 3, 3, 7, 9 };
	static const size_t lanes[] = { 4, 1, 3, 0, 2 }; /* of one number, as they came */
	struct fx__inbox in = { 0 };

	(void)unused;
	for (size_t i = 0; i < 5; i++) {
		const struct fx_envelope e = block_of(came[i]);

		assert_true(fx__inbox_put(&in, &e, i));
	}
	assert_true(fx__inbox_has(&in, 7));
	assert_false(fx__inbox_has(&in, 8));
	for (size_t i = 0; i < 5; i++) {
		struct fx__arrival a = fx__inbox_take(&in);

		assert_true(a.envelope.seq == want[i]);
		assert_int_equal(a.lane, lanes[i]);
		fx_envelope_fini(&a.envelope);
	}
	assert_int_equal(in.len, 0);
	assert_false(fx__inbox_has(&in, 7));
	fx__inbox_fini(&in);
}

static void what_is_left_is_freed(void **unused)
{
	struct fx__inbox in = { 0 };
	const struct fx_envelope e = block_of(1);

	(void)unused;
	assert_true(fx__inbox_put(&in, &e, 0));
	fx__inbox_fini(&in); /* the sanitizer tells */
	assert_int_equal(in.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_is_taken_first),
		cmocka_unit_test(what_is_left_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
