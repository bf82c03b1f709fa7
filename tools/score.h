// SPDX-License-Identifier: Apache-2.0
/* score.h: what fornix score is made of. */
#ifndef FX_TOOLS_SCORE_H
#define FX_TOOLS_SCORE_H

#include <stdbool.h>

/** What the command line says. */
struct score_options {
	const char *paths[2]; /**< labels and truth, volumes or SWC files; the second may be NULL */
	const char *sections; /**< "A:B" */
	const char *voxel;    /**< "Z,Y,X" */
	const char *far;      /**< number */
	const char *tolerance; /**< number */
	bool json, text;
};

/** True when the name ends in .swc or .eswc. */
bool score_is_swc(const char *path);
/** Scores trees, or measures one. Exit code of the program. */
int score_trees(const struct score_options *o);
/** Scores volumes. Exit code of the program. */
int score_volumes(const struct score_options *o);

#endif
