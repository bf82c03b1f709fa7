// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/block/pair.c. */
#include "support/test.h"

#include <string.h>

#include "block/pair.h"

/* A block of 8 bytes whose core begins at @p x. */
static struct fx_block *block_at(int64_t x, uint32_t halo)
{
	struct fx_block *b = fx_block_new(FX_U8, 1, 1, 8);

	assert_non_null(b);
	b->origin[2] = x - halo;
	b->halo_lo[2] = halo;
	return b;
}

static void partners_meet_in_any_order(void **unused)
{
	struct fx_pairs p = { 0 };
	struct fx_block *pair[2];

	(void)unused;
	assert_int_equal(fx_pairs_put(&p, 0, block_at(0, 0), pair, NULL), FX_OK);
	assert_null(pair[0]);
	assert_int_equal(fx_pairs_put(&p, 0, block_at(8, 2), pair, NULL), FX_OK);
	assert_int_equal(fx_pairs_put(&p, 1, block_at(16, 0), pair, NULL), FX_OK);
	assert_null(pair[1]);
	assert_int_equal(p.size, 24);
	assert_int_equal(fx_pairs_put(&p, 1, block_at(8, 1), pair, NULL), FX_OK);
	assert_int_equal(pair[0]->halo_lo[2], 2);
	assert_int_equal(pair[1]->halo_lo[2], 1);
	fx_block_free(pair[0]);
	fx_block_free(pair[1]);
	assert_int_equal(fx_pairs_put(&p, 0, block_at(16, 3), pair, NULL), FX_OK);
	assert_int_equal(pair[0]->halo_lo[2], 3);
	assert_int_equal(pair[1]->halo_lo[2], 0);
	fx_block_free(pair[0]);
	fx_block_free(pair[1]);
	assert_int_equal(p.len, 1);
	assert_int_equal(p.size, 8);
	fx_pairs_fini(&p);
}

static void too_many_and_twice_the_same(void **unused)
{
	struct fx_pairs p = { .most = 16 };
	struct fx_block *pair[2];
	struct fx_error err = { 0 };

	(void)unused;
	assert_int_equal(fx_pairs_put(&p, 0, block_at(0, 0), pair, &err), FX_OK);
	assert_int_equal(fx_pairs_put(&p, 0, block_at(0, 1), pair, &err), FX_EINVAL);
	assert_string_equal(err.text, "two blocks begin at voxel 0,0,0");
	assert_int_equal(fx_pairs_put(&p, 0, block_at(8, 0), pair, &err), FX_OK);
	assert_int_equal(fx_pairs_put(&p, 0, block_at(16, 0), pair, &err), FX_ENOMEM);
	assert_non_null(strstr(err.text, "apart"));
	fx_pairs_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(partners_meet_in_any_order),
		cmocka_unit_test(too_many_and_twice_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
