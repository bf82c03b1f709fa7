// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/image.c with pngread.c and tiffread.c. */
#include "support/test.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "base/file.h"
#include "formats/image.h"
#include "support/images.h"

/* Opens, reads in bands of 3 rows, closes; 0 or the first error. */
static int read_all(const char *path, struct fx_image *shape, void *pixels, size_t max,
		    struct fx_error *err)
{
	struct fx_image im;
	int result = fx_image_open(path, &im, err);
	size_t row_size;

	if (result < 0)
		return result;
	*shape = im;
	row_size = im.width * fx_dtype_size(im.dtype);
	while (result == FX_OK && im.row < im.height) {
		const size_t rows = im.height - im.row < 3 ? im.height - im.row : 3;
		unsigned char *band = malloc(rows * row_size);

		assert_non_null(band);
		result = fx_image_read(&im, rows, band, err);
		if (result == FX_OK && im.row * row_size <= max)
			memcpy((char *)pixels + (im.row - rows) * row_size, band, rows * row_size);
		free(band);
	}
	fx_image_close(&im);
	return result;
}

static void expect(const char *path, enum fx_dtype dtype, size_t height, size_t width,
		   const void *want)
{
	struct fx_image shape;
	struct fx_error err = { 0 };
	unsigned char got[4096];
	const size_t size = height * width * fx_dtype_size(dtype);

	if (read_all(path, &shape, got, sizeof got, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(shape.height == height && shape.width == width && shape.dtype == dtype);
	assert_memory_equal(got, want, size);
}

static void reads_png_and_tiff_of_8_and_16_bit(void **folder)
{
	const char *png = test_path(*folder, "a.png"), *tif = test_path(*folder, "a.tif");
	uint16_t pixels[11 * 7];
	uint64_t seed = 5;

	for (size_t i = 0; i < 77; i++)
		pixels[i] = (uint16_t)test_random(&seed);
	for (int interlaced = 0; interlaced < 2; interlaced++) {
		test_write_png(png, 11, 7, 8, PNG_COLOR_TYPE_GRAY, interlaced, pixels);
		expect(png, FX_U8, 11, 7, pixels);
		test_write_png(png, 11, 7, 16, PNG_COLOR_TYPE_GRAY, interlaced, pixels);
		expect(png, FX_U16, 11, 7, pixels);
	}
	for (size_t tile = 0; tile <= 16; tile += 16) {
		test_write_tiff(tif, 2, 5, 7, 8, SAMPLEFORMAT_UINT, tile, pixels);
		expect(tif, FX_U8, 5, 7, pixels);
		test_write_tiff(tif, 1, 11, 7, 16, SAMPLEFORMAT_UINT, tile, pixels);
		expect(tif, FX_U16, 11, 7, pixels);
	}
}

static void big_tiles_are_cut_at_the_border(void **folder)
{
	const char *tif = test_path(*folder, "t.tif");
	unsigned char pixels[40 * 37];
	uint64_t seed = 6;

	for (size_t i = 0; i < sizeof pixels; i++)
		pixels[i] = (unsigned char)test_random(&seed);
	test_write_tiff(tif, 1, 40, 37, 8, SAMPLEFORMAT_UINT, 16, pixels);
	expect(tif, FX_U8, 40, 37, pixels);
}

static void few_bits_are_stretched(void **folder)
{
	static const unsigned char bits1[] = { 0xa0, 0x40 }, bits4[] = { 0x0f, 0x10, 0x28, 0xf0 };
	static const unsigned char want1[] = { 255, 0, 255, 0, 255, 0 };
	static const unsigned char want4[] = { 0, 255, 17, 34, 136, 255 };
	const char *png = test_path(*folder, "b.png"), *tif = test_path(*folder, "b.tif");

	test_write_png(png, 2, 3, 1, PNG_COLOR_TYPE_GRAY, 0, bits1);
	expect(png, FX_U8, 2, 3, want1);
	test_write_png(png, 2, 3, 4, PNG_COLOR_TYPE_GRAY, 0, bits4);
	expect(png, FX_U8, 2, 3, want4);
	test_write_tiff(tif, 1, 2, 3, 1, SAMPLEFORMAT_UINT, 0, bits1);
	expect(tif, FX_U8, 2, 3, want1);
	test_write_tiff(tif, 1, 2, 3, 4, SAMPLEFORMAT_UINT, 0, bits4);
	expect(tif, FX_U8, 2, 3, want4);
}

static void white_is_zero_is_inverted(void **folder)
{
	static const unsigned char pixels[4] = { 0, 1, 200, 255 }, want[4] = { 255, 254, 55, 0 };
	const char *path = test_path(*folder, "w.tif");
	TIFF *t;

	test_write_tiff(path, 1, 2, 2, 8, SAMPLEFORMAT_UINT, 0, pixels);
	t = TIFFOpen(path, "r+");
	assert_non_null(t);
	TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
	assert_int_equal(TIFFRewriteDirectory(t), 1);
	TIFFClose(t);
	expect(path, FX_U8, 2, 2, want);
}

static void refuse(const char *path, int code, const char *text)
{
	struct fx_image im;
	struct fx_error err = { 0 };

	assert_int_equal(fx_image_open(path, &im, &err), code);
	if (!strstr(err.text, text) || !strstr(err.text, path))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
	assert_null(im.png);
}

static void colours_and_other_files_are_refused(void **folder)
{
	static const unsigned char pixels[64] = { 0 };
	const char *path = test_path(*folder, "c.png");

	test_write_png(path, 2, 2, 8, PNG_COLOR_TYPE_RGB, 0, pixels);
	refuse(path, FX_ETYPE, "is RGB; fornix reads grey images: convert it");
	test_write_png(path, 2, 2, 8, PNG_COLOR_TYPE_RGB_ALPHA, 0, pixels);
	refuse(path, FX_ETYPE, "RGB with alpha");
	test_write_png(path, 2, 2, 8, PNG_COLOR_TYPE_GRAY_ALPHA, 0, pixels);
	refuse(path, FX_ETYPE, "grey with alpha");
	test_write_png(path, 2, 2, 8, PNG_COLOR_TYPE_PALETTE, 0, pixels);
	refuse(path, FX_ETYPE, "palette");
	test_write_tiff(path, 1, 2, 2, 32, SAMPLEFORMAT_IEEEFP, 0, pixels);
	refuse(path, FX_ETYPE, "f32");
	test_write_file(path, "", 0);
	refuse(path, FX_EINVAL, "empty");
	test_write_file(path, "BM", 2);
	refuse(path, FX_ETYPE, "neither PNG nor TIFF");
	refuse(*folder, FX_EIO, "not a regular file");
	refuse(test_path(*folder, "none.png"), FX_ENOENT, "cannot open");
}

/* Every proper prefix of the file must fail, and leak nothing; of a TIFF the last bytes may be
 * unused. */
static void truncate_everywhere(const char *path, size_t unused_bytes)
{
	const char *cut = "/cut";
	char name[600];
	void *bytes;
	size_t size, failed = 0;
	struct fx_image shape;
	struct fx_error err = { 0 };
	unsigned char pixels[4096];

	snprintf(name, sizeof name, "%s%s", path, cut + 1);
	assert_int_equal(fx_file_read(path, 1 << 20, &bytes, &size, &err), FX_OK);
	for (size_t n = 0; n < size; n++) {
		test_write_file(name, bytes, n);
		failed += read_all(name, &shape, pixels, sizeof pixels, &err) < 0;
	}
	assert_true(size > 100 && failed + unused_bytes >= size);
	free(bytes);
}

static void every_prefix_fails(void **folder)
{
	const char *png = test_path(*folder, "d.png"), *tif = test_path(*folder, "d.tif");
	unsigned char pixels[120];
	uint64_t seed = 9;

	for (size_t i = 0; i < sizeof pixels; i++)
		pixels[i] = (unsigned char)test_random(&seed);
	for (int interlaced = 0; interlaced < 2; interlaced++) {
		test_write_png(png, 12, 10, 8, PNG_COLOR_TYPE_GRAY, interlaced, pixels);
		truncate_everywhere(png, 0);
	}
	test_write_tiff(tif, 1, 12, 10, 8, SAMPLEFORMAT_UINT, 0, pixels);
	truncate_everywhere(tif, 8);
}

/* Any change of bytes ends in success or an error, never in more. */
static void mutate(const char *path, uint64_t seed)
{
	void *bytes;
	size_t size;
	struct fx_image shape;
	struct fx_error err = { 0 };
	unsigned char pixels[4096];

	assert_int_equal(fx_file_read(path, 1 << 20, &bytes, &size, &err), FX_OK);
	for (int i = 0; i < 300; i++) {
		unsigned char *copy = malloc(size);

		assert_non_null(copy);
		memcpy(copy, bytes, size);
		for (int k = 0; k < 3; k++)
			copy[test_random(&seed) % size] = (unsigned char)test_random(&seed);
		test_write_file(path, copy, size);
		if (fx_image_open(path, &shape, &err) == FX_OK) {
			const bool small = shape.height * shape.width < 2048;

			if (small && shape.row == 0)
				fx_image_read(&shape, shape.height, pixels, &err);
			fx_image_close(&shape);
		}
		free(copy);
	}
	free(bytes);
}

static void mutated_bytes_do_no_harm(void **folder)
{
	const char *png = test_path(*folder, "e.png"), *tif = test_path(*folder, "e.tif");
	unsigned char pixels[160] = { 1, 2, 3, 200 };

	test_write_png(png, 12, 10, 8, PNG_COLOR_TYPE_GRAY, 0, pixels);
	mutate(png, 1);
	test_write_tiff(tif, 1, 12, 10, 8, SAMPLEFORMAT_UINT, 0, pixels);
	mutate(tif, 2);
	test_write_tiff(tif, 1, 12, 10, 8, SAMPLEFORMAT_UINT, 16, pixels);
	mutate(tif, 3);
}

static void oversized_headers_are_refused(void **folder)
{
	const char *tif = test_path(*folder, "f.tif");
	/* little-endian, one IFD of 4 entries: 2^21 x 1 pixels, 8 bit, one strip */
	unsigned char bytes[8 + 2 + 5 * 12 + 4] = { 'I', 'I', 42, 0, 8, 0, 0, 0, 5, 0 };
	static const uint16_t entries[5][4] = { { 256, 4, 0, 32 },
						{ 257, 4, 1, 0 },
						{ 258, 3, 8, 0 },
						{ 273, 4, 8, 0 },
						{ 279, 4, 1, 0 } };

	for (size_t i = 0; i < 5; i++) {
		unsigned char *e = bytes + 10 + i * 12;

		e[0] = (unsigned char)entries[i][0];
		e[1] = (unsigned char)(entries[i][0] >> 8);
		e[2] = (unsigned char)entries[i][1];
		e[4] = 1;
		e[8] = (unsigned char)entries[i][2];
		e[10] = (unsigned char)entries[i][3];
	}
	test_write_file(tif, bytes, sizeof bytes);
	refuse(tif, FX_EINVAL, "2097152 pixels; accepted");
}

static void what_cannot_lie_in_so_short_a_file(void **unused)
{
	(void)unused;
	refuse("tests/fuzz/corpus/tiff/tiles-of-nothing", FX_EINVAL,
	       "page 0 has tiles or rows of 905971392 bytes, which cannot lie in so short a file");
	refuse("tests/fuzz/corpus/png/interlaced-huge", FX_EINVAL,
	       "16384 x 16384 pixels cannot lie in so short a file");
}

/* Black images in one tile, however well they are compressed, do lie in theirs. */
static void black_images_are_read(void **folder)
{
	enum { SIDE = 2048 };
	static const int kinds[] = { COMPRESSION_NONE,		COMPRESSION_LZW,
				     COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS,
				     COMPRESSION_ZSTD,		COMPRESSION_LZMA };
	const char *tif = test_path(*folder, "black.tif");
	unsigned char *black = calloc(SIDE, SIDE), *got = malloc((size_t)SIDE * SIDE);

	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		struct fx_image shape;
		struct fx_error err = { 0 };
		TIFF *t;

		if (!TIFFIsCODECConfigured((uint16_t)kinds[k]))
			continue;
		t = TIFFOpen(tif, "w");
		TIFFSetField(t, TIFFTAG_IMAGEWIDTH, SIDE);
		TIFFSetField(t, TIFFTAG_IMAGELENGTH, SIDE);
		TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 8);
		TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
		TIFFSetField(t, TIFFTAG_TILEWIDTH, SIDE);
		TIFFSetField(t, TIFFTAG_TILELENGTH, SIDE);
		TIFFSetField(t, TIFFTAG_COMPRESSION, kinds[k]);
		assert_true(TIFFWriteEncodedTile(t, 0, black, (tmsize_t)SIDE * SIDE) > 0);
		TIFFClose(t);
		if (read_all(tif, &shape, got, (size_t)SIDE * SIDE, &err) < 0)
			fail_msg("compression %d: %s", kinds[k], err.text);
		assert_memory_equal(got, black, (size_t)SIDE * SIDE);
	}
	free(black);
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_png_and_tiff_of_8_and_16_bit),
		cmocka_unit_test(big_tiles_are_cut_at_the_border),
		cmocka_unit_test(few_bits_are_stretched),
		cmocka_unit_test(white_is_zero_is_inverted),
		cmocka_unit_test(colours_and_other_files_are_refused),
		cmocka_unit_test(every_prefix_fails),
		cmocka_unit_test(mutated_bytes_do_no_harm),
		cmocka_unit_test(oversized_headers_are_refused),
		cmocka_unit_test(what_cannot_lie_in_so_short_a_file),
		cmocka_unit_test(black_images_are_read),
	};

	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
