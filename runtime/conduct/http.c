// SPDX-License-Identifier: Apache-2.0
/* http.c: the metrics of a run in the text format of Prometheus, on loopback. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "conduct/run.h"

enum { CONNECTIONS_MAX = 16, TIMEOUT_S = 5 };

struct fx_http {
	struct MHD_Daemon *daemon;
	const struct fx_run *run;
};

static void metric_head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP fornix_%s %s\n# TYPE fornix_%s %s\n", name, help, name, type);
}

/* One metric of every instance: the counter at @p offset, times @p factor. */
static void instance_metric(FILE *f, const struct fx_run *r, const char *name, const char *type,
			    const char *help, size_t offset, double factor)
{
	metric_head(f, name, type, help);
	for (size_t i = 0; i < r->plan->instances_len; i++) {
		const struct fx_wiring *w = &r->plan->instances[i].wiring;
		void *counter = (char *)&r->stats.instances[i] + offset;

		fprintf(f, "fornix_%s{node=\"%s\",type=\"%s\",instance=\"%u\"} %.9g\n", name,
			w->node, w->type, w->instance,
			(double)atomic_load((_Atomic uint64_t *)counter) * factor);
	}
}

static void edge_metric(FILE *f, const struct fx_run *r, const char *name, const char *type,
			const char *help, size_t offset)
{
	metric_head(f, name, type, help);
	for (size_t i = 0; i < r->plan->edges_len; i++) {
		const struct fx_plan_edge *e = &r->plan->edges[i];

		fprintf(f, "fornix_%s{from=\"%s.%s\",to=\"%s.%s\"} %" PRIu64 "\n", name,
			r->graph->nodes[e->from].name, e->from_port, r->graph->nodes[e->to].name,
			e->to_port, fx__edge_sum(r, e, offset));
	}
}

static void run_metrics(FILE *f, const struct fx_run *r)
{
	metric_head(f, "run_seconds", "gauge", "time since the run began");
	fprintf(f, "fornix_run_seconds %.3f\n", (double)(fx_now_ns() - r->start_ns) * 1e-9);
	metric_head(f, "sections_acquired", "counter", "sections that sources have sent");
	fprintf(f, "fornix_sections_acquired %" PRIi64 "\n", fx__run_acquired(r));
	metric_head(f, "sections_finished", "counter", "sections that all ends have done");
	fprintf(f, "fornix_sections_finished %" PRIi64 "\n", fx__run_finished(r));
	metric_head(f, "lag_seconds", "gauge",
		    "how long the oldest section that is not finished has been there");
	fprintf(f, "fornix_lag_seconds %.3f\n",
		fx_lag_seconds(&r->lag, (double)(fx_now_ns() - r->start_ns) * 1e-9));
	metric_head(f, "voxels_acquired", "counter", "voxels that the largest source has sent");
	fprintf(f, "fornix_voxels_acquired %" PRIu64 "\n", fx__run_voxels(r));
	metric_head(f, "node_restarts", "counter", "how often a process was started again");
	for (size_t i = 0; i < r->plan->instances_len; i++)
		fprintf(f, "fornix_node_restarts{node=\"%s\",instance=\"%u\"} %u\n",
			r->plan->instances[i].wiring.node, r->plan->instances[i].wiring.instance,
			r->processes[i].restarts);
}

enum progress { PROGRESS_DONE, PROGRESS_TOTAL, PROGRESS_LEFT };

static double progress_value(const struct fx_gauge_sum *s, enum progress what, int64_t now_ns)
{
	return what == PROGRESS_DONE  ? s->done :
	       what == PROGRESS_TOTAL ? s->total :
					fx__gauge_left(s, now_ns);
}

/* What the nodes tell by fx_progress(); what is not known is left out. */
static void progress_metric(FILE *f, const struct fx_run *r, const char *name, const char *help,
			    enum progress what)
{
	const int64_t now_ns = fx_now_ns();

	metric_head(f, name, "gauge", help);
	for (size_t n = 0; n < r->graph->nodes_len; n++) {
		struct fx_gauge_sum sums[FX_STATS_GAUGES];
		const size_t len = fx__gauges(r, n, sums);

		for (size_t i = 0; i < len; i++) {
			const double v = progress_value(&sums[i], what, now_ns);

			if (what == PROGRESS_DONE || (sums[i].total > 0 && v >= 0))
				fprintf(f, "fornix_%s{node=\"%s\",unit=\"%s\"} %.9g\n", name,
					r->graph->nodes[n].name, sums[i].unit, v);
		}
	}
}

char *fx__metrics_text(const struct fx_run *r)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	run_metrics(f, r);
	instance_metric(f, r, "node_busy_seconds", "counter", "time inside of the node's own code",
			offsetof(struct fx_instance_stats, busy_ns), 1e-9);
	instance_metric(f, r, "node_wait_in_seconds", "counter", "time without input",
			offsetof(struct fx_instance_stats, wait_in_ns), 1e-9);
	instance_metric(f, r, "node_wait_out_seconds", "counter", "time without credit",
			offsetof(struct fx_instance_stats, wait_out_ns), 1e-9);
	instance_metric(f, r, "node_cpu_seconds", "counter", "processor time of the process",
			offsetof(struct fx_instance_stats, cpu_ns), 1e-9);
	instance_metric(f, r, "node_peak_rss_bytes", "gauge", "highest resident memory",
			offsetof(struct fx_instance_stats, peak_rss_bytes), 1);
	instance_metric(f, r, "node_messages", "counter", "messages that the node was given",
			offsetof(struct fx_instance_stats, messages_in), 1);
	instance_metric(f, r, "node_voxels", "counter", "voxels that the node was given",
			offsetof(struct fx_instance_stats, voxels_in), 1);
	instance_metric(f, r, "node_refused", "counter", "frames that were not valid",
			offsetof(struct fx_instance_stats, refused), 1);
	progress_metric(f, r, "node_progress", "what all workers of a node have done",
			PROGRESS_DONE);
	progress_metric(f, r, "node_progress_total", "of so many", PROGRESS_TOTAL);
	progress_metric(f, r, "node_seconds_left", "until it is done, at its rate so far",
			PROGRESS_LEFT);
	edge_metric(f, r, "edge_sent", "gauge", "messages sent, less those of lives that ended",
		    offsetof(struct fx_lane_stats, sent));
	edge_metric(f, r, "edge_acked", "counter", "messages acknowledged",
		    offsetof(struct fx_lane_stats, acked));
	edge_metric(f, r, "edge_resent", "counter", "messages sent again",
		    offsetof(struct fx_lane_stats, resent));
	edge_metric(f, r, "edge_bytes", "counter", "payload bytes sent",
		    offsetof(struct fx_lane_stats, bytes));
	edge_metric(f, r, "edge_depth", "gauge", "messages waiting or in flight",
		    offsetof(struct fx_lane_stats, depth));
	fclose(f);
	return text;
}

static enum MHD_Result respond(struct MHD_Connection *c, unsigned code, char *text,
			       const char *type)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	if (!text)
		return MHD_NO;
	response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", type);
	result = MHD_queue_response(c, code, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_size, void **request)
{
	const struct fx_http *h = context;

	(void)version;
	(void)data;
	(void)data_size;
	(void)request;
	if (strcmp(method, "GET") != 0)
		return respond(c, 405, strdup("only GET\n"), "text/plain");
	if (strcmp(url, "/metrics") != 0)
		return respond(c, 404, strdup("there is /metrics\n"), "text/plain");
	return respond(c, 200, fx__metrics_text(h->run), "text/plain; version=0.0.4");
}

struct fx_http *fx__http_start(const struct fx_run *r, int port, struct fx_error *err)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct fx_http *h = calloc(1, sizeof *h);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (h) {
		h->run = r;
		h->daemon = MHD_start_daemon(
			MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, h,
			MHD_OPTION_SOCK_ADDR, &a, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
			MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S, MHD_OPTION_END);
	}
	if (h && h->daemon)
		return h;
	fx_error_set(err, FX_EIO, "cannot listen on 127.0.0.1:%d: %s", port, strerror(errno));
	free(h);
	return NULL;
}

int fx__http_port(const struct fx_http *h)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}

void fx__http_stop(struct fx_http *h)
{
	if (!h)
		return;
	MHD_stop_daemon(h->daemon);
	free(h);
}
