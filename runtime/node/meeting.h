// SPDX-License-Identifier: Apache-2.0
/* meeting.h: blocks of two inputs on one grid: who comes first waits for its partner on disk. */
#ifndef FX_NODE_MEETING_H
#define FX_NODE_MEETING_H

#include <fornix/node.h>

#include "formats/blockstore.h"

/** Names of the files of the stores of both inputs, in fx_state_dir(): as fx_scored_files. */
extern const char *const fx_meeting_files[2];

/** The partner of a block that came on input @p side (0, 1), when it waits in stores[1 - side]:
 * *partner (fx_block_free()) and *number there; NULL and SIZE_MAX when it does not. Fails the node
 * with FX_EIO or FX_ENOMEM. */
int fx_meeting_partner(struct fx_node *node, const struct fx_blockstore stores[2], int side,
		       const struct fx_block *b, struct fx_block **partner, size_t *number);
/** Puts a block of input @p side aside. Fails the node with the errors of fx_blockstore_put(). */
int fx_meeting_wait(struct fx_node *node, struct fx_blockstore stores[2], int side,
		    const struct fx_block *b);
/** Fails the node unless the truth (its OPEN mark on @p truth, if it came) has rows and columns of
 * what is scored (on @p scored) and at most as many sections. */
int fx_meeting_shapes(struct fx_node *node, unsigned scored, unsigned truth);
/** True when the truth for a block may still come. */
bool fx_meeting_awaits(struct fx_node *node, unsigned truth, const struct fx_block *b);

#endif
