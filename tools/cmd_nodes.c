// SPDX-License-Identifier: Apache-2.0
/* cmd_nodes.c: fornix nodes. */
#include <stdio.h>

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

static int describe_all(const struct fx_registry *r, bool json)
{
	if (json)
		return fx_describe_list_json(r, stdout) < 0 ? CMD_FAILED : CMD_DONE;
	fx_describe_list(r, stdout);
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
		.usage = "fornix nodes [TYPE] [--json]",
		.about = "Lists the node types by role, or describes one: ports, options, ranges, "
			 "units, defaults.\nTypes are built in, or modules in lib/fornix/nodes or "
			 "in "
			 "the folders of FX_NODE_PATH.\n",
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
	result = line.words_len ? describe_one(r, line.words[0], json) : describe_all(r, json);
	fx_registry_free(r);
	return result;
}
