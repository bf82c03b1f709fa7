// SPDX-License-Identifier: Apache-2.0
/* pngread.c: reads a grey PNG file row by row through libpng. */
#include "formats/pngread.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "formats/image.h"

/* libpng leaves its functions by longjmp() to `jump`: all that must survive lies here, on the
 * heap, and the functions that call setjmp() keep no local variable across it. */
struct fx_pngread {
	jmp_buf jump;
	FILE *file;
	png_structp png;
	png_infop info;
	char *path;	/* owned */
	char text[128]; /* libpng's last message */
	size_t height, width, row_size, row;
	int depth, color;
	png_bytep whole; /* owned; all rows of an interlaced image, NULL otherwise */
};

static void pngread_error(png_structp png, png_const_charp text)
{
	struct fx_pngread *r = png_get_error_ptr(png);

	snprintf(r->text, sizeof r->text, "%s", text);
	longjmp(r->jump, 1);
}

static void pngread_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

static int pngread_broken(const struct fx_pngread *r, struct fx_error *err)
{
	return fx_error_set(err, FX_EINVAL, "%s: broken PNG at row %zu: %s", r->path, r->row,
			    r->text);
}

static int pngread_header(struct fx_pngread *r, struct fx_error *err)
{
	if (setjmp(r->jump))
		return fx_error_set(err, FX_EINVAL, "%s: broken PNG header: %s", r->path, r->text);
	png_init_io(r->png, r->file);
	png_set_user_limits(r->png, FX_IMAGE_SIDE_MAX, FX_IMAGE_SIDE_MAX);
	png_set_chunk_malloc_max(r->png, 8u << 20);
	/* only what pixels need: libpng would take memory for texts as long as they say they are */
	png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	png_set_crc_action(r->png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
	png_set_option(r->png, PNG_IGNORE_ADLER32, PNG_OPTION_ON);
#endif
	png_read_info(r->png, r->info);
	r->height = png_get_image_height(r->png, r->info);
	r->width = png_get_image_width(r->png, r->info);
	r->depth = png_get_bit_depth(r->png, r->info);
	r->color = png_get_color_type(r->png, r->info);
	return FX_OK;
}

static const char *color_name(int color)
{
	switch (color) {
	case PNG_COLOR_TYPE_PALETTE:
		return "palette colours";
	case PNG_COLOR_TYPE_GRAY_ALPHA:
		return "grey with alpha";
	case PNG_COLOR_TYPE_RGB_ALPHA:
		return "RGB with alpha";
	default:
		return "RGB";
	}
}

static int pngread_check(struct fx_pngread *r, struct fx_error *err)
{
	if (r->color != PNG_COLOR_TYPE_GRAY)
		return fx_error_set(err, FX_ETYPE,
				    "%s: is %s; fornix reads grey images: convert it", r->path,
				    color_name(r->color));
	return fx_image_check(r->path, r->height, r->width, err);
}

static int pngread_transforms(struct fx_pngread *r, struct fx_error *err)
{
	if (setjmp(r->jump))
		return pngread_broken(r, err);
	if (r->depth < 8)
		png_set_expand_gray_1_2_4_to_8(r->png);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (r->depth == 16)
		png_set_swap(r->png);
#endif
	(void)png_set_interlace_handling(r->png);
	png_read_update_info(r->png, r->info);
	r->row_size = r->width * (r->depth == 16 ? 2 : 1);
	if (png_get_rowbytes(r->png, r->info) != r->row_size)
		return fx_error_set(err, FX_ETYPE, "%s: rows of unexpected size", r->path);
	return FX_OK;
}

/* What the file may decode to: a byte of deflate stands for at most 1032, and pixels may have one
 * bit. */
static bool pngread_could_hold(const struct fx_pngread *r, size_t size)
{
	struct stat st;

	return fstat(fileno(r->file), &st) == 0 && size / (1032 * 8) <= (size_t)st.st_size;
}

/* Every pass of an interlaced image goes over all rows, so that they must all be at hand. */
static int pngread_interlaced(struct fx_pngread *r, struct fx_error *err)
{
	const size_t size = r->row_size * r->height;

	if (size > FX_IMAGE_WHOLE_MAX)
		return fx_error_set(err, FX_EINVAL,
				    "%s: is interlaced and larger than 256 MiB: save it without",
				    r->path);
	if (!pngread_could_hold(r, size))
		return fx_error_set(err, FX_EINVAL,
				    "%s: broken PNG: %zu x %zu pixels cannot lie in so short a "
				    "file",
				    r->path, r->height, r->width);
	r->whole = malloc(size);
	if (!r->whole)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory for %zu bytes", r->path, size);
	memset(r->whole, 0, size);
	if (setjmp(r->jump))
		return pngread_broken(r, err);
	for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++)
		for (r->row = 0; r->row < r->height; r->row++)
			png_read_row(r->png, r->whole + r->row * r->row_size, NULL);
	r->row = 0;
	return FX_OK;
}

static int pngread_start(struct fx_pngread *r, struct fx_error *err)
{
	int result;

	r->file = fopen(r->path, "rbe");
	if (!r->file)
		return fx_error_set(err, errno == ENOENT ? FX_ENOENT : FX_EIO,
				    "%s: cannot open: %s", r->path, strerror(errno));
	r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, pngread_error, pngread_warning);
	r->info = r->png ? png_create_info_struct(r->png) : NULL;
	if (!r->info)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", r->path);
	result = pngread_header(r, err);
	if (result == FX_OK)
		result = pngread_check(r, err);
	if (result == FX_OK)
		result = pngread_transforms(r, err);
	if (result == FX_OK && png_get_interlace_type(r->png, r->info) != PNG_INTERLACE_NONE)
		result = pngread_interlaced(r, err);
	return result;
}

int fx_pngread_open(const char *path, struct fx_pngread **out, struct fx_error *err)
{
	struct fx_pngread *r = calloc(1, sizeof *r);
	int result;

	if (!r || !(r->path = fx_strdup(path))) {
		free(r);
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", path);
	}
	result = pngread_start(r, err);
	if (result == FX_OK)
		*out = r;
	else
		fx_pngread_close(r);
	return result;
}

void fx_pngread_shape(const struct fx_pngread *r, size_t *height, size_t *width,
		      enum fx_dtype *dtype)
{
	*height = r->height;
	*width = r->width;
	*dtype = r->depth == 16 ? FX_U16 : FX_U8;
}

static int pngread_decode(struct fx_pngread *r, size_t rows, png_bytep dst, struct fx_error *err)
{
	if (setjmp(r->jump))
		return pngread_broken(r, err);
	for (size_t i = 0; i < rows; i++, r->row++)
		png_read_row(r->png, dst + i * r->row_size, NULL);
	if (r->row == r->height)
		png_read_end(r->png, NULL);
	return FX_OK;
}

int fx_pngread_rows(struct fx_pngread *r, size_t rows, void *dst, struct fx_error *err)
{
	if (!r->whole)
		return pngread_decode(r, rows, dst, err);
	memcpy(dst, r->whole + r->row * r->row_size, rows * r->row_size);
	r->row += rows;
	return r->row == r->height ? pngread_decode(r, 0, NULL, err) : FX_OK;
}

void fx_pngread_close(struct fx_pngread *r)
{
	if (!r)
		return;
	if (r->png)
		png_destroy_read_struct(&r->png, &r->info, NULL);
	if (r->file)
		fclose(r->file);
	free(r->whole);
	free(r->path);
	free(r);
}
