// SPDX-License-Identifier: Apache-2.0
/* view.h: a run of another process, looked at from outside: what it is made of, and its counters.
 *
 * The folder of a run (fornix-XXXXXX under TMPDIR, for its user alone) holds FX_RUN_FILE: JSON with
 * the conductor's pid, the graph, processes, edges, and where the counters are. */
#ifndef FX_CONDUCT_VIEW_H
#define FX_CONDUCT_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "link/stats.h"

#define FX_RUN_FILE "run.json"

enum { FX_VIEW_RUNS_MAX = 64 };

/** One process of the run; its counters have the same index. */
struct fx_view_instance {
	const char *node, *type;
	unsigned instance, instances;
	const json_t *outputs; /**< by port: endpoint for guests */
};

/** One edge; its lanes lie one behind the other. */
struct fx_view_edge {
	const char *from, *from_port, *to, *to_port;
	size_t first, lanes;
	unsigned parts; /**< in which what it carries is numbered (link/turn.h) */
};

/** Texts are borrowed from the file, and live as long. */
struct fx_view {
	char *dir; /**< owned */
	pid_t pid; /**< of the conductor */
	const char *graph, *transport;
	const json_t *params; /**< object of texts: those of the graph that have a value */
	int64_t start_ns;     /**< by fx_now_ns() */
	struct fx_view_instance *instances;
	size_t instances_len;
	struct fx_view_edge *edges;
	size_t edges_len;
	struct fx_stats stats; /**< to read only */
	json_t *file;	       /**< private, owned */
};

/** The folders of the runs that last, at most FX_VIEW_RUNS_MAX, sorted; each to be freed. Returns
 * how many. */
size_t fx_view_runs(char *dirs[FX_VIEW_RUNS_MAX]);
/** Looks at the run whose folder, or conductor's pid, is @p run; NULL: the only run there is. NULL
 * with FX_ENOENT when there is none or more than one (the text lists them), FX_EIO, FX_ETYPE. */
struct fx_view *fx_view_open(const char *run, struct fx_error *err);
/** Takes NULL. */
void fx_view_close(struct fx_view *v);
/** The run lasts: its conductor holds the lock of its folder. */
bool fx_view_lasts(const struct fx_view *v);
/** Endpoint for guests of output @p port of instance @p i; NULL when it has no such output. */
const char *fx_view_guests(const struct fx_view *v, size_t i, const char *port);

/** The folder that runs have theirs in: TMPDIR or /tmp. */
const char *fx_run_tmp(void);
/** @p name is that of a run's folder. */
bool fx_run_dir_name(const char *name);

#endif
