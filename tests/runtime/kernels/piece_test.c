// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/piece.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/piece.h"

static void packs_and_unpacks(void **unused)
{
	struct fx_piece p = { .label = 7, .voxels = 12, .tree = fx_tree_new(9, 3), .links_len = 2 };
	struct fx_piece copy = { 0 };
	void *bytes;
	size_t size;

	(void)unused;
	p.links = calloc(2, sizeof *p.links);
	assert_non_null(p.tree);
	assert_non_null(p.links);
	for (int i = 0; i < 3; i++) {
		p.tree->nodes[i].pos_nm[1] = 8 * i;
		p.tree->nodes[i].parent = i - 1;
	}
	p.links[1].node = 2;
	p.links[1].depth_nm = 40;
	assert_int_equal(fx_piece_pack(&p, &bytes, &size), FX_OK);
	assert_int_equal(fx_piece_unpack(bytes, size - 1, &copy), FX_EINVAL);
	assert_int_equal(fx_piece_unpack(bytes, 3, &copy), FX_EINVAL);
	assert_int_equal(fx_piece_unpack(bytes, size, &copy), FX_OK);
	assert_int_equal(copy.label, 7);
	assert_int_equal(copy.voxels, 12);
	assert_int_equal(copy.tree->segment, 9);
	assert_int_equal(copy.tree->len, 3);
	assert_memory_equal(copy.tree->nodes, p.tree->nodes, 3 * sizeof *p.tree->nodes);
	assert_int_equal(copy.links_len, 2);
	assert_memory_equal(copy.links, p.links, 2 * sizeof *p.links);
	memset(bytes, 0xff, size); /* counts of nodes and links that cannot be */
	fx_piece_fini(&copy);
	assert_int_equal(fx_piece_unpack(bytes, size, &copy), FX_EINVAL);
	fx_piece_fini(&p);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(packs_and_unpacks) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
