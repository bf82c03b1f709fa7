// SPDX-License-Identifier: Apache-2.0
/* watchsend.h: sends what formats/watchplan.h decided. */
#ifndef FX_NODE_WATCHSEND_H
#define FX_NODE_WATCHSEND_H

#include <fornix/node.h>

#include "formats/watchplan.h"

/** Where to. */
struct fx_watchsend {
	unsigned image, attempts, tiles; /**< ports */
	const double *voxel_nm;
	double tile_mib; /**< most that is sent at once of a whole section */
};

/** Sends the step, whose file is loaded. Without a tile map to image and attempts:
 * OPEN, MISSING to both; a closed section and its DONE to image; an attempt and a record "attempt"
 * (section: its z; number: that of its files; version) to attempts. With a map all goes to tiles: a
 * record "tile" (the same, and tile, y, x, height, width), then the tile, at its rounded place, in
 * one block up to 256 MiB; a record alone, with the text missing, when the tile will not come. The
 * same to attempts, and a record "attempt" behind all tiles of a section: version 1, and then 2 and
 * so on when they come once more. */
int fx_watchsend(struct fx_node *node, struct fx_watchplan *p, const struct fx_mark *step,
		 const struct fx_watchsend *to);

#endif
