// SPDX-License-Identifier: Apache-2.0
/* bands.h: a source sends a section as tiles: bands of rows. */
#ifndef FX_NODE_BANDS_H
#define FX_NODE_BANDS_H

#include <fornix/node.h>

/** A section, or a part of it, that begins at (z, y, x). */
struct fx_bands {
	enum fx_role role;
	enum fx_dtype dtype;
	double voxel_nm[3];
	int64_t z, y, x;
	size_t height, width;
	const void *voxels; /**< borrowed; C order; NULL: by rows() */
	/** Reads the next @p rows rows to @p voxels. */
	int (*rows)(void *from, size_t rows, void *voxels, struct fx_error *err);
	void *from;
};

/** Sends it on @p port in bands of at most @p tile_mib MiB, of at least one row. */
int fx_bands_send(struct fx_node *node, unsigned port, const struct fx_bands *b, double tile_mib);

#endif
