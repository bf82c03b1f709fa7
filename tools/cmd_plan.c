// SPDX-License-Identifier: Apache-2.0
/* cmd_plan.c: fornix plan: what of a graph would run where. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include <fornix/version.h>

#include "base/cpu.h"
#include "cmd.h"
#include "conduct/launch.h"
#include "conduct/place.h"
#include "conduct/plan.h"
#include "graph/json.h"
#include "kubernetes.h"

/* A plan to be shown. */
struct plan {
	const struct fx_graph *graph;
	struct fx_costs costs;
	struct fx_places places;
	int slots[FX_GRAPH_HOSTS_MAX];
};

static const char *host_name(const struct plan *p, size_t instance)
{
	return p->graph->hosts_len ? p->graph->hosts[p->places.host[instance]].name : "here";
}

/* How many processes of @p node run on @p host. */
static int on_host(const struct plan *p, size_t node, unsigned host)
{
	const size_t first = fx_first_instance(p->graph, node);
	int n = 0;

	for (int k = 0; k < p->graph->nodes[node].workers; k++)
		n += p->places.host[first + (size_t)k] == host;
	return n;
}

/* Pairs of processes of an edge that are on the same host, and those that are not. */
static void count_lanes(const struct plan *p, size_t from, size_t to, int *same, int *across)
{
	*same = *across = 0;
	for (unsigned h = 0; h < FX_GRAPH_HOSTS_MAX; h++)
		*same += on_host(p, from, h) * on_host(p, to, h);
	*across = p->graph->nodes[from].workers * p->graph->nodes[to].workers - *same;
}

/* An output of which one consumer is elsewhere, or may go there, sends frames to all. */
static bool output_crosses(const struct plan *p, size_t from, unsigned port)
{
	int same, across;

	for (size_t to = 0; to < p->graph->nodes_len; to++)
		for (size_t k = 0; k < p->graph->nodes[to].inputs_len; k++) {
			const struct fx_graph_input *in = &p->graph->nodes[to].inputs[k];

			if (in->from != from || in->from_port != port)
				continue;
			count_lanes(p, from, to, &same, &across);
			if (across || fx_plan_may_leave(p->graph, to))
				return true;
		}
	return false;
}

/* How the payloads of a port travel between hosts (fx__form_codec() decides). */
static const char *codec_of(const struct fx_port *port, enum fx_coding coding)
{
	const unsigned coded = 1 << FX_LABELS | 1 << FX_MASK;

	if (coding != FX_CODING_AUTO)
		return fx_coding_name(coding);
	if (!(port->kinds & FX_BLOCK) || (port->roles && !(port->roles & ~coded)))
		return "lz4";
	return port->roles && !(port->roles & coded) ? "none or zstd" : "by kind";
}

/* ... and as what numbers of 32 bits, when the graph says so. */
static const char *way_of(const struct fx_graph_node *from, const struct fx_graph_input *in,
			  char text[48])
{
	const unsigned as = fx_precision_of(from->precision, in->from_port);

	snprintf(text, 48, "%s%s%s", as ? fx_dtype_name((enum fx_dtype)as) : "", as ? ", " : "",
		 codec_of(&from->type->ports[in->from_port], in->coding));
	return text;
}

struct bottleneck {
	char text[200];
	double seconds;
};

static void slower(struct bottleneck *b, double seconds, const char *what, const char *name)
{
	if (seconds <= b->seconds)
		return;
	b->seconds = seconds;
	snprintf(b->text, sizeof b->text, "%s %s", what, name);
}

/* A host is as slow as its processors together, a node as its slowest process. */
static struct bottleneck bottleneck_of(const struct plan *p)
{
	struct bottleneck b = { 0 };
	size_t edge = 0;

	for (size_t h = 0; h < p->graph->hosts_len; h++)
		slower(&b, p->places.load[h] / p->slots[h], "the processors of host",
		       p->graph->hosts[h].name);
	for (size_t n = 0; n < p->graph->nodes_len; n++)
		slower(&b, p->costs.seconds[n] / p->graph->nodes[n].workers, "node",
		       p->graph->nodes[n].name);
	for (size_t to = 0; to < p->graph->nodes_len; to++)
		for (size_t k = 0; k < p->graph->nodes[to].inputs_len; k++, edge++) {
			int same, across;

			count_lanes(p, p->graph->nodes[to].inputs[k].from, to, &same, &across);
			slower(&b, p->costs.bytes[edge] / FX_LINK_RATE * across / (same + across),
			       "the links to", p->graph->nodes[to].name);
		}
	return b;
}

static void show_hosts(const struct plan *p)
{
	printf("%-12s %-10s %-16s %6s %10s %10s  %s\n", "host", "launcher", "address", "slots",
	       "processes", "seconds", "started by");
	for (size_t h = 0; h < p->graph->hosts_len; h++) {
		const struct fx_graph_host *host = &p->graph->hosts[h];
		char *command = h ? fx_launch_text(host) : NULL;
		int n = 0;

		for (size_t i = 0; i < p->places.len; i++)
			n += p->places.host[i] == h;
		printf("%-12s %-10s %-16s %6d %10d %10.3g  %s%s\n", host->name,
		       fx_launcher_name(host->launcher),
		       *host->address ? host->address : "127.0.0.1", p->slots[h], n,
		       p->places.load[h], host->joins ? "fornix join: " : "",
		       command ? command : "fornix run");
		free(command);
	}
	printf("\n");
}

static void show_processes(const struct plan *p)
{
	printf("%-20s %-26s %-12s %10s\n", "process", "type", "host", "seconds");
	for (size_t n = 0; n < p->graph->nodes_len; n++)
		for (int k = 0; k < p->graph->nodes[n].workers; k++) {
			const struct fx_graph_node *node = &p->graph->nodes[n];
			char name[96];

			snprintf(name, sizeof name, node->workers > 1 ? "%s.%d" : "%s", node->name,
				 k);
			printf("%-20s %-26s %-12s %10.3g\n", name, node->type->name,
			       host_name(p, fx_first_instance(p->graph, n) + (size_t)k),
			       p->costs.seconds[n] / node->workers);
		}
	printf("\n");
}

static void show_links(const struct plan *p)
{
	size_t edge = 0;
	bool grey = false;

	printf("%-40s %6s %6s  %-22s %-12s %10s\n", "link", "inside", "across", "way", "codec",
	       "MiB");
	for (size_t to = 0; to < p->graph->nodes_len; to++)
		for (size_t k = 0; k < p->graph->nodes[to].inputs_len; k++, edge++) {
			const struct fx_graph_input *in = &p->graph->nodes[to].inputs[k];
			const struct fx_graph_node *a = &p->graph->nodes[in->from];
			const struct fx_graph_node *b = &p->graph->nodes[to];
			const struct fx_port *out = &a->type->ports[in->from_port];
			const bool away = output_crosses(p, in->from, in->from_port);
			char name[200], mib[24] = "?", way[48];
			int same, across;

			count_lanes(p, in->from, to, &same, &across);
			grey = grey || (away && in->coding == FX_CODING_AUTO);
			snprintf(name, sizeof name, "%s.%s -> %s.%s", a->name, out->name, b->name,
				 b->type->ports[in->port].name);
			if (p->costs.measured)
				snprintf(mib, sizeof mib, "%.1f", p->costs.bytes[edge] / 1048576);
			printf("%-40s %6d %6d  %-22s %-12s %10s\n", name, same, across,
			       away ? "tcp, CURVE" : "shared memory",
			       away ? way_of(a, in, way) : "-", mib);
		}
	if (grey)
		printf("grey values go as they are, or as differences by zstd while the link is "
		       "measured to be\nwhat is waited for; labels, trees and records by lz4; "
		       "`codec` in the graph says otherwise\n");
	printf("\n");
}

static void show(const struct plan *p)
{
	const struct bottleneck b = bottleneck_of(p);

	if (p->graph->hosts_len)
		show_hosts(p);
	show_processes(p);
	show_links(p);
	printf("expected bottleneck: %s, %.3g s%s\n", b.text, b.seconds,
	       p->costs.measured ? "" :
				   " (seconds are guesses by role: give --measured "
				   "OUT/receipt.json of an earlier run)");
}

static json_t *hosts_json(const struct plan *p)
{
	json_t *list = json_array();

	for (size_t h = 0; h < p->graph->hosts_len; h++) {
		const struct fx_graph_host *host = &p->graph->hosts[h];
		char *command = h ? fx_launch_text(host) : NULL;

		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:b, s:i, s:f, s:s*}", "host", host->name,
					"launcher", fx_launcher_name(host->launcher), "address",
					host->address, "joins", host->joins, "slots", p->slots[h],
					"seconds", p->places.load[h], "command", command));
		free(command);
	}
	return list;
}

static json_t *processes_json(const struct plan *p)
{
	json_t *list = json_array();

	for (size_t n = 0; n < p->graph->nodes_len; n++)
		for (int k = 0; k < p->graph->nodes[n].workers; k++)
			json_array_append_new(
				list,
				json_pack("{s:s, s:s, s:i, s:s, s:f}", "node",
					  p->graph->nodes[n].name, "type",
					  p->graph->nodes[n].type->name, "instance", k, "host",
					  host_name(p, fx_first_instance(p->graph, n) + (size_t)k),
					  "seconds",
					  p->costs.seconds[n] / p->graph->nodes[n].workers));
	return list;
}

static json_t *links_json(const struct plan *p)
{
	json_t *list = json_array();
	size_t edge = 0;

	for (size_t to = 0; to < p->graph->nodes_len; to++)
		for (size_t k = 0; k < p->graph->nodes[to].inputs_len; k++, edge++) {
			const struct fx_graph_input *in = &p->graph->nodes[to].inputs[k];
			const struct fx_graph_node *a = &p->graph->nodes[in->from];
			const struct fx_port *out = &a->type->ports[in->from_port];
			const bool away = output_crosses(p, in->from, in->from_port);
			const unsigned as = fx_precision_of(a->precision, in->from_port);
			int same, across;

			count_lanes(p, in->from, to, &same, &across);
			json_array_append_new(
				list,
				json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s*, s:s*, s:f}",
					  "from", a->name, "from_port", out->name, "to",
					  p->graph->nodes[to].name, "to_port",
					  p->graph->nodes[to].type->ports[in->port].name, "inside",
					  same, "across", across, "transport", away ? "tcp" : "shm",
					  "codec", away ? codec_of(out, in->coding) : NULL,
					  "precision", as ? fx_dtype_name((enum fx_dtype)as) : NULL,
					  "bytes",
					  p->costs.measured ? p->costs.bytes[edge] : -1.0));
		}
	return list;
}

static int show_json(const struct plan *p)
{
	const struct bottleneck b = bottleneck_of(p);

	return fx_json_print(json_pack("{s:b, s:o, s:o, s:o, s:{s:s, s:f}}", "measured",
				       p->costs.measured, "hosts", hosts_json(p), "processes",
				       processes_json(p), "links", links_json(p), "bottleneck",
				       "what", b.text, "seconds", b.seconds),
			     stdout) == FX_OK ?
		       CMD_DONE :
		       CMD_FAILED;
}

/* What is asked. */
struct question {
	const char *measured;
	bool json, manifest;
	struct kubernetes kubernetes;
};

static int plan_graph(const struct fx_graph *g, const struct fx_graph_errors *errors,
		      const void *context)
{
	const struct question *q = context;
	struct plan p = { .graph = g };
	struct fx_error err = { 0 };
	uint64_t absent = 0;
	int result;

	(void)errors;
	if (!g)
		return CMD_WRONG;
	if (q->manifest)
		return kubernetes_print(stdout, g, &q->kubernetes, &err) == FX_OK ?
			       CMD_DONE :
			       cmd_wrong("%s", err.text);
	result = q->measured ? fx_costs_read(&p.costs, g, q->measured, &err) :
			       fx_costs_guess(&p.costs, g, &err);

	for (size_t h = 0; h < g->hosts_len; h++) {
		p.slots[h] = g->hosts[h].slots ? g->hosts[h].slots : fx_cpu_count();
		absent |= (uint64_t)g->hosts[h].joins << h;
	}
	if (result == FX_OK)
		result = fx_place(&p.places, g, &p.costs, p.slots, absent, &err);
	if (result < 0)
		result = cmd_wrong("%s", err.text);
	else if (q->json)
		result = show_json(&p);
	else
		show(&p);
	fx_places_fini(&p.places);
	fx_costs_fini(&p.costs);
	return result;
}

int cmd_plan(int argc, char **argv)
{
	char image[64];
	struct question q = { .kubernetes = { .image = image,
					      .space = "default",
					      .claim = "fornix",
					      .folder = "/shared" } };
	const struct cmd_option options[] = {
		{ "measured", NULL, &q.measured, "RECEIPT",
		  "receipt.json of an earlier run of the graph: its work, not a guess" },
		{ "json", &q.json, NULL, NULL, "print one JSON object" },
		{ "kubernetes", &q.manifest, NULL, NULL,
		  "print a manifest that runs the graph on Kubernetes" },
		{ "image", NULL, &q.kubernetes.image, "IMAGE",
		  "its image, with fornix and kubectl (default fornix:VERSION)" },
		{ "namespace", NULL, &q.kubernetes.space, "NAME", "its namespace (default)" },
		{ "claim", NULL, &q.kubernetes.claim, "NAME",
		  "claim of the volume that all pods share (default fornix)" },
		{ "folder", NULL, &q.kubernetes.folder, "PATH",
		  "where they see it (default /shared); `out` lies there" },
		{ "secret", NULL, &q.kubernetes.secret, "NAME",
		  "secret whose `secret` is the key of the run (default: it makes one)" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix plan GRAPH [param=value ...] [--measured RECEIPT] [--json]\n"
			 "       fornix plan GRAPH [param=value ...] --kubernetes [--image IMAGE]",
		.about = "Shows which process of the graph would run on which host, how each link "
			 "goes, and\nwhat is expected to be the slowest. Nothing is started. Hosts "
			 "whose slots are not\ntold count as many as this machine has.\n\n"
			 "  fornix plan graphs/cluster.yaml sections=SECTIONS out=OUT\n",
		.options = options,
		.min_words = 1,
		.max_words = -1,
	};
	int result;

	snprintf(image, sizeof image, "fornix:%d.%d.%d", FX_VERSION_MAJOR, FX_VERSION_MINOR,
		 FX_VERSION_PATCH);
	result = cmd_parse(&line, argc, argv);
	if (result != CMD_GO)
		return result;
	return cmd_on_graph(&line, FX_GRAPH_OPEN_PARAMS, plan_graph, &q);
}
