// SPDX-License-Identifier: Apache-2.0
/* score.h: what fornix score is made of. */
#ifndef FX_TOOLS_SCORE_H
#define FX_TOOLS_SCORE_H

#include <jansson.h>
#include <stdbool.h>

#include "formats/volume.h"
#include "kernels/erl.h"
#include "node/details.h"

/** What the command line says; texts that were not given are NULL. */
struct score_options {
	const char *paths[2]; /**< labels and truth, volumes or SWC files; the second may be NULL */
	const char *sections; /**< "A:B" */
	const char *voxel;    /**< "Z,Y,X" */
	const char *far, *tolerance, *threshold, *worst; /**< numbers */
	const char *skeletons; /**< folder with ID.swc files, or one such */
	const char *link_image, *link_labels, *link_truth, *viewer;
	bool mask, json, text;
};

/** Two volumes that are compared section by section. */
struct score_pair {
	struct fx_volume scored, truth;
	size_t from, to;    /**< sections that count, of the scored one */
	double voxel_nm[3]; /**< given, else as a file tells, else 0 */
};

/** Opens both and checks what the options say of them. FX_EINVAL, FX_ETYPE, FX_EIO, FX_ENOMEM. */
int score_pair_open(struct score_pair *p, const struct score_options *o, struct fx_error *err);
/** Takes a zeroed one. */
void score_pair_close(struct score_pair *p);
/** Section @p z of both, new blocks; *truth is NULL behind its last. */
int score_pair_read(struct score_pair *p, size_t z, struct fx_block **scored,
		    struct fx_block **truth, struct fx_error *err);

/** A number above 0, when @p text is not NULL. FX_EINVAL. */
int score_number(const char *text, const char *name, double *value, struct fx_error *err);
/** Three numbers above 0, when @p text is not NULL. FX_EINVAL. */
int score_vector(const char *text, const char *name, double v[3], struct fx_error *err);
/** Prints on stdout. */
void score_print_json(const json_t *scores);

/** Skeletons of true bodies, to be looked up section by section. */
struct score_skeletons {
	struct fx_erl_node *nodes; /**< owned */
	int64_t (*voxels)[3];	   /**< owned */
	size_t len;
};

/** Reads a folder of files ID.swc, or one such; positions are nm, unless the file tells. FX_EINVAL,
 * FX_EIO, FX_ENOMEM. */
int score_skeletons_open(struct score_skeletons *s, const char *path, const double voxel_nm[3],
			 struct fx_error *err);
void score_skeletons_close(struct score_skeletons *s);
/** Gives the nodes in a section their segments. */
void score_skeletons_look(struct score_skeletons *s, const struct fx_block *section);

/** True when the name ends in .swc or .eswc. */
bool score_is_swc(const char *path);
/** Scores trees, or measures one. Exit code of the program. */
int score_trees(const struct score_options *o);
/** Scores labels. Exit code of the program. */
int score_volumes(const struct score_options *o);
/** Scores probabilities or masks. Exit code of the program. */
int score_masks(const struct score_options *o);

#endif
