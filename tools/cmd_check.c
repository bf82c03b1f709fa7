// SPDX-License-Identifier: Apache-2.0
/* cmd_check.c: fornix check. */
#include <stdio.h>

#include "cmd.h"
#include "graph/json.h"

static size_t count_edges(const struct fx_graph *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->nodes_len; i++)
		n += g->nodes[i].inputs_len;
	return n;
}

static json_t *errors_json(const struct fx_graph_errors *errors)
{
	json_t *list = json_array();

	for (size_t i = 0; i < errors->len; i++)
		json_array_append_new(list,
				      json_pack("{s:i, s:i, s:o}", "line", errors->list[i].line,
						"column", errors->list[i].col, "text",
						fx_json_text(errors->list[i].text)));
	return list;
}

static void print_json(const struct fx_graph *g, const struct fx_graph_errors *errors)
{
	const json_int_t nodes = g ? (json_int_t)g->nodes_len : 0;
	const json_int_t edges = g ? (json_int_t)count_edges(g) : 0;

	fx_json_print(json_pack("{s:b, s:I, s:I, s:I, s:o}", "ok", g != NULL, "nodes", nodes,
				"edges", edges, "more", (json_int_t)errors->more, "errors",
				errors_json(errors)),
		      stdout);
}

/* What is to be told, and how. */
struct telling {
	const char *path;
	bool json;
};

static int check(const struct fx_graph *g, const struct fx_graph_errors *errors,
		 const void *context)
{
	const struct telling *t = context;

	if (g)
		fprintf(stderr, "%s: right: %zu nodes, %zu edges\n", t->path, g->nodes_len,
			count_edges(g));
	if (t->json)
		print_json(g, errors);
	return CMD_DONE;
}

int cmd_check(int argc, char **argv)
{
	bool json = false;
	const struct cmd_option options[] = {
		{ "json", &json, NULL, NULL, "print one JSON object: ok, nodes, edges, errors" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix check GRAPH [param=value ...] [--json]",
		.about = "Reads the graph file and tells everything that is wrong with it, with "
			 "line "
			 "and column:\nnames, types, ranges, units, edges, cycles. Runs nothing.\n",
		.options = options,
		.min_words = 1,
		.max_words = -1,
	};
	const int result = cmd_parse(&line, argc, argv);

	if (result != CMD_GO)
		return result;
	return cmd_on_graph(&line, 0, check, &(struct telling){ line.words[0], json });
}
