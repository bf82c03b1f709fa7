// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/base/checksum.c. */
#include "support/test.h"

#include "base/checksum.h"

static void cuts_do_not_matter_and_every_bit_does(void **unused)
{
	uint8_t bytes[1000];
	struct iovec whole = { bytes, sizeof bytes };
	uint64_t seed = 5, sum;

	(void)unused;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)test_random(&seed);
	sum = fx_checksum(&whole, 1);
	for (size_t cut = 0; cut <= sizeof bytes; cut += 37) {
		const struct iovec parts[] = { { bytes, cut },
					       { bytes + cut, sizeof bytes - cut } };

		assert_true(fx_checksum(parts, 2) == sum);
	}
	for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(fx_checksum(&whole, 1) != sum);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* As xxhsum -H3 says: the algorithm is XXH3-64, of seed 0. */
static void it_is_the_known_one(void **unused)
{
	struct iovec none = { NULL, 0 };
	char word[] = "fornix";
	struct iovec one = { word, 6 };

	(void)unused;
	assert_true(fx_checksum(&none, 1) == UINT64_C(0x2d06800538d394c2));
	assert_true(fx_checksum(&one, 1) == UINT64_C(0x1f5e2b1f1122f396));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_do_not_matter_and_every_bit_does),
		cmocka_unit_test(it_is_the_known_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
