// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/normalizer/clahe.c. */
#include "support/test.h"

#include "support/sections.h"

extern const struct fx_node_type fx_node_normalizer_clahe;

static void tiles_do_not_matter(void **unused)
{
	const char *const options[] = { "side=8", NULL };
	const char *const in_file[] = { "side=8", "memory=0", NULL };
	struct fx_block *v = sections_volume(FX_U16, 2, 33, 29, 9000);

	(void)unused;
	sections_check_cuts(&fx_node_normalizer_clahe, options, in_file, v, FX_U8);
	fx_block_free(v);
	v = sections_volume(FX_U8, 2, 33, 29, 100);
	sections_check_cuts(&fx_node_normalizer_clahe, options, in_file, v, FX_U8);
	fx_block_free(v);
}

static void contrast_grows(void **unused)
{
	const char *const options[] = { "side=16", "limit=100", NULL };
	struct fx_block *v = sections_volume(FX_U8, 1, 64, 64, 40), *out;
	uint8_t low = 255, high = 0;

	(void)unused;
	out = sections_run(&fx_node_normalizer_clahe, options, v, FX_U8,
			   (struct cut){ 10, 64, false });
	for (size_t i = 0; i < 4096; i++) {
		const uint8_t x = ((uint8_t *)out->data)[i];

		low = x < low ? x : low;
		high = x > high ? x : high;
	}
	assert_in_range(low, 0, 25);
	assert_in_range(high, 230, 255);
	fx_block_free(v);
	fx_block_free(out);
}

static void steps_of_u16_do_not_matter(void **unused)
{
	const char *const options[] = { "side=16", NULL };
	struct fx_block *v = sections_volume(FX_U16, 1, 32, 32, 5000), *plain, *out;

	(void)unused;
	plain = sections_run(&fx_node_normalizer_clahe, options, v, FX_U8,
			     (struct cut){ 32, 32, false });
	for (size_t i = 0; i < fx_block_len(v); i++)
		((uint16_t *)v->data)[i] = (uint16_t)(((uint16_t *)v->data)[i] + 7000);
	out = sections_run(&fx_node_normalizer_clahe, options, v, FX_U8,
			   (struct cut){ 32, 32, false });
	sections_equal(plain, out);
	fx_block_free(v);
	fx_block_free(plain);
	fx_block_free(out);
}

static void padding_stays(void **unused)
{
	const char *const options[] = { "ignore_zero=true", "limit=65536", NULL };
	struct fx_block *v = sections_volume(FX_U16, 2, 16, 16, 100), *out;
	const struct cut whole = { 16, 16, false };
	uint8_t lowest = 255;

	(void)unused;
	memset(v->data, 0, 256);
	memset((uint16_t *)v->data + 256, 0, 512); /* a section of padding alone */
	out = sections_run(&fx_node_normalizer_clahe, options, v, FX_U8, whole);
	for (size_t i = 0; i < 128; i++)
		assert_int_equal(((uint8_t *)out->data)[i], 0);
	for (size_t i = 256; i < 512; i++)
		assert_int_equal(((uint8_t *)out->data)[i], 0);
	for (size_t i = 128; i < 256; i++)
		lowest = ((uint8_t *)out->data)[i] < lowest ? ((uint8_t *)out->data)[i] : lowest;
	assert_in_range(lowest, 1, 20); /* half the voxels would lie below with padding */
	fx_block_free(v);
	fx_block_free(out);
}

static void another_life_sends_the_same(void **unused)
{
	const char *const options[] = { "side=8", "memory=0", NULL };
	struct fx_block *v = sections_volume(FX_U16, 6, 20, 17, 200);

	(void)unused;
	sections_check_lives(&fx_node_normalizer_clahe, options, v);
	fx_block_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_life_sends_the_same),
		cmocka_unit_test(tiles_do_not_matter),
		cmocka_unit_test(contrast_grows),
		cmocka_unit_test(steps_of_u16_do_not_matter),
		cmocka_unit_test(padding_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
