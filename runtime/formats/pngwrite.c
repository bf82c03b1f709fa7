// SPDX-License-Identifier: Apache-2.0
/* pngwrite.c: PNG pictures through libpng, to memory and from there to a file. */
#include "formats/pngwrite.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

enum { SIDE_MAX = 1 << 20 };

struct sink {
	uint8_t *data; /* owned */
	size_t len, cap;
	char text[256]; /* libpng's words when it fails */
};

static void sink_write(png_structp png, png_bytep data, png_size_t size)
{
	struct sink *s = png_get_io_ptr(png);

	if (!fx_grow(&s->data, &s->cap, s->len + size, 1))
		png_error(png, "no memory");
	memcpy(s->data + s->len, data, size);
	s->len += size;
}

static void sink_flush(png_structp png)
{
	(void)png;
}

static void on_error(png_structp png, png_const_charp text)
{
	struct sink *s = png_get_error_ptr(png);

	snprintf(s->text, sizeof s->text, "%s", text);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

/* All that may jump back to the caller's setjmp(). */
static void encode(png_structp png, png_infop info, const uint8_t *pixels, size_t h, size_t w,
		   unsigned channels)
{
	const int colour = channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB;

	png_set_IHDR(png, info, (png_uint_32)w, (png_uint_32)h, 8, colour, PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (size_t y = 0; y < h; y++)
		png_write_row(png, pixels + y * w * channels);
	png_write_end(png, info);
}

static int encode_all(struct sink *s, const uint8_t *pixels, size_t h, size_t w, unsigned channels)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, s, on_error, on_warning);
	png_infop info = png ? png_create_info_struct(png) : NULL;
	volatile int code = FX_ENOMEM;

	if (info && setjmp(png_jmpbuf(png)) == 0) {
		png_set_user_limits(png, SIDE_MAX, SIDE_MAX);
		png_set_write_fn(png, s, sink_write, sink_flush);
		encode(png, info, pixels, h, w, channels);
		code = FX_OK;
	}
	png_destroy_write_struct(&png, &info);
	return code;
}

int fx_png_write(const char *path, const uint8_t *pixels, size_t h, size_t w, unsigned channels,
		 struct fx_error *err)
{
	struct sink s = { 0 };
	int code;

	if (h == 0 || w == 0 || h > SIDE_MAX || w > SIDE_MAX)
		return fx_error_set(
			err, FX_EINVAL,
			"%s: a picture of %zu x %zu pixels, but 1 to %d a side is possible", path,
			h, w, SIDE_MAX);
	if (channels != 1 && channels != 3)
		return fx_error_set(err, FX_EINVAL, "%s: %u channels, but 1 or 3 are possible",
				    path, channels);
	code = encode_all(&s, pixels, h, w, channels);
	if (code < 0)
		fx_error_set(err, code, "%s: cannot encode the picture: %s", path,
			     s.text[0] ? s.text : "no memory");
	else
		code = fx_file_write(path, s.data, s.len, err);
	free(s.data);
	return code;
}
