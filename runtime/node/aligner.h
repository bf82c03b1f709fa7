// SPDX-License-Identifier: Apache-2.0
/* aligner.h: what all aligners do: sections are registered to earlier ones, placed together, and
 * sent a few sections later, resampled once. Method: docs/align.md. */
#ifndef FX_NODE_ALIGNER_H
#define FX_NODE_ALIGNER_H

#include <fornix/node.h>

#include "base/scratch.h"
#include "block/section.h"
#include "kernels/alignpair.h"
#include "kernels/elastic.h"

enum { FX_ALIGNER_REFERENCES = 12 }; /* at most, with the last one */

/** Ports of every aligner. */
enum {
	FX_ALIGNER_IMAGE,
	FX_ALIGNER_OUT,
	FX_ALIGNER_TRANSFORMS,
	FX_ALIGNER_MASK,
};

struct fx_aligner_how {
	enum fx_motion motion;
	bool elastic;
	int references;	   /**< good sections that a section is registered to */
	int ahead;	   /**< sections that come before a section is sent */
	int patience;	   /**< sections that fit no reference before they begin anew */
	double confidence; /**< below this a section is bad */
	double limit;	   /**< voxels */
	double pull[2];	   /**< back to where the stage has it: linear part, shift */
	int patch, grid, reach;
	double within;
	double mesh, stiffness, rest; /**< elastic: voxels; stiffness and pull of the mesh */
	double memory;		      /**< bytes on the heap, about */
	int hold;		      /**< sections that may be incomplete */
};

/** A section that was registered to another. */
struct fx_aligner_edge {
	int64_t z; /**< of the other */
	struct fx_affine2 map;
	double confidence;
	size_t len;
	struct fx_patch_match *matches; /**< owned; elastic alone */
};

/** A section that is not sent yet, or serves as a reference. */
struct fx_aligner_section {
	int64_t z;
	bool missing, good, sent, over;
	char reason[256];	    /**< missing: why */
	uint64_t rank;		    /**< how many good ones came before */
	double confidence;	    /**< the best of its edges to good ones */
	struct fx_affine2 map;	    /**< voxel -> aligned place */
	struct fx_section *section; /**< owned, until it is sent */
	struct fx_scratch memory;   /**< owned, of image */
	struct fx_regimage image;   /**< levels 0 when it is no reference any more */
	struct fx_mesh mesh;	    /**< owned; elastic, once it is sent */
	size_t edges_len;
	struct fx_aligner_edge edges[FX_ALIGNER_REFERENCES];
};

/** Zero-initialise; fx_aligner_finish(). */
struct fx_aligner {
	struct fx_aligner_how how;
	struct fx_sections held;
	size_t len, cap;
	struct fx_aligner_section **list; /**< owned, in the order of the stream */
	uint64_t good;			  /**< how many good ones came */
	uint64_t failed;		  /**< how many bad ones in a row */
	double usual;			  /**< confidence of the good ones, of late */
	double moves[2][3];		  /**< how fast the tissue itself moves: alignchain.h */
};

/** The ports and callbacks of a node, whose state begins with its struct fx_aligner: init() sets
 * how. */
extern const struct fx_port fx_aligner_ports[];
int fx_aligner_process(struct fx_node *node, void *state);
int fx_aligner_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m);
int fx_aligner_drain(struct fx_node *node, void *state);
int fx_aligner_save(struct fx_node *node, void *state, struct fx_pack *to);
int fx_aligner_load(struct fx_node *node, void *state, struct fx_unpack *from);
void fx_aligner_finish(void *state);

/* between aligner.c, aligner_send.c and aligner_keep.c */

/** Sends @p s: tiles, mask, record, DONE or MISSING. Its map is given. */
int fx_aligner_send(struct fx_node *node, struct fx_aligner *a, struct fx_aligner_section *s);
/** Room for the prepared image, on the heap or in a file. */
int fx_aligner_room(struct fx_node *node, struct fx_aligner *a, struct fx_aligner_section *s);
/** Appends a zeroed section; NULL without memory. */
struct fx_aligner_section *fx_aligner_append(struct fx_aligner *a, int64_t z);
/** The one of section @p z, NULL: none. */
struct fx_aligner_section *fx_aligner_get(const struct fx_aligner *a, int64_t z);
/** Those in held lie on the heap as long as there is room. */
void fx_aligner_budget(struct fx_aligner *a);

#endif
