// SPDX-License-Identifier: Apache-2.0
/* sectionwise.h: nodes that need a whole section before they can send its first tile. */
#ifndef FX_NODE_SECTIONWISE_H
#define FX_NODE_SECTIONWISE_H

#include <fornix/node.h>

#include "block/section.h"

/** What such a node does. Tiles are held until their section is done; then learn() sees
 * the section once, and map() fills the tiles of the same places that go to @p out, in raster
 * order. So a result depends neither on the tiles nor on their order. */
struct fx_sectionwise {
	unsigned out;	     /**< port */
	enum fx_dtype dtype; /**< of what is sent */
	bool mask;	     /**< what is sent is a mask, else of the role that came */
	/** Fixes what map() uses; called in stream order. */
	int (*learn)(struct fx_node *node, void *state, const struct fx_section *section);
	/** Fills @p dst, height x width of @p tile. */
	void (*map)(const void *state, const struct fx_section *section, const struct fx_tile *tile,
		    void *dst);
};

/** OPEN: prepares @p held for a section of at most @p memory_mib MiB on the heap and @p max
 * sections, and passes the mark on with the dtype that is sent. A second OPEN is an error. */
int fx_sectionwise_open(struct fx_node *node, const struct fx_sectionwise *how,
			struct fx_sections *held, const struct fx_mark *m, double memory_mib,
			size_t max);
/** Takes the tile that waits on @p port and puts it to @p held. */
int fx_sectionwise_put(struct fx_node *node, unsigned port, struct fx_sections *held);
/** DONE or MISSING of sections of @p held: whole sections are learned, sent and dropped, each with
 * its DONE; of missing ones the tiles are dropped and the mark is passed on. */
int fx_sectionwise_close(struct fx_node *node, void *state, const struct fx_sectionwise *how,
			 struct fx_sections *held, const struct fx_mark *m);
/** For save() and load(), with @p memory_mib and @p max as above. Tiles of sections that are not
 * whole come once more: until then process() is as always, and mark() does nothing while
 * fx_again(). */
void fx_sectionwise_save(struct fx_node *node, const struct fx_sections *held, struct fx_pack *to);
int fx_sectionwise_load(struct fx_node *node, unsigned port, struct fx_sections *held,
			double memory_mib, size_t max, struct fx_unpack *from);
/** The stream has ended: sections that are not whole are missing. */
int fx_sectionwise_drain(struct fx_node *node, const struct fx_sectionwise *how,
			 struct fx_sections *held);

#endif
