// SPDX-License-Identifier: Apache-2.0
/* montage.h: holds the tiles of a section until all are there, and makes the section of them. */
#ifndef FX_NODE_MONTAGE_H
#define FX_NODE_MONTAGE_H

#include <fornix/node.h>

#include "base/scratch.h"
#include "kernels/mosaic.h"

enum { FX_MONTAGE_TILES = 1 << 16 }; /**< of a section */

/** A tile that a record told of. */
struct fx_montage_tile {
	int64_t tile, version;
	double nominal[2];	  /**< y x, voxels */
	size_t height, width;	  /**< 0: it will not come */
	size_t rows;		  /**< that came so far */
	struct fx_scratch voxels; /**< owned */
	char missing[256];	  /**< why it will not come */
	size_t at;		  /**< in solved; when it came */
};

/** The first members are set by the caller; the rest is zero at first. */
struct fx_montage {
	struct fx_mosaic how;
	double memory;	    /**< bytes of tiles on the heap; more lie in files */
	const char *folder; /**< borrowed; for those files */

	struct fx_mark open; /**< of the stream; its kind is 0 before */
	int64_t z;	     /**< the section, when len > 0 */
	int64_t number;	     /**< that its files have */
	uint64_t first;	     /**< number of its first message */
	double size;	     /**< bytes of its tiles */
	size_t len, cap;
	struct fx_montage_tile *tiles; /**< owned, in order of tile once solved */
	struct fx_montage_tile *next;  /**< whose voxels come; in tiles */
	struct fx_mosaic_tile *solved; /**< owned */
	struct fx_mosaic_link *links;  /**< owned */
	size_t solved_len, links_len;
};

/** The stream is opened. FX_EINVAL when it was, or without a size up to 2^20 x 2^20. */
int fx_montage_open(struct fx_montage *m, const struct fx_mark *open, struct fx_error *err);
/** A record "tile", which came as message @p number: the voxels of that tile come next, in place of
 * an older version. FX_EINVAL, FX_ENOMEM. */
int fx_montage_expect(struct fx_montage *m, const struct fx_record *r, uint64_t number,
		      struct fx_error *err);
/** True when the voxels that come next would not stay in memory: folder must be set. */
bool fx_montage_spills(const struct fx_montage *m);
/** Voxels of the tile that is expected: all of it, or its next rows. FX_ETYPE, FX_EINVAL,
 * FX_ENOMEM, FX_EIO. */
int fx_montage_put(struct fx_montage *m, const struct fx_block *b, struct fx_error *err);
/** All tiles are there: finds their places. FX_EINVAL when one is not whole, FX_ENOMEM. */
int fx_montage_solve(struct fx_montage *m, struct fx_error *err);
/** Fills rows of the section. FX_ENOMEM. */
int fx_montage_rows(const struct fx_montage *m, size_t y, size_t rows, void *to,
		    struct fx_error *err);
/** What is known of the section: record "mosaic": section, number, tiles, missing (tiles that did
 * not come), links and used (shifts that were measured, that agree), residual_median,
 * residual_max (voxels), off_median, off_max (how far tiles are from their nominal places). NULL
 * without memory. */
struct fx_record *fx_montage_record(const struct fx_montage *m);
/** Of tile @p i: record "mosaic-tile": section, number, tile, version, nominal_y, nominal_x, y, x,
 * links, residual; or the text missing. NULL without memory. */
struct fx_record *fx_montage_tile_record(const struct fx_montage *m, size_t i);
/** Frees what is held of a section. Takes a zeroed one. */
void fx_montage_drop(struct fx_montage *m);

#endif
