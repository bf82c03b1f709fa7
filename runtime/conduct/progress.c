// SPDX-License-Identifier: Apache-2.0
/* progress.c: what a person sees of a run. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "conduct/run.h"

enum { LINE_EVERY_S = 10 };

uint64_t fx__run_voxels(const struct fx_run *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->plan->instances_len; i++)
		if (!r->plan->instances[i].wiring.inputs_len) {
			const uint64_t v = atomic_load(&r->stats.instances[i].voxels_out);

			n = v > n ? v : n; /* of the largest source: others bring truth */
		}
	return n;
}

int64_t fx__run_acquired(const struct fx_run *r)
{
	int64_t z = 0;

	for (size_t i = 0; i < r->plan->instances_len; i++)
		if (!r->plan->instances[i].wiring.inputs_len) {
			const int64_t done = atomic_load(&r->stats.instances[i].done_z);

			z = done > z ? done : z;
		}
	return z;
}

int64_t fx__run_finished(const struct fx_run *r)
{
	int64_t z = -1;

	for (size_t i = 0; i < r->plan->instances_len; i++) {
		const int64_t done = atomic_load(&r->stats.instances[i].done_z);

		/* an end that knows no sections, such as a file of scores, does not count */
		if (done && !r->plan->instances[i].wiring.outputs_len && (z < 0 || done < z))
			z = done;
	}
	return z < 0 ? 0 : z;
}

/* Per cent of the run's time that the busiest instance of a node has computed. */
static double node_busy(const struct fx_run *r, size_t node, double seconds)
{
	uint64_t busy = 0;

	for (size_t i = 0; i < r->plan->instances_len; i++)
		if (r->plan->instances[i].node == node) {
			const uint64_t b = atomic_load(&r->stats.instances[i].busy_ns);

			busy = b > busy ? b : busy;
		}
	return seconds > 0 ? (double)busy * 1e-7 / seconds : 0;
}

/* Adds text to a line that has room for @p size; returns what is used then. */
static size_t __attribute__((format(printf, 4, 5)))
append(char *line, size_t used, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line + used, size - used, fmt, args);
	va_end(args);
	return n < 0 ? used : used + (size_t)n < size ? used + (size_t)n : size - 1;
}

static void progress_line(const struct fx_run *r, double seconds, char *line, size_t size)
{
	const uint64_t voxels = fx__run_voxels(r);
	const int64_t acquired = fx__run_acquired(r), finished = fx__run_finished(r);
	uint64_t blocks = 0;
	size_t used = 0;

	for (size_t i = 0; i < r->plan->lanes_len; i++)
		blocks += atomic_load(&r->stats.lanes[i].acked);
	used = append(line, used, size,
		      "%6.1f s  %" PRIi64 " sections  %" PRIu64
		      " messages  %.2f MVx/s  lag %" PRIi64 " (%.1f s) ",
		      seconds, acquired, blocks, (double)voxels * 1e-6 / seconds,
		      acquired - finished, fx_lag_seconds(&r->lag, seconds));
	for (size_t n = 0; n < r->graph->nodes_len; n++) {
		char text[200];

		fx__gauges_text(r, n, fx_now_ns(), text, sizeof text);
		if (*text)
			used = append(line, used, size, " %s %s ", r->graph->nodes[n].name, text);
	}
	for (size_t n = 0; n < r->graph->nodes_len; n++) {
		const double busy = node_busy(r, n, seconds);

		if (busy >= 1)
			used = append(line, used, size, " %s %.0f%%", r->graph->nodes[n].name,
				      busy);
	}
}

void fx__progress_show(struct fx_run *r, bool last)
{
	const double seconds = (double)(fx_now_ns() - r->start_ns) * 1e-9;
	const bool terminal = isatty(2) != 0;
	char line[1024];

	if (!terminal && !last && (int)(seconds * 2) % (2 * LINE_EVERY_S) != 0)
		return;
	progress_line(r, seconds, line, sizeof line);
	if (terminal)
		fprintf(stderr, "\r\033[K%.*s%s", 160, line, last ? "\n" : "");
	else
		fprintf(stderr, "%s\n", line);
}

static void show_nodes(const struct fx_run *r)
{
	fprintf(stderr, "\n%-14s %-24s %8s %8s %8s %9s %9s\n", "node", "type", "busy s", "CPU s",
		"wait s", "peak MiB", "restarts");
	for (size_t i = 0; i < r->plan->instances_len; i++) {
		const struct fx_plan_instance *inst = &r->plan->instances[i];
		struct fx_instance_stats *s = &r->stats.instances[i];
		char name[80];

		snprintf(name, sizeof name, inst->wiring.instances > 1 ? "%s.%u" : "%s",
			 inst->wiring.node, inst->wiring.instance);
		fprintf(stderr, "%-14s %-24s %8.2f %8.2f %8.2f %9.0f %9u\n", name,
			inst->wiring.type, (double)atomic_load(&s->busy_ns) * 1e-9,
			(double)atomic_load(&s->cpu_ns) * 1e-9,
			(double)atomic_load(&s->wait_out_ns) * 1e-9,
			(double)atomic_load(&s->peak_rss_bytes) / (1 << 20),
			r->processes[i].restarts);
	}
}

uint64_t fx__edge_sum(const struct fx_run *r, const struct fx_plan_edge *e, size_t offset)
{
	uint64_t n = 0;

	for (size_t i = 0; i < e->producers * e->consumers; i++) {
		char *lane = (char *)&r->stats.lanes[e->first + i];
		void *counter = lane + offset;

		n += atomic_load((_Atomic uint64_t *)counter);
	}
	return n;
}

static void show_edges(const struct fx_run *r)
{
	fprintf(stderr, "\n%-34s %9s %9s %9s %7s %7s %9s\n", "edge", "sent", "delivered", "acked",
		"resent", "dropped", "MiB");
	for (size_t i = 0; i < r->plan->edges_len; i++) {
		const struct fx_plan_edge *e = &r->plan->edges[i];
		char name[200];

		snprintf(name, sizeof name, "%s.%s -> %s.%s", r->graph->nodes[e->from].name,
			 e->from_port, r->graph->nodes[e->to].name, e->to_port);
		fprintf(stderr,
			"%-34s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %7" PRIu64 " %7" PRIu64
			" %9.1f\n",
			name, fx__edge_sum(r, e, offsetof(struct fx_lane_stats, sent)),
			fx__edge_sum(r, e, offsetof(struct fx_lane_stats, delivered)),
			fx__edge_sum(r, e, offsetof(struct fx_lane_stats, acked)),
			fx__edge_sum(r, e, offsetof(struct fx_lane_stats, resent)),
			fx__edge_sum(r, e, offsetof(struct fx_lane_stats, dropped)),
			(double)fx__edge_sum(r, e, offsetof(struct fx_lane_stats, bytes)) /
				(1 << 20));
	}
}

void fx__summary_show(const struct fx_run *r, bool complete)
{
	show_nodes(r);
	show_edges(r);
	for (size_t i = 0; i < r->plan->instances_len; i++)
		if (atomic_load(&r->stats.instances[i].warnings))
			fprintf(stderr, "\nwarning from %s (%" PRIu64 " in all): %s",
				r->plan->instances[i].wiring.node,
				atomic_load(&r->stats.instances[i].warnings),
				r->stats.instances[i].warning);
	fprintf(stderr, "\n%s in %.1f s, %.2f MVx/s\n",
		complete ? "complete: nothing lost, nothing missing" :
			   "NOT complete: see the receipt",
		r->seconds, (double)fx__run_voxels(r) * 1e-6 / r->seconds);
}
