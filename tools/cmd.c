// SPDX-License-Identifier: Apache-2.0
/* cmd.c: what the commands share. */
#include "cmd.h"

#include "bench.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "graph/hint.h"

static void __attribute__((format(printf, 1, 0))) print_message(const char *fmt, va_list args)
{
	fprintf(stderr, "fornix: ");
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
}

int cmd_wrong(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_message(fmt, args);
	va_end(args);
	return CMD_WRONG;
}

int cmd_failed(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_message(fmt, args);
	va_end(args);
	return CMD_FAILED;
}

static void print_help(const struct cmd_line *line)
{
	char left[64];

	printf("usage: %s\n\n%s", line->usage, line->about);
	if (line->options && line->options->name)
		printf("\noptions:\n");
	for (const struct cmd_option *o = line->options; o && o->name; o++) {
		snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "",
			 o->value ? o->what : "");
		printf("  %-18s %s\n", left, o->help);
	}
}

/* The option at argv[*at]; moves *at on when the value is the next word. */
static int take_option(const struct cmd_line *line, int argc, char **argv, int *at)
{
	const char *const word = argv[*at] + 2;
	const size_t len = strcspn(word, "=");
	struct fx_hint hint = { 0 };
	char name[64];

	snprintf(name, sizeof name, "%.*s", len < sizeof name ? (int)len : 63, word);
	for (const struct cmd_option *o = line->options; o && o->name; o++) {
		fx_hint_offer(&hint, name, o->name);
		if (strlen(o->name) != len || strncmp(o->name, word, len) != 0)
			continue;
		if (o->flag && word[len])
			return cmd_wrong("--%s takes no value", o->name);
		if (o->flag)
			*o->flag = true;
		else if (word[len])
			*o->value = word + len + 1;
		else if (*at + 1 < argc)
			*o->value = argv[++*at];
		else
			return cmd_wrong("--%s needs a value: --%s %s", o->name, o->name, o->what);
		return CMD_GO;
	}
	return cmd_wrong("%s has no option --%s%s", argv[0], name,
			 hint.near.name || *hint.list ? fx_hint_text(&hint) : "");
}

int cmd_parse(struct cmd_line *line, int argc, char **argv)
{
	bool plain = false;

	line->words = argv + 1;
	line->words_len = 0;
	for (int i = 1; i < argc; i++) {
		int result = CMD_GO;

		if (!plain && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
			print_help(line);
			return CMD_DONE;
		}
		if (plain || argv[i][0] != '-' || !argv[i][1])
			line->words[line->words_len++] = argv[i];
		else if (strcmp(argv[i], "--") == 0)
			plain = true;
		else if (argv[i][1] == '-')
			result = take_option(line, argc, argv, &i);
		else
			result = cmd_wrong("options are written --name, not %s", argv[i]);
		if (result != CMD_GO)
			return result;
	}
	if (line->words_len >= line->min_words &&
	    (line->max_words < 0 || line->words_len <= line->max_words))
		return CMD_GO;
	return cmd_wrong("%s: too %s arguments; usage: %s", argv[0],
			 line->words_len < line->min_words ? "few" : "many", line->usage);
}

char *cmd_program_path(void)
{
	char path[PATH_MAX];
	const ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);

	if (len <= 0)
		return NULL;
	path[len] = 0;
	return fx_strdup(path);
}

char *cmd_data_path(const char *name)
{
	static const char *const places[] = { "/../share/fornix/", "/../../../" };
	char *program = cmd_program_path(), *end = program ? strrchr(program, '/') : NULL;
	char *path = NULL;

	if (end)
		*end = 0;
	for (int i = 0; end && !path && i < 2; i++) {
		path = fx_asprintf("%s%s%s", program, places[i], name);
		if (path && access(path, R_OK) != 0) {
			free(path);
			path = NULL;
		}
	}
	free(program);
	return path;
}

struct fx_registry *cmd_registry(void)
{
	const char *given = getenv("FX_NODE_PATH");
	char *program = cmd_program_path(), *end = program ? strrchr(program, '/') : NULL;
	struct fx_registry *r;
	char *path;

	if (end)
		*end = 0;
	path = fx_asprintf("%s%s%s%s", given ? given : "", given && end ? ":" : "",
			   end ? program : "", end ? "/../lib/fornix/nodes" : "");
	r = path ? fx_registry_new(fx_builtin_nodes, path) : NULL;
	for (size_t i = 0; r && bench_nodes[i]; i++)
		if (!fx_registry_hide(r, bench_nodes[i])) {
			fx_registry_free(r);
			r = NULL;
		}
	if (!r)
		cmd_wrong("no memory for the node types");
	free(program);
	free(path);
	return r;
}

bool cmd_params(char **words, int len, struct fx_param *params)
{
	for (int i = 0; i < len; i++) {
		char *equals = strchr(words[i], '=');

		if (!equals || equals == words[i]) {
			cmd_wrong("\"%s\" is not a parameter: write name=value", words[i]);
			return false;
		}
		*equals = 0;
		params[i] = (struct fx_param){ words[i], equals + 1 };
	}
	return true;
}

struct fx_graph *cmd_graph(const struct cmd_line *line, const struct fx_registry *r, unsigned flags,
			   struct fx_graph_errors *errors)
{
	const int len = line->words_len - 1;
	struct fx_param *params = fx_calloc((size_t)len, sizeof *params);
	struct fx_graph *g = NULL;

	memset(errors, 0, sizeof *errors);
	if (!params)
		cmd_wrong("no memory for the parameters");
	else if (cmd_params(line->words + 1, len, params))
		g = fx_graph_load(line->words[0], r, params, (size_t)len, flags, errors);
	free(params);
	return g;
}

void cmd_print_errors(const struct fx_graph_errors *errors)
{
	char text[1024];

	for (size_t i = 0; i < errors->len; i++) {
		fx_graph_error_text(errors, i, text, sizeof text);
		fprintf(stderr, "%s\n", text);
	}
	if (errors->more)
		fprintf(stderr, "%s: and %zu more errors\n", errors->file, errors->more);
}

int cmd_on_graph(const struct cmd_line *line, unsigned flags,
		 int (*use)(const struct fx_graph *g, const struct fx_graph_errors *errors,
			    const void *context),
		 const void *context)
{
	struct fx_registry *r = cmd_registry();
	struct fx_graph_errors errors;
	struct fx_graph *g;
	int result;

	if (!r)
		return CMD_FAILED;
	g = cmd_graph(line, r, flags, &errors);
	cmd_print_errors(&errors);
	result = use(g, &errors, context);
	if (!g)
		result = CMD_WRONG;
	fx_graph_free(g);
	fx_registry_free(r);
	return result;
}
