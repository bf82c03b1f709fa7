// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/cseg.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "formats/cseg.h"

static void golden_bytes_of_the_specification(void **unused)
{
	/* two blocks of 2x2x2; the second is cut to one column, so its padding is index 0 */
	static const uint64_t labels[2 * 2 * 3] = { 7, 7, 5, 7, UINT64_C(1) << 40 | 9, 5, 7, 7,
						    5, 7, 7, 5 };
	static const uint32_t want[] = {
		1, /* the channel begins at word 1 */
		/* block 0: table at 5, 1 bit, values at 4; block 1: table at 9, 0 bits */
		5 | 1 << 24,
		4,
		9,
		9,
		1 << 3, /* voxel x 1, y 1, z 0 has index 1 */
		7,
		0,
		9,
		1 << 8, /* sorted 64-bit labels, low word first */
		5,
		0,
	};
	const size_t shape[3] = { 2, 2, 3 }, block[3] = { 2, 2, 2 };
	uint32_t *words;
	size_t len;
	uint64_t back[12];

	(void)unused;
	assert_int_equal(fx_cseg_encode(labels, shape, block, &words, &len, NULL), FX_OK);
	assert_int_equal(len, sizeof want / 4);
	assert_memory_equal(words, want, sizeof want);
	assert_int_equal(fx_cseg_decode(words, len * 4, shape, block, FX_U64, back, NULL), FX_OK);
	assert_memory_equal(back, labels, sizeof labels);
	free(words);
}

static void decodes_32_bit_tables(void **unused)
{
	static const uint32_t words[] = { 1, 3 | 2 << 24, 2, 0x1b, 10, 11, 12, 13 };
	static const uint32_t want[4] = { 13, 12, 11, 10 };
	const size_t shape[3] = { 1, 2, 2 }, block[3] = { 1, 2, 2 };
	uint32_t got[4];

	(void)unused;
	assert_int_equal(fx_cseg_decode(words, sizeof words, shape, block, FX_U32, got, NULL),
			 FX_OK);
	assert_memory_equal(got, want, sizeof want);
}

static void fill(uint64_t *labels, size_t len, uint64_t kinds, uint64_t *seed)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++) {
		if (test_random(seed) % 3 == 0)
			value = test_random(seed) % kinds;
		labels[i] = value;
	}
}

static void round_trips_of_any_shape(void **unused)
{
	static const size_t shapes[][3] = { { 1, 1, 1 }, { 8, 8, 8 }, { 9, 17, 5 }, { 3, 30, 20 } };
	static const uint64_t kinds[] = { 1, 2, 3, 16, 17, 300, UINT64_MAX };
	const size_t block[3] = { 8, 8, 8 };
	uint64_t labels[9 * 17 * 20], back[9 * 17 * 20], seed = 4;

	(void)unused;
	for (size_t s = 0; s < 4; s++)
		for (size_t k = 0; k < 7; k++) {
			const size_t len = shapes[s][0] * shapes[s][1] * shapes[s][2];
			uint32_t *words;
			size_t n;

			fill(labels, len, kinds[k], &seed);
			assert_int_equal(fx_cseg_encode(labels, shapes[s], block, &words, &n, NULL),
					 FX_OK);
			memset(back, 0xff, sizeof back);
			assert_int_equal(
				fx_cseg_decode(words, n * 4, shapes[s], block, FX_U64, back, NULL),
				FX_OK);
			assert_memory_equal(back, labels, len * sizeof *labels);
			free(words);
		}
}

static void equal_tables_are_stored_once(void **unused)
{
	uint64_t labels[64 * 8 * 8] = { 0 };
	const size_t shape[3] = { 64, 8, 8 }, block[3] = { 8, 8, 8 };
	uint32_t *words;
	size_t len;

	(void)unused;
	assert_int_equal(fx_cseg_encode(labels, shape, block, &words, &len, NULL), FX_OK);
	assert_int_equal(len, 1 + 8 * 2 + 2);
	free(words);
}

static void hostile_bytes_do_no_harm(void **unused)
{
	const size_t shape[3] = { 8, 9, 10 }, block[3] = { 8, 8, 8 };
	uint64_t labels[720], back[720], seed = 3;
	uint32_t *words;
	size_t len, failed = 0;

	(void)unused;
	fill(labels, 720, 40, &seed);
	assert_int_equal(fx_cseg_encode(labels, shape, block, &words, &len, NULL), FX_OK);
	for (size_t n = 0; n < len * 4; n++) {
		unsigned char *copy = malloc(n + 1);

		assert_non_null(copy);
		memcpy(copy, words, n);
		failed += fx_cseg_decode(copy, n, shape, block, FX_U64, back, NULL) < 0;
		free(copy);
	}
	assert_int_equal(failed, len * 4);
	for (int i = 0; i < 2000; i++) {
		uint32_t *copy = malloc(len * 4);

		assert_non_null(copy);
		memcpy(copy, words, len * 4);
		copy[test_random(&seed) % 20] = (uint32_t)test_random(&seed);
		fx_cseg_decode(copy, len * 4, shape, block, FX_U64, back, NULL);
		fx_cseg_decode(copy, len * 4, shape, block, FX_U32, back, NULL);
		free(copy);
	}
	free(words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_bytes_of_the_specification),
		cmocka_unit_test(decodes_32_bit_tables),
		cmocka_unit_test(round_trips_of_any_shape),
		cmocka_unit_test(equal_tables_are_stored_once),
		cmocka_unit_test(hostile_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
