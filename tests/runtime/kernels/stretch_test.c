// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/stretch.c. */
#include "support/test.h"

#include "kernels/stretch.h"

static void stretches_between_two_points(void **unused)
{
	uint8_t t[65536];

	(void)unused;
	fx_stretch_table(1000, 3000, 0, 255, t, 65536);
	assert_int_equal(t[0], 0);
	assert_int_equal(t[1000], 0);
	assert_int_equal(t[2000], 128); /* 127.5 */
	assert_int_equal(t[2996], 254); /* 254.49 */
	assert_int_equal(t[3000], 255);
	assert_int_equal(t[65535], 255);
	for (size_t v = 1; v < 65536; v++)
		assert_true(t[v] >= t[v - 1]);
	fx_stretch_table(100, 200, 10, 20, t, 256);
	assert_int_equal(t[100], 10);
	assert_int_equal(t[200], 20);
	assert_int_equal(t[250], 25);
}

static void no_range_gives_three_values(void **unused)
{
	uint8_t t[256];

	(void)unused;
	fx_stretch_table(7, 7, 0, 255, t, 256);
	assert_int_equal(t[6], 0);
	assert_int_equal(t[7], 128);
	assert_int_equal(t[8], 255);
}

static void applies_tables(void **unused)
{
	static const uint8_t v8[] = { 3, 0, 255 };
	static const uint16_t v16[] = { 3, 0, 255 };
	uint8_t t[256], out[3];
	float z[256], got[3];

	(void)unused;
	for (size_t v = 0; v < 256; v++)
		t[v] = (uint8_t)(255 - v);
	fx_zscore_table(3, 2, z, 256);
	fx_table_u8(out, v8, FX_U8, 3, t);
	assert_int_equal(out[0], 252);
	fx_table_u8(out, v16, FX_U16, 3, t);
	assert_int_equal(out[2], 0);
	fx_table_f32(got, v8, FX_U8, 3, z);
	assert_true(got[0] == 0 && got[1] == -1.5F && got[2] == 126);
	fx_table_f32(got, v16, FX_U16, 3, z);
	assert_true(got[0] == 0 && got[1] == -1.5F && got[2] == 126);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stretches_between_two_points),
		cmocka_unit_test(no_range_gives_three_values),
		cmocka_unit_test(applies_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
