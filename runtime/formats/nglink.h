// SPDX-License-Identifier: Apache-2.0
/* nglink.h: links that open Neuroglancer at a place. */
#ifndef FX_FORMATS_NGLINK_H
#define FX_FORMATS_NGLINK_H

#include <stddef.h>
#include <stdint.h>

/** A layer: where its data are, such as "precomputed://http://localhost:8000/labels". */
struct fx_nglink_layer {
	const char *name, *source; /**< without a source (NULL or "") it is left out */
	const uint64_t *segments;  /**< to be shown, of a segmentation; NULL: an image */
	size_t len;
};

/** "VIEWER#!STATE" for voxel @p at (zyx) of voxels of @p voxel_nm; STATE is URL-encoded JSON.
 * free(). NULL without memory, and when no layer has a source. */
char *fx_nglink(const char *viewer, const double voxel_nm[3], const int64_t at[3],
		const struct fx_nglink_layer *layers, size_t len);

#endif
