// SPDX-License-Identifier: Apache-2.0
/* runfile.c: what a run tells those who want to look at it. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "conduct/run.h"
#include "conduct/view.h"
#include "node/guestpath.h"

static json_t *outputs_json(const struct fx_wiring *w)
{
	json_t *o = json_object();

	for (size_t i = 0; i < w->outputs_len; i++) {
		char *endpoint = fx_guest_endpoint(w, w->outputs[i].port);

		json_object_set_new(o, w->outputs[i].port, json_string(endpoint));
		free(endpoint);
	}
	return o;
}

static json_t *nodes_json(const struct fx_plan *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->instances_len; i++) {
		const struct fx_wiring *w = &p->instances[i].wiring;

		json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:i, s:o}", "node", w->node,
						      "type", w->type, "instance", (int)w->instance,
						      "instances", (int)w->instances, "outputs",
						      outputs_json(w)));
	}
	return list;
}

static json_t *edges_json(const struct fx_plan *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->edges_len; i++) {
		const struct fx_plan_edge *e = &p->edges[i];

		json_array_append_new(
			list, json_pack("{s:s, s:i, s:s, s:s, s:s, s:I, s:I}", "from",
					p->graph->nodes[e->from].name, "parts",
					(int)fx_graph_parts(p->graph, e->from), "from_port",
					e->from_port, "to", p->graph->nodes[e->to].name, "to_port",
					e->to_port, "first", (json_int_t)e->first, "lanes",
					(json_int_t)(e->producers * e->consumers)));
	}
	return list;
}

static json_t *counters_json(const struct fx_run *r)
{
	char *path =
		fx_asprintf("/proc/%d/fd/%d", (int)getpid(), r->plan->fds[r->plan->fds_len - 1]);
	json_t *j = json_pack("{s:s*, s:I, s:i, s:i}", "path", path, "lanes",
			      (json_int_t)r->plan->lanes_len, "instance_size",
			      (int)sizeof(struct fx_instance_stats), "lane_size",
			      (int)sizeof(struct fx_lane_stats));

	free(path);
	return j;
}

/* Of a value that is not UTF-8, such as a path, nothing can be said in JSON. */
static json_t *params_json(const struct fx_graph *g)
{
	json_t *o = json_object();

	for (size_t i = 0; i < g->params_len; i++)
		if (g->params[i].value)
			json_object_set_new(o, g->params[i].name, json_string(g->params[i].value));
	return o;
}

static json_t *graph_json(const char *file)
{
	char *path = realpath(file, NULL);
	json_t *j = json_string(path ? path : file);

	free(path);
	return j ? j : json_string("");
}

int fx__run_file_write(const struct fx_run *r, struct fx_error *err)
{
	static const char *const transports[] = { "shm", "ipc", "tcp" };
	char *text = NULL, *path = fx_path_join(r->run_dir, FX_RUN_FILE);
	json_t *j = json_pack("{s:i, s:o, s:o, s:s, s:I, s:o, s:o, s:o}", "pid", (int)getpid(),
			      "graph", graph_json(r->graph->file), "params", params_json(r->graph),
			      "transport", transports[r->options->transport], "start_ns",
			      (json_int_t)r->start_ns, "counters", counters_json(r), "nodes",
			      nodes_json(r->plan), "edges", edges_json(r->plan));
	int result;

	text = j ? json_dumps(j, JSON_INDENT(1)) : NULL;
	if (path && text)
		result = fx_file_write(path, text, strlen(text), err);
	else
		result = fx_error_set(err, FX_ENOMEM, "cannot describe the run in %s", r->run_dir);
	json_decref(j);
	free(text);
	free(path);
	return result;
}
