// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/codec.c and codec_lz4.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/codec.h"
#include "support/golden_pack.h"

static int make_folder(void **folder)
{
	*folder = test_tmp_dir();
	golden_unpack(*folder);
	return 0;
}

static void *load(void *folder, const char *name, size_t *size)
{
	void *bytes = NULL;

	assert_int_equal(fx_file_read(test_path(folder, name), 1 << 20, &bytes, size, NULL), FX_OK);
	return bytes;
}

static void undoes_bitshuffle_and_lz4(void **folder)
{
	uint32_t words[1003];
	uint8_t bytes[205];
	size_t in_size, size = 0;
	void *in = load(*folder, "bs4", &in_size);
	struct fx_error err = { 0 };

	assert_int_equal(
		fx_codec_decode(FX_CODEC_BSLZ4, 4, in, in_size, words, sizeof words, &size, &err),
		FX_OK);
	assert_int_equal(size, sizeof words);
	for (size_t i = 0; i < 1003; i++)
		assert_int_equal(words[i], i * 77 % 10007);
	free(in);
	in = load(*folder, "bs1", &in_size);
	assert_int_equal(
		fx_codec_decode(FX_CODEC_BSLZ4, 1, in, in_size, bytes, sizeof bytes, &size, &err),
		FX_OK);
	for (size_t i = 0; i < 205; i++)
		assert_int_equal(bytes[i], i % 200);
	assert_true(fx_codec_decode(FX_CODEC_BSLZ4, 1, in, in_size, bytes, 204, &size, &err) < 0);
	free(in);
}

static void undoes_lz4_of_hdf5(void **folder)
{
	uint8_t bytes[300];
	size_t in_size, size = 0;
	void *in = load(*folder, "lz4h", &in_size);

	assert_int_equal(fx_codec_decode(FX_CODEC_LZ4_HDF5, 1, in, in_size, bytes, sizeof bytes,
					 &size, NULL),
			 FX_OK);
	assert_int_equal(size, 300);
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(bytes[i], i % 7);
	free(in);
}

static void knows_the_sum_of_castagnoli(void **folder)
{
	(void)folder;
	assert_int_equal(fx_crc32c("123456789", 9), 0xE3069283);
}

/* Every byte changed, every length cut: succeeds or fails, within its bounds. */
static void takes_no_harm_from_damage(void **folder)
{
	static const char *const names[] = { "bs4", "bs1", "lz4h" };

	for (size_t n = 0; n < 3; n++) {
		size_t in_size, size = 0;
		unsigned char *in = load(*folder, names[n], &in_size);
		const enum fx_codec codec = n == 2 ? FX_CODEC_LZ4_HDF5 : FX_CODEC_BSLZ4;
		void *out = malloc(n == 0 ? 4012 : 300);

		for (size_t i = 0; i < in_size; i++) {
			unsigned char *copy = malloc(i + 1); /* its end is watched */

			assert_true(copy && out);
			memcpy(copy, in, i + 1);
			copy[i] ^= 0xFF;
			fx_codec_decode(codec, n == 0 ? 4 : 1, copy, i + 1, out,
					n == 0 ? 4012 : 300, &size, NULL);
			free(copy);
			in[i] ^= 0xFF;
			fx_codec_decode(codec, n == 0 ? 4 : 1, in, in_size, out,
					n == 0 ? 4012 : 300, &size, NULL);
			in[i] ^= 0xFF;
		}
		free(out);
		free(in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(undoes_bitshuffle_and_lz4),
		cmocka_unit_test(undoes_lz4_of_hdf5),
		cmocka_unit_test(knows_the_sum_of_castagnoli),
		cmocka_unit_test(takes_no_harm_from_damage),
	};

	return cmocka_run_group_tests(tests, make_folder, test_folder_remove);
}
