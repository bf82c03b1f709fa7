// SPDX-License-Identifier: Apache-2.0
/* labels_tiff.c: reads label volumes and skeletons for tests. */
#include "support/test.h"

#include "support/labels_tiff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "base/alloc.h"
#include "base/file.h"

static enum fx_dtype tiff_dtype(TIFF *tiff)
{
	uint16_t bits = 0;

	TIFFGetField(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
	return bits == 8 ? FX_U8 : bits == 16 ? FX_U16 : FX_U32;
}

static void read_pages(TIFF *tiff, struct fx_block *b, const char *path)
{
	const size_t page = fx_block_size(b) / b->shape[0];

	for (size_t z = 0; z < b->shape[0]; z++) {
		char *at = (char *)b->data + z * page;
		tmsize_t left = (tmsize_t)page;

		if (!TIFFSetDirectory(tiff, (tdir_t)z))
			fail_msg("%s has no page %zu", path, z);
		for (uint32_t strip = 0; strip < TIFFNumberOfStrips(tiff); strip++) {
			const tmsize_t n = TIFFReadEncodedStrip(tiff, strip, at, left);

			if (n <= 0)
				fail_msg("%s: cannot read page %zu", path, z);
			at += n;
			left -= n;
		}
	}
}

struct fx_block *test_labels_tiff(const char *data, const char *name, size_t pages)
{
	char *path = fx_path_join(data, name);
	TIFF *tiff = TIFFOpen(path, "r");
	uint32_t height = 0, width = 0;
	struct fx_block *b;

	if (!tiff)
		fail_msg("cannot open %s", path);
	TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
	TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
	b = fx_block_new(tiff_dtype(tiff), pages ? pages : TIFFNumberOfDirectories(tiff), height,
			 width);
	if (!b)
		fail_msg("no memory for %s", path);
	b->role = FX_LABELS;
	read_pages(tiff, b, path);
	TIFFClose(tiff);
	free(path);
	return b;
}

struct fx_tree *test_swc(const char *path, uint64_t segment)
{
	FILE *file = fopen(path, "r");
	struct fx_tree *tree = fx_tree_new(segment, 4096);
	char line[256];
	size_t n = 0;

	if (!file || !tree)
		fail_msg("cannot open %s", path);
	while (fgets(line, sizeof line, file)) {
		struct fx_tree_node *node = &tree->nodes[n];
		long id, type, parent;

		if (sscanf(line, "%ld %ld %lf %lf %lf %lf %ld", &id, &type, &node->pos_nm[2],
			   &node->pos_nm[1], &node->pos_nm[0], &node->radius_nm, &parent) != 7)
			continue;
		if (n + 1 == tree->len || id != (long)n + 1 || parent > (long)n)
			fail_msg("%s: node %ld is out of order or one too many", path, id);
		node->parent = (int32_t)(parent > 0 ? parent - 1 : -1);
		n++;
	}
	fclose(file);
	tree->len = n;
	return tree;
}
