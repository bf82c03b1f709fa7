// SPDX-License-Identifier: Apache-2.0
/* skeleton.h: skeleton files of Neuroglancer precomputed: nm, x y z, with radius and type. */
#ifndef FX_FORMATS_SKELETON_H
#define FX_FORMATS_SKELETON_H

#include <stddef.h>

#include <fornix/block.h>
#include <fornix/error.h>

/** Bytes of a skeleton file: u32 vertices and edges; f32 x y z in nm; edges (parent, child) in the
 * order of the children; f32 radius in nm; u8 SWC type (0 when it is not within 0..255). *bytes
 * is the caller's (free()). The file's name is the decimal segment id, without ending. */
int fx_skeleton_encode(const struct fx_tree *t, void **bytes, size_t *size, struct fx_error *err);
/** Reads such bytes, any bytes: a tree (fx_tree_free()) with every vertex before its
 * children, rooted at the first vertex of each component; edges that close a loop are refused. */
int fx_skeleton_decode(const void *bytes, size_t size, struct fx_tree **out, struct fx_error *err);
/** Text of the info file of a folder of such files, positions being in nm. free(). NULL without
 * memory. */
char *fx_skeleton_info(void);

#endif
