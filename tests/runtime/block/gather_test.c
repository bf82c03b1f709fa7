// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/block/gather.c. */
#include "support/test.h"

#include <string.h>

#include "block/gather.h"

/* A block of @p side^3 voxels of value @p v at z, with a halo of one voxel at its low z. */
static struct fx_block *block(enum fx_dtype dtype, int64_t z, uint8_t v)
{
	struct fx_block *b = fx_block_new(dtype, 3, 2, 2);

	assert_non_null(b);
	b->origin[0] = z - 1;
	b->halo_lo[0] = 1;
	memset(b->data, v, fx_block_size(b));
	return b;
}

static int give(struct fx_gather *g, struct fx_block *b, struct fx_error *err)
{
	const int result = fx_gather_add(g, b, err);

	fx_block_free(b);
	return result;
}

static void cores_become_one_block(void **unused)
{
	struct fx_gather g = { 0 };
	struct fx_block *all;
	const uint8_t want[6] = { 9, 9, 0, 0, 7, 7 };

	(void)unused;
	assert_null(fx_gather_get(&g, (struct fx_region){ { 0, 0, 0 }, { 1, 1, 1 } }));
	assert_int_equal(give(&g, block(FX_U8, 14, 7), NULL), FX_OK);
	assert_int_equal(give(&g, block(FX_U8, 10, 9), NULL), FX_OK);
	assert_int_equal(g.region.lo[0], 10);
	assert_int_equal(g.region.hi[0], 16);
	all = fx_gather_get(&g, g.region);
	assert_non_null(all);
	assert_int_equal(all->origin[0], 10);
	for (size_t z = 0; z < 6; z++)
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(((uint8_t *)all->data)[4 * z + i], want[z]);
	fx_block_free(all);
	fx_gather_fini(&g);
}

static void too_much_and_other_types_are_refused(void **unused)
{
	struct fx_gather g = { .most = 21 };
	struct fx_error err = { 0 };

	(void)unused;
	assert_int_equal(give(&g, block(FX_U8, 1, 1), &err), FX_OK);
	assert_int_equal(give(&g, block(FX_U16, 3, 1), &err), FX_ETYPE);
	assert_string_equal(err.text, "a block of u16 voxels after some of u8");
	assert_int_equal(give(&g, block(FX_U8, 1000, 1), &err), FX_OK);
	assert_int_equal(give(&g, block(FX_U8, 5, 1), &err), FX_ENOMEM);
	assert_null(fx_gather_get(&g, g.region)); /* mostly a hole */
	fx_gather_fini(&g);
	assert_int_equal(g.most, 21);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cores_become_one_block),
		cmocka_unit_test(too_much_and_other_types_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
