// SPDX-License-Identifier: Apache-2.0
/* pngread.h: reads a grey PNG file row by row through libpng. */
#ifndef FX_FORMATS_PNGREAD_H
#define FX_FORMATS_PNGREAD_H

#include <stddef.h>

#include <fornix/block.h>
#include <fornix/error.h>

/** One open PNG file. */
struct fx_pngread;

/** Opens @p path, which must be a grey PNG of 1, 2, 4, 8 or 16 bit without alpha, at most 2^20
 * pixels on a side and 2^34 in all; an interlaced one at most 256 MiB, as it is decoded whole. The
 * reader is the caller's, fx_pngread_close(). Errors name the path. */
int fx_pngread_open(const char *path, struct fx_pngread **out, struct fx_error *err);
/** Rows, columns, and FX_U8 (1, 2 and 4 bit are stretched to 0..255) or FX_U16. */
void fx_pngread_shape(const struct fx_pngread *r, size_t *height, size_t *width,
		      enum fx_dtype *dtype);
/** Reads the next @p rows rows (the caller keeps count) into @p dst, native byte order. After the
 * last row the end of the file is checked too. After an error only close() is allowed. */
int fx_pngread_rows(struct fx_pngread *r, size_t rows, void *dst, struct fx_error *err);
/** Takes NULL. */
void fx_pngread_close(struct fx_pngread *r);

#endif
