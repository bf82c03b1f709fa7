// SPDX-License-Identifier: Apache-2.0
/* cmd_nodes.c: fornix nodes. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "graph/describe.h"

static int describe_one(const struct fx_registry *r, const char *name, bool json)
{
	struct fx_error err = { 0 };
	const struct fx_node_type *t = fx_registry_find(r, name, &err);

	if (!t)
		return cmd_wrong("%s", err.text);
	if (json)
		return fx_describe_type_json(t, stdout) < 0 ? CMD_FAILED : CMD_DONE;
	fx_describe_type(t, stdout);
	return CMD_DONE;
}

static bool is_role(const struct fx_registry *r, const char *name)
{
	const size_t len = strlen(name);

	for (size_t i = 0; i < fx_registry_len(r); i++)
		if (strncmp(fx_registry_at(r, i)->name, name, len) == 0 &&
		    fx_registry_at(r, i)->name[len] == '/')
			return true;
	return false;
}

/* @p name: a type, a role, or NULL for all. */
static int describe(const struct fx_registry *r, const char *name, bool json)
{
	if (name && !is_role(r, name))
		return describe_one(r, name, json);
	if (json)
		return fx_describe_list_json(r, name, stdout) < 0 ? CMD_FAILED : CMD_DONE;
	fx_describe_list(r, name, stdout);
	return CMD_DONE;
}

int cmd_nodes(int argc, char **argv)
{
	bool json = false;
	const struct cmd_option options[] = {
		{ "json", &json, NULL, NULL, "print one JSON object, for editors and tools" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix nodes [ROLE | TYPE] [--json]",
		.about = "Lists the node types, or those of one role, or describes one: ports, "
			 "options, "
			 "ranges,\nunits, defaults. Types are built in, or modules in "
			 "lib/fornix/nodes "
			 "or in the folders\nof FX_NODE_PATH.\n",
		.options = options,
		.max_words = 1,
	};
	struct fx_registry *r;
	int result = cmd_parse(&line, argc, argv);

	if (result != CMD_GO)
		return result;
	r = cmd_registry();
	if (!r)
		return CMD_FAILED;
	result = describe(r, line.words_len ? line.words[0] : NULL, json);
	fx_registry_free(r);
	return result;
}
