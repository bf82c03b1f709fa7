// SPDX-License-Identifier: Apache-2.0
/* cmd_run.c: fornix run. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cmd.h"
#include "conduct/run.h"
#include "graph/bounds.h"
#include "recording.h"
#include "show.h"

struct words {
	bool json, quiet, resume, at_most_once, sandbox;
	const char *receipt, *transport, *metrics, *restarts, *window, *hang, *save, *record;
};

static int transport_of(const char *name, enum fx_transport *t)
{
	static const char *const names[] = { "shm", "ipc", "tcp" };

	*t = FX_TRANSPORT_SHM;
	if (!name)
		return CMD_GO;
	for (int i = 0; i < 3; i++)
		if (strcmp(name, names[i]) == 0) {
			*t = (enum fx_transport)i;
			return CMD_GO;
		}
	return cmd_wrong("--transport %s: use shm, ipc or tcp", name);
}

static int port_of(const char *text, int *port)
{
	char *end;
	const long v = text ? strtol(text, &end, 10) : 0;

	*port = (int)v;
	if (!text)
		return CMD_GO;
	if (strcmp(text, "off") == 0)
		*port = FX_HTTP_OFF;
	else if (end == text || *end || v < 0 || v > 65535)
		return cmd_wrong("--metrics %s: use a port 0..65535 (0: any free one), or off",
				 text);
	return CMD_GO;
}

/* A whole number lo..hi; @p text NULL: as it is. */
static int number_of(const char *option, const char *text, unsigned lo, unsigned hi, unsigned *v)
{
	char *end;
	const long n = text ? strtol(text, &end, 10) : 0;

	if (!text)
		return CMD_GO;
	if (end == text || *end || n < (long)lo || n > (long)hi)
		return cmd_wrong("--%s %s: use a whole number %u..%u", option, text, lo, hi);
	*v = (unsigned)n;
	return CMD_GO;
}

/* @p text NULL: as it is. */
static int hang_of(const char *text, double *seconds)
{
	struct fx_bounds b = { 0 };
	struct fx_error err = { 0 };

	if (!text)
		return CMD_GO;
	if (!*text || fx_bounds_set(&b, "hang", text, &err) < 0)
		return cmd_wrong("--hang %s: %s", text, *text ? err.text : "use a time");
	*seconds = b.hang_s > 0 ? b.hang_s : -1;
	return CMD_GO;
}

static const char *param(const struct fx_graph *g, const char *name)
{
	for (size_t i = 0; i < g->params_len; i++)
		if (strcmp(g->params[i].name, name) == 0)
			return g->params[i].value;
	return NULL;
}

/* What lies in the folder of a run that failed is of an earlier one. */
static bool has_failed(const char *receipt)
{
	json_t *j = receipt ? json_loads(receipt, 0, NULL) : NULL;
	const char *failure = json_string_value(json_object_get(j, "failure"));
	const bool failed = !failure || *failure;

	json_decref(j);
	return failed;
}

static int run_it(const struct fx_graph *g, const struct words *w, struct fx_run_options *o)
{
	struct fx_error err = { 0 };
	char *receipt = NULL;
	int result;

	o->out = param(g, "out");
	o->receipt = w->receipt;
	o->quiet = w->quiet;
	o->resume = w->resume;
	o->at_most_once = w->at_most_once;
	result = fx_run_graph(g, o, &receipt, &err);
	if (result < 0) {
		cmd_wrong("%s", err.text);
		return CMD_WRONG;
	}
	if (!w->quiet && o->out && !has_failed(receipt)) {
		show_scores(o->out);
		show_made(o->out);
	}
	if (w->json && receipt)
		printf("%s\n", receipt);
	free(receipt);
	return result == FX_OK ? CMD_DONE : CMD_FAILED;
}

int cmd_run(int argc, char **argv)
{
	struct words w = { 0 };
	struct fx_run_options o = { .restarts = { FX_RESTARTS, FX_RESTART_WINDOW_S } };
	unsigned save_mib = FX_SAVE_MIB;
	const struct cmd_option options[] = {
		{ "json", &w.json, NULL, NULL, "print the receipt on stdout as one JSON object" },
		{ "quiet", &w.quiet, NULL, NULL, "no progress and no summary" },
		{ "resume", &w.resume, NULL, NULL,
		  "go on with what a run that was stopped left in OUT" },
		{ "at-most-once", &w.at_most_once, NULL, NULL,
		  "no journals: a node with state that dies ends the run" },
		{ "save-every", NULL, &w.save, "MIB",
		  "how long the journal of a node gets before it is saved (default 32)" },
		{ "receipt", NULL, &w.receipt, "FILE",
		  "where to write the receipt (default OUT/receipt.json)" },
		{ "transport", NULL, &w.transport, "WAY", "shm (default), ipc, or tcp" },
		{ "metrics", NULL, &w.metrics, "PORT",
		  "of /metrics on 127.0.0.1 (default any; or off)" },
		{ "restarts", NULL, &w.restarts, "N",
		  "how often a process that died is started again (default 5)" },
		{ "restart-window", NULL, &w.window, "SECONDS",
		  "within which so many restarts may be (default 600)" },
		{ "hang", NULL, &w.hang, "SECONDS",
		  "without progress a process is started again (default 60; 0: never)" },
		{ "bind", NULL, &o.bind, "ADDRESS",
		  "IPv4 address to listen on with tcp (default 127.0.0.1; others need --keys)" },
		{ "keys", NULL, &o.keys, "DIR",
		  "own keys by fornix keygen, and DIR/allowed with those of who may connect" },
		{ "sandbox", &w.sandbox, NULL, NULL,
		  "a graph from elsewhere: read and write only what the command line names" },
		{ "no-confine", &o.unconfined, NULL, NULL,
		  "let processes keep the rights that they do not need" },
		{ "measured", NULL, &o.measured, "RECEIPT",
		  "of an earlier run: places nodes on hosts by what they cost there" },
		{ "record", NULL, &w.record, "EDGE=DIR",
		  "record NODE.OUTPUT from its first message on" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix run GRAPH [param=value ...] [--resume] [--receipt FILE] [--json] "
			 "[--quiet]",
		.about = "Runs the graph: one process a node, until the sources end. Ctrl-C stops "
			 "the\n"
			 "sources and lets the rest flow out; twice, or SIGTERM, stops at once.\n\n"
			 "  fornix run graphs/reconstruct.yaml sections=SECTIONS out=OUT voxel=\"8 "
			 "8 8 nm\"\n\n"
			 "exit code: 0 all done and nothing missing; 1 something is missing or "
			 "failed;\n"
			 "2 the command, graph or options are wrong\n",
		.options = options,
		.min_words = 1,
		.max_words = -1,
	};
	struct fx_sandbox sandbox = { 0 };
	struct fx_graph_errors errors;
	struct fx_registry *r;
	struct fx_graph *g;
	int result = cmd_parse(&line, argc, argv);

	if (result == CMD_GO)
		result = transport_of(w.transport, &o.transport);
	if (result == CMD_GO)
		result = port_of(w.metrics, &o.http_port);
	if (result == CMD_GO)
		result = number_of("restarts", w.restarts, 0, FX_RESTARTS_MAX, &o.restarts.most);
	if (result == CMD_GO)
		result = number_of("restart-window", w.window, 1, 86400, &o.restarts.window_s);
	if (result == CMD_GO)
		result = hang_of(w.hang, &o.hang_s);
	if (result == CMD_GO)
		result = number_of("save-every", w.save, 0, 65536, &save_mib);
	o.save_mib = save_mib ? (int)save_mib : -1;
	if (result != CMD_GO)
		return result;
	r = cmd_registry();
	if (!r)
		return CMD_FAILED;
	g = cmd_graph(&line, r, 0, &errors);
	if (g && w.sandbox) {
		fx_sandbox_check(&sandbox, g, &errors);
		o.sandbox = &sandbox;
	}
	cmd_print_errors(&errors);
	result = g && !errors.len ? CMD_GO : CMD_WRONG;
	if (result == CMD_GO && w.record)
		result = recording_add(g, r, w.record);
	if (result == CMD_GO)
		result = run_it(g, &w, &o);
	fx_sandbox_fini(&sandbox);
	fx_graph_free(g);
	fx_registry_free(r);
	return result;
}
