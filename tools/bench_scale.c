// SPDX-License-Identifier: Apache-2.0
/* bench_scale.c: fornix bench scale: how many processes one conductor and one machine can take. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "bench.h"
#include "cmd.h"
#include "conduct/run.h"

enum {
	WORKERS_MOST = 64,
	CHAINS = 4, /* times (a source, workers, a sink) are 200 processes */
	CHAIN_WORKERS = 48,
	IDLE_MS = 10000,
};

/* Chains of a source, workers and a sink. */
struct scale_graph {
	int chains, workers;
	size_t bytes; /* of a block */
	double time_ms;
	int count, first, last; /* blocks of a chain; between which two the seconds are taken */
};

/* What one run cost. */
struct scale_cost {
	double between_s;		   /* the two blocks at the sink */
	double started_s, seconds, end_s;  /* until all ran; all; from then until gone */
	double cpu_s, work_s, conductor_s; /* processors: nodes, their own work, conductor */
	double conductor_bytes, worker_bytes, blocks; /* worker: the most of any */
};

static double own_cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

/* Resident memory of this process now. */
static double own_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size, resident = 0;

	if (f && fscanf(f, "%ld %ld", &size, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static char *graph_text(const struct scale_graph *g, const char *result)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "version: 1\nnodes:\n");
	for (int i = 0; i < g->chains; i++)
		fprintf(f,
			"  s%d: { type: bench/source, set: { bytes: %zu, count: %d } }\n"
			"  w%d: { type: flow/work, workers: %d, from: { in: s%d.out }, "
			"set: { time: %g ms } }\n"
			"  t%d: { type: bench/sink, from: { in: w%d.out }, "
			"set: { result: %s.%d, first: %d, last: %d } }\n",
			i, g->bytes, g->count, i, g->workers, i, g->time_ms, i, i, result, i,
			g->first, g->last);
	fclose(f);
	return text;
}

static double number_of(const json_t *o, const char *name)
{
	return json_number_value(json_object_get(o, name));
}

static void read_receipt(const json_t *receipt, struct scale_cost *c)
{
	const json_t *list = json_object_get(receipt, "nodes"), *node;

	c->started_s = number_of(receipt, "started_seconds");
	c->seconds = number_of(receipt, "seconds");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *type;

		node = json_array_get(list, i);
		type = json_string_value(json_object_get(node, "type"));
		c->cpu_s += number_of(node, "cpu_seconds");
		c->work_s += number_of(node, "work_seconds");
		if (strcmp(type, "flow/work") == 0 &&
		    number_of(node, "peak_rss_bytes") > c->worker_bytes)
			c->worker_bytes = number_of(node, "peak_rss_bytes");
	}
}

/* The seconds that the sink of the first chain has measured. */
static double read_result(const char *result)
{
	char *path = fx_asprintf("%s.0", result);
	void *answer = NULL;
	double seconds = 0;
	size_t size;

	if (path && fx_file_read(path, 1000, &answer, &size, NULL) == FX_OK)
		seconds = strtod(answer, NULL);
	free(answer);
	free(path);
	return seconds;
}

static bool run_text(const char *text, struct scale_cost *c)
{
	const struct fx_run_options o = { .quiet = true,
					  .http_port = FX_HTTP_OFF,
					  .at_most_once = true };
	const double cpu = own_cpu_s();
	const int64_t start = fx_now_ns();
	struct fx_graph_errors errors = { 0 };
	struct fx_error err = { 0 };
	struct fx_registry *r = cmd_registry();
	struct fx_graph *g =
		r ? fx_graph_parse("bench", text, strlen(text), r, NULL, 0, 0, &errors) : NULL;
	char *receipt = NULL;
	const bool ok = g && fx_run_graph(g, &o, &receipt, &err) == FX_OK;
	json_t *json = ok ? json_loads(receipt, 0, NULL) : NULL;

	if (json)
		read_receipt(json, c);
	if (!ok) {
		cmd_print_errors(&errors);
		cmd_failed("bench scale: %s", err.text);
	}
	c->end_s = (double)(fx_now_ns() - start) * 1e-9 - c->seconds;
	c->conductor_s = own_cpu_s() - cpu;
	c->conductor_bytes = own_bytes();
	json_decref(json);
	free(receipt);
	fx_graph_free(g);
	fx_registry_free(r);
	return ok;
}

static bool run_graph(const struct scale_graph *g, struct scale_cost *c)
{
	char folder[] = "/tmp/fornix-bench-XXXXXX";
	char *result = mkdtemp(folder) ? fx_path_join(folder, "seconds") : NULL;
	char *text = result ? graph_text(g, result) : NULL;
	bool ok;

	*c = (struct scale_cost){ .blocks = (double)g->count * g->chains };
	ok = text && run_text(text, c);
	if (ok)
		c->between_s = read_result(result);
	if (result)
		fx_remove_tree(folder, NULL);
	free(text);
	free(result);
	return ok;
}

static int by_between(const void *a, const void *b)
{
	const struct scale_cost *x = a, *y = b;

	return (x->between_s > y->between_s) - (x->between_s < y->between_s);
}

/* The run with the median of what its sink measured. */
static bool run_median(const struct scale_graph *g, struct scale_cost *median)
{
	struct scale_cost rounds[BENCH_ROUNDS];

	for (int k = 0; k < BENCH_ROUNDS; k++)
		if (!run_graph(g, &rounds[k]))
			return false;
	qsort(rounds, BENCH_ROUNDS, sizeof *rounds, by_between);
	*median = rounds[BENCH_ROUNDS / 2];
	return true;
}

/* Without journals: the sink is no part of it. Whole waves of blocks are timed, behind those in
 * which processes still start, and before the last of all. What starting costs is taken off by a
 * run of a block or two. */
static bool bench_workers(const char *what, size_t side, double time_ms, int waves, int workers,
			  json_t *results)
{
	const struct scale_graph start = {
		.chains = 1, .workers = workers, .bytes = 8, .count = 1
	};
	const struct scale_graph g = { .chains = 1,
				       .workers = workers,
				       .bytes = side * side * side,
				       .time_ms = time_ms,
				       .count = waves * workers,
				       .first = waves / 3 * workers,
				       .last = (waves - 1) * workers };
	const double ideal = workers * 1000 / time_ms;
	struct scale_cost c, s;
	double rate;

	if (!run_graph(&start, &s) || !run_median(&g, &c))
		return false;
	rate = (g.last - g.first) / c.between_s;
	return json_array_append_new(
		       results,
		       json_pack("{s:s, s:i, s:i, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}",
				 "what", what, "threads", 1, "workers", workers, "block_bytes",
				 (json_int_t)g.bytes, "work_ms", time_ms, "blocks_per_s", rate,
				 "ideal_blocks_per_s", ideal, "efficiency", rate / ideal,
				 "framework_cpu_ms_per_block",
				 ((c.cpu_s - c.work_s) - (s.cpu_s - s.work_s)) / c.blocks * 1e3,
				 "conductor_cpu_share",
				 (c.conductor_s - s.conductor_s) / (c.seconds - s.seconds),
				 "conductor_rss_bytes", c.conductor_bytes, "worker_peak_rss_bytes",
				 c.worker_bytes)) == 0;
}

/* The same processes once with next to nothing to do, and once in which all but one of each chain
 * wait for input for long. */
static bool bench_many(json_t *results)
{
	const struct scale_graph g = {
		.chains = CHAINS, .workers = CHAIN_WORKERS, .bytes = 8, .count = 1
	};
	const int processes = CHAINS * (CHAIN_WORKERS + 2);
	struct scale_graph waits = g;
	struct scale_cost start, idle;
	double s;

	waits.time_ms = IDLE_MS;
	if (!run_median(&g, &start) || !run_graph(&waits, &idle))
		return false;
	s = idle.seconds - start.seconds;
	json_array_append_new(
		results,
		json_pack("{s:s, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "what", "start",
			  "threads", 1, "processes", processes, "start_s", start.started_s, "run_s",
			  start.seconds, "end_s", start.end_s, "cpu_ms_per_process",
			  start.cpu_s / processes * 1e3, "conductor_cpu_s", start.conductor_s,
			  "conductor_rss_bytes", start.conductor_bytes, "worker_peak_rss_bytes",
			  start.worker_bytes));
	return json_array_append_new(
		       results,
		       json_pack("{s:s, s:i, s:i, s:f, s:f, s:f}", "what", "idle", "threads", 1,
				 "processes", processes, "seconds", s, "processes_cpu_share",
				 (idle.cpu_s - start.cpu_s) / s, "conductor_cpu_share",
				 (idle.conductor_s - start.conductor_s) / s)) == 0;
}

bool bench_scale(json_t *results)
{
	static const struct {
		const char *what;
		size_t side;
		double time_ms;
		int waves; /* blocks of each worker */
	} cases[] = { { "64^3 in 10 ms", 64, 10, 300 }, { "128^3 in 100 ms", 128, 100, 30 } };

	for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
		for (int workers = 1; workers <= WORKERS_MOST; workers *= 2)
			if (!bench_workers(cases[c].what, cases[c].side, cases[c].time_ms,
					   cases[c].waves, workers, results))
				return false;
	return bench_many(results);
}
