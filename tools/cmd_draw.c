// SPDX-License-Identifier: Apache-2.0
/* cmd_draw.c: fornix draw. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "graph/draw.h"
#include "graph/hint.h"

static int draw(const struct fx_graph *g, const struct fx_graph_errors *errors, const void *context)
{
	const char *format = context;
	static const char *const formats[] = { "dot", "svg", "json" };
	struct fx_error err = { 0 };
	struct fx_hint hint = { 0 };

	(void)errors;
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		fx_hint_offer(&hint, format, formats[i]);
	if (!g)
		return CMD_WRONG;
	if (strcmp(format, "dot") == 0)
		fx_draw_dot(g, stdout);
	else if (strcmp(format, "json") == 0)
		fx_draw_json(g, stdout);
	else if (strcmp(format, "svg") != 0)
		return cmd_wrong("no format \"%s\"%s", format, fx_hint_text(&hint));
	else if (fx_draw_svg(g, stdout, &err) < 0)
		return cmd_failed("%s", err.text);
	return CMD_DONE;
}

int cmd_draw(int argc, char **argv)
{
	const char *format = "dot";
	bool json = false;
	const struct cmd_option options[] = {
		{ "format", NULL, &format, "FORMAT", "dot (the default), svg or json" },
		{ "json", &json, NULL, NULL, "the same as --format json" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix draw GRAPH [param=value ...] [--format dot|svg|json]",
		.about = "Draws the graph to the standard output. Parameters need not be given, "
			 "except those that\na type or an edge is made from. SVG needs GraphViz.\n",
		.options = options,
		.min_words = 1,
		.max_words = -1,
	};
	const int result = cmd_parse(&line, argc, argv);

	if (result != CMD_GO)
		return result;
	return cmd_on_graph(&line, FX_GRAPH_OPEN_PARAMS, draw, json ? "json" : format);
}
