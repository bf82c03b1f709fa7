// SPDX-License-Identifier: Apache-2.0
/* cmd_join.c: fornix join: lets a host join a run that goes on. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cmd.h"
#include "conduct/door.h"
#include "conduct/view.h"

enum { PATIENCE_S = 120 };

/* What is said of the host, as name=value, and its name. NULL after a message. */
static json_t *question_of(const char *host, char **words, int len)
{
	struct fx_param *told = fx_calloc((size_t)len, sizeof *told);
	json_t *set = json_object();

	if (!told || !cmd_params(words, len, told)) {
		json_decref(set);
		set = NULL;
	}
	for (int i = 0; set && i < len; i++)
		json_object_set_new(set, told[i].name, json_string(told[i].value));
	free(told);
	return set ? json_pack("{s:s, s:o}", "join", host, "set", set) : NULL;
}

static int show(const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));
	const char *host = json_string_value(json_object_get(answer, "joined"));
	const json_t *names = json_object_get(answer, "processes");

	if (error || !host)
		return cmd_failed("%s", error ? error : "the run does not understand the question");
	printf("%s has joined and takes %zu processes%s", host, json_array_size(names),
	       json_array_size(names) ? ":" : "");
	for (size_t i = 0; i < json_array_size(names); i++)
		printf(" %s", json_string_value(json_array_get(names, i)));
	printf("\n");
	return CMD_DONE;
}

static int join(const char *run, const char *host, char **words, int len)
{
	json_t *question = question_of(host, words, len), *answer;
	struct fx_error err = { 0 };
	struct fx_view *v;
	int result;

	if (!question)
		return CMD_WRONG;
	v = fx_view_open(run, &err);
	if (!v) {
		json_decref(question);
		return cmd_wrong("%s", err.text);
	}
	answer = fx_door_ask(v->dir, question, PATIENCE_S, &err);
	result = answer ? show(answer) : cmd_failed("%s", err.text);
	json_decref(answer);
	fx_view_close(v);
	return result;
}

int cmd_join(int argc, char **argv)
{
	const struct cmd_option options[] = { { 0 } };
	struct cmd_line line = {
		.usage = "fornix join [RUN] HOST [name=value ...]",
		.about = "Starts fornix on a host that the graph of a run names and that is not "
			 "there: with\n`joins: yes`, or one that has vanished. It takes its share "
			 "of the processes that\nkeep nothing, from hosts that have more work for "
			 "their processors. RUN is the folder\nof the run or its conductor's pid; "
			 "the only run there is needs none. What the graph\ndoes not tell of the "
			 "host, or tells otherwise, is said here: address, launcher,\nlogin, "
			 "command, options, slots.\n\n"
			 "  fornix join late address=10.0.0.9 login=me@lab9\n",
		.options = options,
		.min_words = 1,
		.max_words = -1,
	};
	const int result = cmd_parse(&line, argc, argv);
	const bool names_run = line.words_len > 1 && !strchr(line.words[1], '=');

	if (result != CMD_GO)
		return result;
	return names_run ? join(line.words[0], line.words[1], line.words + 2, line.words_len - 2) :
			   join(NULL, line.words[0], line.words + 1, line.words_len - 1);
}
