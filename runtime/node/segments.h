// SPDX-License-Identifier: Apache-2.0
/* segments.h: what segmenters share that cut a block into fragments and merge them. */
#ifndef FX_NODE_SEGMENTS_H
#define FX_NODE_SEGMENTS_H

#include <fornix/node.h>

#include "kernels/agglomerate.h"
#include "kernels/fragments.h"

/** Options of the cut along a boundary map; a part of the state of a node. */
struct fx_segments_cut {
	double seed_boundary, seed_smooth, seed_radius;
};

/** Options of the agglomeration; a part of the state of a node. */
struct fx_segments_join {
	double threshold, quantile, prior_faces, large_voxels, large_contact;
	int dust_voxels;
};

/* Entries of a table of options, of the field of that name in the part @p part of the state T; the
 * node gives the default: { FX_SEGMENTS_DUST(struct pixels, join), .def = 500 }. */
#define FX_SEGMENTS_FIELD(T, part, m, type_)                                                       \
	.name = #m, .offset = offsetof(T, part.m), .type = (type_)

/* Of fx_segments_cut. */
#define FX_SEGMENTS_BOUNDARY(T, part)                                                              \
	FX_SEGMENTS_FIELD(T, part, seed_boundary, FX_OPT_REAL),                                    \
		.min = 0, .max = 1,                                                                \
		.help = "seeds lie where the evidence of a boundary is below this"
#define FX_SEGMENTS_SMOOTH(T, part)                                                                \
	FX_SEGMENTS_FIELD(T, part, seed_smooth, FX_OPT_REAL),                                      \
		.min = 0, .max = 8, .unit = "voxel",                                               \
		.help = "smoothing of the distance to the boundary, the higher the fewer "         \
			"fragments"
#define FX_SEGMENTS_RADIUS(T, part)                                                                \
	FX_SEGMENTS_FIELD(T, part, seed_radius, FX_OPT_REAL),                                      \
		.min = 1, .max = 32, .unit = "voxel",                                              \
		.help = "seeds are the deepest points within this radius"
/* Of fx_segments_join. */
#define FX_SEGMENTS_THRESHOLD(T, part)                                                             \
	FX_SEGMENTS_FIELD(T, part, threshold, FX_OPT_REAL),                                        \
		.min = 0, .max = 1,                                                                \
		.help = "fragments merge while the evidence on their contact is below this"
#define FX_SEGMENTS_QUANTILE(T, part)                                                              \
	FX_SEGMENTS_FIELD(T, part, quantile, FX_OPT_REAL),                                         \
		.min = -1, .max = 1,                                                               \
		.help = "which quantile of a contact's evidence counts; below 0 is the mean"
#define FX_SEGMENTS_PRIOR(T, part)                                                                 \
	FX_SEGMENTS_FIELD(T, part, prior_faces, FX_OPT_REAL),                                      \
		.min = 0, .max = 1e6,                                                              \
		.help = "faces of full evidence added to every contact, makes small contacts "     \
			"merge late"
#define FX_SEGMENTS_LARGE(T, part)                                                                 \
	FX_SEGMENTS_FIELD(T, part, large_voxels, FX_OPT_REAL),                                     \
		.min = 0, .max = 1e9, .unit = "voxel",                                             \
		.help = "segments of this size merge only over a large contact; 0 is no such rule"
#define FX_SEGMENTS_CONTACT(T, part)                                                               \
	FX_SEGMENTS_FIELD(T, part, large_contact, FX_OPT_REAL),                                    \
		.min = 0, .max = 100,                                                              \
		.help = "a contact is large above this times the smaller one's size to the power " \
			"2/3"
#define FX_SEGMENTS_DUST(T, part)                                                                  \
	FX_SEGMENTS_FIELD(T, part, dust_voxels, FX_OPT_INT),                                       \
		.min = 0, .max = 1e6, .unit = "voxel",                                             \
		.help = "smaller segments join the neighbour of the weakest boundary"

/** The options as the kernel takes them. */
struct fx_agglomerate_params fx_segments_agglomerate(const struct fx_segments_join *join);

/** A block for output @p port (of @p channels channels) with place and voxel size of @p like, not
 * zeroed; on the heap when the port is not connected. NULL as fx_new_block(). */
struct fx_block *fx_segments_block(struct fx_node *node, unsigned port, enum fx_dtype dtype,
				   uint32_t channels, enum fx_role role,
				   const struct fx_block *like);
/** What no segment may enter, of a block with a mask as channel 2: *excluded of fx_block_len(), 1
 * there (free()); NULL without a mask, and when nothing is set in it. FX_ENOMEM. */
int fx_segments_excluded(const struct fx_block *image, uint8_t **excluded);
/** Takes the excluded voxels out of the labels 1..*count: what only they connected comes apart, and
 * gets labels of its own. FX_ENOMEM, FX_EINVAL. Does nothing when @p excluded is NULL. */
int fx_segments_exclude(uint32_t *labels, uint32_t *count, const uint8_t *excluded,
			const size_t shape[3]);
/** How a block is segmented along a map of boundaries. */
struct fx_segments_way {
	unsigned labels, boundary; /**< ports */
	/** Makes the map of the size of @p image, of its channel 1; FX_OK or an error. */
	int (*map)(const void *state, uint8_t *boundary, const struct fx_block *image);
	const void *state; /**< for map() */
	const struct fx_segments_cut *cut;
	const struct fx_segments_join *join;
};
/** Segments @p image (taken; with a mask as channel 2 perhaps) and sends its labels, and the map
 * when somebody wants it; or fails the node. */
int fx_segments_by_boundary(struct fx_node *node, struct fx_block *image,
			    const struct fx_segments_way *way);
/** Warns when voxel edges of @p image are over 1.5 times those of the model, or below: true then.
 * @p graph: what to train another one with. */
bool fx_segments_warn_scale(struct fx_node *node, const struct fx_block *image,
			    const double model_nm[3], const char *graph);
/** fx_fail() of a block that could not be segmented. */
int fx_segments_failed(struct fx_node *node, int err, const struct fx_block *image);
/** Sends *b on @p port when that is connected, and makes *b NULL then. */
int fx_segments_send(struct fx_node *node, unsigned port, struct fx_block **b);

#endif
