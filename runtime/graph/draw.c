// SPDX-License-Identifier: Apache-2.0
/* draw.c: a graph as a picture and as JSON. */
#include "graph/draw.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph/describe.h"
#include "graph/json.h"

static const char *role_colour(const char *type)
{
	static const char *const colours[][2] = {
		{ "acquire/", "#cfe8cf" },	{ "tiler/", "#e4e4e4" },
		{ "aligner/", "#d8e6f3" },	{ "inspector/", "#fde2c4" },
		{ "normalizer/", "#f6f0c2" },	{ "adapter/", "#efe3b0" },
		{ "segmenter/", "#c9daf8" },	{ "stitcher/", "#c4e3e6" },
		{ "consensus/", "#d5d0f0" },	{ "agglomerator/", "#c8ead9" },
		{ "skeletonizer/", "#e3d0ef" }, { "scorer/", "#f8d4d4" },
		{ "trainer/", "#f3cfe0" },	{ "writer/", "#d9cfc4" },
		{ "flow/", "#ffffff" },
	};

	for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
		if (strncmp(type, colours[i][0], strlen(colours[i][0])) == 0)
			return colours[i][1];
	return "#ffffff";
}

/* A text inside the quotes of dot. */
static void put_quoted(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

/* What can flow from @p out, sent as @p precision, to @p in. */
static void flow_text(const struct fx_port *out, unsigned precision, const struct fx_port *in,
		      char *text, size_t size)
{
	struct fx_port both = fx_precision_port(out, precision);

	both.kinds &= in->kinds;
	both.dtypes &= precision ? fx_precision_taken(in) : in->dtypes;
	both.roles = out->roles && in->roles ? out->roles & in->roles : out->roles | in->roles;
	fx_port_text(&both, text, size);
}

static void draw_edges(const struct fx_graph *g, const struct fx_graph_node *n, FILE *out)
{
	for (size_t i = 0; i < n->inputs_len; i++) {
		const struct fx_graph_node *from = &g->nodes[n->inputs[i].from];
		const struct fx_port *a = &from->type->ports[n->inputs[i].from_port];
		const struct fx_port *b = &n->type->ports[n->inputs[i].port];
		char flow[160];

		flow_text(a, fx_precision_of(from->precision, n->inputs[i].from_port), b, flow,
			  sizeof flow);
		fprintf(out, "\t\"%s\" -> \"%s\" [label=\"", from->name, n->name);
		put_quoted(a->name, out);
		fprintf(out, " -> ");
		put_quoted(b->name, out);
		fprintf(out, "\\n%s\"];\n", flow);
	}
}

void fx_draw_dot(const struct fx_graph *g, FILE *out)
{
	fprintf(out, "digraph fornix {\n"
		     "\trankdir=LR;\n"
		     "\tnode [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n"
		     "\tedge [fontname=\"sans-serif\", fontsize=10];\n");
	for (size_t i = 0; i < g->nodes_len; i++) {
		const struct fx_graph_node *n = &g->nodes[i];

		fprintf(out, "\t\"%s\" [label=\"%s\\n", n->name, n->name);
		put_quoted(n->type->name, out);
		if (n->workers > 1)
			fprintf(out, "\\n%d workers%s%s", n->workers, n->key ? " by " : "",
				n->key ? fx_key_name(n->key) : "");
		fprintf(out, "\", fillcolor=\"%s\"];\n", role_colour(n->type->name));
	}
	for (size_t i = 0; i < g->nodes_len; i++)
		draw_edges(g, &g->nodes[i], out);
	fprintf(out, "}\n");
}

/* Runs "dot -Tsvg" between two files and waits. */
static int run_dot(int in, int out, struct fx_error *err)
{
	char name[] = "dot", format[] = "-Tsvg";
	char *const argv[] = { name, format, NULL };
	posix_spawn_file_actions_t actions;
	int failed, status = 0;
	pid_t pid;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return fx_error_set(err, FX_ENOMEM, "no memory to start dot");
	failed = posix_spawn_file_actions_adddup2(&actions, in, 0);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (!failed)
		failed = posix_spawnp(&pid, name, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (failed)
		return fx_error_set(err, failed == ENOENT ? FX_ENOENT : FX_EIO,
				    "SVG needs the program dot of GraphViz, which cannot be "
				    "started: %s; --format dot needs nothing",
				    strerror(failed));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return fx_error_set(err, FX_EIO, "dot of GraphViz failed with status %d", status);
	return FX_OK;
}

static int copy_all(FILE *from, FILE *to)
{
	char bytes[4096];
	size_t n;

	rewind(from);
	while ((n = fread(bytes, 1, sizeof bytes, from)) > 0)
		if (fwrite(bytes, 1, n, to) != n)
			return FX_EIO;
	return ferror(from) ? FX_EIO : FX_OK;
}

int fx_draw_svg(const struct fx_graph *g, FILE *out, struct fx_error *err)
{
	FILE *dot = tmpfile(), *svg = tmpfile();
	int result;

	if (!dot || !svg) {
		result = fx_error_set(err, FX_EIO, "no temporary file: %s", strerror(errno));
		goto done;
	}
	fx_draw_dot(g, dot);
	if (fflush(dot) != 0 || lseek(fileno(dot), 0, SEEK_SET) != 0) {
		result = fx_error_set(err, FX_EIO, "no temporary file: %s", strerror(errno));
		goto done;
	}
	result = run_dot(fileno(dot), fileno(svg), err);
	if (result == FX_OK && copy_all(svg, out) < 0)
		result = fx_error_set(err, FX_EIO, "cannot write the SVG: %s", strerror(errno));
done:
	if (dot)
		fclose(dot);
	if (svg)
		fclose(svg);
	return result;
}

static json_t *params_json(const struct fx_graph *g)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->params_len; i++) {
		const struct fx_graph_param *p = &g->params[i];
		json_t *j = json_pack("{s:o, s:o, s:b}", "name", fx_json_text(p->name), "help",
				      fx_json_text(p->help), "required", p->required);

		if (p->value)
			json_object_set_new(j, "value", fx_json_text(p->value));
		json_array_append_new(list, j);
	}
	return list;
}

static json_t *node_json(const struct fx_graph_node *n)
{
	json_t *options = json_object();

	for (size_t i = 0; i < n->options_len; i++)
		json_object_set_new(options, n->options[i].name, fx_json_text(n->options[i].value));
	return json_pack("{s:s, s:s, s:i, s:i, s:o}", "name", n->name, "type", n->type->name,
			 "workers", n->workers, "line", n->line, "options", options);
}

static json_t *edge_json(const struct fx_graph *g, const struct fx_graph_node *n,
			 const struct fx_graph_input *in)
{
	const struct fx_graph_node *from = &g->nodes[in->from];
	const struct fx_port *a = &from->type->ports[in->from_port];
	const struct fx_port *b = &n->type->ports[in->port];
	char flow[160];

	flow_text(a, fx_precision_of(from->precision, in->from_port), b, flow, sizeof flow);
	return json_pack("{s:s++, s:s++, s:s}", "from", from->name, ".", a->name, "to", n->name,
			 ".", b->name, "sends", flow);
}

int fx_draw_json(const struct fx_graph *g, FILE *out)
{
	json_t *nodes = json_array(), *edges = json_array();

	for (size_t i = 0; i < g->nodes_len; i++) {
		const struct fx_graph_node *n = &g->nodes[i];

		json_array_append_new(nodes, node_json(n));
		for (size_t k = 0; k < n->inputs_len; k++)
			json_array_append_new(edges, edge_json(g, n, &n->inputs[k]));
	}
	return fx_json_print(json_pack("{s:o, s:o, s:o, s:o}", "file", fx_json_text(g->file),
				       "params", params_json(g), "nodes", nodes, "edges", edges),
			     out);
}
