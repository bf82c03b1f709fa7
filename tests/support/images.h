// SPDX-License-Identifier: Apache-2.0
/* images.h: writes small image files for tests. */
#ifndef FX_TESTS_IMAGES_H
#define FX_TESTS_IMAGES_H

#include <stddef.h>

/** Writes rows of whole bytes as a PNG of @p depth bit and libpng's @p color type; 16-bit samples
 * are given in native order. Fails the test when it cannot. */
void test_write_png(const char *path, size_t height, size_t width, int depth, int color,
		    int interlaced, const void *pixels);
/** Writes @p pages pages of grey pixels as a deflate TIFF; @p tile is 0 for strips or the side of a
 * tile, @p format libtiff's sample format. */
void test_write_tiff(const char *path, size_t pages, size_t height, size_t width, int bits,
		     int format, size_t tile, const void *pixels);
/** Writes bytes to a file. */
void test_write_file(const char *path, const void *data, size_t size);
/** Two files have the same bytes. */
void test_same_files(const char *a, const char *b);
/** Folder and name joined, in one of 64 places that are used in turn. */
const char *test_path(const char *folder, const char *name);

#endif
