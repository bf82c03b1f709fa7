// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/volume_mrc.c: files made byte by byte. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "support/images.h"
#include "support/volumes.h"

enum { Z = 3, Y = 4, X = 5, LEN = Z * Y * X, HEAD = 1024, EXTENDED = 80 };

/* A file in memory. */
struct mrc {
	uint8_t bytes[HEAD + EXTENDED + LEN * 4];
	size_t size;
	bool big;
};

static void put_word(struct mrc *m, size_t at, uint32_t v)
{
	for (size_t k = 0; k < 4; k++)
		m->bytes[at + k] = (uint8_t)(v >> 8 * (m->big ? 3 - k : k));
}

static void put_real(struct mrc *m, size_t at, float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof bits);
	put_word(m, at, bits);
}

/* Voxel i is i in all modes. */
static void make(struct mrc *m, bool big, uint32_t mode)
{
	static const uint32_t shape[3] = { X, Y, Z };
	const size_t bytes = mode == 0 ? 1 : mode == 2 ? 4 : 2;

	memset(m, 0, sizeof *m);
	m->big = big;
	m->size = HEAD + EXTENDED + LEN * bytes;
	for (size_t a = 0; a < 3; a++) {
		put_word(m, 4 * a, shape[a]);
		put_word(m, 16 + 4 * a, (uint32_t)-7 + (uint32_t)a);
		put_word(m, 28 + 4 * a, shape[a]);
		put_real(m, 40 + 4 * a, 10 * (float)shape[a] * (float)(a + 2));
		put_word(m, 64 + 4 * a, (uint32_t)a + 1);
	}
	put_word(m, 12, mode);
	put_word(m, 92, EXTENDED);
	memcpy(m->bytes + 208, "MAP ", 4);
	m->bytes[212] = big ? 0x11 : 0x44;
	for (size_t i = 0; i < LEN; i++) {
		const float real = (float)i;
		uint32_t v = (uint32_t)i;

		if (mode == 2)
			memcpy(&v, &real, sizeof v);
		for (size_t k = 0; k < bytes; k++)
			m->bytes[HEAD + EXTENDED + i * bytes + k] =
				(uint8_t)(v >> 8 * (big ? bytes - 1 - k : k));
	}
}

static void expect(const char *path, const struct mrc *m, enum fx_dtype dtype)
{
	struct fx_volume v;
	struct fx_block *b;

	test_write_file(path, m->bytes, m->size);
	b = volumes_read(path, &v);
	assert_int_equal(v.dtype, dtype);
	assert_true(v.shape[0] == Z && v.shape[1] == Y && v.shape[2] == X);
	assert_true(v.voxel_nm[0] == 4 && v.voxel_nm[1] == 3 && v.voxel_nm[2] == 2);
	assert_true(v.offset[0] == -5 && v.offset[1] == -6 && v.offset[2] == -7);
	for (size_t i = 0; i < LEN; i++)
		assert_true((dtype == FX_U8  ? ((uint8_t *)b->data)[i] :
			     dtype == FX_U16 ? ((uint16_t *)b->data)[i] :
					       (size_t)((float *)b->data)[i]) == i);
	fx_block_free(b);
}

static void refuse(const char *path, const struct mrc *m, const char *says)
{
	struct fx_error err = { 0 };
	struct fx_block *b;
	struct fx_volume v;
	int result;

	test_write_file(path, m->bytes, m->size);
	result = fx_volume_open(path, &v, &err);
	if (result == FX_OK) {
		result = fx_volume_read(&v, (struct fx_region){ { 0 }, { 1, Y, X } }, &b, &err);
		fx_volume_close(&v);
	}
	assert_true(result < 0);
	if (!strstr(err.text, says))
		fail_msg("said: %s", err.text);
}

static void all_modes_in_both_orders(void **unused)
{
	static const enum fx_dtype dtypes[] = { FX_U8, FX_U16, FX_F32, 0, 0, 0, FX_U16 };
	char *dir = volumes_dir();
	struct mrc m;

	(void)unused;
	for (uint32_t mode = 0; mode <= 6; mode++)
		for (int big = 0; dtypes[mode] && big < 2; big++) {
			make(&m, big, mode);
			expect(test_path(dir, "x.mrc"), &m, dtypes[mode]);
			memset(m.bytes + 208, 0, 8); /* as old programs wrote it */
			expect(test_path(dir, "x.mrc"), &m, dtypes[mode]);
		}
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void bytes_have_a_sign_unless_imod_says_not(void **unused)
{
	char *dir = volumes_dir();
	const char *path = test_path(dir, "x");
	struct fx_block *b;
	struct mrc m;

	(void)unused;
	make(&m, false, 0);
	m.bytes[HEAD + EXTENDED + 3] = 200;
	refuse(path, &m, "has negative voxels");
	put_word(&m, 152, 1146047817);
	test_write_file(path, m.bytes, m.size);
	b = volumes_read(path, NULL);
	assert_int_equal(((uint8_t *)b->data)[3], 200);
	fx_block_free(b);
	put_word(&m, 156, 1);
	refuse(path, &m, "has negative voxels");
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void others_are_refused(void **unused)
{
	char *dir = volumes_dir();
	const char *path = test_path(dir, "x");
	struct mrc m;

	(void)unused;
	make(&m, false, 4);
	refuse(path, &m, "voxels of mode 4 are not accepted");
	make(&m, false, 6);
	m.size--;
	refuse(path, &m, "shorter than its header says");
	make(&m, false, 6);
	put_word(&m, 0, 1 << 30);
	refuse(path, &m, "shorter than its header says");
	put_word(&m, 0, 0);
	refuse(path, &m, "is not accepted");
	make(&m, false, 6);
	put_word(&m, 64, 2);
	refuse(path, &m, "another order");
	make(&m, false, 6);
	put_word(&m, 92, 0x80000000);
	refuse(path, &m, "extended header");
	make(&m, false, 6);
	m.size = 700;
	refuse(path, &m, "truncated header");
	fx_remove_tree(dir, NULL);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_modes_in_both_orders),
		cmocka_unit_test(bytes_have_a_sign_unless_imod_says_not),
		cmocka_unit_test(others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
