// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/base/chance.c. */
#include "support/test.h"

#include "base/chance.h"

enum { MANY = 20000 };

static int hits(uint64_t seed, uint64_t what, double rate)
{
	int n = 0;

	for (uint64_t i = 0; i < MANY; i++)
		n += fx_chance(seed, what, i, rate);
	return n;
}

static void a_rate_is_met(void **unused)
{
	(void)unused;
	assert_int_equal(hits(1, 2, 0), 0);
	assert_int_equal(hits(1, 2, 1), MANY);
	assert_in_range(hits(1, 2, 0.1), MANY / 10 - 150, MANY / 10 + 150);
	assert_in_range(hits(7, 2, 0.001), 5, 40);
}

/* Of two that happen to a half each, a quarter meets both. */
static void seeds_and_faults_know_nothing_of_each_other(void **unused)
{
	int seeds = 0, whats = 0;

	(void)unused;
	for (uint64_t i = 0; i < MANY; i++) {
		seeds += fx_chance(1, 1, i, 0.5) && fx_chance(2, 1, i, 0.5);
		whats += fx_chance(1, 1, i, 0.5) && fx_chance(1, 2, i, 0.5);
	}
	assert_in_range(seeds, MANY / 4 - 250, MANY / 4 + 250);
	assert_in_range(whats, MANY / 4 - 250, MANY / 4 + 250);
}

static void the_same_on_every_machine(void **unused)
{
	const uint64_t whole = fx_chance_mix(FX_CHANCE_START, "blocks", 6);
	const uint64_t halves = fx_chance_mix(fx_chance_mix(FX_CHANCE_START, "blo", 3), "cks", 3);

	(void)unused;
	assert_true(fx_chance_bits(1, 2, 3) == UINT64_C(0xd0734750fde362b3));
	assert_true(whole == UINT64_C(0xfbc4a0504349cf0a));
	assert_true(halves != whole); /* where one part ends is part of it */
	assert_true(fx_chance_mix(FX_CHANCE_START, "block", 5) != whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rate_is_met),
		cmocka_unit_test(seeds_and_faults_know_nothing_of_each_other),
		cmocka_unit_test(the_same_on_every_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
