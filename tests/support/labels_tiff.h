// SPDX-License-Identifier: Apache-2.0
/* labels_tiff.h: reads label volumes of multi-page TIFF files, and SWC skeletons, for tests. */
#ifndef FX_TESTS_LABELS_TIFF_H
#define FX_TESTS_LABELS_TIFF_H

#include <stddef.h>

#include <fornix/block.h>

/** The first @p pages pages (0: all) of DATA/NAME as a block of u8, u16 or u32 labels. Fails the
 * cmocka test when it cannot be read. fx_block_free(). */
struct fx_block *test_labels_tiff(const char *data, const char *name, size_t pages);
/** The nodes of an SWC file in nm as a tree of @p segment; parents come before children. Fails
 * the cmocka test when it cannot be read. fx_tree_free(). */
struct fx_tree *test_swc(const char *path, uint64_t segment);

#endif
