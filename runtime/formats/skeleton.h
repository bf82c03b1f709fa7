// SPDX-License-Identifier: Apache-2.0
/* skeleton.h: skeleton files of Neuroglancer precomputed: nm, x y z, with radius and type. */
#ifndef FX_FORMATS_SKELETON_H
#define FX_FORMATS_SKELETON_H

#include <stddef.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "formats/shards.h"

/** Bytes of a skeleton file: u32 vertices and edges; f32 x y z in nm; edges (parent, child) in the
 * order of the children; f32 radius in nm; u8 SWC type (0 when it is not within 0..255). *bytes
 * is the caller's (free()). The file's name is the decimal segment id, without ending. */
int fx_skeleton_encode(const struct fx_tree *t, void **bytes, size_t *size, struct fx_error *err);
/** Reads such bytes, any bytes: a tree (fx_tree_free()) with every vertex before its
 * children, rooted at the first vertex of each component; edges that close a loop are refused. */
int fx_skeleton_decode(const void *bytes, size_t size, struct fx_tree **out, struct fx_error *err);
/** What the info file of a folder of skeletons tells. */
struct fx_skeleton_info {
	double transform[12]; /**< rows of 4: x y z as they are stored to nm */
	size_t size;	      /**< bytes of the attributes of a vertex */
	bool has_radius, has_type;
	size_t radius_at, type_at; /**< bytes of a vertex's attributes before */
	bool sharded;
	struct fx_sharding sharding;
};
/** Reads its text, any text. FX_ETYPE when it is valid and not accepted. */
int fx_skeleton_parse_info(const char *text, size_t len, struct fx_skeleton_info *info,
			   struct fx_error *err);
/** fx_skeleton_decode() of files that have the attributes of @p info; those other than radius and
 * vertex_types are left out. */
int fx_skeleton_decode_as(const struct fx_skeleton_info *info, const void *bytes, size_t size,
			  struct fx_tree **out, struct fx_error *err);
/** Text of the info file of a folder of such files, positions being in nm. free(). NULL without
 * memory. */
char *fx_skeleton_info(void);

#endif
