// SPDX-License-Identifier: Apache-2.0
/* image.c: one grey image file, PNG or TIFF, read in bands of rows. */
#include "formats/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "formats/pngread.h"
#include "formats/tiffread.h"

int fx_image_check(const char *path, size_t height, size_t width, struct fx_error *err)
{
	const uint64_t pixels_max = UINT64_C(1) << 34;

	if (!height || !width || height > FX_IMAGE_SIDE_MAX || width > FX_IMAGE_SIDE_MAX ||
	    (uint64_t)height * width > pixels_max)
		return fx_error_set(err, FX_EINVAL,
				    "%s: %zu x %zu pixels; accepted are 1 to 2^20 on a side and "
				    "2^34 in all",
				    path, height, width);
	return FX_OK;
}

/* The first 4 bytes, zeros where the file is shorter. */
static int image_magic(const char *path, unsigned char magic[4], struct fx_error *err)
{
	struct stat st;
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int result = FX_OK;

	if (fd < 0)
		return fx_error_set(err, errno == ENOENT ? FX_ENOENT : FX_EIO,
				    "%s: cannot open: %s", path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		result = fx_error_set(err, FX_EIO, "%s: not a regular file", path);
	else if (st.st_size == 0)
		result = fx_error_set(err, FX_EINVAL, "%s: the file is empty", path);
	else if (fx_pread_all(fd, magic, st.st_size < 4 ? (size_t)st.st_size : 4, 0) != 0)
		result = fx_error_set(err, FX_EIO, "%s: cannot read", path);
	close(fd);
	return result;
}

static int image_start(const char *path, struct fx_image *im, struct fx_error *err)
{
	unsigned char magic[4] = { 0 };
	int result = image_magic(path, magic, err);

	if (result < 0)
		return result;
	if (memcmp(magic, "\x89PNG", 4) == 0) {
		result = fx_pngread_open(path, &im->png, err);
		if (result == FX_OK)
			fx_pngread_shape(im->png, &im->height, &im->width, &im->dtype);
		return result;
	}
	if (memcmp(magic, "II", 2) != 0 && memcmp(magic, "MM", 2) != 0)
		return fx_error_set(err, FX_ETYPE, "%s: neither PNG nor TIFF", path);
	result = fx_tiffread_open(path, &im->tiff, err);
	if (result < 0)
		return result;
	fx_tiffread_shape(im->tiff, &im->height, &im->width, &im->dtype);
	if (im->dtype != FX_U8 && im->dtype != FX_U16)
		return fx_error_set(err, FX_ETYPE,
				    "%s: has %s pixels; fornix reads images of 8 or "
				    "16 bit: convert it",
				    path, fx_dtype_name(im->dtype));
	return FX_OK;
}

int fx_image_open(const char *path, struct fx_image *im, struct fx_error *err)
{
	int result;

	memset(im, 0, sizeof *im);
	result = image_start(path, im, err);
	if (result < 0)
		fx_image_close(im);
	return result;
}

int fx_image_read(struct fx_image *im, size_t rows, void *dst, struct fx_error *err)
{
	int result;

	if (rows > im->height - im->row)
		return fx_error_set(err, FX_EINVAL, "%zu rows wanted, %zu left", rows,
				    im->height - im->row);
	result = im->png ? fx_pngread_rows(im->png, rows, dst, err) :
			   fx_tiffread_rows(im->tiff, rows, dst, err);
	if (result == FX_OK)
		im->row += rows;
	return result;
}

int fx_image_read_all(struct fx_image *im, void *dst, struct fx_error *err)
{
	const size_t row_size = im->width * fx_dtype_size(im->dtype);
	const size_t rows_max = (4u << 20) / row_size + 1;
	void *band;
	int result = FX_OK;

	if (dst)
		return fx_image_read(im, im->height - im->row, dst, err);
	band = malloc(rows_max * row_size);
	if (!band)
		return fx_error_set(err, FX_ENOMEM, "no memory for a band of an image");
	while (result == FX_OK && im->row < im->height) {
		const size_t left = im->height - im->row;

		result = fx_image_read(im, left < rows_max ? left : rows_max, band, err);
	}
	free(band);
	return result;
}

int fx_image_load(const char *path, size_t height, size_t width, enum fx_dtype dtype, void **pixels,
		  struct fx_image *im, struct fx_error *err)
{
	const size_t size = height * width * fx_dtype_size(dtype);
	int result = fx_image_open(path, im, err);

	if (result < 0)
		return result;
	if (im->height != height || im->width != width || im->dtype != dtype)
		return fx_error_set(err, FX_ETYPE,
				    "%s: is %zu x %zu %s, the first section %zu x %zu %s", path,
				    im->height, im->width, fx_dtype_name(im->dtype), height, width,
				    fx_dtype_name(dtype));
	if (!*pixels && size <= FX_IMAGE_WHOLE_MAX && !(*pixels = malloc(size)))
		return fx_error_set(err, FX_ENOMEM, "no memory for a section of %zu bytes", size);
	result = fx_image_read_all(im, *pixels, err);
	if (result < 0 || *pixels)
		return result;
	fx_image_close(im);
	return fx_image_open(path, im, err);
}

void fx_image_close(struct fx_image *im)
{
	fx_pngread_close(im->png);
	fx_tiffread_close(im->tiff);
	memset(im, 0, sizeof *im);
}

const char *fx_image_reason(const char *folder, const char *text)
{
	const size_t len = strlen(folder);

	if (strncmp(text, folder, len) != 0)
		return text;
	return text[len] == '/' ? text + len + 1 : text + len;
}
