// SPDX-License-Identifier: Apache-2.0
/* tilemap.h: tables that a microscope writes beside its images: where the tiles of a section lie,
 * and which files there will be. */
#ifndef FX_FORMATS_TILEMAP_H
#define FX_FORMATS_TILEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

enum { FX_TILEMAP_MAX = 1 << 20 }; /**< rows of a table */

/** Where one tile lies. */
struct fx_tilemap_tile {
	int64_t section; /**< -1: in every section that has no rows of its own */
	int64_t tile;
	double y, x;	      /**< of its first voxel in its section, in voxels */
	size_t height, width; /**< 0: of its image */
};

/** Tiles by section, then tile. Zero-initialise; fx_tilemap_fini() when done. */
struct fx_tilemap {
	struct fx_tilemap_tile *tiles; /**< owned */
	size_t len, cap;
};

/** Reads a table of columns tile, y, x and, if there, section, height, width: CSV with a line of
 * names, or, when @p path ends in .json, an array of objects. Other columns are passed over. @p m
 * must be zeroed. FX_ENOENT, FX_EIO, FX_EINVAL with the line (or the number of the object) when
 * a value is missing or out of range (places to 2^30, sides 1 to 2^20) or a tile is there twice;
 * FX_ENOMEM. */
int fx_tilemap_read(struct fx_tilemap *m, const char *path, struct fx_error *err);
/** The tiles of @p section: *len of them, borrowed. None: NULL. */
const struct fx_tilemap_tile *fx_tilemap_section(const struct fx_tilemap *m, int64_t section,
						 size_t *len);
/** Takes a zeroed one too. */
void fx_tilemap_fini(struct fx_tilemap *m);

/** One file that there will be. */
struct fx_manifest_file {
	int64_t section, tile, version;
	char *file; /**< owned; relative to the folder */
};

/** Files by name. Zero-initialise; fx_manifest_fini() when done. */
struct fx_manifest {
	struct fx_manifest_file *files; /**< owned */
	size_t len, cap;
	int64_t low, high; /**< least and greatest section; low > high when there is none */
};

/** Reads CSV with a line of names: section, file and, if there, tile (else 0) and version (else 1).
 * The file may be growing: a last line without its end is passed over.
 * @p m must be zeroed. Errors as above; a file that is there twice is FX_EINVAL. */
int fx_manifest_read(struct fx_manifest *m, const char *path, struct fx_error *err);
/** The row of @p file, or NULL. */
const struct fx_manifest_file *fx_manifest_find(const struct fx_manifest *m, const char *file);
/** Takes a zeroed one too. */
void fx_manifest_fini(struct fx_manifest *m);

#endif
