// SPDX-License-Identifier: Apache-2.0
/* sectionname.h: which section, tile and version an image is, by its name. */
#ifndef FX_FORMATS_SECTIONNAME_H
#define FX_FORMATS_SECTIONNAME_H

#include <stdint.h>

/** What a name says. */
struct fx_section_name {
	int64_t section;
	int64_t tile;	 /**< 0 when the name has none */
	int64_t version; /**< 1 when the name has none */
};

enum {
	FX_NAME_NONE = -1, /**< an image without a number */
	FX_NAME_OTHER = -2 /**< not an image of the pattern */
};

/** Reads the name of a file from @p path, which is relative to the folder that is watched. FX_OK,
 * FX_NAME_NONE, or FX_NAME_OTHER: hidden, not ending in .png, .tif or .tiff, or not of @p pattern.
 *
 * An empty @p pattern takes the usual names: the section is the last number, where `-tile-` or
 * `_tile_` with the tile, and then `-v` or `_v` with the version, may follow: z012.png,
 * section-000012-tile-003-v2.png. In any other pattern `#` stands for the digits of the section,
 * `%` for those of the tile, `@` for those of the version (all of a group of digits), `*` for as
 * few characters as will do and `?` for one, neither a slash; what has no `#` takes the last
 * number. A pattern with a slash is compared with the whole path, else with what is behind the last
 * slash. Numbers have at most 15 digits. */
int fx_section_name(const char *path, const char *pattern, struct fx_section_name *name);

#endif
