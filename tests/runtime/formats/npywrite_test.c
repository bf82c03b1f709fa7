// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/npywrite.c: the reader of this tree reads what it writes. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/npywrite.h"
#include "formats/volume.h"
#include "support/images.h"

static void every_type_that_the_reader_knows(void **unused)
{
	static const enum fx_dtype dtypes[] = { FX_U8, FX_U16, FX_U32, FX_U64, FX_F32 };
	char *dir = test_tmp_dir();
	const char *path = test_path(dir, "a.npy");

	(void)unused;
	for (size_t i = 0; i < 5; i++) {
		struct fx_block *b = fx_block_new(dtypes[i], 2, 3, 5), *read = NULL;
		const struct fx_region all = { { 0, 0, 0 }, { 2, 3, 5 } };
		struct fx_volume v = { .shape = { 0 } };
		struct fx_error err = { 0 };

		assert_non_null(b);
		for (size_t k = 0; k < fx_block_size(b); k++)
			((unsigned char *)b->data)[k] = (unsigned char)(k % 100);
		assert_int_equal(fx_npy_write(path, b, &err), FX_OK);
		if (fx_volume_open(path, &v, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(v.dtype, dtypes[i]);
		assert_memory_equal(v.shape, b->shape, sizeof b->shape);
		assert_int_equal(fx_volume_read(&v, all, &read, &err), FX_OK);
		assert_memory_equal(read->data, b->data, fx_block_size(b));
		fx_block_free(read);
		fx_block_free(b);
		fx_volume_close(&v);
	}
	fx_remove_tree(dir, NULL);
	free(dir);
}

/* Channels come first; the header is a multiple of 64 bytes and ends its line. */
static void channels_and_half_floats(void **unused)
{
	char *dir = test_tmp_dir();
	const char *path = test_path(dir, "a.npy");
	struct fx_block b = { .dtype = FX_F16, .channels = 3, .shape = { 2, 3, 5 } };
	struct fx_error err = { 0 };
	void *bytes;
	size_t size;

	(void)unused;
	b.data = calloc(1, fx_block_size(&b));
	assert_non_null(b.data);
	assert_int_equal(fx_npy_write(path, &b, &err), FX_OK);
	assert_int_equal(fx_file_read(path, 1 << 20, &bytes, &size, &err), FX_OK);
	assert_memory_equal(bytes, "\x93NUMPY\x01\x00", 8);
	assert_non_null(strstr((char *)bytes + 10, "'descr': '<f2'"));
	assert_non_null(strstr((char *)bytes + 10, "'shape': (3, 2, 3, 5), "));
	assert_int_equal((size - fx_block_size(&b)) % 64, 0);
	assert_int_equal(((char *)bytes)[size - fx_block_size(&b) - 1], '\n');
	free(bytes);
	free(b.data);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void no_such_type(void **unused)
{
	struct fx_block b = { .dtype = (enum fx_dtype)3, .channels = 1, .shape = { 1, 1, 1 } };
	struct fx_error err = { 0 };

	(void)unused;
	assert_int_equal(fx_npy_write("/tmp/fornix-never.npy", &b, &err), FX_ETYPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_that_the_reader_knows),
		cmocka_unit_test(channels_and_half_floats),
		cmocka_unit_test(no_such_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
