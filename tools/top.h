// SPDX-License-Identifier: Apache-2.0
/* top.h: what the processes and edges of a run do between two looks at its counters. */
#ifndef FX_TOOLS_TOP_H
#define FX_TOOLS_TOP_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "conduct/view.h"

/** Counters of one process, at a moment. */
struct top_process {
	uint64_t busy_ns, wait_in_ns, wait_out_ns, cpu_ns, rss_bytes;
};

/** Counters of one edge, summed over its lanes. */
struct top_edge {
	uint64_t sent, bytes, framed, coded[FX_STATS_CODECS], resent, duplicates, dropped, depth;
	int64_t oldest_ns;
};

/** All of them. */
struct top_look {
	int64_t now_ns;
	struct top_process *processes; /**< owned, by instance */
	struct top_edge *edges;	       /**< owned, by edge */
};

/** Looks now. False without memory. Free with top_look_fini(). */
bool top_look(const struct fx_view *v, struct top_look *look);
/** Takes a zeroed one. */
void top_look_fini(struct top_look *look);
/** Two tables: what happened from @p a to @p b. */
void top_print(FILE *f, const struct fx_view *v, const struct top_look *a,
	       const struct top_look *b);
/** The same as a JSON object. */
json_t *top_json(const struct fx_view *v, const struct top_look *a, const struct top_look *b);

#endif
