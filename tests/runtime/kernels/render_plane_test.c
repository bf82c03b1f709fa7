// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/render_plane.c. */
#include "support/test.h"

#include "kernels/render_plane.h"

static void give(struct fx_plane *p, int64_t z, int64_t depth, int64_t want, uint32_t halo)
{
	struct fx_block *b = fx_block_new(FX_U16, (size_t)depth + 2 * halo, 6, 9);
	uint16_t *v;

	assert_non_null(b);
	b->origin[0] = z - (int64_t)halo;
	b->halo_lo[0] = b->halo_hi[0] = halo;
	v = b->data;
	for (size_t i = 0; i < fx_block_len(b); i++) /* z, y, x are in the value */
		v[i] = (uint16_t)((((size_t)b->origin[0] + i / 54) * 100 + i / 9 % 6 * 10 + i % 9));
	fx_plane_take(p, b, want);
	fx_block_free(b);
}

static void keeps_the_section_that_is_wanted(void **unused)
{
	struct fx_plane p = { 0 };

	(void)unused;
	assert_int_equal(fx_plane_init(&p, 6, 9, 100, true), FX_OK);
	assert_int_equal(p.thin, 1);
	give(&p, 2, 4, 7, 2); /* sees section 7 in its halo only */
	assert_int_equal(p.z, -1);
	give(&p, 6, 4, 7, 2);
	give(&p, 10, 4, 7, 2);
	assert_int_equal(p.z, 7);
	for (size_t i = 0; i < 54; i++) {
		assert_int_equal(p.labels[i], 700 + i / 9 * 10 + i % 9);
		assert_int_equal(p.count[i], 1);
	}
	fx_plane_fini(&p);
}

static void thins_out_large_sections(void **unused)
{
	struct fx_plane p = { 0 };

	(void)unused;
	assert_int_equal(fx_plane_init(&p, 6, 9, 3, true), FX_OK);
	assert_true(p.thin == 3 && p.h == 2 && p.w == 3);
	give(&p, 0, 1, 0, 0);
	assert_int_equal(p.labels[0], 11);
	assert_int_equal(p.labels[5], 47);
	fx_plane_fini(&p);
	assert_int_equal(fx_plane_init(&p, 6, 9, 4, false), FX_OK);
	assert_true(p.thin == 3);
	give(&p, 51, 1, 51, 0); /* 5100 to 5158, of 65536: 19 and 20 of 256 */
	assert_int_equal(p.count[0], 9);
	assert_int_equal(fx_plane_grey(&p, 0), 19);
	fx_plane_fini(&p);
	assert_int_equal(fx_plane_init(&p, 0, 9, 4, false), FX_EINVAL);
}

static void without_a_known_end_keeps_a_late_layer(void **unused)
{
	struct fx_plane p = { 0 };

	(void)unused;
	assert_int_equal(fx_plane_init(&p, 6, 9, 100, true), FX_OK);
	for (int64_t layer = 0; layer < 11; layer++)
		give(&p, layer * 4, 4, -1, 1);
	assert_int_equal(p.z, 7 * 4 + 2); /* the eighth of eleven */
	assert_int_equal(p.labels[10], 3011);
	fx_plane_fini(&p);
}

/* Behind the image of a block lies its mask. */
static void the_first_channel_is_shown(void **unused)
{
	struct fx_block *b = fx_block_new(FX_U16, 2, 6, 9);
	struct fx_plane p = { 0 };
	uint16_t *v = b->data;

	(void)unused;
	assert_int_equal(fx_plane_init(&p, 6, 9, 100, false), FX_OK);
	b->shape[0] = 1;
	b->channels = 2;
	for (size_t i = 0; i < 54; i++)
		v[i] = UINT16_MAX;
	fx_plane_take(&p, b, 0);
	assert_int_equal(p.z, 0);
	for (size_t i = 0; i < 54; i++) {
		assert_int_equal(p.count[i], 1);
		assert_int_equal(fx_plane_grey(&p, i), UINT8_MAX);
	}
	b->channels = 1;
	fx_block_free(b);
	fx_plane_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_channel_is_shown),
		cmocka_unit_test(keeps_the_section_that_is_wanted),
		cmocka_unit_test(thins_out_large_sections),
		cmocka_unit_test(without_a_known_end_keeps_a_late_layer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
