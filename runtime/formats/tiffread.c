// SPDX-License-Identifier: Apache-2.0
/* tiffread.c: reads grey TIFF pages row by row through libtiff. */
#include "formats/tiffread.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "base/alloc.h"
#include "formats/image.h"
#include "formats/real.h"

enum { ALLOC_MAX = 1 << 30 }; /* bytes that libtiff may allocate at once, and a row of tiles */

struct fx_tiffread {
	TIFF *tiff;
	char *path;	/* owned */
	char text[160]; /* libtiff's first message since it was cleared */
	size_t page, height, width, row;
	unsigned bits;
	enum fx_dtype dtype;
	enum fx_real real; /* what the file has, when that is not dtype */
	bool invert, tiled;
	bool rounded;			/* a pixel of what was read */
	size_t file_row;		/* bytes of a row as libtiff gives it */
	size_t tile_height, tile_width; /* of a tiled page */
	unsigned char *rows;		/* owned; one row, or one row of tiles, as in the file */
	unsigned char *tile;		/* owned; one tile */
	size_t rows_cap, tile_cap;
};

static int tiffread_message(TIFF *tiff, void *user, const char *module, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));

static int tiffread_message(TIFF *tiff, void *user, const char *module, const char *fmt, va_list ap)
{
	struct fx_tiffread *r = user;

	(void)tiff;
	(void)module;
	if (!r->text[0])
		vsnprintf(r->text, sizeof r->text, fmt, ap);
	return 1;
}

static int tiffread_ignore(TIFF *tiff, void *user, const char *module, const char *fmt, va_list ap)
{
	(void)tiff;
	(void)user;
	(void)module;
	(void)fmt;
	(void)ap;
	return 1;
}

static int tiffread_broken(const struct fx_tiffread *r, struct fx_error *err)
{
	return fx_error_set(err, FX_EINVAL, "%s: broken TIFF, page %zu, row %zu: %s", r->path,
			    r->page, r->row, r->text[0] ? r->text : "cannot be decoded");
}

static enum fx_dtype tiffread_dtype(unsigned bits, unsigned format)
{
	if (format == SAMPLEFORMAT_IEEEFP)
		return bits == 16 || bits == 32 || bits == 64 ? FX_F32 : 0;
	if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID)
		return 0;
	switch (bits) {
	case 1:
	case 2:
	case 4:
	case 8:
		return FX_U8;
	case 16:
		return FX_U16;
	case 32:
		return FX_U32;
	case 64:
		return FX_U64;
	default:
		return 0;
	}
}

static int tiffread_color(const struct fx_tiffread *r, unsigned photometric, unsigned samples,
			  struct fx_error *err)
{
	const char *const is = photometric == PHOTOMETRIC_PALETTE ? "palette colours" :
			       photometric == PHOTOMETRIC_RGB	  ? "RGB" :
			       samples > 1			  ? "of several channels" :
								    "not grey";

	if (samples == 1 &&
	    (photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE))
		return FX_OK;
	return fx_error_set(err, FX_ETYPE,
			    "%s: page %zu is %s; fornix reads grey images: convert "
			    "it",
			    r->path, r->page, is);
}

static int tiffread_tags(struct fx_tiffread *r, struct fx_error *err)
{
	uint32_t width = 0, height = 0;
	uint16_t bits = 1, samples = 1, format = SAMPLEFORMAT_UINT,
		 photometric = PHOTOMETRIC_MINISBLACK;
	int result;

	TIFFGetField(r->tiff, TIFFTAG_IMAGEWIDTH, &width);
	TIFFGetField(r->tiff, TIFFTAG_IMAGELENGTH, &height);
	TIFFGetFieldDefaulted(r->tiff, TIFFTAG_BITSPERSAMPLE, &bits);
	TIFFGetFieldDefaulted(r->tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
	TIFFGetFieldDefaulted(r->tiff, TIFFTAG_SAMPLEFORMAT, &format);
	TIFFGetField(r->tiff, TIFFTAG_PHOTOMETRIC, &photometric);
	r->height = height;
	r->width = width;
	r->bits = bits;
	r->dtype = tiffread_dtype(bits, format);
	r->real = r->dtype != FX_F32 || bits == 32 ? FX_REAL_NOT :
		  bits == 64			   ? FX_REAL_F64 :
						     FX_REAL_F16;
	result = tiffread_color(r, photometric, samples, err);
	if (result == FX_OK && !r->dtype)
		return fx_error_set(err, FX_ETYPE,
				    "%s: page %zu has %u-bit samples of format %u; "
				    "fornix reads unsigned integers and floats of 16 to 64 bit",
				    r->path, r->page, bits, format);
	r->invert = photometric == PHOTOMETRIC_MINISWHITE && r->dtype != FX_F32;
	return result == FX_OK ? fx_image_check(r->path, r->height, r->width, err) : result;
}

/* Bytes that one of the file may decode to. Some compressions have no limit: there it is more than
 * what images of tissue reach. */
static size_t most_of_a_byte(uint16_t compression)
{
	switch (compression) {
	case COMPRESSION_NONE:
		return 1;
	case COMPRESSION_PACKBITS:
		return 64;
	case COMPRESSION_DEFLATE:
	case COMPRESSION_ADOBE_DEFLATE:
		return 1032;
	case COMPRESSION_LZW:
		return 4096;
	default:
		return 1 << 16;
	}
}

/* Refuses to take memory for what cannot be in the file. */
static int tiffread_could_hold(const struct fx_tiffread *r, size_t size, struct fx_error *err)
{
	const uint64_t file = TIFFGetSizeProc(r->tiff)(TIFFClientdata(r->tiff));
	uint16_t compression = COMPRESSION_NONE;

	TIFFGetFieldDefaulted(r->tiff, TIFFTAG_COMPRESSION, &compression);
	if (size / most_of_a_byte(compression) <= file)
		return FX_OK;
	return fx_error_set(err, FX_EINVAL,
			    "%s: page %zu has tiles or rows of %zu bytes, which cannot lie in so "
			    "short a file",
			    r->path, r->page, size);
}

/* Sizes of the buffers that the page needs; refuses tags that disagree with each other. */
static int tiffread_layout(struct fx_tiffread *r, struct fx_error *err)
{
	uint32_t tile_width = 0, tile_height = 0;
	tmsize_t tile = 0;
	size_t rows = (r->width * r->bits + 7) / 8;

	r->file_row = rows;
	r->tiled = TIFFIsTiled(r->tiff) != 0;
	if (r->tiled) {
		TIFFGetField(r->tiff, TIFFTAG_TILEWIDTH, &tile_width);
		TIFFGetField(r->tiff, TIFFTAG_TILELENGTH, &tile_height);
		tile = TIFFTileSize(r->tiff);
		if (!tile_width || !tile_height || r->bits < 8 || tile_width > FX_IMAGE_SIDE_MAX ||
		    tile <= 0 || tile > ALLOC_MAX || !fx_mul_size(rows, tile_height, &rows) ||
		    rows > ALLOC_MAX ||
		    (size_t)tile != (size_t)tile_width * tile_height * (r->bits / 8))
			return fx_error_set(err, FX_EINVAL,
					    "%s: page %zu has tiles of %u x %u "
					    "that cannot be read",
					    r->path, r->page, tile_width, tile_height);
	} else if (TIFFScanlineSize(r->tiff) != (tmsize_t)rows) {
		return fx_error_set(err, FX_EINVAL, "%s: page %zu has rows of unexpected size",
				    r->path, r->page);
	}
	r->tile_width = tile_width;
	r->tile_height = tile_height;
	if (tiffread_could_hold(r, rows > (size_t)tile ? rows : (size_t)tile, err) < 0)
		return FX_EINVAL;
	if (!fx_grow(&r->rows, &r->rows_cap, rows, 1) ||
	    !fx_grow(&r->tile, &r->tile_cap, (size_t)tile, 1))
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", r->path);
	return FX_OK;
}

int fx_tiffread_page(struct fx_tiffread *r, size_t page, struct fx_error *err)
{
	int result, ok;

	r->text[0] = 0;
	if (page == r->page + 1)
		ok = TIFFReadDirectory(r->tiff);
	else
		ok = page < UINT32_MAX && TIFFSetDirectory(r->tiff, (uint32_t)page);
	r->page = page;
	r->row = 0;
	if (!ok)
		return tiffread_broken(r, err);
	result = tiffread_tags(r, err);
	return result == FX_OK ? tiffread_layout(r, err) : result;
}

int fx_tiffread_open(const char *path, struct fx_tiffread **out, struct fx_error *err)
{
	struct fx_tiffread *r = calloc(1, sizeof *r);
	TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
	int result = FX_ENOMEM;

	if (!r || !options || !(r->path = fx_strdup(path))) {
		fx_error_set(err, FX_ENOMEM, "%s: no memory", path);
		goto done;
	}
	TIFFOpenOptionsSetMaxSingleMemAlloc(options, ALLOC_MAX);
	TIFFOpenOptionsSetErrorHandlerExtR(options, tiffread_message, r);
	TIFFOpenOptionsSetWarningHandlerExtR(options, tiffread_ignore, r);
	r->tiff = TIFFOpenExt(path, "rm", options);
	if (!r->tiff)
		result = fx_error_set(err, FX_EINVAL, "%s: cannot open as TIFF: %s", path,
				      r->text[0] ? r->text : "broken header");
	else
		result = fx_tiffread_page(r, 0, err);
done:
	TIFFOpenOptionsFree(options);
	if (result == FX_OK)
		*out = r;
	else
		fx_tiffread_close(r);
	return result;
}

size_t fx_tiffread_pages(struct fx_tiffread *r)
{
	const size_t pages = TIFFNumberOfDirectories(r->tiff);

	return pages ? pages : 1;
}

void fx_tiffread_shape(const struct fx_tiffread *r, size_t *height, size_t *width,
		       enum fx_dtype *dtype)
{
	*height = r->height;
	*width = r->width;
	*dtype = r->dtype;
}

/* One row of tiles, the first of which begins at row `top`. */
static int tiffread_tiles(struct fx_tiffread *r, size_t top, struct fx_error *err)
{
	const size_t bytes = r->bits / 8, tile_row = r->tile_width * bytes;
	const size_t rows = r->height - top < r->tile_height ? r->height - top : r->tile_height;

	for (size_t x = 0; x < r->width; x += r->tile_width) {
		const size_t left = r->width - x;
		const size_t len = (left < r->tile_width ? left : r->tile_width) * bytes;

		r->text[0] = 0;
		if (TIFFReadTile(r->tiff, r->tile, (uint32_t)x, (uint32_t)top, 0, 0) < 0)
			return tiffread_broken(r, err);
		for (size_t y = 0; y < rows; y++)
			memcpy(r->rows + y * r->file_row + x * bytes, r->tile + y * tile_row, len);
	}
	return FX_OK;
}

/* Puts the next row, as it is in the file, where *from tells. */
static int tiffread_row(struct fx_tiffread *r, const unsigned char **from, struct fx_error *err)
{
	const size_t within = r->tiled ? r->row % r->tile_height : 0;

	*from = r->rows + within * r->file_row;
	if (r->tiled)
		return within ? FX_OK : tiffread_tiles(r, r->row, err);
	r->text[0] = 0;
	if (TIFFReadScanline(r->tiff, r->rows, (uint32_t)r->row, 0) < 0)
		return tiffread_broken(r, err);
	return FX_OK;
}

static void tiffread_convert(struct fx_tiffread *r, unsigned char *dst, const unsigned char *from)
{
	const unsigned top = r->bits < 8 ? (1u << r->bits) - 1 : 0;
	const size_t size = r->width * fx_dtype_size(r->dtype);

	if (r->real)
		r->rounded |= fx_real_read(r->real, from, r->width, 1, false, (float *)(void *)dst);
	else if (!top)
		memcpy(dst, from, size);
	for (size_t x = 0; top && x < r->width; x++) {
		const size_t bit = x * r->bits;
		const unsigned v = from[bit / 8] >> (8 - r->bits - bit % 8) & top;

		dst[x] = (unsigned char)(v * (255 / top));
	}
	for (size_t i = 0; r->invert && i < size; i++)
		dst[i] = (unsigned char)~dst[i];
}

int fx_tiffread_rows(struct fx_tiffread *r, size_t rows, void *dst, struct fx_error *err)
{
	unsigned char *to = dst;
	const size_t row_size = r->width * fx_dtype_size(r->dtype);

	for (; rows; rows--, r->row++) {
		const unsigned char *from;
		const int result = tiffread_row(r, &from, err);

		if (result < 0)
			return result;
		if (to) {
			tiffread_convert(r, to, from);
			to += row_size;
		}
	}
	return FX_OK;
}

const char *fx_tiffread_description(const struct fx_tiffread *r, double resolution[2])
{
	static const uint32_t tags[2] = { TIFFTAG_YRESOLUTION, TIFFTAG_XRESOLUTION };
	const char *text = NULL;

	for (int a = 0; a < 2; a++) {
		float v = 0;

		TIFFGetField(r->tiff, tags[a], &v);
		resolution[a] = (double)v;
	}
	TIFFGetField(r->tiff, TIFFTAG_IMAGEDESCRIPTION, &text);
	return text;
}

bool fx_tiffread_rounded(const struct fx_tiffread *r)
{
	return r->rounded;
}

void fx_tiffread_close(struct fx_tiffread *r)
{
	if (!r)
		return;
	if (r->tiff)
		TIFFClose(r->tiff);
	free(r->rows);
	free(r->tile);
	free(r->path);
	free(r);
}
