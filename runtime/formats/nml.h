// SPDX-License-Identifier: Apache-2.0
/* nml.h: NML, the XML of KNOSSOS and webKnossos: trees whose positions are voxels. */
#ifndef FX_FORMATS_NML_H
#define FX_FORMATS_NML_H

#include <stddef.h>
#include <stdio.h>

#include <fornix/block.h>
#include <fornix/error.h>

/** What somebody wrote to a node of a tree. */
struct fx_note {
	size_t tree;   /**< of a list of trees */
	uint32_t node; /**< of the tree */
	char *text;    /**< owned: a comment; NULL: a branch point, to be traced on from */
};

/** What an NML file holds. fx_nml_fini() when done. */
struct fx_nml {
	double voxel_nm[3];	/**< zyx; its "scale" */
	char experiment[128];	/**< name of the data set */
	struct fx_tree **trees; /**< owned; each a "thing", whose id is the segment */
	size_t len, cap;
	struct fx_note *notes; /**< owned; tree after tree, each in the order of the file */
	size_t notes_len, notes_cap;
};

/** Reads NML, any bytes: positions times the scale are nm, radii are nm; within a thing the first
 * node of each component is a root. Comments and branch points become notes,
 * unless their node is not there. Things without nodes are left out; groups, colours and the like
 * as well. FX_EINVAL with the line for what is no XML, for nodes without
 * numbers or with an id that another has, for edges to nodes that are not there or that close a
 * loop; document types and entities are refused, as are more than 16 levels. */
int fx_nml_parse(const char *text, size_t size, struct fx_nml *nml, struct fx_error *err);
/** fx_nml_parse() of a file of at most 1 GiB; errors name it. */
int fx_nml_read(const char *path, struct fx_nml *nml, struct fx_error *err);
/** Takes a zeroed one too. */
void fx_nml_fini(struct fx_nml *nml);

/** Writing, tree after tree. */
struct fx_nml_writer {
	FILE *to;	    /**< borrowed */
	double voxel_nm[3]; /**< zyx */
	uint64_t nodes;	    /**< private: written so far, so that ids are unique */
	struct fx_nml_late {
		FILE *to; /**< owned; NULL: none */
		char *text;
		size_t size;
	} late[2]; /**< private: branch points, and comments, which come behind all trees */
};
/** Writes what comes before trees; @p experiment is the name of the data set that the trees lie in.
 * Write errors are left to ferror(). */
void fx_nml_begin(struct fx_nml_writer *w, const char *experiment);
/** A tree: voxels are written as whole numbers where they are so within 0.001, else with three
 * decimals; radii in nm. @p notes are @p len notes of its nodes. FX_EINVAL for a node before its
 * parent or numbers that are not finite, FX_ENOMEM. */
int fx_nml_tree(struct fx_nml_writer *w, const struct fx_tree *t, const struct fx_note *notes,
		size_t len, struct fx_error *err);
/** Writes what comes behind them. */
void fx_nml_end(struct fx_nml_writer *w);
/** Frees what a writer that was not ended holds; takes a zeroed one too. */
void fx_nml_writer_fini(struct fx_nml_writer *w);

#endif
