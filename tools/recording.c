// SPDX-License-Identifier: Apache-2.0
/* recording.c: what the commands about recordings share. */
#include "recording.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cmd.h"
#include "graph/graft.h"

char *recording_about(const char *edge, const char *graph, const json_t *params)
{
	json_t *j = json_pack("{s:s, s:s}", "edge", edge, "graph", graph);
	char *text = NULL;

	if (j && params)
		json_object_set(j, "params", (json_t *)(uintptr_t)params);
	if (j)
		text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	return text;
}

/* As the run itself tells it, see conduct/runfile.c. */
static char *about_graph(const struct fx_graph *g, const char *edge)
{
	char *path = realpath(g->file, NULL), *text;
	json_t *params = json_object();

	for (size_t i = 0; i < g->params_len; i++)
		if (g->params[i].value)
			json_object_set_new(params, g->params[i].name,
					    json_string(g->params[i].value));
	text = recording_about(edge, path ? path : g->file, params);
	json_decref(params);
	free(path);
	return text;
}

static int add_reader(struct fx_graph *g, const struct fx_registry *r, const char *edge,
		      const char *dir)
{
	char *about = about_graph(g, edge);
	const struct fx_param options[] = { { "path", dir }, { "about", about ? about : "" } };
	struct fx_error err = { 0 };
	struct fx_graft graft = { fx_registry_find(r, "writer/recording", &err), options, 2 };
	int result = graft.type ? FX_OK : FX_ENOENT;
	unsigned port = 0;
	size_t node = 0;

	if (result == FX_OK)
		result = fx_graph_output(g, edge, &node, &port, &err);
	if (result == FX_OK)
		result = fx_graft_reader(g, "recording", &graft, node, port, &err);
	free(about);
	return result < 0 ? cmd_wrong("--record: %s", err.text) : CMD_GO;
}

int recording_add(struct fx_graph *g, const struct fx_registry *r, const char *what)
{
	const char *equals = strchr(what, '=');
	char *edge = equals && equals[1] ? fx_strdup(what) : NULL;
	int result;

	if (!edge)
		return cmd_wrong("--record %s: write NODE.OUTPUT=FOLDER", what);
	if (fx_graph_find(g, "recording") >= 0) {
		free(edge);
		return cmd_wrong("--record: the graph has a node called recording already");
	}
	edge[equals - what] = 0;
	result = add_reader(g, r, edge, equals + 1);
	free(edge);
	return result;
}
