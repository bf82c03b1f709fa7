// SPDX-License-Identifier: Apache-2.0
/* image.h: one grey image file, PNG or TIFF, read in bands of rows. */
#ifndef FX_FORMATS_IMAGE_H
#define FX_FORMATS_IMAGE_H

#include <stddef.h>

#include <fornix/block.h>
#include <fornix/error.h>

enum {
	FX_IMAGE_SIDE_MAX = 1 << 20,   /**< pixels on a side */
	FX_IMAGE_WHOLE_MAX = 256 << 20 /**< bytes that may be decoded as a whole */
};

struct fx_pngread;
struct fx_tiffread;

/** One open image file. Zero-initialise; fx_image_close() when done. */
struct fx_image {
	size_t height, width;	  /**< pixels */
	enum fx_dtype dtype;	  /**< FX_U8 or FX_U16 */
	size_t row;		  /**< rows read so far */
	struct fx_pngread *png;	  /**< private */
	struct fx_tiffread *tiff; /**< private; page 0 */
};

/** Opens an image, told by its contents: grey PNG of 1 to 16 bit, or page 0 of a grey TIFF of 1 to
 * 16 bit. Colour, alpha and other samples are FX_ETYPE; broken headers FX_EINVAL; a missing
 * file FX_ENOENT. Errors name the path. @p im is closed when it fails. */
int fx_image_open(const char *path, struct fx_image *im, struct fx_error *err);
/** Reads the next @p rows rows (no more than are left) into @p dst: rows x width pixels, native
 * byte order. Fails on broken or truncated data; then only close() is allowed. */
int fx_image_read(struct fx_image *im, size_t rows, void *dst, struct fx_error *err);
/** Reads all rows that are left into @p dst, or, when it is NULL, decodes them only to see that the
 * file is complete. */
int fx_image_read_all(struct fx_image *im, void *dst, struct fx_error *err);
/** Opens an image that must have the given shape and dtype, and decodes it: into *pixels, allocated
 * when NULL (free()), when it is at most 256 MiB; else only to see that it is complete, and *im
 * then stands at its first row again. fx_image_close() @p im also after a failure. */
int fx_image_load(const char *path, size_t height, size_t width, enum fx_dtype dtype, void **pixels,
		  struct fx_image *im, struct fx_error *err);
/** Takes a zeroed one too. */
void fx_image_close(struct fx_image *im);
/** The text of an error without the folder, which would fill the reason of a mark. */
const char *fx_image_reason(const char *folder, const char *text);
/** Refuses a size without pixels or over the limits: 2^20 on a side, 2^34 pixels. */
int fx_image_check(const char *path, size_t height, size_t width, struct fx_error *err);

#endif
