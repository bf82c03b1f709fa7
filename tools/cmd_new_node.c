// SPDX-License-Identifier: Apache-2.0
/* cmd_new_node.c: fornix new-node. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "cmd.h"
#include "graph/params.h"
#include "template.h"

enum { FILES = 3, CMAKE = 2 }; /* index into struct new_node's paths */

struct new_node {
	char role[FX_GRAPH_NAME_MAX + 1], version[32];
	const char *method; /* borrowed from the command line */
	char *paths[FILES]; /* owned */
};

/* The text for the word @name@ that stands at @p at, and what follows it; NULL for none. */
static const char *placeholder(const struct new_node *n, const char *at, const char **next)
{
	const char *const words[][2] = { { "@ROLE@", n->role },
					 { "@METHOD@", n->method },
					 { "@VERSION@", n->version } };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strncmp(at, words[i][0], strlen(words[i][0])) == 0) {
			*next = at + strlen(words[i][0]);
			return words[i][1];
		}
	return NULL;
}

static char *fill(const struct new_node *n, const char *text)
{
	char *filled = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&filled, &size);

	if (!out)
		return NULL;
	while (*text) {
		const char *next = text + 1, *word = placeholder(n, text, &next);

		if (word)
			fputs(word, out);
		else
			fputc(*text, out);
		text = next;
	}
	if (fclose(out) == 0)
		return filled;
	free(filled);
	return NULL;
}

static int write_file(const struct new_node *n, int file)
{
	static const char *const texts[FILES] = { template_node_c, template_test_yaml,
						  template_CMakeLists_txt };
	struct fx_error err = { 0 };
	char *text;

	if (file == CMAKE && access(n->paths[file], F_OK) == 0) {
		fprintf(stderr,
			"%s is there already; add to it:\n"
			"\tfornix_add_node(%s/%s %s/%s.c)\n",
			n->paths[file], n->role, n->method, n->role, n->method);
		return CMD_DONE;
	}
	text = fill(n, texts[file]);
	if (!text)
		return cmd_failed("no memory for %s", n->paths[file]);
	if (fx_file_write(n->paths[file], text, strlen(text), &err) < 0) {
		free(text);
		return cmd_failed("%s", err.text);
	}
	free(text);
	fprintf(stderr, "wrote %s\n", n->paths[file]);
	return CMD_DONE;
}

static int write_all(const struct new_node *n, const char *folder)
{
	char *role = fx_path_join(folder, n->role);
	struct fx_error err = { 0 };
	int result = CMD_DONE;

	for (int i = 0; i < FILES; i++) {
		if (!role || !n->paths[i])
			result = cmd_failed("no memory for the paths");
		else if (i != CMAKE && access(n->paths[i], F_OK) == 0)
			result = cmd_wrong("%s is there already; nothing was written", n->paths[i]);
	}
	if (result == CMD_DONE && fx_make_dirs(role, &err) < 0)
		result = cmd_failed("%s", err.text);
	for (int i = 0; i < FILES && result == CMD_DONE; i++)
		result = write_file(n, i);
	free(role);
	return result;
}

static int new_node(const char *name, const char *folder)
{
	struct new_node n = { .method = strchr(name, '/') };
	int result;

	if (n.method)
		snprintf(n.role, sizeof n.role, "%.*s",
			 (int)strnlen(name, n.method - name < FX_GRAPH_NAME_MAX ?
						    (size_t)(n.method - name) :
						    FX_GRAPH_NAME_MAX),
			 name);
	if (!n.method || !fx_name_valid(n.role, false) || strchr(n.role, '_') ||
	    !fx_name_valid(++n.method, false))
		return cmd_wrong("\"%s\" is not of the form ROLE/METHOD, e.g. normalizer/invert: "
				 "small letters, digits, and _ in METHOD",
				 name);
	snprintf(n.version, sizeof n.version, "%d.%d", FX_VERSION_MAJOR, FX_VERSION_MINOR);
	n.paths[0] = fx_asprintf("%s/%s/%s.c", folder, n.role, n.method);
	n.paths[1] = fx_asprintf("%s/%s/%s_test.yaml", folder, n.role, n.method);
	n.paths[CMAKE] = fx_path_join(folder, "CMakeLists.txt");
	result = write_all(&n, folder);
	if (result == CMD_DONE)
		fprintf(stderr,
			"next: cd %s && cmake -S . -B build && cmake --build build && "
			"ctest --test-dir build\n",
			folder);
	for (int i = 0; i < FILES; i++)
		free(n.paths[i]);
	return result;
}

int cmd_new_node(int argc, char **argv)
{
	const char *folder = ".";
	const struct cmd_option options[] = {
		{ "into", NULL, &folder, "FOLDER", "where to write (default: the current folder)" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix new-node ROLE/METHOD [--into FOLDER]",
		.about = "Writes a node type outside of the fornix tree that builds, runs and is "
			 "tested: ROLE/METHOD.c,\nROLE/METHOD_test.yaml and CMakeLists.txt. "
			 "Overwrites "
			 "nothing.\n",
		.options = options,
		.min_words = 1,
		.max_words = 1,
	};
	const int result = cmd_parse(&line, argc, argv);

	return result == CMD_GO ? new_node(line.words[0], folder) : result;
}
