// SPDX-License-Identifier: Apache-2.0
/* watchplan.h: what comes next in a stream of sections that a microscope writes to a folder. A step
 * is decided once, written down by the caller, and then carried out, in this life or a later one:
 * so a later life does the same whatever the folder has become. Steps are struct fx_mark, as
 * node/decided.h keeps them. */
#ifndef FX_FORMATS_WATCHPLAN_H
#define FX_FORMATS_WATCHPLAN_H

#include <fornix/block.h>

#include "formats/arrivals.h"
#include "formats/image.h"
#include "formats/taken.h"

/** A step, in a mark: OPEN: region.lo is the first section and the corner of the tile map, hi the
 * end (INT64_MAX: not known) and the other corner, voxel_nm[1] and [2] height and width of an image
 * that the map does not tell; MISSING; END. Else DONE, with what it is in region.hi[0], and
 * section, tile and version in region.lo; of a file its size and time in region.hi[1] and [2] and
 * its path in reason. */
enum fx_step {
	FX_STEP_ATTEMPT = 1, /**< a version of a section */
	FX_STEP_TILE,	     /**< a version of a tile */
	FX_STEP_ABSENT,	     /**< a tile that will not come; reason tells why */
	FX_STEP_CLOSE,	     /**< the section is done: this file of it, or its tiles, are it */
	FX_STEP_AGAIN	     /**< all tiles of a section that was closed are sent once more, the
				newest version of each: its attempt of this version */
};

/** The first members are set by the caller; the rest is zero at first. */
struct fx_watchplan {
	struct fx_arrivals come; /**< its first members are set by the caller too */
	const char *map_name;	 /**< tile map in the folder; "": one file is a section */
	bool attempts;		 /**< every version is wanted as soon as it is there */
	double gather;		 /**< s; of a closed section, so long after its last newer tile */
	bool image;		 /**< closed sections are wanted */

	struct fx_tilemap map;
	struct fx_taken taken;
	bool repeats;			/**< the tiles of a closed section are being sent again: */
	int64_t repeated;		/**< that section */
	size_t repeated_at;		/**< and the next tile of it, by its place in the map */
	int64_t corner[2];		/**< of the map, y x */
	size_t height, width;		/**< of a section */
	size_t tile_height, tile_width; /**< of an image that the map does not tell */
	enum fx_dtype dtype;
	struct fx_image im; /**< of the file in hand */
	void *pixels;	    /**< owned; all of it, NULL when it is large: read by rows */
	size_t pixels_size;
	char loaded[FX_ARRIVALS_PATH_MAX + 1]; /**< which it is; "" none */
};

/** Begins to look. FX_EIO. */
int fx_watchplan_begin(struct fx_watchplan *p, enum fx_folder_way way, double interval_s,
		       struct fx_error *err);
/** Decides what comes next: OPEN first. FX_OK and *step; FX_IDLE: nothing yet; FX_END: nothing
 * more. FX_EINVAL when that cannot be a stream (no image can be read, a bad tile map), FX_EIO when
 * the folder is gone, FX_ENOMEM. */
int fx_watchplan_next(struct fx_watchplan *p, struct fx_mark *step, struct fx_error *err);
/** Decodes the file of a step: to p->pixels, or to the start of p->im. FX_EIO when it is not what
 * it was when that was decided. */
int fx_watchplan_load(struct fx_watchplan *p, const struct fx_mark *step, struct fx_error *err);
/** Takes note that a step was carried out. FX_EINVAL, FX_ENOMEM. */
int fx_watchplan_done(struct fx_watchplan *p, const struct fx_mark *step, struct fx_error *err);
/** Row of a tile in the map; NULL: none. */
const struct fx_tilemap_tile *fx_watchplan_tile(const struct fx_watchplan *p, int64_t section,
						int64_t tile);
/** What must be known beside the OPEN step, behind which it is got. FX_ETYPE, FX_ENOMEM. */
void fx_watchplan_pack(const struct fx_watchplan *p, struct fx_pack *to);
int fx_watchplan_unpack(struct fx_watchplan *p, struct fx_unpack *from);
/** Takes a zeroed one too. */
void fx_watchplan_fini(struct fx_watchplan *p);

#endif
