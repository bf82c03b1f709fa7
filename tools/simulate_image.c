// SPDX-License-Identifier: Apache-2.0
/* simulate_image.c: images as files in memory: PNG through libpng, plain TIFF by hand. */
#include "simulate.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct sink {
	uint8_t *data; /* owned until it is given out */
	size_t len, cap;
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
	(void)text;
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

/* All that may jump back to the caller's setjmp(). */
static void encode(png_structp png, png_infop info, const uint8_t *voxels, size_t size, size_t h,
		   size_t w)
{
	png_set_IHDR(png, info, (png_uint_32)w, (png_uint_32)h, (int)size * 8, PNG_COLOR_TYPE_GRAY,
		     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_set_compression_level(png, 1);
	png_set_filter(png, 0, PNG_FILTER_UP);
	png_write_info(png, info);
	if (size == 2)
		png_set_swap(png);
	for (size_t y = 0; y < h; y++)
		png_write_row(png, voxels + y * w * size);
	png_write_end(png, info);
}

static int encode_png(struct sink *s, const void *voxels, size_t size, size_t h, size_t w)
{
	png_structp png =
		png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
	png_infop info = png ? png_create_info_struct(png) : NULL;
	volatile int result = FX_ENOMEM;

	if (info && setjmp(png_jmpbuf(png)) == 0) {
		png_set_user_limits(png, 1 << 28, 1 << 28);
		png_set_write_fn(png, s, sink_write, sink_flush);
		encode(png, info, voxels, size, h, w);
		result = FX_OK;
	}
	png_destroy_write_struct(&png, &info);
	return result;
}

static uint8_t *put(uint8_t *to, uint32_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		*to++ = (uint8_t)(v >> 8 * i);
	return to;
}

static uint8_t *entry(uint8_t *to, uint32_t tag, uint32_t type, uint32_t value)
{
	return put(put(put(put(to, tag, 2), type, 2), 1, 4), value, 4);
}

/* Header, directory, one strip of samples as they are, all little-endian. */
static int encode_tif(struct sink *s, const void *voxels, size_t size, size_t h, size_t w)
{
	enum { SHORT = 3, LONG = 4, ENTRIES = 9, STRIP = 8 + 2 + ENTRIES * 12 + 4 };
	const size_t bytes = h * w * size; /* of voxels that are in memory, below 2^30 */
	const uint8_t *const from = voxels;
	uint8_t *to;

	s->data = malloc(STRIP + bytes);
	if (!s->data)
		return FX_ENOMEM;
	s->len = STRIP + bytes;
	to = put(put(put(s->data, 0x4949, 2), 42, 2), 8, 4);
	to = put(to, ENTRIES, 2);
	to = entry(to, 256, LONG, (uint32_t)w);
	to = entry(to, 257, LONG, (uint32_t)h);
	to = entry(to, 258, SHORT, (uint32_t)size * 8); /* bits of a sample */
	to = entry(to, 259, SHORT, 1);			/* not compressed */
	to = entry(to, 262, SHORT, 1);			/* black is zero */
	to = entry(to, 273, LONG, STRIP);		/* where the strip is */
	to = entry(to, 277, SHORT, 1);			/* samples of a pixel */
	to = entry(to, 278, LONG, (uint32_t)h);		/* rows of the strip */
	to = entry(to, 279, LONG, (uint32_t)bytes);
	to = put(to, 0, 4);
	memcpy(to, from, bytes);
	return FX_OK;
}

int sim_image_encode(const void *voxels, enum fx_dtype dtype, size_t h, size_t w, bool tif,
		     void **out, size_t *size, struct fx_error *err)
{
	struct sink s = { 0 };
	const size_t bytes = fx_dtype_size(dtype);
	const int result =
		tif ? encode_tif(&s, voxels, bytes, h, w) : encode_png(&s, voxels, bytes, h, w);

	if (result != FX_OK) {
		free(s.data);
		return fx_error_set(err, FX_ENOMEM, "no memory to encode an image");
	}
	*out = s.data;
	*size = s.len;
	return FX_OK;
}
