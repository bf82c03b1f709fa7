// SPDX-License-Identifier: Apache-2.0
/* versions.h: images of sections, several of a section perhaps, that are kept until it is known
 * which of them goes on. */
#ifndef FX_NODE_VERSIONS_H
#define FX_NODE_VERSIONS_H

#include <fornix/node.h>

#include "block/section.h"

/** One image, or that a section does not come. */
struct fx_version {
	int64_t z;
	uint64_t number;	    /**< of the message that made it complete: its name, with z */
	uint64_t first;		    /**< number of the message with its first tile */
	bool missing;		    /**< it does not come: no image */
	struct fx_section *section; /**< owned; NULL when missing, or not here again yet */
	char reason[256];	    /**< why it is missing */
};

/** Zero-initialise. */
struct fx_versions {
	struct fx_sections coming; /**< owned: tiles of what is not complete */
	double memory;		   /**< bytes on the heap; more lie in files */
	size_t len, cap;
	struct fx_version *all; /**< owned; in order of completion */
};

/** OPEN of input @p port: as fx_sections_init(). */
int fx_versions_open(struct fx_versions *v, const struct fx_mark *m, double memory_mib, size_t most,
		     struct fx_error *err);
void fx_versions_fini(struct fx_versions *v);
/** Takes the tile that waits on @p port. Fails by fx_fail(). */
int fx_versions_put(struct fx_versions *v, struct fx_node *node, unsigned port);
/** Section @p z is complete (@p missing NULL), or does not come; the message in hand says so. While
 * fx_again() only the images that a former life kept are taken. Fails by fx_fail(). */
int fx_versions_add(struct fx_versions *v, struct fx_node *node, int64_t z, const char *missing);
/** The image of that name; NULL: none. */
struct fx_version *fx_versions_find(const struct fx_versions *v, int64_t z, uint64_t number);
/** Drops one. */
void fx_versions_drop(struct fx_versions *v, struct fx_version *one);
/** Sends the image of that name as tiles of at most 4 MiB on @p port, and its DONE. */
int fx_versions_send(const struct fx_versions *v, struct fx_node *node, unsigned port, int64_t z,
		     uint64_t number);
/** Sends that section @p z is missing. */
int fx_versions_lost(const struct fx_versions *v, struct fx_node *node, unsigned port, int64_t z,
		     const char *reason);
/** For save() and load(): the images come once more. */
void fx_versions_save(const struct fx_versions *v, struct fx_node *node, struct fx_pack *to);
int fx_versions_load(struct fx_versions *v, struct fx_unpack *from);

#endif
