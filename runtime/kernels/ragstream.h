// SPDX-License-Identifier: Apache-2.0
/* ragstream.h: the graph of labels that touch, over blocks as they come. */
#ifndef FX_KERNELS_RAGSTREAM_H
#define FX_KERNELS_RAGSTREAM_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "base/map64.h"
#include "base/pack.h"
#include "kernels/labelmap.h"
#include "kernels/rag.h"

/** The outermost layer of a block's core at one of its faces, whose other block has not come. */
struct fx_ragstream_face {
	struct fx_ragstream_face *next;
	int axis;	   /**< the face is normal to it */
	bool upper;	   /**< of the block above the face */
	int64_t corner[3]; /**< low corner of the core above the face */
	int64_t cross[3];  /**< voxels of the layer; 1 along the axis */
	uint32_t *nodes;   /**< owned; of every voxel, C order; 0 is none */
	uint8_t *value;	   /**< owned; its part of the evidence on the face */
};

/** Labels and their contacts. Zero-initialise, set extent; fx_ragstream_fini(). What it holds grows
 * with labels and contacts (288 bytes each), and with the open surface: of each block only the
 * layers at faces whose other block has not come. The graph depends on the set of blocks, not on
 * their order, and not on how the volume was cut. */
struct fx_ragstream {
	int64_t extent[3];     /**< end of the volume, 0 where it is not known */
	struct fx_map64 index; /**< label to its node, 1.. */
	size_t nodes_len, nodes_cap, sizes_cap;
	uint64_t *ids, *sizes; /**< owned; of node i + 1: its label, its voxels */
	struct fx_map64 pairs; /**< two nodes, the smaller one << 32 | the other, to edge + 1 */
	size_t edges_len, edges_cap, hist_cap;
	struct fx_rag_edge *edges;	 /**< owned, of nodes */
	uint32_t (*hist)[FX_RAG_BINS];	 /**< owned, of every edge: faces by evidence */
	struct fx_ragstream_face *faces; /**< owned, those that wait */
	size_t open_size;		 /**< bytes that they hold */
};

void fx_ragstream_fini(struct fx_ragstream *s);
/** Takes the core of a block of @p labels (u8, u16, u32, u64; the same label in two blocks is the
 * same segment; 0 takes no part). @p evidence covers it: one channel of a boundary (u8; f32 0 to
 * 1), where a face has the larger value of its two voxels; or of role FX_AFFINITY three (z y x),
 * how sure it is that a voxel and its lower neighbour are one. Other faces between blocks of one
 * grid are counted when both have come. FX_EINVAL when the evidence does not cover the core, when
 * blocks do not lie on one grid or one came twice; FX_ETYPE, FX_ENOMEM. */
int fx_ragstream_add(struct fx_ragstream *s, const struct fx_block *labels,
		     const struct fx_block *evidence, struct fx_error *err);
/** No more blocks with a core in @p r will come: frees what waits for one. */
void fx_ragstream_done(struct fx_ragstream *s, struct fx_region r);
/** The graph of what labels are in @p map (NULL: what they are): contacts of labels that are one
 * are gone, those that became one are added. Node i of @p rag (zeroed before; fx_rag_fini()) has id
 * (*ids)[i], ascending from 1 on; free(). *node_of (free()) has the node of rag for each of ours.
 * Edges are in order of a, b; sizes stop at UINT32_MAX. FX_ENOENT when the map does not have a
 * label, FX_ENOMEM. */
int fx_ragstream_graph(const struct fx_ragstream *s, const struct fx_labelmap *map,
		       struct fx_rag *rag, uint64_t **ids, uint32_t **node_of,
		       struct fx_error *err);
/** Puts all, and takes it back to a zeroed one. FX_ETYPE, FX_ENOMEM. */
void fx_ragstream_pack(const struct fx_ragstream *s, struct fx_pack *to);
int fx_ragstream_unpack(struct fx_ragstream *s, struct fx_unpack *from);

#endif
