// SPDX-License-Identifier: Apache-2.0
/* tiled.h: a stream of sections that come as tiles, in the window that a tiler cuts blocks from. */
#ifndef FX_NODE_TILED_H
#define FX_NODE_TILED_H

#include <fornix/node.h>

#include "base/scratch.h"
#include "kernels/grid.h"

/** Zero-initialise and set port; fx_tiled_fini(). */
struct fx_tiled {
	unsigned port;
	bool opened;
	struct fx_region whole;	   /**< as the stream was opened */
	int64_t rows[2];	   /**< of cells that are cut here: the first, one past the last */
	struct fx_scratch scratch; /**< owned, from OPEN on */
	struct fx_window window;   /**< owned, the same; of the voxels that those rows read */
	enum fx_dtype dtype;	   /**< of the tiles */
	enum fx_role role;	   /**< of the last tile */
	uint32_t level;
	double voxel_nm[3];
};

/** How the blocks lie. */
struct fx_tiling {
	const double *block, *halo; /**< three numbers each, in voxels */
	double memory;		    /**< MiB; a larger window lies in a scratch file */
	int64_t ahead; /**< sections that may come beyond those of a layer; -1: what 512 MiB hold */
	unsigned part, parts; /**< which share of the rows of cells, as fx_part() tells */
};

/** OPEN: makes the window. Fails by fx_fail(). */
int fx_tiled_open(struct fx_tiled *t, struct fx_node *node, const struct fx_mark *m,
		  const struct fx_tiling *how);
/** Takes the tile that waits. Fails by fx_fail(). */
int fx_tiled_put(struct fx_tiled *t, struct fx_node *node);
/** The mark in hand is about whole sections of an open stream, or the node fails. */
int fx_tiled_check(const struct fx_tiled *t, struct fx_node *node, const struct fx_mark *m);
/** The mark in hand is about section @p z. While fx_again() one that is not wanted is left out. */
int fx_tiled_close(struct fx_tiled *t, struct fx_node *node, int64_t z, enum fx_window_state state);
/** For save(): the number of the first message that must come again. */
uint64_t fx_tiled_pack(const struct fx_tiled *t, struct fx_pack *to);
int fx_tiled_unpack(struct fx_tiled *t, struct fx_node *node, const struct fx_tiling *how,
		    struct fx_unpack *from);
/** Takes a zeroed one. */
void fx_tiled_fini(struct fx_tiled *t);

#endif
