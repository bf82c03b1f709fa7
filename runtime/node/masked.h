// SPDX-License-Identifier: Apache-2.0
/* masked.h: the sections of an image and, when there is one, those of its mask, in step: what comes
 * of them does not depend on which input is ahead. */
#ifndef FX_NODE_MASKED_H
#define FX_NODE_MASKED_H

#include <fornix/node.h>

#include "node/tiled.h"

/** Zero-initialise and set masked, image.port, mask.port; fx_masked_fini(). */
struct fx_masked {
	bool masked;		     /**< there is a mask */
	struct fx_tiled image, mask; /**< owned */
	size_t len, cap;
	struct fx_mark
		*waiting; /**< owned; DONE and MISSING of the image, until its mask is there */
};

/** OPEN of one of both; both must be as large. Fails by fx_fail(). */
int fx_masked_open(struct fx_masked *s, struct fx_node *node, unsigned port,
		   const struct fx_mark *m, const struct fx_tiling *how);
/** DONE or MISSING of sections of one of both: then fx_masked_next(). Fails by fx_fail(). */
int fx_masked_mark(struct fx_masked *s, struct fx_node *node, unsigned port,
		   const struct fx_mark *m);
/** Moves out the next mark of the image whose sections are also known of the mask; false: none.
 * fx_tiled_close() of the image is the caller's. */
bool fx_masked_next(struct fx_masked *s, struct fx_mark *m);
/** The streams have ended: what is not known of the mask below section @p hi is missing. */
int fx_masked_end(struct fx_masked *s, struct fx_node *node, int64_t hi);
/** As fx_window_ready(), fx_window_leave(), fx_window_clip() of both. */
bool fx_masked_ready(struct fx_masked *s);
void fx_masked_leave(struct fx_masked *s);
void fx_masked_clip(struct fx_masked *s, int64_t hi);
/** A block on the way to output @p port with region @p r of the ready layer: the image, and with a
 * mask as channel 2 that, 0 or 1 in the voxels of the image. NULL as fx_new_block(). */
struct fx_block *fx_masked_cut(const struct fx_masked *s, struct fx_node *node, unsigned port,
			       struct fx_region r);
/** For save() and load(). */
void fx_masked_save(const struct fx_masked *s, struct fx_node *node, struct fx_pack *to);
int fx_masked_load(struct fx_masked *s, struct fx_node *node, const struct fx_tiling *how,
		   struct fx_unpack *from);
/** Takes a zeroed one. */
void fx_masked_fini(struct fx_masked *s);

#endif
