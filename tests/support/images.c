// SPDX-License-Identifier: Apache-2.0
/* images.c: writes small image files for tests. */
#include "support/test.h"

#include "support/images.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "base/file.h"

static size_t png_row(size_t width, int depth, int color)
{
	const size_t channels = color == PNG_COLOR_TYPE_RGB	   ? 3 :
				color == PNG_COLOR_TYPE_RGB_ALPHA  ? 4 :
				color == PNG_COLOR_TYPE_GRAY_ALPHA ? 2 :
								     1;

	return (width * channels * (size_t)depth + 7) / 8;
}

void test_write_png(const char *path, size_t height, size_t width, int depth, int color,
		    int interlaced, const void *pixels)
{
	FILE *f = fopen(path, "wb");
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png ? png_create_info_struct(png) : NULL;
	const png_color palette[2] = { { 0, 0, 0 }, { 255, 0, 0 } };
	unsigned char *copy = malloc(height * png_row(width, depth, color) + 1);
	png_bytep *rows = malloc((height + 1) * sizeof *rows);

	if (!f || !info || !copy || !rows || setjmp(png_jmpbuf(png))) {
		fail_msg("cannot write %s", path);
		return;
	}
	memcpy(copy, pixels, height * png_row(width, depth, color));
	for (size_t y = 0; y < height; y++)
		rows[y] = copy + y * png_row(width, depth, color);
	png_init_io(png, f);
	png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, depth, color,
		     interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (color == PNG_COLOR_TYPE_PALETTE)
		png_set_PLTE(png, info, palette, 2);
	png_write_info(png, info);
	if (depth == 16)
		png_set_swap(png);
	png_write_image(png, rows);
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
	fclose(f);
	free(rows);
	free(copy);
}

static void tiff_pixels(TIFF *t, size_t height, size_t row, size_t bytes, size_t tile,
			const unsigned char *from)
{
	unsigned char *buffer = calloc(tile ? tile * tile * bytes : row, 1);

	if (!buffer) {
		fail_msg("no memory");
		return;
	}
	for (size_t y = 0; y < height && !tile; y++) {
		memcpy(buffer, from + y * row, row);
		TIFFWriteScanline(t, buffer, (uint32_t)y, 0);
	}
	for (size_t y = 0; tile && y < height; y += tile)
		for (size_t x = 0; x < row; x += tile * bytes) {
			const size_t len = row - x < tile * bytes ? row - x : tile * bytes;

			for (size_t i = 0; i < tile && y + i < height; i++)
				memcpy(buffer + i * tile * bytes, from + (y + i) * row + x, len);
			TIFFWriteTile(t, buffer, (uint32_t)(x / bytes), (uint32_t)y, 0, 0);
		}
	free(buffer);
}

void test_write_tiff(const char *path, size_t pages, size_t height, size_t width, int bits,
		     int format, size_t tile, const void *pixels)
{
	TIFF *t = TIFFOpen(path, "w");
	const size_t row = (width * (size_t)bits + 7) / 8;

	if (!t) {
		fail_msg("cannot write %s", path);
		return;
	}
	for (size_t p = 0; p < pages; p++) {
		TIFFSetField(t, TIFFTAG_IMAGEWIDTH, (uint32_t)width);
		TIFFSetField(t, TIFFTAG_IMAGELENGTH, (uint32_t)height);
		TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, bits);
		TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1);
		TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, format);
		TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
		TIFFSetField(t, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
		if (tile) {
			TIFFSetField(t, TIFFTAG_TILEWIDTH, (uint32_t)tile);
			TIFFSetField(t, TIFFTAG_TILELENGTH, (uint32_t)tile);
		} else {
			TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, (uint32_t)3);
		}
		tiff_pixels(t, height, row, (size_t)bits / 8, tile,
			    (const unsigned char *)pixels + p * height * row);
		TIFFWriteDirectory(t);
	}
	TIFFClose(t);
}

void test_write_file(const char *path, const void *data, size_t size)
{
	FILE *f;

	remove(path); /* some file systems flush a file that is truncated and written again */
	f = fopen(path, "wb");
	if (!f || fwrite(data, 1, size, f) != size)
		fail_msg("cannot write %s", path);
	if (f)
		fclose(f);
}

void test_same_files(const char *a, const char *b)
{
	void *one, *two;
	size_t size, other;

	assert_int_equal(fx_file_read(a, 1 << 24, &one, &size, NULL), FX_OK);
	assert_int_equal(fx_file_read(b, 1 << 24, &two, &other, NULL), FX_OK);
	assert_int_equal(size, other);
	assert_memory_equal(one, two, size);
	free(one);
	free(two);
}

const char *test_path(const char *folder, const char *name)
{
	static char places[64][512];
	static unsigned next;
	char *place = places[next++ % 64];

	snprintf(place, sizeof places[0], "%s/%s", folder, name);
	return place;
}
