// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/blockstore.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "formats/blockstore.h"

/* Gives the descriptor of the nameless file, to look at and to damage: the lowest that was free. */
static int open_store(struct fx_blockstore *s, char **dir)
{
	int fd;

	*dir = test_tmp_dir();
	fd = dup(0);
	close(fd);
	assert_int_equal(fx_blockstore_open(s, *dir, "blocks", NULL), FX_OK);
	return fd;
}

static void close_store(struct fx_blockstore *s, char *dir)
{
	fx_blockstore_close(s);
	fx_remove_tree(dir, NULL);
	free(dir);
}

/* A block whose labels are 1 + z * 100 + y * 10 + x in global coordinates; halo 1 below in x. */
static struct fx_block *coded(enum fx_dtype dtype, int64_t z, int64_t y, int64_t x, size_t n)
{
	struct fx_block *b = fx_block_new(dtype, n, n, n + 1);

	b->origin[0] = z;
	b->origin[1] = y;
	b->origin[2] = x - 1;
	b->halo_lo[2] = 1;
	b->voxel_nm[1] = 8;
	for (size_t i = 0; i < fx_block_len(b); i++) {
		const int64_t at[3] = { z + (int64_t)(i / (n * (n + 1))),
					y + (int64_t)(i / (n + 1) % n),
					x - 1 + (int64_t)(i % (n + 1)) };
		const uint64_t label = (uint64_t)(1 + at[0] * 100 + at[1] * 10 + at[2]);

		if (dtype == FX_U16)
			((uint16_t *)b->data)[i] = (uint16_t)label;
		else
			((uint64_t *)b->data)[i] = label;
	}
	return b;
}

static void a_block_comes_back_as_its_core(void **unused)
{
	struct fx_block *b = coded(FX_U16, 2, 4, 6, 3), *back;
	struct fx_blockstore s;
	struct stat st;
	size_t number;
	char *dir;
	const int fd = open_store(&s, &dir);

	(void)unused;
	assert_int_equal(fx_blockstore_put(&s, b, &number, NULL), FX_OK);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size > 0);
	assert_int_equal(fx_blockstore_find(&s, fx_block_core(b).lo), number);
	assert_int_equal(fx_blockstore_find(&s, b->origin), SIZE_MAX);
	back = fx_blockstore_get(&s, number, NULL);
	assert_int_equal(back->shape[2], 3);
	assert_int_equal(back->origin[2], 6);
	assert_int_equal(back->halo_lo[2], 0);
	assert_true(back->voxel_nm[1] > 7);
	assert_int_equal(((uint16_t *)back->data)[0], 1 + 200 + 40 + 6);
	fx_block_free(back);
	fx_blockstore_drop(&s, number);
	fx_blockstore_drop(&s, number);
	assert_int_equal(s.live, 0);
	assert_int_equal(fx_blockstore_find(&s, fx_block_core(b).lo), SIZE_MAX);
	assert_null(fx_blockstore_get(&s, number, NULL));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 0); /* the file starts anew */
	fx_block_free(b);
	close_store(&s, dir);
}

static void voxels_are_looked_up_across_blocks(void **unused)
{
	int64_t ask[][3] = { { 0, 0, 0 }, { 5, 5, 5 },	{ 2, 3, 1 }, { 3, 2, 5 },
			     { 6, 0, 0 }, { -1, 0, 0 }, { 0, 0, 7 }, { 3, 3, 3 } };
	const uint64_t want[] = { 1, 556, 232, 326, 0, 0, 0, 0 };
	uint64_t labels[8];
	struct fx_blockstore s;
	char *dir;
	size_t number, last = 0;

	(void)unused;
	open_store(&s, &dir);
	for (int64_t z = 3; z >= 0; z -= 3)
		for (int64_t y = 0; y < 6; y += 3)
			for (int64_t x = 0; x < 6; x += 3) {
				struct fx_block *b = coded(y ? FX_U16 : FX_U64, z, y, x, 3);

				assert_int_equal(fx_blockstore_put(&s, b, &number, NULL), FX_OK);
				if (z == 3 && y == 3 && x == 3)
					last = number;
				fx_block_free(b);
			}
	assert_int_equal(fx_blockstore_lookup(&s, ask, 2, labels, NULL), FX_OK);
	assert_int_equal(labels[1], 556);
	fx_blockstore_drop(&s, last); /* then 5 5 5 and 3 3 3 are gone */
	assert_int_equal(fx_blockstore_lookup(&s, ask, 8, labels, NULL), FX_OK);
	for (int i = 0; i < 8; i++)
		assert_int_equal(labels[i], i == 1 ? 0 : want[i]);
	close_store(&s, dir);
}

static void damage_is_found(void **unused)
{
	struct fx_block *b = coded(FX_U64, 0, 0, 0, 4);
	struct fx_blockstore s;
	struct fx_error err = { 0 };
	int64_t ask[1][3] = { { 0, 0, 0 } };
	uint64_t label;
	size_t number;
	char *dir;
	const int fd = open_store(&s, &dir);

	(void)unused;
	assert_int_equal(fx_blockstore_put(&s, b, &number, NULL), FX_OK);
	assert_int_equal(ftruncate(fd, 3), 0);
	assert_null(fx_blockstore_get(&s, number, &err));
	assert_int_equal(err.code, FX_EIO);
	assert_int_equal(fx_blockstore_lookup(&s, ask, 1, &label, &err), FX_EIO);
	b->origin[0] = -1;
	assert_int_equal(fx_blockstore_put(&s, b, &number, &err), FX_EINVAL);
	assert_int_equal(fx_blockstore_open(&(struct fx_blockstore){ 0 }, "/nowhere", "x", &err),
			 FX_EIO);
	fx_block_free(b);
	close_store(&s, dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_comes_back_as_its_core),
		cmocka_unit_test(voxels_are_looked_up_across_blocks),
		cmocka_unit_test(damage_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
