// SPDX-License-Identifier: Apache-2.0
/* top.c: what the processes and edges of a run do between two looks at its counters. */
#include "top.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

static const char *const states[] = { "starts", "runs", "drains", "done", "FAILED" };

/* What happened to a process in a while, as it is shown. */
struct doing {
	const char *state;
	double busy, wait_in, wait_out, cpu; /* shares of the time; cpu: of one processor */
};

/* The text of /proc/PID/NAME in @p text; false when the process has gone. */
static bool proc_text(uint32_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, "/proc/%" PRIu32 "/%s", pid, name);
	f = pid ? fopen(path, "re") : NULL;
	n = f ? fread(text, 1, size - 1, f) : 0;
	text[n] = 0;
	if (f)
		fclose(f);
	return n > 0;
}

/* What the kernel knows of a process is there also while it is in a callback. */
static void look_at_process(const struct fx_view *v, size_t i, struct top_process *p)
{
	struct fx_instance_stats *s = &v->stats.instances[i];
	const uint32_t pid = atomic_load(&s->pid);
	unsigned long user = 0, system = 0, pages = 0;
	char text[1024];
	const char *at;

	*p = (struct top_process){ .busy_ns = atomic_load(&s->busy_ns),
				   .wait_in_ns = atomic_load(&s->wait_in_ns),
				   .wait_out_ns = atomic_load(&s->wait_out_ns),
				   .cpu_ns = atomic_load(&s->cpu_ns) };
	at = proc_text(pid, "stat", text, sizeof text) ? strrchr(text, ')') : NULL;
	if (at && sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			 &system) == 2)
		p->cpu_ns =
			(uint64_t)(user + system) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
	if (proc_text(pid, "statm", text, sizeof text) && sscanf(text, "%*u %lu", &pages) == 1)
		p->rss_bytes = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void look_at_edge(const struct fx_view *v, size_t i, struct top_edge *e)
{
	*e = (struct top_edge){ 0 };
	for (size_t k = 0; k < v->edges[i].lanes; k++) {
		struct fx_lane_stats *s = &v->stats.lanes[v->edges[i].first + k];
		const int64_t oldest = atomic_load(&s->oldest_ns);

		e->sent += atomic_load(&s->sent);
		e->bytes += atomic_load(&s->bytes);
		e->framed += atomic_load(&s->framed);
		for (int c = 0; c < FX_STATS_CODECS; c++)
			e->coded[c] += atomic_load(&s->coded[c]);
		e->resent += atomic_load(&s->resent);
		e->duplicates += atomic_load(&s->duplicates);
		e->dropped += atomic_load(&s->dropped);
		e->depth += atomic_load(&s->depth);
		if (oldest && (!e->oldest_ns || oldest < e->oldest_ns))
			e->oldest_ns = oldest;
	}
}

bool top_look(const struct fx_view *v, struct top_look *look)
{
	look->processes = fx_calloc(v->instances_len, sizeof *look->processes);
	look->edges = fx_calloc(v->edges_len, sizeof *look->edges);
	look->now_ns = fx_now_ns();
	if (!look->processes || !look->edges) {
		top_look_fini(look);
		return false;
	}
	for (size_t i = 0; i < v->instances_len; i++)
		look_at_process(v, i, &look->processes[i]);
	for (size_t i = 0; i < v->edges_len; i++)
		look_at_edge(v, i, &look->edges[i]);
	return true;
}

void top_look_fini(struct top_look *look)
{
	free(look->processes);
	free(look->edges);
	memset(look, 0, sizeof *look);
}

static double share(uint64_t a, uint64_t b, double ns)
{
	const double part = b > a ? (double)(b - a) / ns : 0;

	return part < 1 ? part : 1;
}

/* Times are counted when a callback or a wait is over: what is not counted yet of a node that runs
 * is time in a callback. */
static struct doing doing_of(const struct fx_view *v, const struct top_look *a,
			     const struct top_look *b, size_t i)
{
	const struct top_process *p = &a->processes[i], *q = &b->processes[i];
	const uint32_t state = atomic_load(&v->stats.instances[i].state);
	const double ns = (double)(b->now_ns - a->now_ns);
	struct doing d = { .state = state <= FX_STATE_FAILED ? states[state] : "?",
			   .busy = share(p->busy_ns, q->busy_ns, ns),
			   .wait_in = share(p->wait_in_ns, q->wait_in_ns, ns),
			   .wait_out = share(p->wait_out_ns, q->wait_out_ns, ns) };
	const double rest = 1 - d.busy - d.wait_in - d.wait_out;

	d.cpu = q->cpu_ns > p->cpu_ns ? (double)(q->cpu_ns - p->cpu_ns) / ns : 0;
	if ((state == FX_STATE_RUNNING || state == FX_STATE_DRAINING) && rest > 0)
		d.busy += rest;
	return d;
}

/* The main gauge of a process as text: "41% of 15.6e6 voxels", "120 steps"; "" without. */
static void progress_text(const struct fx_instance_stats *s, char *text, size_t size)
{
	const struct fx_gauge *g = &s->gauges[0];
	const double done = atomic_load(&g->done), total = atomic_load(&g->total);

	text[0] = 0;
	if (!atomic_load(&s->gauges_len))
		return;
	if (total > 0)
		snprintf(text, size, "%.0f%% of %.6g %.*s", 100 * done / total, total,
			 FX_STATS_UNIT, g->unit);
	else
		snprintf(text, size, "%.6g %.*s", done, FX_STATS_UNIT, g->unit);
}

static uint32_t restarts(const struct fx_instance_stats *s)
{
	const uint32_t lives = atomic_load(&s->lives);

	return lives ? lives - 1 : 0;
}

static void instance_name(const struct fx_view_instance *n, char *name, size_t size)
{
	if (n->instances > 1)
		snprintf(name, size, "%s.%u", n->node, n->instance);
	else
		snprintf(name, size, "%s", n->node);
}

static void edge_name(const struct fx_view_edge *e, char *name, size_t size)
{
	snprintf(name, size, "%s.%s -> %s.%s", e->from, e->from_port, e->to, e->to_port);
}

static double age_of(const struct top_look *look, const struct top_edge *e)
{
	return e->oldest_ns && look->now_ns > e->oldest_ns ?
		       (double)(look->now_ns - e->oldest_ns) * 1e-9 :
		       0;
}

static double rate(uint64_t a, uint64_t b, double seconds)
{
	return b > a ? (double)(b - a) / seconds : 0;
}

/* The codec of most frames since the last look. */
static const char *codec_of(const struct top_edge *a, const struct top_edge *b)
{
	static const char *const names[FX_STATS_CODECS] = { "none", "lz4", "zstd" };
	uint64_t most = 0;
	const char *name = "-";

	for (int c = 0; c < FX_STATS_CODECS; c++)
		if (b->coded[c] > a->coded[c] + most) {
			most = b->coded[c] - a->coded[c];
			name = names[c];
		}
	return name;
}

static void print_processes(FILE *f, const struct fx_view *v, const struct top_look *a,
			    const struct top_look *b)
{
	fprintf(f, "%-16s %-24s %-7s %6s %6s %6s %6s %9s %8s  %s\n", "node", "type", "state",
		"busy %", "in %", "out %", "CPU %", "RSS MiB", "restarts", "progress");
	for (size_t i = 0; i < v->instances_len; i++) {
		const struct doing d = doing_of(v, a, b, i);
		const struct fx_instance_stats *s = &v->stats.instances[i];
		char name[96], progress[96];

		instance_name(&v->instances[i], name, sizeof name);
		progress_text(s, progress, sizeof progress);
		fprintf(f, "%-16s %-24s %-7s %6.0f %6.0f %6.0f %6.0f %9.0f %8" PRIu32 "  %s\n",
			name, v->instances[i].type, d.state, 100 * d.busy, 100 * d.wait_in,
			100 * d.wait_out, 100 * d.cpu,
			(double)b->processes[i].rss_bytes / (1 << 20), restarts(s), progress);
	}
}

static void print_edges(FILE *f, const struct fx_view *v, const struct top_look *a,
			const struct top_look *b)
{
	const double seconds = (double)(b->now_ns - a->now_ns) * 1e-9;

	fprintf(f, "\n%-40s %6s %7s %9s %9s %8s %8s %-5s %7s %7s %7s\n", "edge", "depth", "age s",
		"sent", "msg/s", "MiB/s", "framed", "codec", "resent", "dupl.", "dropped");
	for (size_t i = 0; i < v->edges_len; i++) {
		const struct top_edge *p = &a->edges[i], *q = &b->edges[i];
		char name[280];

		edge_name(&v->edges[i], name, sizeof name);
		fprintf(f,
			"%-40s %6" PRIu64 " %7.1f %9" PRIu64 " %9.1f %8.1f %8.1f %-5s %7" PRIu64
			" %7" PRIu64 " %7" PRIu64 "\n",
			name, q->depth, age_of(b, q), q->sent, rate(p->sent, q->sent, seconds),
			rate(p->bytes, q->bytes, seconds) / (1 << 20),
			rate(p->framed, q->framed, seconds) / (1 << 20), codec_of(p, q), q->resent,
			q->duplicates, q->dropped);
	}
}

void top_print(FILE *f, const struct fx_view *v, const struct top_look *a, const struct top_look *b)
{
	fprintf(f, "%s  %s  conductor %d  %s  %.1f s\n\n", v->dir, v->graph, (int)v->pid,
		v->transport, (double)(b->now_ns - v->start_ns) * 1e-9);
	print_processes(f, v, a, b);
	print_edges(f, v, a, b);
}

static json_t *process_json(const struct fx_view *v, const struct top_look *a,
			    const struct top_look *b, size_t i)
{
	const struct doing d = doing_of(v, a, b, i);
	const struct fx_instance_stats *s = &v->stats.instances[i];
	char name[96], progress[96];

	instance_name(&v->instances[i], name, sizeof name);
	progress_text(s, progress, sizeof progress);
	return json_pack("{s:s, s:s, s:s, s:I, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:s}",
			 "name", name, "type", v->instances[i].type, "state", d.state, "pid",
			 (json_int_t)atomic_load(&s->pid), "busy", d.busy, "wait_in", d.wait_in,
			 "wait_out", d.wait_out, "cpu", d.cpu, "rss_bytes",
			 (json_int_t)b->processes[i].rss_bytes, "restarts", (json_int_t)restarts(s),
			 "messages_in", (json_int_t)atomic_load(&s->messages_in), "untapped",
			 (json_int_t)atomic_load(&s->untapped), "progress", progress);
}

static json_t *edge_json(const struct fx_view *v, const struct top_look *a,
			 const struct top_look *b, size_t i)
{
	const double seconds = (double)(b->now_ns - a->now_ns) * 1e-9;
	const struct fx_view_edge *e = &v->edges[i];
	const struct top_edge *p = &a->edges[i], *q = &b->edges[i];
	char from[160], to[160];

	snprintf(from, sizeof from, "%s.%s", e->from, e->from_port);
	snprintf(to, sizeof to, "%s.%s", e->to, e->to_port);
	return json_pack("{s:s, s:s, s:I, s:f, s:I, s:f, s:f, s:f, s:s, s:I, s:I, s:I}", "from",
			 from, "to", to, "depth", (json_int_t)q->depth, "age_seconds", age_of(b, q),
			 "sent", (json_int_t)q->sent, "messages_per_second",
			 rate(p->sent, q->sent, seconds), "bytes_per_second",
			 rate(p->bytes, q->bytes, seconds), "framed_bytes_per_second",
			 rate(p->framed, q->framed, seconds), "codec", codec_of(p, q), "resent",
			 (json_int_t)q->resent, "duplicates", (json_int_t)q->duplicates, "dropped",
			 (json_int_t)q->dropped);
}

json_t *top_json(const struct fx_view *v, const struct top_look *a, const struct top_look *b)
{
	json_t *nodes = json_array(), *edges = json_array();

	for (size_t i = 0; i < v->instances_len; i++)
		json_array_append_new(nodes, process_json(v, a, b, i));
	for (size_t i = 0; i < v->edges_len; i++)
		json_array_append_new(edges, edge_json(v, a, b, i));
	return json_pack("{s:s, s:i, s:s, s:s, s:f, s:o, s:o}", "run", v->dir, "pid", (int)v->pid,
			 "graph", v->graph, "transport", v->transport, "seconds",
			 (double)(b->now_ns - v->start_ns) * 1e-9, "nodes", nodes, "edges", edges);
}
