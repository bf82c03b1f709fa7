// SPDX-License-Identifier: Apache-2.0
/* edgetree.h: line segments in space, asked for the nearest one and for those near by. */
#ifndef FX_KERNELS_EDGETREE_H
#define FX_KERNELS_EDGETREE_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

/** A segment from a to b; both may be the same point. */
struct fx_edge {
	double a[3], b[3];
};

/** A box around some segments. */
struct fx_edgebox {
	double lo[3], hi[3];
	uint32_t first, len; /**< in order[] */
	uint32_t right;	     /**< second half; the first is the next box; 0: holds no halves */
};

/** Bounding volumes, halved at the median along the longest axis. Zero-initialise;
 * fx_edgetree_fini(). */
struct fx_edgetree {
	const struct fx_edge *edges; /**< borrowed */
	uint32_t *order;	     /**< owned: edges, box by box */
	struct fx_edgebox *boxes;    /**< owned */
	uint32_t len, boxes_len;
};

void fx_edgetree_fini(struct fx_edgetree *t);
/** Takes @p len finite segments, which must outlive it. FX_EINVAL for 2^30 or more, FX_ENOMEM. */
int fx_edgetree_build(struct fx_edgetree *t, const struct fx_edge *edges, size_t len);
/** Square of the distance from @p p to the nearest segment, and which (ties: the lowest; @p edge
 * may be NULL); INFINITY when there is none. */
double fx_edgetree_nearest(const struct fx_edgetree *t, const double p[3], uint32_t *edge);
/** Calls @p found for every segment whose box comes within @p radius of @p p along every axis, in
 * no promised order, until it returns other than 0; gives that. */
int fx_edgetree_near(const struct fx_edgetree *t, const double p[3], double radius,
		     int (*found)(uint32_t edge, void *data), void *data);

/** The point of @p e that is nearest to @p p: the foot of the perpendicular, or the nearer end. */
void fx_edge_foot(const struct fx_edge *e, const double p[3], double foot[3]);
/** Square of the distance between two points. */
double fx_point_distance2(const double a[3], const double b[3]);
/** Edges (from a node to its parent) of a tree: *edges (free()) and their nodes in *nodes (free();
 * may be NULL), *len of them, in the order of the nodes. FX_ENOMEM. */
int fx_tree_edges(const struct fx_tree *t, struct fx_edge **edges, int32_t **nodes, size_t *len);

#endif
