// SPDX-License-Identifier: Apache-2.0
/* details.h: what a scorer tells of single objects, with links to look at them. */
#ifndef FX_NODE_DETAILS_H
#define FX_NODE_DETAILS_H

#include <fornix/node.h>

#include "kernels/erl.h"
#include "kernels/objects.h"

/** What links lead to; sources such as "precomputed://http://localhost:8000/labels". */
struct fx_links {
	const char *viewer;		    /**< such as "https://neuroglancer-demo.appspot.com/" */
	const char *image, *labels, *truth; /**< sources; NULL or "" is left out */
	double voxel_nm[3];
};

/** The record of a mistake, with a text "link" that shows its parts at the place of the second
 * largest, when there is a source. NULL without memory. */
struct fx_record *fx_details_mistake(const struct fx_mistake *m, const struct fx_links *links);
/** Sends the @p most worst splits, then mergers, on output @p port. Fails the node. */
int fx_details_send_mistakes(struct fx_node *node, unsigned port, const struct fx_contingency *c,
			     size_t most, const struct fx_links *links);
/** Sends the run of each skeleton on output @p port. Fails the node. */
int fx_details_send_neurons(struct fx_node *node, unsigned port, const struct fx_erl_node *nodes,
			    size_t len, uint64_t tolerance_nodes);
/** Tells as progress how many voxels were scored, of all that input @p truth said there are, and
 * each time that there is an eighth more, at *next (0 at first), VOI and adapted Rand error so far.
 */
void fx_details_so_far(struct fx_node *node, unsigned truth, const struct fx_contingency *c,
		       uint64_t scored, uint64_t *next);

#endif
