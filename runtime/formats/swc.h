// SPDX-License-Identifier: Apache-2.0
/* swc.h: SWC files: a strict writer and a tolerant reader. */
#ifndef FX_FORMATS_SWC_H
#define FX_FORMATS_SWC_H

#include <stddef.h>

#include <fornix/block.h>
#include <fornix/error.h>

/** Unit of positions and radii in a file. In voxels a radius counts voxels along x. */
enum fx_swc_unit { FX_SWC_NM, FX_SWC_UM, FX_SWC_VOXEL };

/** The SWC text of @p t: a header that states the unit, then one row a node in the order of the
 * tree, ids 1..n, every parent before its children, "id type x y z radius parent" with six
 * decimals. *text is the caller's (free()), NUL-terminated, *size without the NUL. @p voxel_nm
 * (zyx) is used with FX_SWC_VOXEL only and may be NULL otherwise. Fails on a node before its
 * parent and on numbers that are not finite. */
int fx_swc_format(const struct fx_tree *t, enum fx_swc_unit unit, const double voxel_nm[3],
		  char **text, size_t *size, struct fx_error *err);

/** Reads SWC of any dialect: rows in any order, ids from 0, numbers such as "1.0", blanks, tabs,
 * commas or semicolons between them, a radius that is no number (0), a missing seventh column,
 * more than seven columns, comments behind a row, several roots. A parent that is negative, the
 * node itself or not in the file makes a root; of rows with one id the first counts. What is not
 * plain SWC is counted in *repairs (may be NULL). Positions times @p unit_nm are nm, unless a
 * header of fx_swc_format() tells the unit. Gives a tree (fx_tree_free()) with parents before
 * children, otherwise in the order of the rows. Fails with FX_EINVAL and the number of the line on
 * rows that are not numbers, loops and files without a row; takes any bytes. */
int fx_swc_parse(const char *text, size_t len, double unit_nm, struct fx_tree **out,
		 size_t *repairs, struct fx_error *err);
/** fx_swc_parse() of a file of at most 1 GiB; errors name it. */
int fx_swc_read(const char *path, double unit_nm, struct fx_tree **out, size_t *repairs,
		struct fx_error *err);
/** The same with the nm of a unit along z, y and x, as of files in voxels; radii are along x. */
int fx_swc_read_scaled(const char *path, const double unit_nm[3], struct fx_tree **out,
		       size_t *repairs, struct fx_error *err);

#endif
