// SPDX-License-Identifier: Apache-2.0
/* fornix.c: the one command: finds which command is meant. */
#include <stdio.h>
#include <string.h>

#include <fornix/version.h>

#include "cmd.h"
#include "graph/hint.h"

struct command {
	const char *name, *summary;
	int (*run)(int argc, char **argv);
};

#define FX_COMMAND_ROW(id, name, summary) { name, summary, cmd_##id },
static const struct command commands[] = { FX_COMMANDS(FX_COMMAND_ROW) };
#undef FX_COMMAND_ROW

enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_help(FILE *out)
{
	fprintf(out,
		"usage: fornix COMMAND [ARGUMENT ...]\n\n"
		"fornix turns a running microscope into neurons: nodes wired by a graph file.\n\n"
		"commands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\nfornix COMMAND --help tells more about one.\n"
		     "exit codes: 0 done and nothing missing; 1 ended with something missing or "
		     "failed;\n2 the command, graph or options are wrong\n");
}

/* What was printed has to have arrived, e.g. on a disk that is full. */
static int finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "fornix: cannot write the output\n");
	return code ? code : CMD_FAILED;
}

static int run_command(int argc, char **argv)
{
	struct fx_hint hint = { 0 };

	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[0], commands[i].name) == 0)
			return commands[i].run(argc, argv);
		fx_hint_offer(&hint, argv[0], commands[i].name);
	}
	return cmd_wrong("no command \"%s\"%s", argv[0], fx_hint_text(&hint));
}

int main(int argc, char **argv)
{
	const char *const first = argc > 1 ? argv[1] : "";

	if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) {
		print_help(stdout);
		return finish(CMD_DONE);
	}
	if (strcmp(first, "--version") == 0) {
		printf("fornix %d.%d.%d (node ABI %d, wire %d)\n", FX_VERSION_MAJOR,
		       FX_VERSION_MINOR, FX_VERSION_PATCH, FX_NODE_ABI, FX_WIRE_VERSION);
		return finish(CMD_DONE);
	}
	if (argc < 2) {
		print_help(stderr);
		return CMD_WRONG;
	}
	return finish(run_command(argc - 1, argv + 1));
}
