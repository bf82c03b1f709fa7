// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/pngwrite.c: what libpng reads back is what was written. */
#include "support/test.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/pngwrite.h"

static void round_trip(size_t h, size_t w, unsigned channels)
{
	char *dir = test_tmp_dir(), *path = fx_path_join(dir, "a.png");
	png_image png = { .version = PNG_IMAGE_VERSION };
	const size_t n = h * w * channels;
	uint8_t *pixels = malloc(n), *read = malloc(n);
	struct fx_error err = { 0 };
	uint64_t seed = 5;

	assert_true(pixels && read);
	for (size_t i = 0; i < n; i++)
		pixels[i] = (uint8_t)test_random(&seed);
	assert_int_equal(fx_png_write(path, pixels, h, w, channels, &err), FX_OK);
	assert_true(png_image_begin_read_from_file(&png, path));
	assert_int_equal(png.width, w);
	assert_int_equal(png.height, h);
	assert_int_equal(png.format, channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB);
	assert_true(png_image_finish_read(&png, NULL, read, 0, NULL));
	assert_memory_equal(pixels, read, n);
	fx_remove_tree(dir, NULL);
	free(pixels);
	free(read);
	free(path);
	free(dir);
}

static void reads_back_what_was_written(void **unused)
{
	(void)unused;
	round_trip(1, 1, 1);
	round_trip(17, 31, 1);
	round_trip(40, 3, 3);
}

static void refuses_and_leaves_nothing(void **unused)
{
	char *dir = test_tmp_dir(), *path = fx_path_join(dir, "no/a.png");
	const uint8_t pixels[8] = { 0 };
	struct fx_error err = { 0 };

	(void)unused;
	assert_int_equal(fx_png_write(path, pixels, 2, 2, 1, &err), FX_EIO);
	assert_non_null(strstr(err.text, "no/a.png"));
	assert_int_equal(fx_png_write(path, pixels, 0, 2, 1, &err), FX_EINVAL);
	assert_int_equal(fx_png_write(path, pixels, 2, (1 << 20) + 1, 1, &err), FX_EINVAL);
	assert_int_equal(fx_png_write(path, pixels, 2, 2, 2, &err), FX_EINVAL);
	fx_remove_tree(dir, NULL);
	free(path);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_back_what_was_written),
		cmocka_unit_test(refuses_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
