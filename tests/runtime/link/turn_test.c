// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/turn.c: the numbers of a stream in parts. */
#include "support/test.h"

#include <stdlib.h>

#include "link/turn.h"

enum { PARTS_MAX = 64, ROUNDS = 40, SENT_MAX = 5 };

/* What one part sends: numbers in its own order. */
struct part {
	uint64_t seq[ROUNDS * (SENT_MAX + 1)];
	size_t len, at;
};

static void send_rounds(struct part *p, unsigned part, unsigned parts)
{
	uint64_t place = fx_turn_first(part, parts);

	for (int round = 0; round < ROUNDS; round++)
		for (int left = rand() % SENT_MAX; left >= 0; left--) {
			const uint64_t seq = fx_turn_number(place, !left, parts);

			p->seq[p->len++] = seq;
			place = fx_turn_own(seq, parts);
		}
}

/* Each number says which part's turn is next: the parts, one after the other, up to a mark each. */
static void expect_order(struct part *p, unsigned parts)
{
	uint64_t place = 0, last = 0;

	for (int round = 0; round < ROUNDS; round++)
		for (unsigned k = 0; k < parts; k++)
			for (bool mark = false; !mark; p[k].at++) {
				const uint64_t seq = p[k].seq[p[k].at];

				mark = seq & 1;
				for (unsigned other = 0; other < parts; other++)
					assert_int_equal(
						p[other].at < p[other].len &&
							fx_turn_is(p[other].seq[p[other].at], place,
								   parts),
						other == k);
				assert_true(!last || seq > last);
				assert_int_equal(fx_turn_counts(seq, parts), k + 1 == parts);
				last = seq;
				place = fx_turn_after(seq, parts);
				assert_true(place > seq);
			}
	for (unsigned k = 0; k < parts; k++)
		assert_int_equal(p[k].at, p[k].len);
}

static void numbers_are_the_order_of_the_stream(void **state)
{
	static const unsigned parts[] = { 2, 3, 7, PARTS_MAX };
	struct part *p = calloc(PARTS_MAX, sizeof *p);

	(void)state;
	srand(1);
	assert_non_null(p);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		for (unsigned k = 0; k < parts[i]; k++) {
			p[k].len = p[k].at = 0;
			send_rounds(&p[k], k, parts[i]);
		}
		expect_order(p, parts[i]);
	}
	free(p);
}

static void without_parts_numbers_count(void **state)
{
	(void)state;
	for (unsigned parts = 0; parts < 2; parts++) {
		assert_int_equal(fx_turn_first(0, parts), 0);
		assert_int_equal(fx_turn_number(7, true, parts), 7);
		assert_int_equal(fx_turn_own(7, parts), 8);
		assert_int_equal(fx_turn_after(7, parts), 8);
		assert_true(fx_turn_is(7, 7, parts) && !fx_turn_is(7, 6, parts));
		assert_true(fx_turn_counts(7, parts));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_the_order_of_the_stream),
		cmocka_unit_test(without_parts_numbers_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
