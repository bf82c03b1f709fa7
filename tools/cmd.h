// SPDX-License-Identifier: Apache-2.0
/* cmd.h: what the commands share: arguments, parameters, node types, error messages. */
#ifndef FX_TOOLS_CMD_H
#define FX_TOOLS_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "commands.h"
#include "graph/graph.h"

/** What a command returns: the exit code of the program. */
enum {
	CMD_DONE = 0,	/**< done, and nothing is missing */
	CMD_FAILED = 1, /**< it ended with something missing or failed */
	CMD_WRONG = 2,	/**< the command, graph or options are wrong */
	CMD_GO = -1,	/**< only from cmd_parse(): go on */
};

/** Every command takes its name in argv[0]. */
#define FX_COMMAND_DECLARE(id, name, summary) int cmd_##id(int argc, char **argv);
FX_COMMANDS(FX_COMMAND_DECLARE)
#undef FX_COMMAND_DECLARE

/** An option of a command: "--name" sets *flag, "--name VALUE" or "--name=VALUE" sets *value. */
struct cmd_option {
	const char *name; /**< without dashes; NULL ends the list */
	bool *flag;
	const char **value;
	const char *what; /**< the word for the value in the help */
	const char *help;
};

/** The command line of a command. */
struct cmd_line {
	const char *usage; /**< "fornix check GRAPH [param=value ...]" */
	const char *about; /**< some lines for --help; ends with a newline */
	const struct cmd_option *options;
	int min_words, max_words; /**< words that are not options; max below 0: any number */
	char **words;		  /**< set by cmd_parse(): borrowed from argv */
	int words_len;
};

/** Takes options and words apart. CMD_GO, or the exit code after --help or a wrong argument, about
 * which a message was printed. */
int cmd_parse(struct cmd_line *line, int argc, char **argv);
/** Prints "fornix: message" to stderr and returns CMD_WRONG. */
int cmd_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** The same, and returns CMD_FAILED. */
int cmd_failed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** Node types: built in, from FX_NODE_PATH, and from lib/fornix/nodes beside the program's bin.
 * NULL after a message. Free with fx_registry_free(). */
struct fx_registry *cmd_registry(void);
/** The path of the running program itself. free(). NULL when it cannot be told. */
char *cmd_program_path(void);
/** The path of a file that comes with fornix ("graphs/demo.yaml"): in share/fornix beside the
 * program when it is installed, else in the source tree that the program was built in. free(). NULL
 * when there is none. */
char *cmd_data_path(const char *name);
/** Splits words of the form name=value in place into @p params (room for @p len of them). False
 * after a message. */
bool cmd_params(char **words, int len, struct fx_param *params);
/** Loads the graph words[0] with the parameters behind it. NULL with @p errors set (not printed),
 * or after a message with errors->len 0. */
struct fx_graph *cmd_graph(const struct cmd_line *line, const struct fx_registry *r, unsigned flags,
			   struct fx_graph_errors *errors);
/** Loads the graph as above, prints its errors, and calls @p use (@p context is passed on; the
 * graph is NULL when it is wrong), whose exit code it returns; CMD_WRONG when the graph is wrong.
 */
int cmd_on_graph(const struct cmd_line *line, unsigned flags,
		 int (*use)(const struct fx_graph *g, const struct fx_graph_errors *errors,
			    const void *context),
		 const void *context);
/** From here on SIGINT and SIGTERM are only noted, once: the second ends the program. */
void cmd_catch_interrupts(void);
/** Whether one came. */
bool cmd_interrupted(void);
/** Prints errors to stderr, one a line. */
void cmd_print_errors(const struct fx_graph_errors *errors);

#endif
