// SPDX-License-Identifier: Apache-2.0
/* tiffmeta.h: what the description of a TIFF tells of its volume. */
#ifndef FX_FORMATS_TIFFMETA_H
#define FX_FORMATS_TIFFMETA_H

#include <stdbool.h>
#include <stdint.h>

/** What is told; zeros where it is not. */
struct fx_tiffmeta {
	double voxel_nm[3];
	int64_t offset[3];
	bool labels;
};

/** Reads the text of a first page's ImageDescription (NULL: none), any text: lines voxel_nm, offset
 * and labels as fornix writes them; ImageJ's unit and spacing, with the pixels of a unit along y
 * and x from the tags of the resolution, 0 where there are none; OME-XML's PhysicalSize. */
void fx_tiffmeta_parse(const char *text, const double resolution[2], struct fx_tiffmeta *m);

#endif
