// SPDX-License-Identifier: Apache-2.0
/* labeltrace.h: skeletons of a stored label volume. */
#ifndef FX_NODE_LABELTRACE_H
#define FX_NODE_LABELTRACE_H

#include "formats/labelstore.h"
#include "kernels/blockwise.h"
#include "kernels/labelmap.h"

/** A stored volume and what goes with it. */
struct fx_labeltrace {
	struct fx_blobstore *scratch; /**< of the blocks; work in progress is kept there too */
	struct fx_labelstore *blocks;
	const struct fx_labelmap *ids; /**< the final ones */
	unsigned part, parts; /**< objects whose final id leaves the rest part; of 1: all */
	int (*tree)(void *context, struct fx_tree *tree); /**< takes a finished forest */
	void *context;
};

/** Traces all objects by fx_blockwise_trace(), on cells of at most @p edge voxels along each axis,
 * whatever blocks the volume came in: the same volume gives the same trees. What tree() returns,
 * FX_ENOENT when a label has no final id, FX_EINVAL, FX_EIO, FX_ENOMEM. */
int fx_labelstore_trace(const struct fx_labeltrace *t, const size_t edge[3],
			const struct fx_blockwise_options *options, struct fx_error *err);

#endif
