// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/lz4block.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "formats/lz4block.h"

enum { SIZE = 100000 };

static void what_is_packed_comes_back(void **unused)
{
	unsigned char *data = calloc(1, SIZE), *back = calloc(1, SIZE);
	uint64_t seed = 4;
	void *packed;
	size_t size;

	(void)unused;
	assert_int_equal(fx_lz4_pack(data, SIZE, &packed, &size, NULL), FX_OK);
	assert_true(size < 1000);
	back[7] = 1;
	assert_int_equal(fx_lz4_unpack(packed, size, back, SIZE, NULL), FX_OK);
	assert_memory_equal(data, back, SIZE);
	free(packed);
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (unsigned char)test_random(&seed);
	assert_int_equal(fx_lz4_pack(data, SIZE, &packed, &size, NULL), FX_OK);
	assert_int_equal(fx_lz4_unpack(packed, size, back, SIZE, NULL), FX_OK);
	assert_memory_equal(data, back, SIZE);
	free(packed);
	free(data);
	free(back);
}

static void damage_and_wrong_sizes_are_refused(void **unused)
{
	unsigned char data[1000] = { 0 }, back[2000];
	struct fx_error err = { 0 };
	void *packed;
	size_t size;

	(void)unused;
	assert_int_equal(fx_lz4_pack(data, 1000, &packed, &size, NULL), FX_OK);
	assert_int_equal(fx_lz4_unpack(packed, size, back, 999, NULL), FX_EINVAL);
	assert_int_equal(fx_lz4_unpack(packed, size, back, 1001, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "does not hold 1001 bytes"));
	assert_int_equal(fx_lz4_unpack(packed, size - 1, back, 1000, NULL), FX_EINVAL);
	memset(packed, 0xff, size);
	assert_int_equal(fx_lz4_unpack(packed, size, back, 1000, NULL), FX_EINVAL);
	free(packed);
	assert_int_equal(fx_lz4_pack(data, (size_t)1 << 40, &packed, &size, NULL), FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_comes_back),
		cmocka_unit_test(damage_and_wrong_sizes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
