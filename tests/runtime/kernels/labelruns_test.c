// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/labelruns.c, as the machine has it and in plain C. */
#include "support/test.h"

#include "kernels/labelruns.h"

/* the plain C again, under other names */
#define FX_PORTABLE
void plain_label_same(const void *a, const void *b, bool wide, size_t len, uint64_t *bits);
void plain_label_breaks(const void *row, bool wide, size_t len, uint64_t *bits);
size_t plain_label_runs(const uint64_t *breaks, size_t len, uint32_t *end);
#define fx_label_same	plain_label_same
#define fx_label_breaks plain_label_breaks
#define fx_label_runs	plain_label_runs
#include "kernels/labelruns.c"
#undef fx_label_same
#undef fx_label_breaks
#undef fx_label_runs

enum { LEN = 200, WORDS = 4, GUARD = 0x55 };

static const size_t lengths[] = { 0, 1, 3, 4, 8, 63, 64, 65, 127, 128, 130, LEN };

static uint64_t bit(const uint64_t *bits, size_t x)
{
	return bits[x / 64] >> x % 64 & 1;
}

static bool equal_at(const void *a, const void *b, bool wide, size_t x)
{
	return fx_label_at(a, wide, x) == fx_label_at(b, wide, x);
}

/* Bits of both kinds against a plain look, and what lies behind them. */
static void check(const void *a, const void *b, bool wide, size_t len)
{
	const size_t words = fx_label_words(len);
	uint64_t same[WORDS + 1], plain[WORDS + 1];

	for (int kind = 0; kind < 2; kind++) {
		same[words] = plain[words] = GUARD;
		if (kind == 0) {
			fx_label_same(a, b, wide, len, same);
			plain_label_same(a, b, wide, len, plain);
		} else {
			fx_label_breaks(a, wide, len, same);
			plain_label_breaks(a, wide, len, plain);
		}
		assert_memory_equal(same, plain, (words + 1) * sizeof *same);
		for (size_t x = 0; x < words * 64; x++) {
			const bool want = x < len &&
					  (kind == 0 ? equal_at(a, b, wide, x) :
						       x && fx_label_at(a, wide, x) !=
								       fx_label_at(a, wide, x - 1));

			assert_int_equal(bit(same, x), want);
		}
		assert_int_equal(same[words], GUARD);
	}
}

static void compares_labels_one_by_one(void **unused)
{
	uint64_t wide[2][LEN], seed = 5;
	uint32_t narrow[2][LEN];

	(void)unused;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		for (size_t k = 0; k < 2; k++)
			for (size_t x = 0; x < LEN; x++) {
				narrow[k][x] = (uint32_t)(test_random(&seed) % 3);
				/* labels that differ in the high half alone are not equal */
				wide[k][x] = (uint64_t)narrow[k][x] << 40 | 7;
			}
		check(wide[0], wide[1], true, lengths[i]);
		check(narrow[0], narrow[1], false, lengths[i]);
	}
}

static void lists_where_runs_end(void **unused)
{
	static const uint32_t row[] = { 4, 4, 4, 0, 0, 9, 4 };
	uint32_t end[7];
	uint64_t breaks;

	(void)unused;
	fx_label_breaks(row, false, 7, &breaks);
	assert_int_equal(fx_label_runs(&breaks, 7, end), 4);
	assert_int_equal(end[0], 3);
	assert_int_equal(end[1], 5);
	assert_int_equal(end[2], 6);
	assert_int_equal(end[3], 7);
	assert_int_equal(plain_label_runs(&breaks, 7, end), 4);
	assert_int_equal(fx_label_runs(&breaks, 0, end), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(compares_labels_one_by_one),
					    cmocka_unit_test(lists_where_runs_end) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
