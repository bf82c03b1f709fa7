// SPDX-License-Identifier: Apache-2.0
/* joined.h: blocks of several inputs that have the same core, brought together. */
#ifndef FX_NODE_JOINED_H
#define FX_NODE_JOINED_H

#include <fornix/node.h>

enum { FX_JOINED_MAX = 8 };

/** The blocks with one core, by input; NULL where none came. */
struct fx_joined_set {
	struct fx_region core;
	struct fx_block *blocks[FX_JOINED_MAX]; /**< owned */
};

/** A mark, and the inputs (a bit each) that gave it. */
struct fx_joined_mark {
	struct fx_mark mark;
	unsigned from;
};

/** Zero-initialise; set @p inputs before the first call; fx_joined_fini(). It keeps blocks in
 * memory: as many as one input is ahead of another, which the credit of the links bounds when all
 * come from one tiler. */
struct fx_joined {
	unsigned inputs; /**< the ports 0..inputs-1; those that are not connected take no part */
	size_t sets_len, sets_cap;
	struct fx_joined_set *sets; /**< owned, in order of their first blocks */
	size_t marks_len, marks_cap;
	struct fx_joined_mark *marks; /**< owned, those that some inputs still owe */
};

void fx_joined_fini(struct fx_joined *j);
/** Takes the block that waits on @p port. When all inputs have given theirs of this core, *set
 * holds them (fx_joined_set_fini()) and *full is true. Fails by fx_fail() when it came twice,
 * overlaps another core, or for want of memory. */
int fx_joined_put(struct fx_joined *j, struct fx_node *node, unsigned port,
		  struct fx_joined_set *set, bool *full);
void fx_joined_set_fini(struct fx_joined_set *set);
/** Takes a mark: *all says that every input has given it now (OPEN: one with the same extent, DONE
 * and MISSING: the same region), and it is to be sent on. For a DONE of all, fx_joined_late() is to
 * be called before. Fails by fx_fail() when extents differ. */
int fx_joined_mark(struct fx_joined *j, struct fx_node *node, unsigned port,
		   const struct fx_mark *m, bool *all);
/** What some inputs gave within @p r (NULL: anywhere) and others did not will not come: drops it,
 * and sends it as MISSING on the outputs @p first..@p last that are connected. */
int fx_joined_late(struct fx_joined *j, struct fx_node *node, const struct fx_region *r,
		   unsigned first, unsigned last);
/** For save() and load(). FX_ETYPE, FX_ENOMEM. */
void fx_joined_pack(const struct fx_joined *j, struct fx_pack *to);
int fx_joined_unpack(struct fx_joined *j, struct fx_unpack *from);

#endif
