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
static void encode(png_structp png, png_infop info, const struct fx_png_picture *p)
{
	const int colour = p->channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB;
	const uint8_t *const pixels = p->pixels;

	png_set_IHDR(png, info, (png_uint_32)p->w, (png_uint_32)p->h, (int)p->bits, colour,
		     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (p->fast) {
		png_set_compression_level(png, 1);
		png_set_filter(png, 0, PNG_FILTER_UP);
	}
	png_write_info(png, info);
	if (p->bits == 16)
		png_set_swap(png);
	for (size_t y = 0; y < p->h; y++)
		png_write_row(png, pixels + y * p->w * p->channels * p->bits / 8);
	png_write_end(png, info);
}

int fx_png_encode(const struct fx_png_picture *p, void **data, size_t *size, struct fx_error *err)
{
	struct sink s = { 0 };
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
	png_infop info = png ? png_create_info_struct(png) : NULL;
	volatile int code = FX_ENOMEM;

	if (info && setjmp(png_jmpbuf(png)) == 0) {
		png_set_user_limits(png, SIDE_MAX, SIDE_MAX);
		png_set_write_fn(png, &s, sink_write, sink_flush);
		encode(png, info, p);
		code = FX_OK;
	}
	png_destroy_write_struct(&png, &info);
	if (code < 0) {
		free(s.data);
		return fx_error_set(err, code, "cannot encode the picture: %s",
				    s.text[0] ? s.text : "no memory");
	}
	*data = s.data;
	*size = s.len;
	return FX_OK;
}

int fx_png_write(const char *path, const uint8_t *pixels, size_t h, size_t w, unsigned channels,
		 struct fx_error *err)
{
	const struct fx_png_picture p = { pixels, h, w, channels, 8, false };
	void *data;
	size_t size;
	int code;

	if (h == 0 || w == 0 || h > SIDE_MAX || w > SIDE_MAX)
		return fx_error_set(
			err, FX_EINVAL,
			"%s: a picture of %zu x %zu pixels, but 1 to %d a side is possible", path,
			h, w, SIDE_MAX);
	if (channels != 1 && channels != 3)
		return fx_error_set(err, FX_EINVAL, "%s: %u channels, but 1 or 3 are possible",
				    path, channels);
	code = fx_png_encode(&p, &data, &size, err);
	if (code < 0)
		return fx_error_prefix(err, "%s", path);
	code = fx_file_write(path, data, size, err);
	free(data);
	return code;
}
