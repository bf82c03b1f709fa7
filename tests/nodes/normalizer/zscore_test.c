// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/normalizer/zscore.c. */
#include "support/test.h"

#include "support/sections.h"

#include <math.h>

extern const struct fx_node_type fx_node_normalizer_zscore;

static const struct cut bands = { 8, 1000, false };

static void near(double got, double expected)
{
	if (!(fabs(got - expected) < 1e-5))
		fail_msg("%g is not %g", got, expected);
}

static struct fx_block *run(const char *const *options, const struct fx_block *v)
{
	return sections_run(&fx_node_normalizer_zscore, options, v, FX_F32, bands);
}

static void tiles_do_not_matter(void **unused)
{
	const char *const options[] = { "window=3", NULL };
	const char *const in_file[] = { "window=3", "memory=0", NULL };
	struct fx_block *v = sections_volume(FX_U8, 4, 20, 17, 150);

	(void)unused;
	sections_check_cuts(&fx_node_normalizer_zscore, options, in_file, v, FX_F32);
	fx_block_free(v);
}

static void mean_0_and_deviation_1(void **unused)
{
	struct fx_block *v = sections_volume(FX_U16, 2, 20, 17, 3000), *out = run(NULL, v);
	const float *to = out->data;

	(void)unused;
	for (size_t z = 0; z < 2; z++) {
		double sum = 0, squares = 0;

		for (size_t i = 0; i < 340; i++) {
			sum += (double)to[z * 340 + i];
			squares += (double)to[z * 340 + i] * (double)to[z * 340 + i];
		}
		near(sum / 340, 0);
		near(squares / 340, 1);
	}
	fx_block_free(v);
	fx_block_free(out);
}

static void brightness_and_contrast_do_not_matter(void **unused)
{
	struct fx_block *v = sections_volume(FX_U16, 2, 20, 20, 200), *plain = run(NULL, v), *out;

	(void)unused;
	for (size_t i = 0; i < fx_block_len(v); i++)
		((uint16_t *)v->data)[i] = (uint16_t)(((uint16_t *)v->data)[i] * 37 + 911);
	out = run(NULL, v);
	for (size_t i = 0; i < fx_block_len(v); i++)
		near((double)((float *)out->data)[i], (double)((float *)plain->data)[i]);
	fx_block_free(v);
	fx_block_free(plain);
	fx_block_free(out);
}

static void constant_sections_are_0(void **unused)
{
	const char *const options[] = { "sd_floor=2", "ignore_zero=true", NULL };
	struct fx_block *v = fx_block_new(FX_U8, 2, 1, 4), *out;
	static const uint8_t values[] = { 9, 9, 9, 0, 99, 101, 99, 101 };
	static const float expected[] = { 0, 0, 0, 0, -0.5F, 0.5F, -0.5F, 0.5F };

	(void)unused;
	memcpy(v->data, values, sizeof values);
	out = run(options, v);
	for (size_t i = 0; i < 8; i++)
		near((double)((float *)out->data)[i], (double)expected[i]);
	fx_block_free(v);
	fx_block_free(out);
}

static void a_window_looks_back(void **unused)
{
	const char *const options[] = { "window=2", NULL };
	struct fx_block *v = fx_block_new(FX_U8, 3, 1, 2), *out;
	static const uint8_t values[] = { 200, 200, 10, 10, 30, 30 };
	static const float expected[] = { 0, 0, -1, -1, 1, 1 };

	(void)unused;
	memcpy(v->data, values, sizeof values);
	out = run(options, v);
	for (size_t i = 0; i < 6; i++)
		near((double)((float *)out->data)[i], (double)expected[i]);
	fx_block_free(v);
	fx_block_free(out);
}

static void another_life_sends_the_same(void **unused)
{
	const char *const options[] = { "window=3", "memory=0", NULL };
	struct fx_block *v = sections_volume(FX_U16, 6, 20, 17, 200);

	(void)unused;
	sections_check_lives(&fx_node_normalizer_zscore, options, v);
	fx_block_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_life_sends_the_same),
		cmocka_unit_test(tiles_do_not_matter),
		cmocka_unit_test(mean_0_and_deviation_1),
		cmocka_unit_test(brightness_and_contrast_do_not_matter),
		cmocka_unit_test(constant_sections_are_0),
		cmocka_unit_test(a_window_looks_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
