// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/blobstore.c and labelstore.c. */
#include "support/test.h"

#include <stdlib.h>

#include "base/file.h"
#include "formats/labelstore.h"

static void gives_back_what_was_put(void **unused)
{
	char *dir = test_tmp_dir();
	struct fx_error err = { 0 };
	struct fx_blobstore *s = fx_blobstore_open(dir, 20000, &err);
	static uint8_t flat[50000], noise[3000], big[18000];
	uint64_t seed = 9;
	void *bytes;
	size_t size;

	(void)unused;
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (uint8_t)test_random(&seed);
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (uint8_t)test_random(&seed);
	assert_int_equal(fx_blobstore_put(s, 1, flat, sizeof flat, &err), FX_OK);
	assert_int_equal(fx_blobstore_put(s, 2, noise, sizeof noise, &err), FX_OK);
	assert_int_equal(fx_blobstore_put(s, 3, NULL, 0, &err), FX_OK);
	assert_int_equal(fx_blobstore_put(s, 2, noise, 5, &err), FX_EINVAL);
	assert_int_equal(fx_blobstore_put(s, 4, big, sizeof big, &err), FX_ENOMEM);
	assert_true(fx_blobstore_size(s) < 4000);
	assert_int_equal(fx_blobstore_get(s, 1, &bytes, &size, &err), FX_OK);
	assert_int_equal(size, sizeof flat);
	assert_memory_equal(bytes, flat, size);
	free(bytes);
	assert_int_equal(fx_blobstore_get(s, 2, &bytes, &size, &err), FX_OK);
	assert_int_equal(size, sizeof noise);
	assert_memory_equal(bytes, noise, size);
	free(bytes);
	assert_int_equal(fx_blobstore_read(s, 2, big, sizeof noise, &err), FX_OK);
	assert_memory_equal(big, noise, sizeof noise);
	assert_int_equal(fx_blobstore_read(s, 2, big, sizeof noise - 1, &err), FX_EINVAL);
	assert_int_equal(fx_blobstore_read(s, 7, big, 1, &err), FX_ENOENT);
	assert_int_equal(fx_blobstore_put(s, 5, flat, (size_t)1 << 31, &err), FX_EINVAL);
	assert_int_equal(fx_blobstore_get(s, 3, &bytes, &size, &err), FX_OK);
	assert_int_equal(size, 0);
	free(bytes);
	fx_blobstore_drop(s, 2);
	assert_int_equal(fx_blobstore_get(s, 2, &bytes, &size, &err), FX_ENOENT);
	assert_int_equal(fx_blobstore_put(s, 4, big, sizeof big, &err), FX_OK);
	fx_blobstore_close(s);
	fx_remove_tree(dir, NULL);
	free(dir);
	assert_null(fx_blobstore_open("/no/such/folder", 0, &err));
	assert_int_equal(err.code, FX_EIO);
}

static void keeps_cores_and_faces(void **unused)
{
	char *dir = test_tmp_dir();
	struct fx_error err = { 0 };
	struct fx_blobstore *s = fx_blobstore_open(dir, 0, &err);
	struct fx_labelstore store = { 0 };
	struct fx_block *b = fx_block_new(FX_U16, 4, 5, 6);
	const struct fx_stored *next;
	uint64_t *labels;

	(void)unused;
	b->role = FX_LABELS;
	b->halo_lo[0] = 1;
	b->origin[0] = -1;
	for (size_t i = 0; i < 120; i++)
		((uint16_t *)b->data)[i] = (uint16_t)(i % 7 ? 500 + i : 0);
	assert_int_equal(fx_labelstore_put(&store, s, b, &err), FX_OK);
	assert_int_equal(fx_labelstore_put(&store, s, b, &err), FX_EINVAL);
	assert_int_equal(fx_labelstore_get(s, &store.blocks[0], &labels, &err), FX_OK);
	for (size_t i = 30; i < 120; i++)
		assert_int_equal(labels[i - 30], i % 7 ? 500 + i : 0);
	free(labels);
	assert_int_equal(fx_labelstore_face(s, &store.blocks[0], 2, true, &labels, &err), FX_OK);
	for (size_t i = 0; i < 15; i++)
		assert_int_equal(labels[i], (30 + 6 * i + 5) % 7 ? 500 + 30 + 6 * i + 5 : 0);
	free(labels);
	b->origin[0] = 2;
	assert_int_equal(fx_labelstore_put(&store, s, b, &err), FX_OK);
	assert_int_equal(fx_labelstore_next(&store, &store.blocks[1], 0, false, &next, &err),
			 FX_OK);
	assert_ptr_equal(next, &store.blocks[0]);
	assert_int_equal(fx_labelstore_next(&store, &store.blocks[0], 0, true, &next, &err), FX_OK);
	assert_ptr_equal(next, &store.blocks[1]);
	fx_block_free(b);
	fx_labelstore_fini(&store);
	fx_blobstore_close(s);
	fx_remove_tree(dir, NULL);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(gives_back_what_was_put),
					    cmocka_unit_test(keeps_cores_and_faces) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
