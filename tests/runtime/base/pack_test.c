// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/base/pack: values come back from a file, and a damaged file gives none. */
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pack.h"

static char dir[] = "/tmp/fornix-test-XXXXXX";

static const char *file(void)
{
	static char path[64];

	snprintf(path, sizeof path, "%s/saved", dir);
	return path;
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return fx_remove_tree(dir, NULL);
}

static void write_some(bool keep)
{
	const uint64_t words[3] = { 1, 2, 3 };
	struct fx_error err = { 0 };
	struct fx_pack *p = fx_pack_open(file(), &err);
	const double v = 1.5;

	assert_non_null(p);
	fx_pack_put(p, &v, sizeof v);
	fx_pack_array(p, words, 3, sizeof *words);
	fx_pack_array(p, NULL, 0, 4);
	assert_int_equal(fx_pack_size(p), 8 + 8 + 24 + 8);
	assert_int_equal(fx_pack_close(p, keep, &err), FX_OK);
}

static void values_come_back(void **state)
{
	struct fx_error err = { 0 };
	struct fx_unpack *u;
	uint64_t *words;
	void *array;
	size_t len;
	double v;

	(void)state;
	write_some(true);
	u = fx_unpack_open(file(), &err);
	assert_non_null(u);
	assert_int_equal(fx_unpack_get(u, &v, sizeof v), FX_OK);
	assert_true(v > 1.4 && v < 1.6);
	assert_int_equal(fx_unpack_array(u, &array, &len, sizeof *words), FX_OK);
	words = array;
	assert_int_equal(len, 3);
	assert_int_equal(words[2], 3);
	free(array);
	assert_int_equal(fx_unpack_array(u, &array, &len, 4), FX_OK);
	assert_int_equal(len, 0);
	free(array);
	assert_int_equal(fx_unpack_close(u), FX_OK);
}

static void more_or_less_than_was_put_is_an_error(void **state)
{
	struct fx_error err = { 0 };
	struct fx_unpack *u;
	char bytes[64];
	void *array;
	size_t len;

	(void)state;
	write_some(true);
	u = fx_unpack_open(file(), &err);
	assert_int_equal(fx_unpack_get(u, bytes, 49), FX_ETYPE);
	assert_int_equal(fx_unpack_get(u, bytes, 1), FX_ETYPE); /* and stays one */
	assert_int_equal(fx_unpack_close(u), FX_ETYPE);
	u = fx_unpack_open(file(), &err);
	assert_int_equal(fx_unpack_get(u, bytes, 8), FX_OK);
	assert_int_equal(fx_unpack_array(u, &array, &len, 100), FX_ETYPE); /* 300 bytes of 32 */
	assert_null(array);
	fx_unpack_close(u);
	u = fx_unpack_open(file(), &err);
	assert_int_equal(fx_unpack_close(u), FX_ETYPE); /* nothing was got */
}

static void damage_is_noticed(void **state)
{
	struct fx_error err = { 0 };
	int fd;

	(void)state;
	write_some(true);
	for (off_t at = 0; at < 56; at++) {
		unsigned char c;

		fd = open(file(), O_RDWR);
		assert_int_equal(pread(fd, &c, 1, at), 1);
		c ^= 4;
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
		assert_null(fx_unpack_open(file(), &err));
		assert_int_equal(err.code, FX_ETYPE);
		c ^= 4;
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
		close(fd);
	}
	assert_int_equal(truncate(file(), 7), 0);
	assert_null(fx_unpack_open(file(), &err));
	assert_int_equal(err.code, FX_ETYPE);
}

static void what_is_not_kept_leaves_the_old(void **state)
{
	struct fx_error err = { 0 };

	(void)state;
	unlink(file());
	write_some(false);
	assert_null(fx_unpack_open(file(), &err));
	assert_int_equal(err.code, FX_ENOENT);
	write_some(true);
	write_some(false);
	assert_int_equal(fx_unpack_close(fx_unpack_open(file(), &err)), FX_ETYPE); /* there */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_back),
		cmocka_unit_test(more_or_less_than_was_put_is_an_error),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(what_is_not_kept_leaves_the_old),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
