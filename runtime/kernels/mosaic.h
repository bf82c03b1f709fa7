// SPDX-License-Identifier: Apache-2.0
/* mosaic.h: one section from tiles that overlap: shifts of neighbours by phase correlation, places
 * of all by least squares together (as of S. Preibisch, S. Saalfeld, P. Tomancak, "Globally optimal
 * stitching of tiled 3D microscopic image acquisitions", Bioinformatics 25:1463, 2009), and tiles
 * faded into each other. The layout is that of the nominal places: a grid, hexagons, anything. */
#ifndef FX_KERNELS_MOSAIC_H
#define FX_KERNELS_MOSAIC_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/plane.h"

struct fx_mosaic_tile {
	struct fx_plane image; /**< u8 or u16, all alike */
	double nominal[2];     /**< of its first voxel, y x, voxels */
	double place[2];       /**< found by fx_mosaic_solve() */
	double residual;       /**< root of the mean square of its links, voxels; 0 without links */
	size_t links;	       /**< that were used */
};

/** Two tiles that overlap. */
struct fx_mosaic_link {
	size_t a, b;
	double by[2];  /**< measured: place of b less that of a */
	double weight; /**< 0: nothing was found */
	double residual;
	bool used; /**< agrees with the others */
};

struct fx_mosaic {
	double reach;	/**< voxels: how far the shift of two tiles may be from the nominal one */
	double overlap; /**< voxels: neighbours overlap by so much, nominally, on both axes */
	double confidence; /**< least of a shift that counts, 0 to 1 */
	double feather;	   /**< voxels over which a tile fades in at its edges, at least 1 */
	bool whole;	   /**< tiles are put at whole voxels, so that none is interpolated */
};

/** All pairs of tiles that overlap nominally, in order of a, then b; *links is the caller's:
 * free(). FX_ENOMEM. */
int fx_mosaic_pairs(const struct fx_mosaic_tile *tiles, size_t len, const struct fx_mosaic *how,
		    struct fx_mosaic_link **links, size_t *links_len);
/** Measures links, within a quarter, half and all of reach until it is clear: the best is by, with
 * a weight, which grows with the area of the overlap and with its correlation r as r^2 / (1.25 -
 * r^2): the information that noise of 1 / r^2 - 1 leaves, where a quarter is never known. Threads
 * share links: the same bits for any number. FX_ENOMEM, FX_EINVAL when an image is not one that
 * fx_phase_shift() takes. */
int fx_mosaic_measure(const struct fx_mosaic_tile *tiles, const struct fx_mosaic *how,
		      struct fx_mosaic_link *links, size_t links_len);
/** Places of all tiles: least squares over the links, each reweighed by its residual (Geman and
 * McClure) with a scale that shrinks from reach on, so that wrong links lose; those that are off by
 * more than 1.5 voxels and 5 times the median are then left out, and the rest is solved once more.
 * A weak pull to the nominal places (1e-4 of the mean weight, 0.01 while links are chosen) holds
 * the whole, and what has no links. Gives residual and used. Conjugate gradients, one thread: the
 * same bits always. FX_ENOMEM. */
int fx_mosaic_solve(struct fx_mosaic_tile *tiles, size_t len, const struct fx_mosaic *how,
		    struct fx_mosaic_link *links, size_t links_len);
/** Fills rows y to y + rows - 1 of a section of @p width voxels: each voxel is the mean of the
 * tiles that cover it, weighed by their distance to their edge up to feather; tiles are
 * interpolated by cubic convolution (R. Keys, 1981). What no tile covers is 0. @p to has the type
 * of the tiles. Threads share rows: the same bits for any number. FX_ENOMEM. */
int fx_mosaic_rows(const struct fx_mosaic_tile *tiles, size_t len, const struct fx_mosaic *how,
		   size_t y, size_t rows, size_t width, void *to);

#endif
