// SPDX-License-Identifier: Apache-2.0
/* pngwrite.h: writes PNG pictures. */
#ifndef FX_FORMATS_PNGWRITE_H
#define FX_FORMATS_PNGWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

/** A picture to be encoded. */
struct fx_png_picture {
	const void
		*pixels; /**< borrowed; h rows of w pixels, dense; 16-bit samples in native order */
	size_t h, w;	 /**< 1 to 2^20 */
	unsigned channels; /**< 1 grey, 3 red green blue */
	unsigned bits;	   /**< 8 or 16 of a sample */
	bool fast;	   /**< little compression, as for sections in number */
};

/** As PNG in memory: *data (free()), *size bytes. The same pixels give the same bytes. FX_ENOMEM,
 * also for a size that libpng refuses, with its words. */
int fx_png_encode(const struct fx_png_picture *p, void **data, size_t *size, struct fx_error *err);
/** Writes @p h rows of @p w pixels of @p channels bytes (1 grey, 3 red green blue), dense, as a PNG
 * file: under a temporary name in the same folder, then renamed, so that @p path is whole or not
 * there. The same pixels give the same bytes. FX_EINVAL for a size of 0 or beyond 2^20 or other
 * channels, FX_ENOMEM, FX_EIO. */
int fx_png_write(const char *path, const uint8_t *pixels, size_t h, size_t w, unsigned channels,
		 struct fx_error *err);

#endif
