// SPDX-License-Identifier: Apache-2.0
/* cmd_replay.c: fornix replay: a recording into a graph, or a dead letter into its node. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cmd.h"
#include "conduct/run.h"
#include "deadletter.h"
#include "graph/graft.h"
#include "node/recording.h"
#include "show.h"

enum { FILE_MAX = 4 << 20 };

struct words {
	const char *graph, *at, *speed;
	bool quiet;
};

/* What is played, where and how. */
struct playing {
	const char *dir;
	const struct words *words;
	json_t *file;	   /* recording.json */
	char speed[16];	   /* of the node's option */
	char factor[32];   /* likewise */
	const char *at;	   /* NODE.OUTPUT */
	const char *graph; /* file */
	const json_t
		*given; /* parameters of the run that was recorded, where they count; or NULL */
};

static bool has_file(const char *dir, const char *name)
{
	char *path = fx_path_join(dir, name);
	const bool there = path && access(path, R_OK) == 0;

	free(path);
	return there;
}

static int speed_of(struct playing *p)
{
	const char *text = p->words->speed ? p->words->speed : "maximal";
	char *end;
	const double factor = strtod(text, &end);

	snprintf(p->factor, sizeof p->factor, "1");
	if (strcmp(text, "original") == 0 || strcmp(text, "maximal") == 0) {
		snprintf(p->speed, sizeof p->speed, "%s", text);
		return CMD_GO;
	}
	if (end == text || *end || !(factor >= 0.001 && factor <= 1000))
		return cmd_wrong("--speed %s: use original, maximal, or 0.001 to 1000 times the "
				 "original",
				 text);
	snprintf(p->speed, sizeof p->speed, "original");
	snprintf(p->factor, sizeof p->factor, "%.9g", factor);
	return CMD_GO;
}

static int read_file(struct playing *p)
{
	struct fx_error err = { 0 };
	char *path = fx_path_join(p->dir, FX_RECORDING_FILE);
	void *text = NULL;
	size_t size = 0;

	if (path && fx_file_read(path, FILE_MAX, &text, &size, &err) == FX_OK)
		p->file = json_loadb(text, size, 0, NULL);
	free(text);
	free(path);
	if (!p->file)
		return cmd_wrong("%s", err.code ? err.text : "recording.json is damaged");
	p->at = p->words->at;
	if (!p->at)
		p->at = json_string_value(json_object_get(p->file, "edge"));
	p->graph = p->words->graph;
	if (!p->graph) {
		p->graph = json_string_value(json_object_get(p->file, "graph"));
		p->given = json_object_get(p->file, "params");
	}
	if (!p->at)
		return cmd_wrong("%s does not tell which edge it is of: give --at NODE.OUTPUT",
				 p->dir);
	if (!p->graph)
		return cmd_wrong("%s does not tell of which graph it is: give --graph GRAPH",
				 p->dir);
	return CMD_GO;
}

static bool is_given(const struct fx_param *params, size_t len, const char *name)
{
	for (size_t i = 0; i < len; i++)
		if (strcmp(params[i].name, name) == 0)
			return true;
	return false;
}

/* The parameters of the command line, and behind them those of the run that was recorded, but for
 * the folder it wrote. Borrowed texts; free() the list. */
static struct fx_param *parameters(const struct playing *p, char **words, int len, size_t *n)
{
	const size_t recorded = json_object_size(p->given);
	struct fx_param *params = fx_calloc((size_t)len + recorded, sizeof *params);
	const char *name;
	json_t *value;

	*n = (size_t)len;
	if (!params || !cmd_params(words, len, params)) {
		free(params);
		return NULL;
	}
	json_object_foreach((json_t *)(uintptr_t)p->given, name, value)
	{
		if (json_is_string(value) && strcmp(name, "out") != 0 &&
		    !is_given(params, (size_t)len, name))
			params[(*n)++] = (struct fx_param){ name, json_string_value(value) };
	}
	return params;
}

static struct fx_graph *load(const struct playing *p, const struct fx_registry *r, char **words,
			     int len)
{
	struct fx_graph_errors errors = { .len = 0 };
	struct fx_graph *g = NULL;
	size_t n;
	struct fx_param *params = parameters(p, words, len, &n);

	if (params)
		g = fx_graph_load(p->graph, r, params, n, 0, &errors);
	cmd_print_errors(&errors);
	free(params);
	return g;
}

static int put_in(const struct playing *p, struct fx_graph *g, const struct fx_registry *r)
{
	const struct fx_param options[] = { { "path", p->dir },
					    { "speed", p->speed },
					    { "factor", p->factor } };
	struct fx_error err = { 0 };
	const struct fx_graft graft = { fx_registry_find(r, "acquire/recording", &err), options,
					3 };
	int result = graft.type ? FX_OK : FX_ENOENT;
	unsigned port = 0;
	size_t node = 0;

	if (result == FX_OK)
		result = fx_graph_output(g, p->at, &node, &port, &err);
	if (result == FX_OK)
		result = fx_graft_source(g, &graft, node, port, &err);
	return result < 0 ? cmd_wrong("%s", err.text) : CMD_GO;
}

static int run(const struct playing *p, const struct fx_graph *g)
{
	struct fx_run_options o = { .quiet = p->words->quiet, .http_port = FX_HTTP_OFF };
	struct fx_error err = { 0 };
	int result;

	for (size_t i = 0; i < g->params_len; i++)
		if (strcmp(g->params[i].name, "out") == 0)
			o.out = g->params[i].value;
	result = fx_run_graph(g, &o, NULL, &err);
	if (result < 0)
		return cmd_wrong("%s", err.text);
	if (result == FX_OK && !o.quiet && o.out) {
		show_scores(o.out);
		show_made(o.out);
	}
	return result == FX_OK ? CMD_DONE : CMD_FAILED;
}

static int play(struct playing *p, const struct cmd_line *line)
{
	struct fx_registry *r = NULL;
	struct fx_graph *g = NULL;
	int result = speed_of(p);

	if (result == CMD_GO)
		result = read_file(p);
	if (result == CMD_GO) {
		r = cmd_registry();
		g = r ? load(p, r, line->words + 1, line->words_len - 1) : NULL;
		result = g ? put_in(p, g, r) : CMD_WRONG;
	}
	if (result == CMD_GO)
		result = run(p, g);
	fx_graph_free(g);
	if (r)
		fx_registry_free(r);
	json_decref(p->file);
	return result;
}

int cmd_replay(int argc, char **argv)
{
	struct words w = { 0 };
	const struct cmd_option options[] = {
		{ "graph", NULL, &w.graph, "GRAPH", "another graph than the one recorded" },
		{ "at", NULL, &w.at, "EDGE", "NODE.OUTPUT to play for (default: as recorded)" },
		{ "speed", NULL, &w.speed, "SPEED",
		  "original, maximal (default), or times the original" },
		{ "quiet", &w.quiet, NULL, NULL, "no progress and no summary" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix replay DIR [param=value ...] [--graph GRAPH] [--at EDGE] [--speed "
			 "SPEED]",
		.about = "DIR is a recording: it is played into the graph in place of the node "
			 "whose output was\n"
			 "recorded. Parameters are those of the recorded run unless given, but for "
			 "out.\n\n"
			 "DIR is a dead letter: its message is given to its node in this process, "
			 "without\n"
			 "sockets, so that a debugger can look at it:\n\n"
			 "  gdb --args fornix replay DEADLETTER\n",
		.options = options,
		.min_words = 1,
		.max_words = -1,
	};
	struct playing p = { .words = &w };
	const int result = cmd_parse(&line, argc, argv);

	if (result != CMD_GO)
		return result;
	p.dir = line.words[0];
	if (has_file(p.dir, DEADLETTER_FILE))
		return line.words_len > 1 ? cmd_wrong("a dead letter has no parameters") :
					    deadletter_replay(p.dir);
	if (has_file(p.dir, FX_RECORDING_FILE))
		return play(&p, &line);
	return cmd_wrong("%s is neither a recording (with %s) nor a dead letter (with %s)", p.dir,
			 FX_RECORDING_FILE, DEADLETTER_FILE);
}
