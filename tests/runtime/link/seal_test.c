// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/seal.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "link/seal.h"
#include "wire/wire.h"

static void every_changed_bit_is_noticed(void **unused)
{
	const struct fx_control c = { .kind = FX_CONTROL_HELLO, .node = "even", .port = "image" };
	uint8_t payload[] = "voxels";
	struct fx_control out;
	void *bytes;
	uint8_t *at;
	size_t size;

	(void)unused;
	assert_int_equal(fx_control_encode(&c, &bytes, &size, NULL), FX_OK);
	assert_int_equal(fx__seal_check(bytes, size, payload, 6, NULL), FX_OK); /* has none */
	assert_int_equal(fx__seal_add(&bytes, &size, payload, 6, NULL), FX_OK);
	assert_int_equal(fx__seal_check(bytes, size, payload, 6, NULL), FX_OK);
	assert_int_equal(fx_control_decode(bytes, size, &out, NULL), FX_OK); /* passes over it */
	assert_string_equal(out.node, "even");
	at = bytes;
	for (size_t bit = 0; bit < 8 * size; bit++) {
		struct fx_error err = { 0 };

		if (bit / 8 == size - FX__SEAL)
			continue; /* then it is none; what it was about is not changed */
		at[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(fx__seal_check(bytes, size, payload, 6, &err), FX_EIO);
		assert_string_equal(err.text, "a message that was damaged on its way");
		at[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	payload[3] ^= 1;
	assert_int_equal(fx__seal_check(bytes, size, payload, 6, NULL), FX_EIO);
	payload[3] ^= 1;
	assert_int_equal(fx__seal_check(bytes, size, payload, 5, NULL), FX_EIO);
	assert_int_equal(fx__seal_check(bytes, 3, NULL, 0, NULL), FX_OK);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_changed_bit_is_noticed) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
