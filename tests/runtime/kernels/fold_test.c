// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/fold.c. */
#include "support/test.h"

#include "kernels/fold.h"

#include "support/artefacts.h"

enum { SIDE = 160 };

static struct fx_fold find(const struct fx_block *v)
{
	const struct fx_picture p = {
		.voxels = v->data, .dtype = v->dtype, .stride = SIDE, .height = SIDE, .width = SIDE
	};
	struct fx_fold fold;

	assert_int_equal(fx_fold_find(&fold, &p, FX_FOLD_DEVIATIONS), 0);
	return fold;
}

static void finds_a_band(void **unused)
{
	struct fx_block *v = artefacts_volume(1, SIDE, SIDE, 4, 3);
	struct fx_fold fold = find(v);

	(void)unused;
	assert_true(fold.length < 0.15);
	artefacts_fold(v, 0, 9);
	fold = find(v);
	assert_true(fold.length > 0.9);
	assert_true(fold.lo[0] == 0 && fold.hi[0] == SIDE);
	assert_true(fold.lo[1] >= SIDE / 3 - 8 && fold.hi[1] <= SIDE / 3 + SIDE / 4 + 16);
	fx_block_free(v);
}

static void what_is_round_is_none(void **unused)
{
	struct fx_block *v = artefacts_volume(1, SIDE, SIDE, 4, 3);

	(void)unused;
	for (size_t y = 40; y < 110; y++)
		memset(artefacts_section(v, 0) + y * SIDE + 30, 5, 70);
	assert_true(find(v).length < 0.15);
	fx_block_free(v);
}

static void small_and_flat_images_have_none(void **unused)
{
	struct fx_block *v = fx_block_new(FX_U16, 1, SIDE, SIDE);
	const struct fx_picture p = {
		.voxels = v->data, .dtype = FX_U16, .stride = SIDE, .height = 3, .width = SIDE
	};
	struct fx_fold fold;

	(void)unused;
	assert_true(find(v).length == 0);
	assert_int_equal(fx_fold_find(&fold, &p, 2), 0);
	assert_true(fold.length == 0);
	fx_block_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_a_band),
		cmocka_unit_test(what_is_round_is_none),
		cmocka_unit_test(small_and_flat_images_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
