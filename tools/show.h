// SPDX-License-Identifier: Apache-2.0
/* show.h: what a run made, for people. */
#ifndef FX_TOOLS_SHOW_H
#define FX_TOOLS_SHOW_H

#include <jansson.h>

/** The main numbers of a scores object as a table on stderr. */
void show_score_table(const json_t *scores);
/** The main numbers of OUT/scores.json as a table on stderr; nothing when there is none. */
void show_scores(const char *out);
/** What lies in the folder, one path a line, on stderr. */
void show_made(const char *out);

#endif
