// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/recut.c and labelstore.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/recut.h"

enum { NZ = 9, NY = 20, NX = 33 };
static const int64_t corner[3] = { 5, -4, 100 };

static uint64_t label_at(size_t z, size_t y, size_t x)
{
	return (z * 7 + y / 3 * 5 + x / 4) % 11 * 1000000007;
}

/* The volume in blocks of @p edge. */
static void store(struct fx_labelstore *s, struct fx_blobstore *to, const size_t edge[3])
{
	const size_t n[3] = { NZ, NY, NX };
	struct fx_error err;

	for (size_t z = 0; z < NZ; z += edge[0])
		for (size_t y = 0; y < NY; y += edge[1])
			for (size_t x = 0; x < NX; x += edge[2]) {
				const size_t at[3] = { z, y, x };
				size_t shape[3];
				struct fx_block *b;

				for (int a = 0; a < 3; a++)
					shape[a] = n[a] - at[a] < edge[a] ? n[a] - at[a] : edge[a];
				b = fx_block_new(FX_U64, shape[0], shape[1], shape[2]);
				for (int a = 0; a < 3; a++)
					b->origin[a] = corner[a] + (int64_t)at[a];
				for (size_t i = 0; i < fx_block_len(b); i++)
					((uint64_t *)b->data)[i] = label_at(
						z + i / shape[2] / shape[1],
						y + i / shape[2] % shape[1], x + i % shape[2]);
				assert_int_equal(fx_labelstore_put(s, to, b, &err), FX_OK);
				fx_block_free(b);
			}
}

/* Every voxel of every cell is right, and so are the faces. */
static void check(const struct fx_labelstore *s, const struct fx_blobstore *in)
{
	struct fx_error err;
	size_t voxels = 0;

	for (size_t k = 0; k < s->len; k++) {
		const struct fx_stored *b = &s->blocks[k];
		const size_t z = (size_t)(b->origin[0] - corner[0]),
			     y = (size_t)(b->origin[1] - corner[1]),
			     x = (size_t)(b->origin[2] - corner[2]);
		uint64_t *labels, *face;

		assert_int_equal(fx_labelstore_get(in, b, &labels, &err), FX_OK);
		assert_int_equal(fx_labelstore_face(in, b, 2, true, &face, &err), FX_OK);
		for (size_t i = 0; i < b->shape[0] * b->shape[1] * b->shape[2]; i++, voxels++)
			assert_int_equal(labels[i], label_at(z + i / b->shape[2] / b->shape[1],
							     y + i / b->shape[2] % b->shape[1],
							     x + i % b->shape[2]));
		for (size_t i = 0; i < b->shape[0] * b->shape[1]; i++)
			assert_int_equal(face[i], labels[(i + 1) * b->shape[2] - 1]);
		free(labels);
		free(face);
	}
	assert_int_equal(voxels, NZ * NY * NX);
}

static void any_cut_gives_the_same_cells(void **unused)
{
	const size_t cuts[][3] = { { 9, 20, 33 }, { 4, 7, 8 }, { 1, 20, 5 }, { 3, 10, 17 } };
	const size_t edge[3] = { 4, 10, 17 }; /* of the cells: 3 3 3, 10 10, 17 16 */
	struct fx_labelstore first = { 0 };
	struct fx_error err = { 0 };
	char *dir = test_tmp_dir();

	(void)unused;
	for (size_t i = 0; i < 4; i++) {
		struct fx_labelstore s = { 0 };
		struct fx_blobstore *scratch = fx_blobstore_open(dir, 0, &err);

		assert_non_null(scratch);
		store(&s, scratch, cuts[i]);
		check(&s, scratch);
		assert_int_equal(fx_labelstore_recut(&s, scratch, edge, &err), FX_OK);
		assert_int_equal(s.len, 12);
		check(&s, scratch);
		if (!i)
			first = s;
		for (size_t k = 0; k < s.len; k++) {
			assert_memory_equal(s.blocks[k].origin, first.blocks[k].origin,
					    sizeof first.blocks[k].origin);
			assert_memory_equal(s.blocks[k].shape, first.blocks[k].shape,
					    sizeof first.blocks[k].shape);
		}
		fx_blobstore_close(scratch);
		if (i)
			fx_labelstore_fini(&s);
	}
	fx_labelstore_fini(&first);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void refuses_blocks_off_the_grid(void **unused)
{
	struct fx_error err = { 0 };
	struct fx_labelstore s = { 0 };
	char *dir = test_tmp_dir();
	struct fx_blobstore *scratch = fx_blobstore_open(dir, 0, &err);
	const size_t edge[3] = { 4, 4, 4 };
	struct fx_block *a = fx_block_new(FX_U32, 8, 8, 8), *b = fx_block_new(FX_U32, 8, 6, 8);

	memset(a->data, 0, fx_block_len(a) * 4);
	memset(b->data, 0, fx_block_len(b) * 4);
	(void)unused;
	b->origin[0] = 8;
	assert_int_equal(fx_labelstore_recut(&s, scratch, edge, &err), FX_OK);
	assert_int_equal(fx_labelstore_put(&s, scratch, a, &err), FX_OK);
	assert_int_equal(fx_labelstore_put(&s, scratch, b, &err), FX_OK);
	assert_int_equal(fx_labelstore_recut(&s, scratch, edge, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "do not lie on one grid"));
	assert_int_equal(s.len, 2);
	fx_labelstore_fini(&s);
	fx_blobstore_close(scratch);
	fx_block_free(a);
	fx_block_free(b);
	fx_remove_tree(dir, NULL);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(any_cut_gives_the_same_cells),
					    cmocka_unit_test(refuses_blocks_off_the_grid) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
