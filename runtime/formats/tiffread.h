// SPDX-License-Identifier: Apache-2.0
/* tiffread.h: reads grey TIFF pages row by row through libtiff. */
#ifndef FX_FORMATS_TIFFREAD_H
#define FX_FORMATS_TIFFREAD_H

#include <stddef.h>

#include <fornix/block.h>
#include <fornix/error.h>

/** One open TIFF file, at one page of it. */
struct fx_tiffread;

/** Opens @p path at page 0 (see fx_tiffread_page()). The reader is the caller's,
 * fx_tiffread_close(). Errors name the path; libtiff prints nothing. */
int fx_tiffread_open(const char *path, struct fx_tiffread **out, struct fx_error *err);
/** Number of pages, at least 1. Walks the file. */
size_t fx_tiffread_pages(struct fx_tiffread *r);
/** Goes to row 0 of @p page. It must be grey: 1 sample of 1, 2, 4, 8, 16, 32 or 64 bit unsigned,
 * or float of 16, 32 or 64 bit; at most 2^20 pixels on a side and 2^34 in all. */
int fx_tiffread_page(struct fx_tiffread *r, size_t page, struct fx_error *err);
/** Rows, columns and dtype of the page: FX_U8 (1, 2 and 4 bit are stretched to 0..255), FX_U16,
 * FX_U32, FX_U64 or FX_F32. */
void fx_tiffread_shape(const struct fx_tiffread *r, size_t *height, size_t *width,
		       enum fx_dtype *dtype);
/** Reads the next @p rows rows (the caller keeps count) into @p dst, native byte order; "white is
 * zero" pages of integers are inverted. NULL @p dst skips them. After an error only page() and
 * close() are allowed. */
int fx_tiffread_rows(struct fx_tiffread *r, size_t rows, void *dst, struct fx_error *err);
/** The ImageDescription of the page, or NULL; valid as long as the page. *resolution: pixels of a
 * unit along y and x, 0 where the file does not tell. */
const char *fx_tiffread_description(const struct fx_tiffread *r, double resolution[2]);
/** A pixel that was read is not exactly that of the file, which has float64. */
bool fx_tiffread_rounded(const struct fx_tiffread *r);
/** Takes NULL. */
void fx_tiffread_close(struct fx_tiffread *r);

#endif
