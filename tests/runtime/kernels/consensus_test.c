// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/consensus.c. */
#include "support/test.h"

#include <string.h>

#include "kernels/components.h"
#include "kernels/consensus.h"

enum { LEN = 6 * 8 * 10, INPUTS = 3 };
static const size_t shape[3] = { 6, 8, 10 };
static const struct fx_consensus_params plain = { FX_CONSENSUS_ANY, 0, { { false } } };

/* Random boxes of labels over a background of 0. */
static void boxes(uint64_t *labels, uint64_t *seed, uint64_t scale)
{
	memset(labels, 0, LEN * sizeof *labels);
	for (uint64_t n = 1; n < 14; n++) {
		size_t lo[3], hi[3];

		for (int a = 0; a < 3; a++) {
			lo[a] = test_random(seed) % shape[a];
			hi[a] = lo[a] + 1 + test_random(seed) % (shape[a] - lo[a]);
		}
		for (size_t i = 0; i < LEN; i++) {
			const size_t at[3] = { i / 80, i / 10 % 8, i % 10 };
			bool in = true;

			for (int a = 0; a < 3; a++)
				in = in && at[a] >= lo[a] && at[a] < hi[a];
			if (in)
				labels[i] = (n % 5 + 1) * scale;
		}
	}
}

/* What the header says, with all pairs of voxels looked at: classes, then their components. */
static uint32_t brute(uint64_t in[INPUTS][LEN], enum fx_consensus_zero zero, uint32_t *out)
{
	uint64_t classes[LEN];
	uint32_t count;

	for (size_t i = 0; i < LEN; i++) {
		int zeros = 0;
		size_t j = 0;

		for (int k = 0; k < INPUTS; k++)
			zeros += !in[k][i];
		while (in[0][j] != in[0][i] || in[1][j] != in[1][i] || in[2][j] != in[2][i])
			j++;
		classes[i] = j + 1;
		if (zero == FX_CONSENSUS_ANY ? zeros > 0 :
		    zero == FX_CONSENSUS_ALL ? zeros == INPUTS :
					       !in[0][i])
			classes[i] = 0;
	}
	assert_int_equal(fx_components(classes, FX_U64, shape, 26, out, &count), FX_OK);
	return count;
}

static void equals_a_plain_search_and_commutes(void **unused)
{
	static const int orders[3][INPUTS] = { { 0, 1, 2 }, { 2, 0, 1 }, { 1, 0, 2 } };
	uint64_t in[INPUTS][LEN], seed = 11;
	uint32_t want[LEN], got[LEN], count, n;

	(void)unused;
	for (int round = 0; round < 20; round++) {
		for (int k = 0; k < INPUTS; k++)
			boxes(in[k], &seed, k ? UINT64_C(0x100000001) : 7);
		for (int zero = FX_CONSENSUS_ANY; zero <= FX_CONSENSUS_FIRST; zero++) {
			struct fx_consensus_params p = plain;

			p.zero = (enum fx_consensus_zero)zero;
			n = brute(in, p.zero, want);
			for (int o = 0; o < (zero == FX_CONSENSUS_FIRST ? 1 : 3); o++) {
				struct fx_consensus_input inputs[INPUTS];

				for (int k = 0; k < INPUTS; k++)
					inputs[k] = (struct fx_consensus_input){ in[orders[o][k]],
										 FX_U64 };
				assert_int_equal(
					fx_consensus(got, &count, inputs, INPUTS, shape, &p),
					FX_OK);
				assert_int_equal(count, n);
				assert_memory_equal(got, want, sizeof want);
			}
		}
	}
}

/* Every piece lies in one segment of each input, and is no smaller than it must be: two neighbours
 * that agree everywhere are one piece. */
static void refines_every_input_and_no_more(void **unused)
{
	uint64_t a[LEN], b[LEN], seed = 5, of_a[LEN + 1] = { 0 }, of_b[LEN + 1] = { 0 };
	const struct fx_consensus_input inputs[2] = { { a, FX_U64 }, { b, FX_U64 } };
	uint32_t got[LEN], count;

	(void)unused;
	boxes(a, &seed, 1);
	boxes(b, &seed, 3);
	assert_int_equal(fx_consensus(got, &count, inputs, 2, shape, &plain), FX_OK);
	assert_true(count > 5);
	for (size_t i = 0; i < LEN; i++) {
		const uint32_t piece = got[i];

		assert_true((piece != 0) == (a[i] && b[i]));
		if (!piece)
			continue;
		assert_true(!of_a[piece] || of_a[piece] == a[i]);
		assert_true(!of_b[piece] || of_b[piece] == b[i]);
		of_a[piece] = a[i];
		of_b[piece] = b[i];
		if (i % 10 && a[i - 1] == a[i] && b[i - 1] == b[i])
			assert_int_equal(got[i - 1], piece);
	}
}

static void one_alone_is_its_components_in_any_type(void **unused)
{
	uint64_t wide[LEN], seed = 3;
	uint8_t bytes[LEN];
	uint16_t words[LEN];
	uint32_t want[LEN], got[LEN], count, n;
	const struct fx_consensus_input inputs[3] = { { bytes, FX_U8 },
						      { words, FX_U16 },
						      { wide, FX_U64 } };

	(void)unused;
	boxes(wide, &seed, 40);
	for (size_t i = 0; i < LEN; i++) {
		bytes[i] = (uint8_t)wide[i];
		words[i] = (uint16_t)wide[i];
	}
	fx_components(wide, FX_U64, shape, 26, want, &n);
	for (size_t k = 1; k <= 3; k++) {
		assert_int_equal(fx_consensus(got, &count, inputs, k, shape, &plain), FX_OK);
		assert_int_equal(count, n);
		assert_memory_equal(got, want, sizeof want);
	}
}

static void small_pieces_go_unless_they_may_go_on(void **unused)
{
	static const size_t line[3] = { 1, 1, 12 };
	static const uint32_t labels[12] = { 1, 1, 2, 3, 3, 3, 0, 4, 4, 0, 5, 5 };
	static const uint32_t closed[12] = { 0, 0, 0, 1, 1, 1 },
			      open_high[12] = { 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 2, 2 };
	const struct fx_consensus_input in = { labels, FX_U32 };
	struct fx_consensus_params p = { FX_CONSENSUS_ANY, 3, { { false } } };
	uint32_t got[12], count;

	(void)unused;
	assert_int_equal(fx_consensus(got, &count, &in, 1, line, &p), FX_OK);
	assert_int_equal(count, 1);
	assert_memory_equal(got, closed, sizeof closed);
	p.open[2][1] = true;
	assert_int_equal(fx_consensus(got, &count, &in, 1, line, &p), FX_OK);
	assert_int_equal(count, 2);
	assert_memory_equal(got, open_high, sizeof open_high);
}

static void refuses_what_it_cannot(void **unused)
{
	static const size_t none[3] = { 1, 0, 1 }, huge[3] = { 1 << 12, 1 << 12, 1 << 12 };
	const uint32_t labels[1] = { 1 };
	const struct fx_consensus_input in = { labels, FX_U32 }, real = { labels, FX_F32 };
	uint32_t got[1], count;

	(void)unused;
	assert_int_equal(fx_consensus(got, &count, &in, 1, none, &plain), FX_EINVAL);
	assert_int_equal(fx_consensus(got, &count, &in, 1, huge, &plain), FX_EINVAL);
	assert_int_equal(fx_consensus(got, &count, &in, 0, shape, &plain), FX_EINVAL);
	assert_int_equal(fx_consensus(got, &count, &real, 1, shape, &plain), FX_ETYPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_a_plain_search_and_commutes),
		cmocka_unit_test(refines_every_input_and_no_more),
		cmocka_unit_test(one_alone_is_its_components_in_any_type),
		cmocka_unit_test(small_pieces_go_unless_they_may_go_on),
		cmocka_unit_test(refuses_what_it_cannot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
