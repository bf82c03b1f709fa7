// SPDX-License-Identifier: Apache-2.0
/* trees.h: skeletons by a path: SWC, folders of SWC, NML, precomputed skeletons; read and written
 * tree after tree. */
#ifndef FX_FORMATS_TREES_H
#define FX_FORMATS_TREES_H

#include <stdbool.h>

#include "base/map64.h"
#include "formats/nml.h"
#include "formats/outplace.h"
#include "formats/swc.h"

enum fx_trees_format {
	FX_TREES_UNKNOWN,
	FX_TREES_SWC,	     /**< one file; when it is written, of one tree or a forest */
	FX_TREES_SWC_FOLDER, /**< NAME.swc each */
	FX_TREES_NML,
	FX_TREES_SKELETONS, /**< a folder of Neuroglancer */
};

/** What lies at @p path, looking at it; FX_TREES_UNKNOWN when it is nothing of these. */
enum fx_trees_format fx_trees_at(const char *path);

/** A tree that was read, or is to be written. */
struct fx_trees_item {
	const struct fx_tree *tree;
	const char *name;	     /**< of its file, without ending; "" where it has none */
	const struct fx_note *notes; /**< of its nodes: of NML, and for NML and SWC */
	size_t notes_len;
};

/** How to read, and what was found. */
struct fx_trees_reader {
	const char *path;      /**< borrowed */
	enum fx_swc_unit unit; /**< of SWC files that do not tell theirs */
	double voxel_nm[3];    /**< zyx: of such files in voxels; NML sets it to its scale */
	size_t repairs;	       /**< what was not plain SWC, see fx_swc_parse() */
	/** Gets each tree, which stays the reader's. Below 0 ends the reading. */
	int (*take)(void *context, const struct fx_trees_item *t, struct fx_error *err);
	void *context;
};
/** Reads all trees, files in the order of their names. A tree of an SWC file whose name is a number
 * has it as its segment; else they are counted from 1. Errors name the file. */
int fx_trees_read(struct fx_trees_reader *r, struct fx_error *err);

/** Writing. Set the first members, the rest zero; fx_trees_writer_fini(). */
struct fx_trees_writer {
	enum fx_trees_format format;
	const char *path;		 /**< borrowed */
	enum fx_swc_unit unit;		 /**< of SWC */
	double voxel_nm[3];		 /**< zyx; NML and SWC in voxels need it */
	const char *experiment, *source; /**< of NML and of the provenance; NULL: not told */
	bool replace;			 /**< what is there, see fx_outplace_begin() */

	struct fx_outplace place;   /**< private */
	struct fx_nml_writer nml;   /**< private; its file is owned */
	struct fx_map64 segments;   /**< private: that were written */
	struct fx_tree_node *nodes; /**< private, owned: of all trees, for SWC */
	size_t len, cap;	    /**< private: of these */
	struct fx_trees_text {
		char *at; /**< owned */
		size_t len, cap;
	} notes;      /**< private: for SWC */
	size_t count; /**< trees */
};
int fx_trees_write_open(struct fx_trees_writer *w, struct fx_error *err);
/** A tree; its name is that of its SWC file, or "" for its segment. Notes become lines "# comment
 * NODE TEXT" and "# branchpoint NODE" of SWC. FX_EINVAL when one of that name or segment was
 * written before. */
int fx_trees_write_put(struct fx_trees_writer *w, const struct fx_trees_item *t,
		       struct fx_error *err);
/** Puts all in its place. */
int fx_trees_write_close(struct fx_trees_writer *w, struct fx_error *err);
/** Removes what was not closed. Takes a zeroed one too. */
void fx_trees_writer_fini(struct fx_trees_writer *w);

#endif
